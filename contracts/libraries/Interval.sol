// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Profile} from "../types/Profile.sol";
import {Lanes} from "./Lanes.sol";

/// Levels of a scale: the squared difference (design, section 3).
library Interval {
    /// Twelve products of two bytes sum to less than 2^20, and twelve lanes of 20 bits fit a word.
    uint256 private constant LANES = 12;
    uint256 private constant LANE_BITS = 20;
    uint256 private constant LANE_MASK = 2 ** LANE_BITS - 1;
    uint256 private constant TOP_SHIFT = LANE_BITS * (LANES - 1);

    /// `words`: the levels, 12 in a word; `sum` and `squares` of the levels.
    function profile(bytes memory labels) internal pure returns (Profile memory p) {
        unchecked {
            uint256 n = labels.length;
            p.length = n;
            p.labels = labels;
            p.words = new uint256[]((n + LANES - 1) / LANES);
            p.mirrored = new uint256[](p.words.length);
            uint256 t;
            for (uint256 w; w < p.words.length; ++w) {
                uint256 word;
                uint256 mirrored;
                for (uint256 lane; lane < LANES && t < n; ++lane) {
                    uint256 level;
                    assembly ("memory-safe") {
                        level := byte(0, mload(add(add(labels, 0x20), t)))
                    }
                    word |= level << (LANE_BITS * lane);
                    mirrored |= level << (TOP_SHIFT - LANE_BITS * lane);
                    p.sum += level;
                    p.squares += level * level;
                    ++t;
                }
                p.words[w] = word;
                p.mirrored[w] = mirrored;
            }
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
            return u.length * (u.squares + v.squares) - 2 * u.sum * v.sum;
        }
    }
}
