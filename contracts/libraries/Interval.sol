// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Profile} from "../types/Profile.sol";
import {Lanes} from "./Lanes.sol";

/// Levels of a scale: the squared difference (design, section 3).
library Interval {
    /// Twelve products of two bytes sum to less than 2^20, and twelve lanes of 20 bits fit a word.
    uint256 private constant LANES = 12;
    uint256 private constant LANE_MASK = 0xfffff;
    uint256 private constant TOP_SHIFT = 220;

    // Where halves, quarters and bytes of twelve labels lie on their way into the lanes.
    uint256 private constant HALVES = 0xffffffffffff000000000000000000ffffffffffff;
    uint256 private constant QUARTERS = 0xffffff000000000ffffff000000000ffffff000000000ffffff;
    uint256 private constant LOW = 0xff0000000000000ff0000000000000ff0000000000000ff;

    uint256 private constant ONES_16 = 0x0001000100010001000100010001000100010001000100010001000100010001;
    uint256 private constant LOW_BYTES = 0x00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff;

    /// `words`: the levels, 12 in a word; `sum` and `squares` of the levels.
    function fill(Profile memory p) internal pure {
        unchecked {
            uint256 words = (p.labels.length + LANES - 1) / LANES;
            (p.words, p.mirrored) = (new uint256[](words), new uint256[](words));
            (p.sum, p.squares) = _expand(p.labels, p.words, p.mirrored);
        }
    }

    /// Σ_t δ(u_t, v_t)
    function observed(Profile memory u, Profile memory v) internal pure returns (uint256) {
        unchecked {
            return u.squares + v.squares - 2 * Lanes.dot(u.words, v.mirrored, TOP_SHIFT, LANE_MASK);
        }
    }

    /// Σ_{t,t'} δ(u_t, v_t'), the pairs of one task included.
    function crossedWithOwn(Profile memory u, Profile memory v) internal pure returns (uint256) {
        unchecked {
            return u.n * (u.squares + v.squares) - 2 * u.sum * v.sum;
        }
    }

    /// Adds 1 in `tally` where the levels are no more than a quarter of the scale apart.
    function tallyPasses(bytes memory tally, bytes memory u, bytes memory v, uint256 classes) internal pure {
        assembly ("memory-safe") {
            // Sets the highest bit of a 16-bit lane in which a difference is more than that.
            let lift := mul(sub(0x7fff, shr(2, sub(classes, 1))), ONES_16)
            let toV := sub(v, u)
            let toTally := sub(tally, u)
            let end := add(add(u, 0x20), mload(u))
            for { let p := add(u, 0x20) } lt(p, end) { p := add(p, 0x20) } {
                let x := and(mload(p), LOW_BYTES)
                let y := and(mload(add(p, toV)), LOW_BYTES)
                let low := or(sub(add(x, lift), y), sub(add(y, lift), x))
                x := and(shr(8, mload(p)), LOW_BYTES)
                y := and(shr(8, mload(add(p, toV))), LOW_BYTES)
                let high := or(sub(add(x, lift), y), sub(add(y, lift), x))
                let near := or(and(shr(15, not(low)), ONES_16), shl(8, and(shr(15, not(high)), ONES_16)))
                mstore(add(p, toTally), add(mload(add(p, toTally)), near))
            }
        }
    }

    /// Spreads the bytes of twelve labels at a time over the lanes of a word, and mirrored over another.
    function _expand(bytes memory labels, uint256[] memory words, uint256[] memory mirrored)
        private
        pure
        returns (uint256 sum, uint256 squares)
    {
        assembly ("memory-safe") {
            let to := add(words, 0x20)
            let toMirrored := sub(mirrored, words)
            let p := add(labels, 0x20)
            let end := add(p, mload(labels))
            for {} lt(p, end) { p := add(p, 12) } {
                let bytes12 := shr(160, mload(p))
                if lt(sub(end, p), 12) {
                    // What lies behind the string is none of its labels.
                    let spare := shl(3, sub(12, sub(end, p)))
                    bytes12 := shl(spare, shr(spare, bytes12))
                }

                let word := and(or(bytes12, shl(72, bytes12)), HALVES)
                word := and(or(word, shl(36, word)), QUARTERS)
                word := or(and(word, LOW), or(shl(12, and(word, shl(8, LOW))), shl(24, and(word, shl(16, LOW)))))
                mstore(to, word)

                let other := and(or(shl(120, bytes12), shr(48, bytes12)), HALVES)
                other := and(or(shl(60, other), shr(24, other)), QUARTERS)
                other := or(shl(40, and(other, LOW)), or(shl(12, and(other, shl(8, LOW))), and(shr(16, other), LOW)))
                mstore(add(to, toMirrored), other)

                // 2^20 leaves the remainder 1, whatever its power: the sum of the lanes.
                sum := add(sum, mod(word, LANE_MASK))
                squares := add(squares, and(shr(TOP_SHIFT, mul(word, other)), LANE_MASK))
                to := add(to, 0x20)
            }
        }
    }
}
