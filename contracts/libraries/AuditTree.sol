// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// The tree of the audit rows (docs/encoding.md, "Audit rows"). Each batch has one place in it: where a tree of unordered
/// pairs could hold two rows for one batch, an experimenter could pick one of them after seeing the answers.
library AuditTree {
    /// Whether `row` is that of `batch` under `root`, in a tree of `batches` rows.
    function verify(bytes32[] calldata proof, bytes32 root, bytes calldata row, uint256 batch, uint256 batches)
        internal
        pure
        returns (bool)
    {
        bytes32 hash = keccak256(bytes.concat(keccak256(abi.encode(batch, row))));
        uint256 i;
        for (uint256 index = 2 * batches - 2 - batch; index != 0; ++i) {
            assembly ("memory-safe") {
                // A node with an odd index is a left child.
                let right := iszero(and(index, 1))
                mstore(shl(5, right), hash)
                // Beyond its end the proof reads as what follows in calldata; its length is compared below.
                mstore(shl(5, iszero(right)), calldataload(add(proof.offset, shl(5, i))))
                hash := keccak256(0x00, 0x40)
                index := shr(1, sub(index, 1))
            }
        }
        return i == proof.length && hash == root;
    }
}
