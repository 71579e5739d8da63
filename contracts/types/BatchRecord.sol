// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Scores} from "./Scores.sol";

/// How far a batch has come.
enum BatchStatus {
    Open, //     no scores
    Posted, //   scores stand under a bond
    Refereed, // scores computed by the chain
    Released //  paid out
}

/// A batch in one word: scores in the lower 240 bits, then the posting they came with (14 bits), then the status (2).
type BatchRecord is uint256;

using BatchRecordLib for BatchRecord global;

library BatchRecordLib {
    uint256 internal constant MAX_POSTING = 2 ** 14 - 1;
    uint256 private constant SCORES = 2 ** 240 - 1;

    function pack(Scores scores_, uint256 posting_, BatchStatus status_) internal pure returns (BatchRecord) {
        return BatchRecord.wrap((Scores.unwrap(scores_) & SCORES) | (posting_ << 240) | (uint256(status_) << 254));
    }

    function scores(BatchRecord self) internal pure returns (Scores) {
        return Scores.wrap(BatchRecord.unwrap(self) & SCORES);
    }

    function posting(BatchRecord self) internal pure returns (uint256) {
        return (BatchRecord.unwrap(self) >> 240) & MAX_POSTING;
    }

    function status(BatchRecord self) internal pure returns (BatchStatus) {
        return BatchStatus(BatchRecord.unwrap(self) >> 254);
    }
}
