// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Payout} from "../types/Payout.sol";
import {Scores, UNSCORED} from "../types/Scores.sol";
import {SeatRecord} from "../types/SeatRecord.sol";
import {Curve} from "../types/Terms.sol";

/// The money (design, section 5; docs/encoding.md, "Payouts").
library Payouts {
    uint256 internal constant BPS = 10_000;

    /// The payout of one batch. Money is below 2^96 and scores below 2^15, so that nothing here can overflow.
    function compute(Curve memory curve, uint256 bounty, uint256 stake, Scores scores, SeatRecord[] memory records)
        internal
        pure
        returns (Payout memory payout)
    {
        unchecked {
            uint256 cohort = records.length;
            uint256 revealed;
            uint256 total; //   Σ weight
            uint256 scored;
            uint256 atFloor; // scored seats whose score is at the floor or above
            for (uint256 lane; lane < cohort; ++lane) {
                if (!records[lane].isRevealed()) continue;
                int16 score = scores.lane(lane);
                ++revealed;
                total += weight(curve, score);
                if (score == UNSCORED) continue;
                ++scored;
                if (score >= curve.floor) ++atFloor;
            }

            payout.refund = bounty * (cohort - revealed) / cohort;
            uint256 pool = bounty * revealed / cohort;
            uint256 share = _max(2 * total, revealed * _payWidth(curve));
            // A cohort without a signal slashes nobody. The upper median, at index ⌊(scored − 1) / 2⌋ from the largest,
            // is at the floor or above when more seats than that index are.
            bool spared = 2 * atFloor < scored + (scored & 1);
            payout.results = new int256[](cohort);
            int256 sunk = int256(bounty - payout.refund);
            for (uint256 lane; lane < cohort; ++lane) {
                int256 result;
                if (records[lane].isRevealed()) {
                    int16 score = scores.lane(lane);
                    result = int256(2 * pool * weight(curve, score) / share);
                    // Who is slashed earns nothing: slashFrom ≤ payFrom.
                    if (!spared) result -= int256(slash(curve, stake, score));
                } else if (!records[lane].isDenounced()) {
                    result = -int256(forfeit(curve, stake));
                }
                payout.results[lane] = result;
                sunk -= result;
            }
            payout.sunk = uint256(sunk);
        }
    }

    /// What a score earns, 0 … `_payWidth`.
    function weight(Curve memory curve, int16 score) internal pure returns (uint256) {
        uint256 width = _payWidth(curve);
        if (score == UNSCORED || score >= curve.payFull) return width;
        if (score <= curve.payFrom) return 0;
        return uint256(int256(score) - curve.payFrom);
    }

    /// What a score costs of the stake.
    function slash(Curve memory curve, uint256 stake, int16 score) internal pure returns (uint256) {
        if (score == UNSCORED || score >= curve.slashFrom) return 0;
        if (score <= curve.slashFull) return _mulDivUp(stake, curve.maxSlash, BPS);
        // Here slashFull < score < slashFrom.
        uint256 width = uint256(int256(curve.slashFrom) - curve.slashFull);
        return _mulDivUp(stake, curve.maxSlash * uint256(int256(curve.slashFrom) - score), BPS * width);
    }

    /// What absence costs of the stake.
    function forfeit(Curve memory curve, uint256 stake) internal pure returns (uint256) {
        return _mulDivUp(stake, curve.forfeit, BPS);
    }

    /// The most that one seat of a batch can be paid: twice the even share.
    function mostReward(uint256 bounty, uint256 cohort) internal pure returns (uint256) {
        return 2 * bounty / cohort;
    }

    /// The weight of full pay.
    function _payWidth(Curve memory curve) private pure returns (uint256) {
        return curve.payFull == curve.payFrom ? 1 : uint256(int256(curve.payFull) - curve.payFrom);
    }

    function _max(uint256 x, uint256 y) private pure returns (uint256) {
        return x > y ? x : y;
    }

    function _mulDivUp(uint256 x, uint256 y, uint256 z) private pure returns (uint256) {
        unchecked {
            return (x * y + z - 1) / z;
        }
    }
}
