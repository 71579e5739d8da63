"""Terms to vary, and random batches of every kind."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random
from typing import Any

from hypothesis import strategies as st

from earnest.protocol.audit import AuditRow
from earnest.protocol.labels import label_count
from earnest.protocol.terms import Curve, Metric, Periods, Terms, Weights

EXPERIMENTER = "0x00000000000000000000000000000000000000E1"
WORD = b"\x01" * 32

TERMS = Terms(
    batches=10,
    cohort=5,
    batch_size=8,
    metric=Metric.NOMINAL,
    classes=4,
    bounty=1_000,
    stake=500,
    bond=100,
    curve=Curve(max_slash=3_000, forfeit=5_000),
    weights=Weights(peers=1, gold=0, repeats=0),
    periods=Periods(draw=60, commit=60, reveal=60, audit=60, challenge=60),
    enroll_by=2_000_000_000,
    manifest=WORD,
)


def terms(**changes: Any) -> Terms:
    """The terms above with some members changed."""
    return replace(TERMS, **changes)


def audited(**changes: Any) -> Terms:
    """The same with an audit of which all three signals count."""
    weights = {"weights": Weights(peers=1, gold=1, repeats=1)}
    return terms(**({"audit_root": WORD, "audit_key_hash": WORD} | weights | changes))


@dataclass(frozen=True)
class Batch:
    """What scores of one batch are computed from."""

    terms: Terms
    labels: tuple[bytes, ...]
    labelers: tuple[str, ...]
    row: AuditRow | None


METRICS = st.one_of(
    st.tuples(st.just(Metric.NOMINAL), st.sampled_from([2, 3, 4, 17, 255])),
    st.tuples(st.just(Metric.INTERVAL), st.sampled_from([2, 3, 5, 100, 255])),
    st.tuples(st.just(Metric.RANKING), st.integers(2, 5)),
)
WEIGHTS = st.builds(
    Weights,
    peers=st.sampled_from([0, 1, 3, 65_535]),
    gold=st.sampled_from([0, 1, 7]),
    repeats=st.integers(0, 2),
)
ANSWERS = ("random", "constant", "one constant", "noisy", "copied", "two labels", "inverted")


@st.composite
def batches(draw: st.DrawFn) -> Batch:
    """Any metric and size, with or without an audit, whose seats answer in one way or in many."""
    metric, classes = draw(METRICS)
    size = label_count(metric, classes)
    batch_size = draw(st.integers(2, 20))
    cohort = draw(st.sampled_from([3, 4, 5, 6, 7, 10, 15]))
    answers = draw(st.lists(st.sampled_from(ANSWERS), min_size=1, max_size=3))
    absent = draw(st.sampled_from([0.4, 0.2, 0.0, 0.9]))
    people = draw(st.integers(1, 2 * cohort))
    with_audit = draw(st.sampled_from([True, True, False]))
    random = Random(draw(st.integers(0, 2**32)))

    truth = [random.randrange(size) for _ in range(batch_size)]
    labels = tuple(
        b"" if random.random() < absent else _labels(random, random.choice(answers), truth, size)
        for _ in range(cohort)
    )
    labelers = tuple(f"labeler {random.randrange(people)}" for _ in range(cohort))
    make = audited if with_audit else terms
    made = make(metric=metric, classes=classes, batch_size=batch_size, cohort=cohort, weights=draw(WEIGHTS))
    row = audit_row(random, batch_size, size, truth) if with_audit and random.random() < 0.9 else None
    return Batch(made, labels, labelers, row)


def audit_row(random: Random, batch_size: int, size: int, truth: list[int] | None = None) -> AuditRow:
    """A row that parses, often sparse, with gold that is true or (then void, mostly) false."""
    some = random.choice([0.2, 0.7, 1.0, 1.0])
    shared = [position for position in range(batch_size) if random.random() < some]
    gold = [position for position in shared if random.random() < 0.5]
    repeats = [(first, random.randrange(first + 1, batch_size)) for first in range(batch_size - 1)]
    known = truth if truth is not None and random.random() < 0.7 else [random.randrange(size)] * batch_size
    return AuditRow(
        shared=tuple(shared),
        gold=tuple((position, known[position]) for position in gold),
        repeats=tuple(pair for pair in repeats if random.random() < 0.4),
    )


def _labels(random: Random, answer: str, truth: list[int], size: int) -> bytes:
    if answer == "random":
        return bytes(random.randrange(size) for _ in truth)
    if answer == "constant":
        return bytes([random.randrange(size)] * len(truth))
    if answer == "one constant":
        return bytes([size - 1] * len(truth))
    if answer == "noisy":
        return bytes(label if random.random() < 0.7 else random.randrange(size) for label in truth)
    if answer == "copied":
        return bytes(truth)
    if answer == "two labels":
        return bytes(random.choice([0, size - 1]) for _ in truth)
    return bytes(size - 1 - label for label in truth)
