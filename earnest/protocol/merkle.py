"""The tree over a campaign's enciphered audit rows (design, section 6).

An array of `2n − 1` hashes: the root first, node `i` with the children `2i + 1` and `2i + 2`, the leaf of
batch `b` at `2n − 2 − b`. Inner nodes hash left ‖ right: each batch has one place, so that a tree cannot hold
two rows for one batch.
"""

from __future__ import annotations

from collections.abc import Sequence

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from earnest.protocol.errors import AuditError


def leaf(batch: int, enciphered: bytes) -> bytes:
    """The leaf, 32 bytes, of a batch's enciphered row."""
    return keccak(keccak(encode(["uint256", "bytes"], [batch, enciphered])))


def tree(enciphered: Sequence[bytes]) -> list[bytes]:
    """The tree over the enciphered rows of batches 0, 1, …: `2n − 1` hashes, the root first.

    Raises AuditError when there is no row.
    """
    if not enciphered:
        raise AuditError("There are no rows; an audit has one for each batch.")
    leaves = [leaf(batch, row) for batch, row in enumerate(enciphered)]
    nodes = [b""] * (len(leaves) - 1) + leaves[::-1]
    for node in reversed(range(len(leaves) - 1)):
        nodes[node] = keccak(nodes[2 * node + 1] + nodes[2 * node + 2])
    return nodes


def proof(nodes: Sequence[bytes], batch: int) -> list[bytes]:
    """The hashes that lead from a batch's leaf to the root. Raises AuditError for a batch without a row."""
    rows = (len(nodes) + 1) // 2
    if not 0 <= batch < rows:
        raise AuditError(f"Batch {batch} has no row; it must be 0 to {rows - 1}.")
    node = len(nodes) - 1 - batch
    path = []
    while node > 0:
        path.append(nodes[node + 1 if node % 2 else node - 1])
        node = (node - 1) // 2
    return path


def verify(root: bytes, batches: int, batch: int, enciphered: bytes, path: Sequence[bytes]) -> bool:
    """Whether the path leads from the place of `batch`, of `batches`, with its enciphered row to the root."""
    hash_, index = leaf(batch, enciphered), 2 * batches - 2 - batch
    for sibling in path:
        hash_ = keccak(hash_ + sibling if index % 2 else sibling + hash_)
        index = (index - 1) // 2
    return index == 0 and hash_ == root
