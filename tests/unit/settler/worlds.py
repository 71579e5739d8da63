"""States made by hand, for what is due in them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import numpy as np

from earnest.chain import life as lives
from earnest.chain.life import Phase
from earnest.chain.records import Place
from earnest.chain.state import Batch, BatchStatus, Campaign, Posting, Seat, State
from earnest.protocol.settlement import pack
from earnest.protocol.terms import ZERO_ADDRESS, Curve, Metric, Periods, Terms, Weights

ME = "0x00000000000000000000000000000000000000A1"
OTHER = "0x00000000000000000000000000000000000000B2"
START = 1_000_000
CHALLENGE = 100
RIGHT = [pack([100, 200, 300]), pack([0, 0, 0]), pack([-100, 50, 7])]
FALSE = pack([9_999, 9_999, 9_999])

TERMS = Terms(
    token=ZERO_ADDRESS,
    stake=1_000,
    bounty=10_000,
    fee=5,
    bond=500,
    batch_size=8,
    cohort=3,
    metric=Metric.NOMINAL,
    classes=3,
    batches=3,
    enroll_by=START,
    curve=Curve(max_slash=0, forfeit=0),
    weights=Weights(peers=1, gold=0, repeats=0),
    periods=Periods(draw=1_000, commit=1_000, reveal=1_000, audit=1_000, challenge=CHALLENGE),
    manifest=bytes(32),
)


def campaign(phase: Phase, number: int = 1, terms: Terms = TERMS, **changes) -> Campaign:
    """A campaign of three batches, all seats taken, in a phase that lasts."""
    seats = terms.batches * terms.cohort
    deadline = 0 if phase > Phase.AUDITING else START + 1_000
    life = lives.enter(replace(lives.begin(terms), taken=seats), phase, deadline)
    found = Campaign(
        number=number,
        experimenter=OTHER,
        terms=terms,
        uri="file:manifest.json",
        life=life,
        created=Place(1, 0, START, "0x", "0x"),
        seats=[Seat(labeler=OTHER) for _ in range(seats)],
        batches=[Batch() for _ in range(terms.batches)],
        cohorts=np.arange(seats).reshape(terms.batches, terms.cohort),
    )
    for name, value in changes.items():
        setattr(found, name, value)
    return found


def settling(
    *words: int | None, at: int = START, settler: str = OTHER, number: int = 1, terms: Terms = TERMS
) -> Campaign:
    """A campaign in Settling, batches posted with these words (None: open) in one posting at time `at`."""
    found = campaign(Phase.SETTLING, number, terms)
    posted = [word for word in words if word is not None]
    for batch, word in enumerate(words):
        if word is not None:
            found.batches[batch] = Batch(status=BatchStatus.POSTED, scores=word, posting=1)
    if posted:
        found.postings[1] = Posting(settler=settler, posted_at=at, resting=len(posted))
        found.life = replace(found.life, scored=len(posted), deadline=at + terms.periods.challenge)
    return found


def world(*campaigns: Campaign, free: int = 0) -> State:
    """A state with these campaigns and a free balance of ours."""
    state = State(OTHER)
    state.campaigns = {each.number: each for each in campaigns}
    state.balances = defaultdict(lambda: defaultdict(int))
    state.balances[ZERO_ADDRESS][ME] = free
    return state
