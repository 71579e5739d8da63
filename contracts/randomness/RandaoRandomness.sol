// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Blockhash} from "@openzeppelin/contracts/utils/Blockhash.sol";
import {Memory} from "@openzeppelin/contracts/utils/Memory.sol";
import {RLP} from "@openzeppelin/contracts/utils/RLP.sol";

import {IRandomness} from "../interfaces/IRandomness.sol";

/// The beacon chain's randomness (EIP-4399) of a block that is fixed, and still unknown, when it is asked for; taken out of
/// that block's header, which anyone shows.
///
/// Unlike the block's hash, which its builder can grind as it likes (extra data, order of transactions), this word follows
/// from the validators' signatures: a proposer can only withhold its slot, a bias of one bit at the price of a block. For
/// chains where `block.prevrandao` is the beacon chain's; elsewhere it may be a constant.
contract RandaoRandomness is IRandomness {
    error DelayOutOfRange(uint256 delay, uint256 most);
    error WrongHeader(uint256 ticket);

    event Proved(uint256 indexed ticket, bytes32 word);

    uint256 public constant MAX_DELAY = 128;
    /// The place of PREVRANDAO (`mixHash`) in a header.
    uint256 private constant MIX_HASH = 13;

    /// Blocks from the request to the block whose randomness decides.
    uint256 public immutable delay;

    mapping(uint256 ticket => bytes32) private words;

    constructor(uint256 delay_) {
        require(delay_ != 0 && delay_ <= MAX_DELAY, DelayOutOfRange(delay_, MAX_DELAY));
        delay = delay_;
    }

    /// @inheritdoc IRandomness
    function request() external view returns (uint256 ticket) {
        return block.number + delay;
    }

    /// Shows the RLP-encoded header of block `ticket`, while its hash can be read: for 256 blocks, and for 8,191 where
    /// EIP-2935 is live.
    function prove(uint256 ticket, bytes calldata header) external {
        bytes32 hash = Blockhash.blockHash(ticket);
        require(hash != 0 && keccak256(header) == hash, WrongHeader(ticket));

        Memory.Slice[] memory fields = RLP.decodeList(header);
        bytes32 word = keccak256(abi.encode(RLP.readBytes32(fields[MIX_HASH])));
        words[ticket] = word;

        emit Proved(ticket, word);
    }

    /// @inheritdoc IRandomness
    function outcome(uint256 ticket) external view returns (Status status, bytes32 word) {
        word = words[ticket];
        if (word != 0) return (Status.Ready, word);

        bool lost = block.number > ticket && Blockhash.blockHash(ticket) == 0;
        status = lost ? Status.Expired : Status.Pending;
    }
}
