// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Profile} from "../types/Profile.sol";
import {Lanes} from "./Lanes.sol";

/// Classes: two labels differ or they don't (design, section 3).
library Nominal {
    uint256 private constant LOW_7_BITS = 0x7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f;
    uint256 private constant ONES_8 = 0x0101010101010101010101010101010101010101010101010101010101010101;

    /// Above it, going through the labels one by one costs less than going through the classes, 32 labels at a time.
    uint256 private constant FEW_CLASSES = 16;

    /// `counts`: labels of each class.
    function profile(bytes memory labels, uint256 classes) internal pure returns (Profile memory p) {
        p.length = labels.length;
        p.labels = labels;
        p.counts = Lanes.newCounts(classes);
        if (classes <= FEW_CLASSES) _countByClass(p.counts, labels, classes);
        else _countByLabel(p.counts, labels);
        p.mirrored = Lanes.mirror(p.counts);
    }

    /// Σ_t δ(u_t, v_t)
    function observed(Profile memory u, Profile memory v) internal pure returns (uint256) {
        unchecked {
            return _padded(u.length) - _equalBytes(u.labels, v.labels);
        }
    }

    /// Σ_{t,t'} δ(u_t, v_t'), the pairs of one task included.
    function crossedWithOwn(Profile memory u, Profile memory v) internal pure returns (uint256) {
        unchecked {
            return u.length * v.length - Lanes.dotCounts(u.counts, v.mirrored);
        }
    }

    function _countByClass(uint256[] memory counts, bytes memory labels, uint256 classes) private pure {
        unchecked {
            uint256 left = labels.length;
            for (uint256 class = classes - 1; class != 0; --class) {
                uint256 count = _countByte(labels, class);
                Lanes.add(counts, class, count);
                left -= count;
            }
            Lanes.add(counts, 0, left);
        }
    }

    function _countByLabel(uint256[] memory counts, bytes memory labels) private pure {
        unchecked {
            for (uint256 t; t < labels.length; ++t) {
                Lanes.add(counts, uint8(labels[t]), 1);
            }
        }
    }

    /// How often the byte `value`, not 0, occurs.
    function _countByte(bytes memory labels, uint256 value) private pure returns (uint256) {
        uint256 matches;
        assembly ("memory-safe") {
            let pattern := mul(value, ONES_8)
            let end := add(add(labels, 0x20), mload(labels))
            for { let p := add(labels, 0x20) } lt(p, end) { p := add(p, 0x20) } {
                let x := xor(mload(p), pattern)
                matches := add(matches, shr(7, not(or(or(add(and(x, LOW_7_BITS), LOW_7_BITS), x), LOW_7_BITS))))
            }
        }
        return Lanes.sumBytes(matches);
    }

    /// How many bytes are equal, the padding included. `x` has a byte 0 where the strings are equal; the sum sets the
    /// highest bit of every other byte. A byte of `matches` counts at most one for each word, hence 255 words at most.
    function _equalBytes(bytes memory u, bytes memory v) private pure returns (uint256) {
        uint256 matches;
        assembly ("memory-safe") {
            let offset := sub(v, u)
            let end := add(add(u, 0x20), mload(u))
            for { let p := add(u, 0x20) } lt(p, end) { p := add(p, 0x20) } {
                let x := xor(mload(p), mload(add(p, offset)))
                matches := add(matches, shr(7, not(or(or(add(and(x, LOW_7_BITS), LOW_7_BITS), x), LOW_7_BITS))))
            }
        }
        return Lanes.sumBytes(matches);
    }

    function _padded(uint256 length) private pure returns (uint256) {
        unchecked {
            return (length + 31) & ~uint256(31);
        }
    }
}
