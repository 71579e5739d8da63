// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// The draw (design, section 7; docs/encoding.md, "The draw"): which seat labels which batch, evaluated both ways for
/// one index, so that no list is stored. The permutations are a generalised Feistel network with cycle walking
/// (Black & Rogaway 2002).
library Draw {
    uint256 private constant ROUNDS = 8;

    /// The batch of seat `seat`, of `batches` batches.
    function batchOf(bytes32 seed, uint256 batches, uint256 seat) internal pure returns (uint256) {
        return permute(seed, seat / batches, batches, seat % batches);
    }

    /// The seat of round `round` in batch `batch`, of `batches` batches.
    function seatOf(bytes32 seed, uint256 batches, uint256 batch, uint256 round) internal pure returns (uint256) {
        return round * batches + invert(seed, round, batches, batch);
    }

    /// π_round(index) on [0, size).
    function permute(bytes32 seed, uint256 round, uint256 size, uint256 index) internal pure returns (uint256) {
        (bytes32 key, uint256 a, uint256 b) = _network(seed, round, size);
        unchecked {
            do {
                uint256 x = index % a;
                uint256 y = index / a;
                for (uint256 j; j < ROUNDS; j += 2) {
                    x = (x + _f(key, j, y) % a) % a;
                    y = (y + _f(key, j + 1, x) % b) % b;
                }
                index = y * a + x;
            } while (index >= size);
        }
        return index;
    }

    /// π_round⁻¹(index) on [0, size).
    function invert(bytes32 seed, uint256 round, uint256 size, uint256 index) internal pure returns (uint256) {
        (bytes32 key, uint256 a, uint256 b) = _network(seed, round, size);
        unchecked {
            do {
                uint256 x = index % a;
                uint256 y = index / a;
                for (uint256 j = ROUNDS; j != 0; j -= 2) {
                    y = (y + b - _f(key, j - 1, x) % b) % b;
                    x = (x + a - _f(key, j - 2, y) % a) % a;
                }
                index = y * a + x;
            } while (index >= size);
        }
        return index;
    }

    /// The round key, and the sides of a near-square grid that holds `size` points.
    function _network(bytes32 seed, uint256 round, uint256 size)
        private
        pure
        returns (bytes32 key, uint256 a, uint256 b)
    {
        key = _hash(seed, round);
        unchecked {
            a = 1;
            while (a * a < size) a <<= 1;
            b = (size + a - 1) / a;
        }
    }

    function _f(bytes32 key, uint256 j, uint256 x) private pure returns (uint256) {
        return uint256(_hash(key, (j << 128) | x));
    }

    function _hash(bytes32 left, uint256 right) private pure returns (bytes32 result) {
        // keccak256(abi.encode(left, right)) in scratch space: it runs hundreds of times for one batch.
        assembly ("memory-safe") {
            mstore(0x00, left)
            mstore(0x20, right)
            result := keccak256(0x00, 0x40)
        }
    }
}
