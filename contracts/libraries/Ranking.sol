// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Profile} from "../types/Profile.sol";
import {Lanes} from "./Lanes.sol";

/// Rankings of at most five items: Kendall's distance, the number of pairs in another order (design, section 3). A
/// ranking of R items is R(R−1)/2 binary answers, its pair bits.
library Ranking {
    uint256 private constant MAX_PAIRS = 10;

    uint256 private constant ONES_16 = 0x0001000100010001000100010001000100010001000100010001000100010001;
    uint256 private constant HIGH_BITS = 0x8080808080808080808080808080808080808080808080808080808080808080;
    uint256 private constant LOW_BYTES = 0x00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff;
    uint256 private constant ONES_8 = 0x0101010101010101010101010101010101010101010101010101010101010101;

    /// The pair bits of the 120 rankings of five items, two bytes each, by Lehmer code. The codes of fewer items are the
    /// first of these, with the pairs of the absent items at the low end, where their bits are 0.
    bytes private constant PAIR_BITS =
        hex"00000200008001800300038000100210003000700250027000a001a000b000f001e001f0034003c0"
        hex"0350037003e003f0000102010081018103010381000302030007000f020b020f008501850087008f"
        hex"018d018f03090389030b030f038d038f001202120032007202520272001302130017001f021b021f"
        hex"003600760037003f007e007f025a027a025b025f027e027f00a401a400b400f401e401f400a501a5"
        hex"00a700af01ad01af00b600f600b700bf00fe00ff01ec01fc01ed01ef01fe01ff034803c803580378"
        hex"03e803f8034903c9034b034f03cd03cf035a037a035b035f037e037f03ec03fc03ed03ef03fe03ff";

    /// `words`: the labels' pair bits, 16 in a word; `counts`: how often each pair is the wrong way round; `sum`: of these.
    function fill(Profile memory p, uint256 items) internal pure {
        p.words = _expand(p.labels);
        p.counts = Lanes.newCounts(MAX_PAIRS);
        uint256 sum;
        unchecked {
            // The pair bits that rankings of `items` items have are the highest.
            for (uint256 q = MAX_PAIRS - _pairs(items); q < MAX_PAIRS; ++q) {
                uint256 count = _countQuestion(p.words, q);
                Lanes.add(p.counts, q, count);
                sum += count;
            }
        }
        p.sum = sum;
        p.mirrored = Lanes.mirror(p.counts);
    }

    /// Σ_t δ(u_t, v_t)
    function observed(Profile memory u, Profile memory v) internal pure returns (uint256 result) {
        unchecked {
            (uint256[] memory left, uint256[] memory right) = (u.words, v.words);
            uint256 end = 32 * left.length + 32;
            for (uint256 offset = 32; offset < end; offset += 32) {
                uint256 word;
                assembly ("memory-safe") {
                    word := xor(mload(add(left, offset)), mload(add(right, offset)))
                }
                // At most 10 bits in each lane, together below 255; 2^8 leaves the remainder 1, whatever its power.
                result += Lanes.countBits(word) % 0xff;
            }
        }
    }

    /// Σ_{t,t'} δ(u_t, v_t'), the pairs of one task included.
    function crossedWithOwn(Profile memory u, Profile memory v) internal pure returns (uint256) {
        unchecked {
            return u.n * (u.sum + v.sum) - 2 * Lanes.dotCounts(u.counts, v.mirrored);
        }
    }

    /// Adds 1 in `tally` where no more than half of the pairs are discordant.
    function tallyPasses(bytes memory tally, bytes memory u, bytes memory v, uint256 items) internal pure {
        unchecked {
            bytes memory table = PAIR_BITS;
            // Sets the highest bit of a byte that is no larger than half of the pairs, when it is taken away from this.
            uint256 most = (0x80 + _pairs(items) / 2) * ONES_8;
            for (uint256 offset = 32; offset < tally.length + 32; offset += 32) {
                uint256 x;
                uint256 y;
                assembly ("memory-safe") {
                    x := mload(add(u, offset))
                    y := mload(add(v, offset))
                }
                uint256 even = _countLanes(_lookUp(table, x) ^ _lookUp(table, y));
                uint256 odd = _countLanes(_lookUp(table, x << 8) ^ _lookUp(table, y << 8));
                uint256 near = ((most - ((even << 8) | odd)) & HIGH_BITS) >> 7;
                assembly ("memory-safe") {
                    let at := add(tally, offset)
                    mstore(at, add(mload(at), near))
                }
            }
        }
    }

    /// The pair bits of all labels: those of 32 labels in two words.
    function _expand(bytes memory labels) private pure returns (uint256[] memory words) {
        unchecked {
            bytes memory table = PAIR_BITS;
            uint256 inputs = (labels.length + 31) / 32;
            words = new uint256[](2 * inputs);
            for (uint256 i; i < inputs; ++i) {
                uint256 input;
                assembly ("memory-safe") {
                    input := mload(add(add(labels, 0x20), shl(5, i)))
                }
                (uint256 even, uint256 odd) = (_lookUp(table, input), _lookUp(table, input << 8));
                assembly ("memory-safe") {
                    let at := add(add(words, 0x20), shl(6, i))
                    mstore(at, even)
                    mstore(add(at, 0x20), odd)
                }
            }
        }
    }

    /// The pair bits of every second label of a word, beginning with its first.
    function _lookUp(bytes memory table, uint256 labels) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            let from := add(table, 0x20)
            for { let i := 0 } lt(i, 32) { i := add(i, 8) } {
                word := or(shl(16, word), shr(240, mload(add(from, shl(1, byte(i, labels))))))
                word := or(shl(16, word), shr(240, mload(add(from, shl(1, byte(add(i, 2), labels))))))
                word := or(shl(16, word), shr(240, mload(add(from, shl(1, byte(add(i, 4), labels))))))
                word := or(shl(16, word), shr(240, mload(add(from, shl(1, byte(add(i, 6), labels))))))
            }
        }
    }

    /// In how many labels pair bit `q` is set. A lane counts at most one for each word.
    function _countQuestion(uint256[] memory words, uint256 q) private pure returns (uint256) {
        uint256 counts;
        assembly ("memory-safe") {
            let end := add(add(words, 0x20), shl(5, mload(words)))
            for { let p := add(words, 0x20) } lt(p, end) { p := add(p, 0x20) } {
                counts := add(counts, and(shr(q, mload(p)), ONES_16))
            }
        }
        return Lanes.sum16(counts);
    }

    /// The number of set bits of each 16-bit lane, at most 10.
    function _countLanes(uint256 word) private pure returns (uint256) {
        unchecked {
            word = Lanes.countBits(word);
            return (word + (word >> 8)) & LOW_BYTES;
        }
    }

    /// How many pairs `items` items have.
    function _pairs(uint256 items) private pure returns (uint256) {
        unchecked {
            return items * (items - 1) / 2;
        }
    }
}
