// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Lanes} from "./Lanes.sol";

/// Which positions of a batch count: a byte of 0xff for one that does, of 0 for one that doesn't, in a string as long as
/// the labels. Strings are worked on 32 bytes at a time, the zeros that pad them to whole words included.
library Mask {
    uint256 private constant ONES_8 = 0x0101010101010101010101010101010101010101010101010101010101010101;
    uint256 private constant HIGH_BITS = 0x8080808080808080808080808080808080808080808080808080808080808080;

    /// Every one of `size` positions.
    function full(uint256 size) internal pure returns (bytes memory mask) {
        mask = new bytes(size);
        assembly ("memory-safe") {
            let end := add(add(mask, 0x20), size)
            for { let p := add(mask, 0x20) } lt(p, end) { p := add(p, 0x20) } { mstore(p, not(0)) }
            let spare := and(sub(0, size), 0x1f)
            if spare { mstore(sub(end, sub(0x20, spare)), shl(shl(3, spare), not(0))) }
        }
    }

    /// The byte of a position, which the string has.
    function at(bytes memory mask, uint256 position) internal pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := byte(0, mload(add(add(mask, 0x20), position)))
        }
    }

    /// Sets the byte of a position, which the string has.
    function put(bytes memory mask, uint256 position, uint256 value) internal pure {
        assembly ("memory-safe") {
            mstore8(add(add(mask, 0x20), position), value)
        }
    }

    /// How many positions count.
    function count(bytes memory mask) internal pure returns (uint256) {
        uint256 counts;
        assembly ("memory-safe") {
            let end := add(add(mask, 0x20), mload(mask))
            for { let p := add(mask, 0x20) } lt(p, end) { p := add(p, 0x20) } {
                counts := add(counts, and(mload(p), ONES_8))
            }
        }
        return Lanes.sumBytes(counts);
    }

    /// The labels where they count, and zeros elsewhere.
    function select(bytes memory mask, bytes memory labels) internal pure returns (bytes memory selected) {
        assembly ("memory-safe") {
            selected := mload(0x40)
            let size := mload(mask)
            mstore(selected, size)
            let to := add(selected, 0x20)
            let end := add(to, size)
            let toMask := sub(mask, selected)
            let toLabels := sub(labels, selected)
            for {} lt(to, end) { to := add(to, 0x20) } {
                mstore(to, and(mload(add(to, toMask)), mload(add(to, toLabels))))
            }
            mstore(0x40, to)
        }
    }

    /// The positions that count and whose byte in `tally` is at least `least`; both are 1 … 64.
    function atLeast(bytes memory mask, bytes memory tally, uint256 least) internal pure returns (bytes memory kept) {
        kept = new bytes(mask.length);
        assembly ("memory-safe") {
            // Sets the highest bit of a byte that is large enough.
            let lift := mul(sub(0x80, least), ONES_8)
            let end := add(add(mask, 0x20), mload(mask))
            let toTally := sub(tally, mask)
            let toKept := sub(kept, mask)
            for { let p := add(mask, 0x20) } lt(p, end) { p := add(p, 0x20) } {
                let enough := and(add(mload(add(p, toTally)), lift), HIGH_BITS)
                // The highest bit fills its byte.
                mstore(add(p, toKept), and(mload(p), sub(shl(1, enough), shr(7, enough))))
            }
        }
    }
}
