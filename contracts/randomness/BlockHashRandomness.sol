// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Blockhash} from "@openzeppelin/contracts/utils/Blockhash.sol";

import {IRandomness} from "../interfaces/IRandomness.sol";

/// The hash of a block that is fixed, and still unknown, when it is asked for.
///
/// Whoever builds that block can grind its hash at will (extra data, order of transactions) and so choose among as many
/// draws as it can try. Use it where block builders have no stake in the campaigns, as on devnets, and where nothing better
/// is at hand; on Ethereum use `RandaoRandomness`, elsewhere a VRF. Block hashes are read back for 256 blocks, and for 8,191
/// where EIP-2935 is live; a ticket not read by then has expired. A ticket is a block number, so there is no state and one
/// ticket may serve many.
contract BlockHashRandomness is IRandomness {
    error DelayOutOfRange(uint256 delay, uint256 most);

    uint256 public constant MAX_DELAY = 128;

    /// Blocks from the request to the block whose hash decides.
    uint256 public immutable delay;

    constructor(uint256 delay_) {
        require(delay_ != 0 && delay_ <= MAX_DELAY, DelayOutOfRange(delay_, MAX_DELAY));
        delay = delay_;
    }

    /// @inheritdoc IRandomness
    function request() external view returns (uint256 ticket) {
        return block.number + delay;
    }

    /// @inheritdoc IRandomness
    function outcome(uint256 ticket) external view returns (Status status, bytes32 word) {
        if (block.number <= ticket) return (Status.Pending, 0);

        word = Blockhash.blockHash(ticket);
        status = word == 0 ? Status.Expired : Status.Ready;
    }
}
