// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Metric} from "../types/Terms.sol";

/// What bytes are labels (design, section 3).
library Labels {
    error LabelOutOfRange(uint256 position, uint256 label, uint256 size);

    uint256 private constant ONES_8 = 0x0101010101010101010101010101010101010101010101010101010101010101;

    uint256 private constant HIGH_BITS = 0x8080808080808080808080808080808080808080808080808080808080808080;

    /// How many different labels there are: every byte is below it.
    function size(Metric metric, uint256 classes) internal pure returns (uint256 result) {
        if (metric != Metric.Ranking) return classes;

        result = 1;
        for (uint256 i = 2; i <= classes; ++i) {
            result *= i;
        }
    }

    /// Reverts unless every byte of `labels` is below `size_`, which is 2 … 255.
    function check(bytes calldata labels, uint256 size_) internal pure {
        // 32 bytes at a time: adding `lift` sets the highest bit of a byte whose lower seven bits are `size_` (or
        // `size_ − 128`) or more. Where a sum spills into the next byte, the byte that spilled is out of range itself.
        unchecked {
            bool high = size_ > 128;
            uint256 lift = ONES_8 * ((high ? 256 : 128) - size_);
            // Where a label's own highest bit is as good as a sum's: below 128 labels.
            uint256 either = high ? 0 : type(uint256).max;
            uint256 over;
            for (uint256 offset; offset < labels.length; offset += 32) {
                uint256 word;
                assembly ("memory-safe") {
                    word := calldataload(add(labels.offset, offset))
                }
                uint256 left = labels.length - offset;
                if (left < 32) word = (word >> (8 * (32 - left))) << (8 * (32 - left));
                uint256 top = word & HIGH_BITS;
                uint256 sum = (word ^ top) + lift;
                over |= (sum & top) | ((sum | top) & either);
            }
            if (over & HIGH_BITS != 0) _reject(labels, size_);
        }
    }

    function _reject(bytes calldata labels, uint256 size_) private pure {
        for (uint256 t; t < labels.length; ++t) {
            require(uint8(labels[t]) < size_, LabelOutOfRange(t, uint8(labels[t]), size_));
        }
    }
}
