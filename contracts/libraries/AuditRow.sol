// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// The experimenter's hidden checks of one batch.
struct Audit {
    uint256[] shared; //    positions that the whole cohort labels
    uint256[] gold; //      positions with a known answer
    bytes answers; //       the answers, by gold position
    uint256[] first; //    positions of repeated tasks,
    uint256[] again; //   and where each is shown again
}

/// Reads an audit row in the clear (docs/encoding.md, "Audit rows").
library AuditRow {
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
        for (; cursor < row.length; ++cursor) {
            if (row[cursor] != 0) return (false, audit);
        }
    }

    /// The row without the key stream.
    function _decipher(bytes memory row, bytes32 key, uint256 batch) private pure returns (bytes memory clear) {
        clear = new bytes(row.length);
        for (uint256 offset; offset < row.length; offset += 32) {
            bytes32 stream = keccak256(abi.encode(key, batch, offset / 32));
            uint256 left = row.length - offset;
            // The padding of the last word stays 0.
            if (left < 32) stream = stream & ~bytes32(type(uint256).max >> (left * 8));
            assembly ("memory-safe") {
                let at := add(0x20, offset)
                mstore(add(clear, at), xor(mload(add(row, at)), stream))
            }
        }
    }

    function _parseShared(bytes memory row, uint256 batchSize)
        private
        pure
        returns (bool valid, uint256[] memory shared)
    {
        shared = new uint256[](batchSize);
        uint256 count;
        for (uint256 t; t < batchSize; ++t) {
            if (_isShared(row, t)) shared[count++] = t;
        }
        assembly ("memory-safe") {
            mstore(shared, count)
        }
        valid = true;
        for (uint256 t = batchSize; t % 8 != 0; ++t) {
            if (_isShared(row, t)) valid = false;
        }
    }

    function _parseGold(bytes memory row, uint256 cursor, uint256 batchSize, uint256 labelSize, Audit memory audit)
        private
        pure
        returns (bool, uint256)
    {
        uint256 count = _uint16(row, cursor);
        cursor += 2;
        // Two bytes for the count of the repeats must follow.
        if (cursor + 3 * count + 2 > row.length) return (false, cursor);
        audit.gold = new uint256[](count);
        audit.answers = new bytes(count);
        for (uint256 i; i < count; ++i) {
            uint256 position = _uint16(row, cursor);
            if (position >= batchSize || !_isShared(row, position)) return (false, cursor);
            if (i != 0 && position <= audit.gold[i - 1]) return (false, cursor);
            if (uint8(row[cursor + 2]) >= labelSize) return (false, cursor);
            audit.gold[i] = position;
            audit.answers[i] = row[cursor + 2];
            cursor += 3;
        }
        return (true, cursor);
    }

    function _parseRepeats(bytes memory row, uint256 cursor, uint256 batchSize, Audit memory audit)
        private
        pure
        returns (bool, uint256)
    {
        uint256 count = _uint16(row, cursor);
        cursor += 2;
        if (cursor + 4 * count > row.length) return (false, cursor);
        audit.first = new uint256[](count);
        audit.again = new uint256[](count);
        for (uint256 i; i < count; ++i) {
            uint256 first = _uint16(row, cursor);
            uint256 second = _uint16(row, cursor + 2);
            if (first >= second || second >= batchSize) return (false, cursor);
            if (i != 0 && first <= audit.first[i - 1]) return (false, cursor);
            audit.first[i] = first;
            audit.again[i] = second;
            cursor += 4;
        }
        return (true, cursor);
    }

    function _bitmapLength(uint256 batchSize) private pure returns (uint256) {
        return (batchSize + 7) / 8;
    }

    function _isShared(bytes memory row, uint256 position) private pure returns (bool) {
        return uint8(row[position / 8]) & (0x80 >> (position % 8)) != 0;
    }

    function _uint16(bytes memory row, uint256 cursor) private pure returns (uint256) {
        return (uint256(uint8(row[cursor])) << 8) | uint8(row[cursor + 1]);
    }
}
