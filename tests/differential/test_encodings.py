"""Typed data, seat records and audit trees: what the contracts hash is what the Python copy hashes."""

from __future__ import annotations

from random import Random

import pytest

from earnest.protocol import merkle, opening

TIMES = range(20)


@pytest.fixture(scope="session")
def domain(chain, rules):
    return opening.Domain(chain.chain_id, rules.address)


def _word(random: Random) -> int:
    return random.choice((0, 1, 2**256 - 1, random.randrange(2**256)))


@pytest.mark.parametrize("seed", TIMES)
def test_digests(rules, domain, seed):
    random = Random(seed)
    campaign, seat, nonce, deadline = (_word(random) for _ in range(4))
    labels, salt = random.randbytes(random.choice((0, 1, 32, 100))), random.randbytes(32)
    labeler = f"0x{random.randrange(2**160):040x}"
    assert rules("openingDigest", campaign, seat, labels, salt) == opening.opening_digest(
        domain, campaign, seat, labels, salt
    )
    assert rules("enrolmentDigest", campaign, labeler, seat, nonce, deadline) == opening.enrolment_digest(
        domain, campaign, labeler, seat, nonce, deadline
    )
    assert rules("commitmentDigest", campaign, seat, salt, nonce, deadline) == opening.commitment_digest(
        domain, campaign, seat, salt, nonce, deadline
    )


@pytest.mark.parametrize("seed", TIMES)
def test_records(rules, seed):
    random = Random(seed)
    commitment, labels = random.randbytes(32), random.randbytes(random.randrange(100))
    assert rules("committed", commitment) == opening.committed_record(commitment).to_bytes(32, "big")
    assert rules("revealed", labels) == opening.revealed_record(labels).to_bytes(32, "big")


@pytest.mark.parametrize("rows", [1, 2, 3, 4, 5, 8, 13, 33])
def test_audit_trees(rules, rows):
    random = Random(rows)
    sealed = [random.randbytes(random.randrange(1, 80)) for _ in range(rows)]
    nodes = merkle.tree(sealed)
    root = nodes[0]
    for batch, row in enumerate(sealed):
        proof = merkle.proof(nodes, batch)
        assert rules("verify", proof, root, row, batch, rows)
        assert merkle.verify(root, rows, batch, row, proof)
        wrong = [
            (proof, root, row + b"\0", batch),
            (proof, bytes(32), row, batch),
            ([*proof, root], root, row, batch),
            *((proof[:-1], root, row, batch) for _ in proof[:1]),
            *((proof, root, row, place) for place in range(rows) if place != batch),
        ]
        for path, top, data, place in wrong:
            assert not rules("verify", path, top, data, place, rows)
            assert not merkle.verify(top, rows, place, data, path)
