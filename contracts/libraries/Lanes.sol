// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// Arithmetic on many small numbers inside one 256-bit word. Callers keep every lane small enough not to spill over.
library Lanes {
    uint256 private constant ONES_16 = 0x0001000100010001000100010001000100010001000100010001000100010001;
    uint256 private constant LOW_BYTES = 0x00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff;

    /// Lanes of 64 bits in one word of a count vector.
    uint256 internal constant COUNT_LANES = 4;

    /// The sum of the 32 bytes of a word.
    function sumBytes(uint256 word) internal pure returns (uint256) {
        unchecked {
            return sum16((word & LOW_BYTES) + ((word >> 8) & LOW_BYTES));
        }
    }

    /// The sum, below 2^16, of the sixteen 16-bit lanes of a word.
    function sum16(uint256 word) internal pure returns (uint256) {
        unchecked {
            return (word * ONES_16) >> 240;
        }
    }

    /// An empty vector of `size` counts, 64 bits each.
    function newCounts(uint256 size) internal pure returns (uint256[] memory) {
        return new uint256[]((size + COUNT_LANES - 1) / COUNT_LANES);
    }

    /// Adds `amount` to count `index`.
    function add(uint256[] memory counts, uint256 index, uint256 amount) internal pure {
        unchecked {
            counts[index / COUNT_LANES] += amount << ((index % COUNT_LANES) * 64);
        }
    }

    /// The same counts, the lanes of each word in reverse order: what `dot` wants on its right-hand side.
    function mirror(uint256[] memory counts) internal pure returns (uint256[] memory mirrored) {
        mirrored = new uint256[](counts.length);
        for (uint256 i; i < counts.length; ++i) {
            uint256 word = counts[i];
            mirrored[i] = (word << 192) | ((word << 64) & (uint256(type(uint64).max) << 128))
                | ((word >> 64) & (uint256(type(uint64).max) << 64)) | (word >> 192);
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
        return dot(u, v, 192, type(uint64).max);
    }
}
