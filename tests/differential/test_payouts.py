"""`Referee.payout` against the Python copy."""

from __future__ import annotations

from random import Random

import pytest

from differential.runs import RUNS, seeds
from earnest.protocol import opening
from earnest.protocol.score import ABSENT, UNSCORED
from earnest.protocol.settlement import outlook, pack, settle_batch
from earnest.protocol.terms import Curve, Metric, Periods, Terms, Weights

MOST = 2**96 - 1
REVEALED = (opening.revealed_record(b"labels")).to_bytes(32, "big")
COMMITTED = (opening.committed_record(b"\xab" * 32)).to_bytes(32, "big")
DENOUNCED = opening.DENOUNCED.to_bytes(32, "big")
ABSENT_RECORDS = (bytes(32), COMMITTED, DENOUNCED)


def terms(random: Random) -> Terms:
    return Terms(
        stake=_money(random),
        bounty=_money(random),
        batch_size=2,
        cohort=random.randint(3, 15),
        metric=Metric.NOMINAL,
        classes=2,
        bond=1,
        batches=1,
        enroll_by=1,
        curve=_curve(random),
        weights=Weights(peers=1, gold=0, repeats=0),
        periods=Periods(draw=1, commit=1, reveal=1, audit=1, challenge=1),
        manifest=bytes(32),
    )


def _money(random: Random) -> int:
    return random.choice((0, 1, 2, 10_007, 10**18, MOST, random.randrange(10**6), random.randrange(MOST)))


def _curve(random: Random) -> Curve:
    points = [random.choice((-10_000, 0, 10_000, random.randint(-10_000, 10_000))) for _ in range(4)]
    if random.random() < 0.4:
        points[random.randrange(4)] = points[random.randrange(4)]
    forfeit = random.choice((0, 1, 5_000, random.randint(0, 5_000)))
    return Curve(
        **dict(zip(("slash_full", "slash_from", "pay_from", "pay_full"), sorted(points), strict=True)),
        floor=random.choice((-10_000, 10_000, random.randint(-10_000, 10_000))),
        max_slash=random.randint(0, forfeit),
        forfeit=forfeit,
    )


def _scores(random: Random, given: Terms) -> list[int]:
    curve = given.curve
    edges = [curve.slash_full, curve.slash_from, curve.pay_from, curve.pay_full, curve.floor]
    near = [min(10_000, max(-10_000, edge + step)) for edge in edges for step in (-1, 0, 1)]
    absent = random.choice((0, 0.2, 0.9))
    pool = [*near, random.randint(-10_000, 10_000), UNSCORED, -10_000, 10_000]
    return [ABSENT if random.random() < absent else random.choice(pool) for _ in range(given.cohort)]


@pytest.mark.parametrize("count", RUNS)
def test_payouts(referee, count):
    for seed in seeds(count):
        random = Random(seed)
        given = terms(random)
        scores = _scores(random, given)
        records = [random.choice(ABSENT_RECORDS) if one == ABSENT else REVEALED for one in scores]
        denounced = [record == DENOUNCED for record in records]

        curve = given.abi_tuple()[11]
        found = referee("payout", curve, given.bounty, given.stake, pack(scores), records)

        expected = settle_batch(given, scores, denounced)
        results = tuple(
            0 if gone else paid - given.stake for paid, gone in zip(expected.paid, denounced, strict=True)
        )
        assert found == (results, expected.refund, expected.sink), f"seed {seed}: {given}"
        assert -outlook(given).max_loss <= min(results) <= max(results) <= outlook(given).max_win
