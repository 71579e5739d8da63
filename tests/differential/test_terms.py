"""What creation refuses: `Referee.checkTerms` against `Terms.validate`, on boundary and random terms."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from differential.runs import RUNS, Rejected, seeds
from earnest.protocol.errors import TermsError
from earnest.protocol.terms import Curve, Metric, Periods, Terms, Weights

NOW = 1_700_000_000
YEAR = 365 * 24 * 3600
WORD = b"\x01" * 32
GATE = "0x" + 40 * "1"

TERMS = Terms(
    stake=1,
    bounty=1,
    batch_size=100,
    cohort=5,
    metric=Metric.NOMINAL,
    classes=4,
    bond=1,
    batches=10,
    enroll_by=NOW + 1,
    curve=Curve(max_slash=3_000, forfeit=5_000),
    weights=Weights(peers=1, gold=1, repeats=1),
    periods=Periods(draw=60, commit=60, reveal=60, audit=60, challenge=60),
    manifest=WORD,
)
SCORES = (-32_768, -10_001, -10_000, -1, 0, 1, 10_000, 10_001, 32_767)
WHOLE = {
    "stake": (0, 2**96 - 1),
    "bounty": (0, 2**96 - 1),
    "fee": (0, 2**96 - 1),
    "batch_size": (0, 1, 2, 3, 500),
    "cohort": (0, 2, 3, 15, 16, 255),
    "metric": tuple(Metric),
    "classes": (0, 1, 2, 5, 6, 254, 255),
    "bond": (0, 1, 2**96 - 1),
    "batches": (0, 1, 2**32 // 15, 2**32 // 3, 2**32 // 3 + 1, 2**32 - 1),
    "enroll_by": (0, NOW - 1, NOW, NOW + 1, NOW + YEAR, NOW + YEAR + 1, 2**40 - 1),
    "gate": (GATE,),
    "gate_rule": (WORD,),
    "audit_root": (WORD,),
    "audit_key_hash": (WORD,),
}
PARTS = {
    "curve": {
        **dict.fromkeys(("slash_full", "slash_from", "pay_from", "pay_full", "floor"), SCORES),
        "max_slash": (0, 3_001, 5_000, 5_001, 65_535),
        "forfeit": (0, 2_999, 3_000, 5_000, 5_001, 10_000, 65_535),
    },
    "weights": dict.fromkeys(("peers", "gold", "repeats"), (0, 65_535)),
    "periods": dict.fromkeys(
        ("draw", "commit", "reveal", "audit", "challenge"), (0, 1, YEAR, YEAR + 1, 2**32 - 1)
    ),
}
EDGES = [(None, member, value) for member, values in WHOLE.items() for value in values] + [
    (part, member, value)
    for part, members in PARTS.items()
    for member, values in members.items()
    for value in values
]


def change(terms: Terms, part: str | None, member: str, value: object) -> Terms:
    if part is None:
        return replace(terms, **{member: value})
    return replace(terms, **{part: replace(getattr(terms, part), **{member: value})})


def on_chain(referee, terms: Terms) -> bool:
    try:
        referee("checkTerms", terms.abi_tuple(), NOW)
    except Rejected:
        return False
    return True


def in_python(terms: Terms) -> bool:
    try:
        terms.validate(NOW)
    except TermsError:
        return False
    return True


def test_usual_terms_are_accepted(referee):
    assert on_chain(referee, TERMS)
    assert in_python(TERMS)


def test_one_edge_at_a_time(referee):
    for edge in EDGES:
        terms = change(TERMS, *edge)
        assert on_chain(referee, terms) == in_python(terms), edge


@pytest.mark.parametrize("count", RUNS)
def test_several_edges_at_once(referee, count):
    accepted = 0
    for seed in seeds(count):
        random = Random(seed)
        terms = TERMS
        for edge in random.sample(EDGES, random.randint(1, 4)):
            terms = change(terms, *edge)
        accepted += in_python(terms)
        assert on_chain(referee, terms) == in_python(terms), f"seed {seed}: {terms}"
    assert 0 < accepted < count
