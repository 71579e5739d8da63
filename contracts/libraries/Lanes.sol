// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// Arithmetic on many small numbers inside one 256-bit word. Callers keep every lane small enough not to spill over.
///
/// A LITERAL of 32 bytes that a contract holds more than three times is taken from the end of its code each time it is
/// used, for 15 times the gas, in loops too: the compiler's trade for a shorter code. So what runs in a loop names as few
/// of them as it can.
library Lanes {
    uint256 private constant LOW_BYTES = 0x00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff;
    uint256 private constant BITS_55 = 0x5555555555555555555555555555555555555555555555555555555555555555;
    uint256 private constant BITS_33 = 0x3333333333333333333333333333333333333333333333333333333333333333;
    uint256 private constant BITS_0F = 0x0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f;
    uint256 private constant EVEN_32 = 0x00000000ffffffff00000000ffffffff00000000ffffffff00000000ffffffff;
    uint256 private constant EVEN_64 = 0x0000000000000000ffffffffffffffff0000000000000000ffffffffffffffff;

    /// Lanes of 32 bits in one word of a count vector. Two vectors that sum to at most 2^13 each have an inner product
    /// of at most 2^26.
    uint256 private constant COUNT_LANES = 8;

    /// The number of bits set in each byte.
    function countBits(uint256 word) internal pure returns (uint256) {
        unchecked {
            word -= (word >> 1) & BITS_55;
            word = (word & BITS_33) + ((word >> 2) & BITS_33);
            return (word + (word >> 4)) & BITS_0F;
        }
    }

    /// The sum of the 32 bytes of a word.
    function sumBytes(uint256 word) internal pure returns (uint256) {
        unchecked {
            return sum16((word & LOW_BYTES) + ((word >> 8) & LOW_BYTES));
        }
    }

    /// The sum, below 2^16 − 1, of the sixteen 16-bit lanes of a word: 2^16 leaves the remainder 1, whatever its power.
    function sum16(uint256 word) internal pure returns (uint256) {
        return word % 0xffff;
    }

    /// An empty vector of `size` counts.
    function newCounts(uint256 size) internal pure returns (uint256[] memory) {
        unchecked {
            return new uint256[]((size + COUNT_LANES - 1) / COUNT_LANES);
        }
    }

    /// Adds `amount` to count `index`, which the vector has.
    function add(uint256[] memory counts, uint256 index, uint256 amount) internal pure {
        assembly ("memory-safe") {
            let word := add(add(counts, 0x20), shl(5, shr(3, index)))
            mstore(word, add(mload(word), shl(shl(5, and(index, 7)), amount)))
        }
    }

    /// The same counts, the lanes of each word in reverse order: what `dotCounts` wants on its right-hand side.
    function mirror(uint256[] memory counts) internal pure returns (uint256[] memory mirrored) {
        unchecked {
            mirrored = new uint256[](counts.length);
            for (uint256 i; i < counts.length; ++i) {
                uint256 word = counts[i];
                word = (word << 128) | (word >> 128);
                word = ((word & EVEN_64) << 64) | ((word >> 64) & EVEN_64);
                mirrored[i] = ((word & EVEN_32) << 32) | ((word >> 32) & EVEN_32);
            }
        }
    }

    /// The inner product of two vectors. A product of two words holds at `shift` the sum of lane i of `u` times the
    /// mirrored lane of `v`: one multiplication instead of one for each lane.
    function dot(uint256[] memory u, uint256[] memory v, uint256 shift, uint256 mask)
        internal
        pure
        returns (uint256 result)
    {
        assembly ("memory-safe") {
            let offset := sub(v, u)
            let end := add(add(u, 0x20), shl(5, mload(u)))
            for { let p := add(u, 0x20) } lt(p, end) { p := add(p, 0x20) } {
                result := add(result, and(shr(shift, mul(mload(p), mload(add(p, offset)))), mask))
            }
        }
    }

    /// `dot` of two count vectors, the right one mirrored.
    function dotCounts(uint256[] memory u, uint256[] memory v) internal pure returns (uint256) {
        return dot(u, v, 224, type(uint32).max);
    }
}
