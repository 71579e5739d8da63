// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Mask} from "./Mask.sol";

/// The experimenter's hidden checks of one batch. Masks are those of `Mask`.
struct Audit {
    bytes shared; //     mask of the positions that the whole cohort labels
    bytes gold; //       mask of those with a known answer,
    bytes answers; //    and the answers, 0 elsewhere
    bytes repeated; //   mask of the positions whose task is shown again,
    uint256[] repeats; // and first · 2^16 + second position of each
}

/// Reads an audit row in the clear (docs/encoding.md, "Audit rows").
library AuditRow {
    uint256 private constant COUNTS = 0xff;
    /// Times a byte: that byte in each of the eight bytes of a row of bits, highest first.
    uint256 private constant EIGHT_TIMES = 0x0101010101010101;
    uint256 private constant EACH_BIT = 0x8040201008040201;
    uint256 private constant LOW_7_BITS = 0x7f7f7f7f7f7f7f7f;
    uint256 private constant HIGH_BITS = 0x8080808080808080;

    /// The longest row that parses: everything gold and everything repeated.
    function maxLength(uint256 batchSize) internal pure returns (uint256) {
        return _bitmapLength(batchSize) + 4 + 7 * batchSize;
    }

    /// The audit of a batch; not `valid` when its key (0) was not disclosed or its row does not parse.
    function open(bytes calldata sealed_, bytes32 key, uint256 batch, uint256 batchSize, uint256 labelSize)
        internal
        pure
        returns (bool valid, Audit memory audit)
    {
        uint256 cursor = _bitmapLength(batchSize);
        if (key == 0 || sealed_.length < cursor + 4 || sealed_.length > maxLength(batchSize)) return (false, audit);

        bytes memory row = _decipher(sealed_, key, batch);
        (valid, audit.shared) = _parseShared(row, batchSize);
        if (!valid) return (false, audit);
        (valid, cursor) = _parseGold(row, cursor, batchSize, labelSize, audit);
        if (!valid) return (false, audit);
        (valid, cursor) = _parseRepeats(row, cursor, batchSize, audit);
        if (!valid) return (false, audit);
        valid = _isZeroFrom(row, cursor);
    }

    /// The row without the key stream.
    function _decipher(bytes calldata row, bytes32 key, uint256 batch) private pure returns (bytes memory clear) {
        clear = row;
        assembly ("memory-safe") {
            let preimage := mload(0x40) // key, batch, block
            mstore(preimage, key)
            mstore(add(preimage, 0x20), batch)
            let blockAt := add(preimage, 0x40)
            let p := add(clear, 0x20)
            let end := add(p, mload(clear))
            for { let i := 0 } lt(p, end) { i := add(i, 1) } {
                mstore(blockAt, i)
                mstore(p, xor(mload(p), keccak256(preimage, 0x60)))
                p := add(p, 0x20)
            }
            // The padding of the last word stays 0.
            let spare := shl(3, sub(p, end))
            if spare {
                let last := sub(p, 0x20)
                mstore(last, shl(spare, shr(spare, mload(last))))
            }
        }
    }

    function _parseShared(bytes memory row, uint256 batchSize) private pure returns (bool valid, bytes memory shared) {
        unchecked {
            uint256 length = _bitmapLength(batchSize);
            // Whole bytes of the bitmap, so that what they hold beyond the batch falls into the padding.
            shared = new bytes(8 * length);
            for (uint256 i; i < length; ++i) {
                // Each bit of the bitmap byte fills the byte of its position.
                uint256 bits = (uint256(uint8(row[i])) * EIGHT_TIMES) & EACH_BIT;
                uint256 set = (((bits & LOW_7_BITS) + LOW_7_BITS) | bits) & HIGH_BITS;
                uint256 positions = (set >> 7) * 0xff;
                assembly ("memory-safe") {
                    let at := add(add(shared, 0x20), shl(3, i))
                    mstore(at, or(mload(at), shl(192, positions)))
                }
            }
            valid = true;
            for (uint256 t = batchSize; t < shared.length; ++t) {
                if (Mask.at(shared, t) != 0) valid = false;
            }
            assembly ("memory-safe") {
                mstore(shared, batchSize)
            }
        }
    }

    function _parseGold(bytes memory row, uint256 cursor, uint256 batchSize, uint256 labelSize, Audit memory audit)
        private
        pure
        returns (bool, uint256)
    {
        unchecked {
            uint256 count = _word(row, cursor) >> 240;
            cursor += 2;
            // Two bytes for the count of the repeats must follow.
            if (cursor + 3 * count + 2 > row.length) return (false, cursor);
            bytes memory shared = audit.shared;
            (bytes memory gold, bytes memory answers) = (new bytes(batchSize), new bytes(batchSize));
            (audit.gold, audit.answers) = (gold, answers);
            uint256 next; // the least position that may follow
            for (uint256 end = cursor + 3 * count; cursor < end; cursor += 3) {
                uint256 item = _word(row, cursor) >> 232;
                (uint256 position, uint256 answer) = (item >> 8, item & 0xff);
                if (position < next || position >= batchSize || answer >= labelSize) return (false, cursor);
                if (Mask.at(shared, position) == 0) return (false, cursor);
                Mask.put(gold, position, COUNTS);
                Mask.put(answers, position, answer);
                next = position + 1;
            }
            return (true, cursor);
        }
    }

    function _parseRepeats(bytes memory row, uint256 cursor, uint256 batchSize, Audit memory audit)
        private
        pure
        returns (bool, uint256)
    {
        unchecked {
            uint256 count = _word(row, cursor) >> 240;
            cursor += 2;
            if (cursor + 4 * count > row.length) return (false, cursor);
            (bytes memory repeated, uint256[] memory repeats) = (new bytes(batchSize), new uint256[](count));
            (audit.repeated, audit.repeats) = (repeated, repeats);
            uint256 next; // the least first position that may follow
            for (uint256 i; i < count; ++i) {
                uint256 item = _word(row, cursor) >> 224;
                (uint256 first, uint256 second) = (item >> 16, item & 0xffff);
                if (first < next || first >= second || second >= batchSize) return (false, cursor);
                Mask.put(repeated, first, COUNTS);
                repeats[i] = item;
                next = first + 1;
                cursor += 4;
            }
            return (true, cursor);
        }
    }

    function _isZeroFrom(bytes memory row, uint256 cursor) private pure returns (bool) {
        unchecked {
            for (; cursor < row.length; cursor += 32) {
                uint256 word = _word(row, cursor);
                uint256 left = row.length - cursor;
                if (left < 32) word >>= 8 * (32 - left);
                if (word != 0) return false;
            }
            return true;
        }
    }

    function _bitmapLength(uint256 batchSize) private pure returns (uint256) {
        return (batchSize + 7) / 8;
    }

    /// What stands at `cursor`, from the highest byte on.
    function _word(bytes memory row, uint256 cursor) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(add(add(row, 0x20), cursor))
        }
    }
}
