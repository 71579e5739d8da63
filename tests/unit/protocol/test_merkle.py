from __future__ import annotations

import pytest
from eth_utils.crypto import keccak

from earnest.protocol import merkle
from earnest.protocol.errors import AuditError


def rows(number: int) -> list[bytes]:
    return [bytes([batch]) * (batch % 5) for batch in range(number)]


def word(number: int) -> bytes:
    return number.to_bytes(32, "big")


def test_a_leaf_by_hand() -> None:
    # abi.encode(uint256 2, bytes 0xabcd): the number, where the bytes start, their length, they filled up.
    encoded = word(2) + word(64) + word(2) + b"\xab\xcd" + bytes(30)
    assert merkle.leaf(2, b"\xab\xcd") == keccak(keccak(encoded))


def test_a_tree_by_hand() -> None:
    # n = 3: five nodes; the leaf of batch b at 4 − b, so batch 0 last; node 1 over leaves 3 and 4, the root
    # over nodes 1 and 2.
    leaves = [merkle.leaf(batch, row) for batch, row in enumerate(rows(3))]
    inner = keccak(leaves[1] + leaves[0])
    root = keccak(inner + leaves[2])
    nodes = merkle.tree(rows(3))
    assert nodes == [root, inner, leaves[2], leaves[1], leaves[0]]
    assert merkle.proof(nodes, 0) == [leaves[1], leaves[2]]
    assert merkle.proof(nodes, 1) == [leaves[0], leaves[2]]
    assert merkle.proof(nodes, 2) == [inner]


@pytest.mark.parametrize("number", [1, 2, 3, 4, 5, 8, 13, 100])
def test_proofs_lead_to_the_root(number: int) -> None:
    given = rows(number)
    nodes = merkle.tree(given)
    assert len(nodes) == 2 * number - 1
    for batch, row in enumerate(given):
        path = merkle.proof(nodes, batch)
        assert merkle.verify(nodes[0], number, batch, row, path)
        assert not merkle.verify(nodes[0], number, batch, row + b"\0", path)
        assert not merkle.verify(nodes[0], number, batch, row, [*path, bytes(32)])
        assert not merkle.verify(bytes(32), number, batch, row, path)
        if path:
            assert not merkle.verify(nodes[0], number, batch, row, path[:-1])


def test_a_batch_has_one_place() -> None:
    # A tree that holds a second row for batch 0 where batch 1 belongs: only the one at its place is proved.
    first, second = b"first", b"second"
    left, right = merkle.leaf(0, second), merkle.leaf(0, first)
    root = keccak(left + right)
    assert merkle.verify(root, 2, 0, first, [left])
    assert not merkle.verify(root, 2, 0, second, [right])


def test_what_has_no_tree_or_proof() -> None:
    with pytest.raises(AuditError, match="There are no rows"):
        merkle.tree([])
    for batch in (-1, 2):
        with pytest.raises(AuditError, match=f"Batch {batch} has no row; it must be 0 to 1"):
            merkle.proof(merkle.tree(rows(2)), batch)
