// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Profile} from "../types/Profile.sol";
import {Lanes} from "./Lanes.sol";

/// Classes: two labels differ or they don't (design, section 3). Labels are packed into fields of 1, 2, 4 or 8 bits, as
/// few as their classes need, and 256 / `bits` of them are compared at a time.
///
/// With the highest bit of each field in `high` and the others in `low`, `(x & low) + low | x` has the highest bit set in
/// the fields in which `x` is not 0.
///
/// No counter of a byte spills: 255 words of 32 labels put into each byte of all packed words together 255 fields.
library Nominal {
    uint256 private constant BITS_55 = 0x5555555555555555555555555555555555555555555555555555555555555555;
    uint256 private constant BITS_33 = 0x3333333333333333333333333333333333333333333333333333333333333333;
    uint256 private constant BITS_0F = 0x0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f;
    uint256 private constant LOW_7_BITS = 0x7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f;

    /// Above it, going through the labels one by one costs less than going through the classes.
    uint256 private constant FEW_CLASSES = 16;

    /// `words`: the labels, packed; `counts`: labels of each class.
    function fill(Profile memory p, uint256 classes) internal pure {
        uint256 bits = classes <= 2 ? 1 : classes <= 4 ? 2 : classes <= 16 ? 4 : 8;
        uint256 ones = type(uint256).max / ((1 << bits) - 1); // the lowest bit of each field
        p.high = ones << (bits - 1);
        p.words = _pack(p.labels, bits);
        p.counts = Lanes.newCounts(classes);
        if (isPacked(classes)) _countByClass(p, classes, ones);
        else _countByLabel(p);
        p.mirrored = Lanes.mirror(p.counts);
    }

    /// Whether several labels share a byte, so that they are counted together.
    function isPacked(uint256 classes) internal pure returns (bool) {
        return classes <= FEW_CLASSES;
    }

    /// Σ_t δ(u_t, v_t)
    function observed(Profile memory u, Profile memory v) internal pure returns (uint256) {
        uint256[] memory words = v.words;
        uint256 first;
        assembly ("memory-safe") {
            first := add(words, 0x20)
        }
        return _count(u.words, first, 0x20, u.high, 0);
    }

    /// Σ_{t,t'} δ(u_t, v_t'), the pairs of one task included.
    function crossedWithOwn(Profile memory u, Profile memory v) internal pure returns (uint256) {
        unchecked {
            return u.n * v.n - Lanes.dotCounts(u.counts, v.mirrored);
        }
    }

    /// Adds 1 in `tally` where the classes are the same.
    function tallyPasses(bytes memory tally, bytes memory u, bytes memory v) internal pure {
        assembly ("memory-safe") {
            let toV := sub(v, u)
            let toTally := sub(tally, u)
            let end := add(add(u, 0x20), mload(u))
            for { let p := add(u, 0x20) } lt(p, end) { p := add(p, 0x20) } {
                let x := xor(mload(p), mload(add(p, toV)))
                let equal := shr(7, not(or(or(add(and(x, LOW_7_BITS), LOW_7_BITS), x), LOW_7_BITS)))
                mstore(add(p, toTally), add(mload(add(p, toTally)), equal))
            }
        }
    }

    /// A label is smaller than 2^bits, so that the words of labels fit into each other's gaps.
    function _pack(bytes memory labels, uint256 bits) private pure returns (uint256[] memory words) {
        unchecked {
            words = new uint256[]((labels.length * bits + 255) / 256);
        }
        assembly ("memory-safe") {
            let to := add(words, 0x20)
            let word := 0
            let shift := 0
            let end := add(add(labels, 0x20), mload(labels))
            for { let p := add(labels, 0x20) } lt(p, end) { p := add(p, 0x20) } {
                word := or(word, shl(shift, mload(p)))
                mstore(to, word)
                shift := and(add(shift, bits), 7)
                if iszero(shift) {
                    to := add(to, 0x20)
                    word := 0
                }
            }
        }
    }

    function _countByClass(Profile memory p, uint256 classes, uint256 ones) private pure {
        unchecked {
            (uint256[] memory words, uint256[] memory counts, uint256 high) = (p.words, p.counts, p.high);
            uint256 left = p.n;
            for (uint256 class = 1; class < classes; ++class) {
                uint256 pattern = class * ones;
                assembly ("memory-safe") {
                    mstore(0, pattern)
                }
                uint256 count = _count(words, 0, 0, high, high);
                Lanes.add(counts, class, count);
                left -= count;
            }
            Lanes.add(counts, 0, left);
        }
    }

    /// The fields in which `words` differ from the words at `other`, `step` bytes apart; with `flip` the highest bit of
    /// each field: those in which they don't.
    function _count(uint256[] memory words, uint256 other, uint256 step, uint256 high, uint256 flip)
        private
        pure
        returns (uint256 count)
    {
        assembly ("memory-safe") {
            let low := not(high)
            let p := add(words, 0x20)
            let end := add(p, shl(5, mload(words)))
            for {} lt(p, end) { p := add(p, 0x20) } {
                let x := xor(mload(p), mload(other))
                x := and(xor(or(add(and(x, low), low), x), flip), high)
                // The number of bits in each byte.
                x := sub(x, and(shr(1, x), BITS_55))
                x := add(and(x, BITS_33), and(shr(2, x), BITS_33))
                count := add(count, and(add(x, shr(4, x)), BITS_0F))
                other := add(other, step)
            }
        }
        return Lanes.sumBytes(count);
    }

    function _countByLabel(Profile memory p) private pure {
        (bytes memory labels, uint256[] memory counts, uint256 n) = (p.labels, p.counts, p.n);
        assembly ("memory-safe") {
            // Adds 1 to the count, of 32 bits, of a label.
            function increase(first, label) {
                let word := add(first, shl(5, shr(3, label)))
                mstore(word, add(mload(word), shl(shl(5, and(label, 7)), 1)))
            }

            let first := add(counts, 0x20)
            let end := add(add(labels, 0x20), mload(labels))
            for { let from := add(labels, 0x20) } lt(from, end) { from := add(from, 0x20) } {
                let word := mload(from)
                for { let i := 0 } lt(i, 0x20) { i := add(i, 4) } {
                    increase(first, byte(i, word))
                    increase(first, byte(add(i, 1), word))
                    increase(first, byte(add(i, 2), word))
                    increase(first, byte(add(i, 3), word))
                }
            }
            // Positions that do not count, and the padding, hold 0.
            let spare := sub(and(add(mload(labels), 0x1f), not(0x1f)), n)
            mstore(first, sub(mload(first), spare))
        }
    }
}
