from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from earnest.protocol import settlement
from earnest.protocol.errors import ScoreError
from earnest.protocol.score import ABSENT, UNSCORED
from earnest.protocol.settlement import Payouts, settle_batch, settle_campaign
from earnest.protocol.terms import Curve, Terms

from .campaigns import terms

CURVE = Curve(max_slash=5_000, forfeit=5_000)
MADE = terms(cohort=3, bounty=100, stake=1_001, fee=7, curve=CURVE)

SCORES = st.one_of(
    st.integers(-10_000, 10_000),
    st.sampled_from([UNSCORED, ABSENT, ABSENT, -10_000, -500, 0, 500, 999, 1_000, 3_000, 10_000]),
)
AMOUNTS = st.one_of(st.integers(0, 30), st.integers(0, 10**19), st.just(2**96 - 1))


@st.composite
def curves(draw: st.DrawFn) -> Curve:
    points = sorted(
        draw(
            st.lists(
                st.sampled_from([-10_000, -500, 0, 500, 1_000, 1_001, 3_000, 10_000])
                | st.integers(-10_000, 10_000),
                min_size=4,
                max_size=4,
            )
        )
    )
    forfeit = draw(st.integers(0, 5_000))
    return Curve(
        slash_full=points[0], slash_from=points[1], pay_from=points[2], pay_full=points[3],
        floor=draw(st.sampled_from([-10_000, 0, 1_000])),
        max_slash=draw(st.integers(0, forfeit)), forfeit=forfeit,
    )  # fmt: skip


@st.composite
def settlements(draw: st.DrawFn) -> tuple[Terms, list[list[int]], list[list[bool]]]:
    """Terms, and the scores of some batches with who of the absent was denounced."""
    cohort = draw(st.integers(3, 15))
    made = terms(
        cohort=cohort, bounty=draw(AMOUNTS), stake=draw(AMOUNTS), fee=draw(AMOUNTS), curve=draw(curves())
    )
    batch = st.lists(SCORES, min_size=cohort, max_size=cohort)
    scores = draw(st.lists(batch, min_size=1, max_size=4))
    denounced = [[score == ABSENT and draw(st.booleans()) for score in batch] for batch in scores]
    return made, scores, denounced


def test_pay_by_hand() -> None:
    # R = 2: pool ⌊100·2/3⌋ = 66, refund ⌊100·1/3⌋ = 33. d = 2,000, weights 2,000 and 1,000, shared by
    # max(2·3,000, 2·2,000) = 6,000: rewards ⌊2·66·2,000 / 6,000⌋ = 44 and 22. The absent one forfeits
    # ⌈1,001·0.5⌉ = 501. Sink: 100 − 33 − 66 + 501 = 502.
    assert settle_batch(MADE, [3_000, 2_000, ABSENT]) == Payouts(
        reward=(44, 22, 0),
        slash=(0, 0, 0),
        forfeit=(0, 0, 501),
        paid=(1_045, 1_023, 500),
        refund=33,
        sink=502,
        fee=7,
    )


def test_slashes_by_hand() -> None:
    # The upper median, 1,000, is not below the floor. e = 500 − (−200) = 700 of g = 1,000:
    # ⌈1,001 · 0.5 · 0.7⌉ = ⌈350.35⌉. Weights 2,000, 0 and 0: ⌊2·100·2,000 / max(4,000, 3·2,000)⌋ = 66.
    found = settle_batch(MADE, [3_000, 1_000, -200])
    assert found.reward == (66, 0, 0)
    assert found.slash == (0, 0, 351)
    assert found.paid == (1_067, 1_001, 650)
    assert (found.refund, found.sink) == (0, 34 + 351)
    # Not slashed at slashFrom, by all of maxSlash at slashFull and below.
    assert settle_batch(MADE, [3_000, 3_000, 500]).slash == (0, 0, 0)
    assert settle_batch(MADE, [3_000, 3_000, 499]).slash == (0, 0, 1)
    for score in (-500, -501, -10_000):
        assert settle_batch(MADE, [3_000, 3_000, score]).slash == (0, 0, 501)


def test_at_most_twice_the_even_share() -> None:
    # One full weight among three seats: ⌊2·100·2,000 / max(4,000, 6,000)⌋ = 66, not the whole pool.
    assert settle_batch(MADE, [10_000, 700, 700]).reward == (66, 0, 0)
    assert settle_batch(MADE, [10_000, 10_000, 10_000]).reward == (33, 33, 33)


def test_a_cohort_without_a_signal_slashes_nobody() -> None:
    # The upper median of three is the second; of two, and of four, the first and the second.
    assert settle_batch(MADE, [9_000, 999, -10_000]).slash == (0, 0, 0)
    assert settle_batch(MADE, [9_000, 1_000, -10_000]).slash == (0, 0, 501)
    assert settle_batch(MADE, [1_000, ABSENT, -10_000]).slash == (0, 0, 501)
    four = replace(MADE, cohort=4)
    assert settle_batch(four, [9_000, 999, -10_000, -10_000]).slash == (0, 0, 0, 0)
    assert settle_batch(four, [9_000, 1_000, -10_000, -10_000]).slash == (0, 0, 501, 501)
    # Unscored and absent seats have no say, but absence still forfeits, and pay still follows the curve.
    found = settle_batch(four, [UNSCORED, 999, -10_000, ABSENT])
    assert found.slash == (0, 0, 0, 0)
    assert found.forfeit == (0, 0, 0, 501)
    assert found.reward == (50, 0, 0, 0)


def test_unscored_seats_are_paid_in_full() -> None:
    found = settle_batch(MADE, [UNSCORED] * 3)
    assert found.reward == (33, 33, 33)
    assert found.slash == (0, 0, 0)


def test_a_curve_of_steps() -> None:
    # d = 0: all or nothing at payFull. g = 0: all or nothing below slashFrom.
    steps = {"slash_full": 0, "slash_from": 0, "pay_from": 2_000, "pay_full": 2_000, "floor": -10_000}
    made = replace(MADE, curve=Curve(**steps, max_slash=1_000, forfeit=1_000), stake=1_000)
    found = settle_batch(made, [2_000, 1_999, UNSCORED])
    assert found.reward == (50, 0, 50)
    assert settle_batch(made, [2_000, 0, -1]).slash == (0, 0, 100)


def test_nobody_reveals() -> None:
    found = settle_batch(MADE, [ABSENT] * 3)
    assert found.refund == 100
    assert found.paid == (500, 500, 500)
    assert found.sink == 3 * 501


def test_nobody_is_paid_when_nobody_informs() -> None:
    found = settle_batch(MADE, [700, 800, 900])
    assert found.reward == (0, 0, 0)
    assert (found.refund, found.sink) == (0, 100)


def test_a_denounced_seat_has_nothing_left() -> None:
    found = settle_batch(MADE, [3_000, 3_000, ABSENT], [False, False, True])
    assert found.forfeit == (0, 0, 0)
    assert found.paid == (1_034, 1_034, 0)
    assert found.total == 100 + 7 + 2 * 1_001


@settings(max_examples=300)
@given(settlements())
def test_what_goes_out_is_what_went_in(case: tuple[Terms, list[list[int]], list[list[bool]]]) -> None:
    """Invariants 2, 3 and 4 of the design, over any scores."""
    made, scores, denounced = case
    curve, most = made.curve, settlement.outlook(made)
    for batch, gone in zip(scores, denounced, strict=True):
        found = settle_batch(made, batch, gone)
        left = made.stake * (made.cohort - sum(gone))
        assert found.total == made.bounty + made.fee + left
        assert min(*found.paid, *found.reward, *found.slash, *found.forfeit, found.refund, found.sink) >= 0
        # The experimenter gets the share of the labels that were never delivered, whatever the scores.
        delivered = sum(score != ABSENT for score in batch)
        assert found.refund == made.bounty * (made.cohort - delivered) // made.cohort
        for lane, score in enumerate(batch):
            loss, win = found.slash[lane] + found.forfeit[lane], found.reward[lane]
            assert loss <= most.max_loss
            assert win <= most.max_win
            share = curve.forfeit if score == ABSENT else curve.max_slash
            assert loss < Fraction(made.stake * share, 10_000) + 1
            if not gone[lane]:
                assert found.paid[lane] == made.stake - loss + win


@settings(max_examples=300)
@given(settlements())
def test_a_campaign_is_its_batches(case: tuple[Terms, list[list[int]], list[list[bool]]]) -> None:
    made, scores, denounced = case
    found = settle_campaign(made, np.array(scores, dtype=np.int16), np.array(denounced))
    for batch, (given_scores, gone) in enumerate(zip(scores, denounced, strict=True)):
        plain = settle_batch(made, given_scores, gone)
        for name in ("reward", "slash", "forfeit", "paid"):
            assert tuple(getattr(found, name)[batch]) == getattr(plain, name)
        for name in ("refund", "sink", "fee", "total"):
            assert getattr(found, name)[batch] == getattr(plain, name)
            assert type(getattr(found, name)[batch]) is int
    if not np.any(denounced):
        again = settle_campaign(made, np.array(scores, dtype=np.int16))
        assert (again.paid == found.paid).all()


def test_a_campaign_without_batches() -> None:
    found = settle_campaign(MADE, np.zeros((0, 3), dtype=np.int16))
    assert found.paid.shape == (0, 3)
    assert found.total.tolist() == []


@given(curves(), AMOUNTS, AMOUNTS, st.integers(3, 15))
def test_the_outlook_is_reached(curve: Curve, bounty: int, stake: int, cohort: int) -> None:
    made = terms(curve=curve, bounty=bounty, stake=stake, cohort=cohort)
    most = settlement.outlook(made)
    absent = settle_batch(made, [ABSENT] * cohort)
    assert absent.forfeit == (most.max_loss,) * cohort
    if curve.pay_from > -10_000:
        one_informs = settle_batch(made, [curve.pay_full] + [-10_000] * (cohort - 1))
        assert one_informs.reward[0] == most.max_win
    for there in range(1, cohort):
        some = settle_batch(made, [UNSCORED] * there + [ABSENT] * (cohort - there))
        assert max(some.reward) <= most.max_win


def test_the_outlook_by_hand() -> None:
    assert settlement.outlook(MADE) == settlement.Outlook(max_loss=501, max_win=66)


def test_packing_by_hand() -> None:
    assert settlement.pack([1, -1, 10_000]) == 0x2710_FFFF_0001
    assert settlement.pack([UNSCORED, ABSENT, 0]) == 0x0000_8001_8000
    assert settlement.pack([0, 0, 0]) == 0
    assert settlement.pack([-1] * 15) == 2**240 - 1


@given(st.lists(SCORES, min_size=3, max_size=15))
def test_scores_come_back_from_the_word(scores: list[int]) -> None:
    word = settlement.pack(scores)
    assert word >> 240 == 0
    assert settlement.unpack(word, len(scores)) == scores
    packed = settlement.pack_campaign(np.array([scores, scores[::-1]], dtype=np.int16))
    assert packed == [word, settlement.pack(scores[::-1])]
    assert settlement.unpack_campaign(packed, len(scores)).tolist() == [scores, scores[::-1]]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: settlement.pack([0] * 16), "There are 16 scores; a word holds at most 15"),
        (lambda: settlement.pack([10_001]), "Score 10001 must be"),
        (lambda: settlement.pack([-32_766]), "Score -32766 must be"),
        (lambda: settlement.pack_campaign(np.zeros((1, 16), dtype=np.int16)), "There are 16 scores"),
        (lambda: settlement.pack_campaign(np.full((1, 3), 20_000, dtype=np.int16)), "Score 20000"),
        (lambda: settlement.unpack(1 << 48, 3), "lanes from 3 on must be 0"),
        (lambda: settlement.unpack(-1, 3), "lanes from 3 on must be 0"),
        (lambda: settlement.unpack(0x7FFF, 3), "Score 32767"),
        (lambda: settle_batch(MADE, [0, 0]), "must have 3"),
        (lambda: settle_batch(MADE, [0, 0, 10_001]), "Score 10001"),
        (lambda: settle_batch(MADE, [0, 0, 1], [False, False, True]), "it must be ABSENT"),
        (lambda: settle_batch(MADE, [0, 0, 1], [False]), "denounced has the shape (1, 1)"),
        (lambda: settle_campaign(MADE, np.zeros((2, 4), dtype=np.int16)), "shape is (2, 4)"),
    ],
)
def test_scores_that_do_not_fit(call: Any, message: str) -> None:
    with pytest.raises(ScoreError) as caught:
        call()
    assert message in str(caught.value)
