"""A campaign, a batch and a sight to decide from, without a chain."""

from __future__ import annotations

from dataclasses import replace

from earnest.chain.life import Life, Phase
from earnest.chain.messages import Opening
from earnest.chain.records import Place
from earnest.chain.state import Batch as ChainBatch
from earnest.chain.state import Campaign, Seat
from earnest.labeler.batch import Batch
from earnest.labeler.sight import Sight
from earnest.manifest.manifest import Task
from earnest.manifest.question import Kind, Question
from earnest.protocol import draw
from earnest.protocol.opening import committed_record
from earnest.protocol.terms import Curve, Metric, Periods, Terms, Weights

ME, OTHER = "0x" + "11" * 20, "0x" + "22" * 20
SEED = bytes([7]) * 32
DRAWN_AT, CLOSED_AT = 1_000, 1_100
TERMS = Terms(
    stake=1_000,
    bounty=900,
    batch_size=3,
    cohort=3,
    metric=Metric.NOMINAL,
    classes=3,
    bond=2_000,
    batches=1,
    enroll_by=500,
    curve=Curve(max_slash=3_000, forfeit=5_000),
    weights=Weights(peers=1, gold=0, repeats=0),
    periods=Periods(draw=7_200, commit=7_200, reveal=7_200, audit=7_200, challenge=7_200),
    manifest=bytes(32),
)
LABELS = bytes([0, 1, 2])
COMMITMENT = bytes([9]) * 32
OPENING = Opening(seat=0, labels=LABELS, salt=bytes(32))
RECORD = committed_record(COMMITMENT)

QUESTION = Question(text="Which?", kind=Kind.CHOICE, options=("red", "green", "blue"))


def batch(question: Question = QUESTION, tasks: tuple[str, ...] = ("a", "b", "a")) -> Batch:
    """A batch that shows task `a` twice."""
    content = (
        {"items": [{"text": name} for name in "xyz"]} if question.kind is Kind.RANKING else {"text": "t"}
    )
    return Batch(0, 0, 0, SEED, question, tuple(Task(name, content) for name in tasks))


def campaign(phase: Phase, deadline: int, record: int = 0, **changes: object) -> Campaign:
    """A drawn campaign of three seats, the first of them ours with this record."""
    seats = [Seat(labeler=ME, record=record), Seat(labeler=OTHER), Seat(labeler=OTHER)]
    life = Life(phase=phase, deadline=deadline, seats=3, cohort=3, taken=3)
    found = Campaign(
        number=1,
        experimenter=OTHER,
        terms=TERMS,
        uri="file:x",
        life=life,
        created=Place(1, 0, 0, "0x", "0x"),
        seed=SEED,
        seats=seats,
        batches=[ChainBatch()],
        cohorts=draw.cohorts(SEED, 3, 3),
        assignment=draw.assignment(SEED, 3, 3),
    )
    return replace(found, **changes)


def sight(phase: Phase, now: int, record: int = 0, closed_in: int | None = None, confirmed: int = 0) -> Sight:
    """The campaign in a phase that lasts 7,200 seconds from the early end of the one before."""
    deadline = {Phase.COMMITTING: DRAWN_AT + 7_200, Phase.REVEALING: CLOSED_AT + 7_200}.get(phase, 0)
    found = campaign(phase, deadline, record, drawn_at=DRAWN_AT, committed_in=closed_in)
    return Sight(found, now, confirmed)
