"""The phase machine by hand: which phase follows which, and when each begins."""

from __future__ import annotations

from dataclasses import replace

import pytest

from earnest.chain.life import Life, Phase, at, begin
from earnest.protocol.terms import Curve, Metric, Periods, Terms, Weights

TERMS = Terms(
    stake=1,
    bounty=1,
    batch_size=2,
    cohort=3,
    metric=Metric.NOMINAL,
    classes=2,
    bond=1,
    batches=2,
    enroll_by=1_000,
    curve=Curve(max_slash=0, forfeit=0),
    weights=Weights(peers=1, gold=0, repeats=0),
    periods=Periods(draw=10, commit=200, reveal=3_000, audit=40_000, challenge=500_000),
    manifest=bytes(32),
)
AUDITED = replace(TERMS, audit_root=b"\1" * 32, audit_key_hash=b"\1" * 32)
DRAWN = Life(phase=Phase.COMMITTING, deadline=2_000, seats=6, cohort=3, taken=6)
SETTLING = replace(DRAWN, phase=Phase.SETTLING, deadline=0, committed=6, opened=6)


def test_begins_with_enrolling():
    life = begin(TERMS)
    assert (life.phase, life.deadline, life.seats, life.batches) == (Phase.ENROLLING, 1_000, 6, 2)
    assert at(life, TERMS, 999) == life


@pytest.mark.parametrize(
    ("taken", "now", "phase", "deadline"),
    [
        (2, 1_000, Phase.CANCELLED, 0),
        (3, 1_000, Phase.DRAWING, 1_010),
        (6, 1_009, Phase.DRAWING, 1_010),
        (6, 1_010, Phase.CANCELLED, 0),
    ],
)
def test_enrolling_ends(taken, now, phase, deadline):
    life = at(replace(begin(TERMS), taken=taken), TERMS, now)
    assert (life.phase, life.deadline) == (phase, deadline)


@pytest.mark.parametrize(
    ("terms", "committed", "opened", "now", "phase", "deadline"),
    [
        (TERMS, 5, 0, 1_999, Phase.COMMITTING, 2_000),
        (TERMS, 5, 0, 2_000, Phase.REVEALING, 5_000),
        (TERMS, 5, 0, 5_000, Phase.SETTLING, 0),
        (TERMS, 0, 0, 2_000, Phase.SETTLING, 0),
        (TERMS, 1, 1, 2_000, Phase.SETTLING, 0),
        (AUDITED, 5, 0, 5_000, Phase.AUDITING, 45_000),
        (AUDITED, 0, 0, 2_000, Phase.AUDITING, 42_000),
        (AUDITED, 0, 0, 42_000, Phase.SETTLING, 0),
        (AUDITED, 5, 0, 45_000, Phase.SETTLING, 0),
    ],
)
def test_each_phase_begins_where_the_one_before_ended(terms, committed, opened, now, phase, deadline):
    life = at(replace(DRAWN, committed=committed, opened=opened), terms, now)
    assert (life.phase, life.deadline) == (phase, deadline)


@pytest.mark.parametrize(
    ("scored", "deadline", "now", "phase"),
    [
        (1, 0, 10**9, Phase.SETTLING),
        (2, 9_000, 8_999, Phase.SETTLING),
        (2, 9_000, 9_000, Phase.FINAL),
        (2, 0, 0, Phase.FINAL),
    ],
)
def test_final_when_all_batches_have_scores_that_nobody_can_challenge(scored, deadline, now, phase):
    assert at(replace(SETTLING, scored=scored, deadline=deadline), TERMS, now).phase is phase


def test_a_life_that_is_none_has_no_batches():
    assert Life(phase=Phase.NONE, deadline=0, seats=0, cohort=0).batches == 0
