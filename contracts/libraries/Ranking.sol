// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Profile} from "../types/Profile.sol";
import {Lanes} from "./Lanes.sol";

/// Rankings of at most five items: Kendall's distance, the number of pairs in another order (design, section 3). A
/// ranking of R items is R(R−1)/2 binary answers, its pair bits.
library Ranking {
    uint256 private constant MAX_ITEMS = 5;
    uint256 private constant LANES = 16;

    uint256 private constant ONES_16 = 0x0001000100010001000100010001000100010001000100010001000100010001;
    uint256 private constant BITS_55 = 0x5555555555555555555555555555555555555555555555555555555555555555;
    uint256 private constant BITS_33 = 0x3333333333333333333333333333333333333333333333333333333333333333;
    uint256 private constant BITS_0F = 0x0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f;
    uint256 private constant ONES_8 = 0x0101010101010101010101010101010101010101010101010101010101010101;

    /// The pair bits of the 120 rankings of five items, two bytes each, by Lehmer code. The codes of fewer items are the
    /// first of these, with the pairs of the absent items at the low end.
    bytes private constant PAIR_BITS =
        hex"00000200008001800300038000100210003000700250027000a001a000b000f001e001f0034003c0"
        hex"0350037003e003f0000102010081018103010381000302030007000f020b020f008501850087008f"
        hex"018d018f03090389030b030f038d038f001202120032007202520272001302130017001f021b021f"
        hex"003600760037003f007e007f025a027a025b025f027e027f00a401a400b400f401e401f400a501a5"
        hex"00a700af01ad01af00b600f600b700bf00fe00ff01ec01fc01ed01ef01fe01ff034803c803580378"
        hex"03e803f8034903c9034b034f03cd03cf035a037a035b035f037e037f03ec03fc03ed03ef03fe03ff";

    /// How many pairs `items` items have.
    function pairs(uint256 items) internal pure returns (uint256) {
        unchecked {
            return items * (items - 1) / 2;
        }
    }

    /// δ(x, y) of two rankings.
    function distance(uint256 items, uint256 x, uint256 y) internal pure returns (uint256) {
        bytes memory table = PAIR_BITS;
        return _countBits((_pairBits(table, x) ^ _pairBits(table, y)) >> _unused(items));
    }

    /// `words`: the labels' pair bits, 16 in a word; `counts`: how often each pair is the wrong way round; `sum`: of these.
    function profile(bytes memory labels, uint256 items) internal pure returns (Profile memory p) {
        p.length = labels.length;
        p.labels = labels;
        p.words = _expand(labels, _unused(items));
        uint256 questions = pairs(items);
        p.counts = Lanes.newCounts(questions);
        unchecked {
            for (uint256 q; q < questions; ++q) {
                uint256 count = _countQuestion(p.words, q);
                Lanes.add(p.counts, q, count);
                p.sum += count;
            }
        }
        p.mirrored = Lanes.mirror(p.counts);
    }

    /// Σ_t δ(u_t, v_t)
    function observed(Profile memory u, Profile memory v) internal pure returns (uint256 result) {
        unchecked {
            for (uint256 w; w < u.words.length; ++w) {
                result += _countBits(u.words[w] ^ v.words[w]);
            }
        }
    }

    /// Σ_{t,t'} δ(u_t, v_t'), the pairs of one task included.
    function crossedWithOwn(Profile memory u, Profile memory v) internal pure returns (uint256) {
        unchecked {
            return u.length * (u.sum + v.sum) - 2 * Lanes.dotCounts(u.counts, v.mirrored);
        }
    }

    function _expand(bytes memory labels, uint256 unused) private pure returns (uint256[] memory words) {
        unchecked {
            bytes memory table = PAIR_BITS;
            uint256 n = labels.length;
            words = new uint256[]((n + LANES - 1) / LANES);
            uint256 t;
            for (uint256 w; w < words.length; ++w) {
                uint256 word;
                for (uint256 lane; lane < LANES && t < n; ++lane) {
                    uint256 label;
                    assembly ("memory-safe") {
                        label := byte(0, mload(add(add(labels, 0x20), t)))
                    }
                    word |= (_pairBits(table, label) >> unused) << (LANES * lane);
                    ++t;
                }
                words[w] = word;
            }
        }
    }

    /// In how many labels pair bit `q` is set. A lane counts at most one for each word.
    function _countQuestion(uint256[] memory words, uint256 q) private pure returns (uint256) {
        unchecked {
            uint256 counts;
            for (uint256 w; w < words.length; ++w) {
                counts += (words[w] >> q) & ONES_16;
            }
            return Lanes.sum16(counts);
        }
    }

    /// Pair bits of five items that rankings of `items` items do not have.
    function _unused(uint256 items) private pure returns (uint256) {
        unchecked {
            return pairs(MAX_ITEMS) - pairs(items);
        }
    }

    function _pairBits(bytes memory table, uint256 label) private pure returns (uint256 bits) {
        assembly ("memory-safe") {
            bits := shr(240, mload(add(add(table, 0x20), shl(1, label))))
        }
    }

    /// The number of set bits; at most 10 in each 16-bit lane, so that the total stays below 256.
    function _countBits(uint256 word) private pure returns (uint256) {
        unchecked {
            word -= (word >> 1) & BITS_55;
            word = (word & BITS_33) + ((word >> 2) & BITS_33);
            word = (word + (word >> 4)) & BITS_0F;
            return (word * ONES_8) >> 248;
        }
    }
}
