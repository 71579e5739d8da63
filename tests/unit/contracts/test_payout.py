from dataclasses import replace

import pytest
from kit import TERMS

from earnest.protocol.opening import DENOUNCED, NOTHING, revealed_record
from earnest.protocol.score import ABSENT, UNSCORED
from earnest.protocol.settlement import settle_batch

MOST = 2**96 - 1
REVEALED = revealed_record(b"\0\1\2\0")
COMMITTED = 2


def word(scores):
    return sum((score & 0xFFFF) << 16 * lane for lane, score in enumerate(scores))


@pytest.fixture
def pays(referee):
    """What the referee says of a batch, found to be what the rules say."""

    def pays(terms, scores, denounced=()):
        terms = replace(terms, cohort=len(scores))
        gone = [lane in denounced for lane in range(len(scores))]
        records = [_record(lane, score, lane in denounced) for lane, score in enumerate(scores)]
        curve = terms.curve
        found = referee.payout(
            (
                curve.slash_full,
                curve.slash_from,
                curve.pay_from,
                curve.pay_full,
                curve.floor,
                curve.max_slash,
                curve.forfeit,
            ),
            terms.bounty,
            terms.stake,
            word(scores),
            [record.to_bytes(32, "big") for record in records],
        )
        expected = settle_batch(terms, [_in_range(score) for score in scores], gone)
        results = [
            0 if lost else paid - terms.stake for paid, lost in zip(expected.paid, gone, strict=True)
        ]
        assert (list(found.results), found.refund, found.sunk) == (results, expected.refund, expected.sink)
        assert found.refund + found.sunk + sum(found.results) == terms.bounty
        return list(found.results)

    return pays


def _record(lane, score, denounced):
    """An absent seat has either not committed or not revealed."""
    if denounced:
        return DENOUNCED
    if score == ABSENT:
        return COMMITTED if lane % 2 else NOTHING
    return REVEALED


def _in_range(score):
    return score if score in (ABSENT, UNSCORED) else max(-10_000, min(10_000, score))


ALONG = [-10_000, -501, -500, -499, 0, 499, 500, 501, 999, 1_000, 1_001, 2_999, 3_000, 3_001, 10_000]


def test_given_scores_all_along_the_curve(pays):
    terms = replace(TERMS, bounty=10**9, curve=replace(TERMS.curve, floor=-10_000))
    results = pays(terms, ALONG)
    assert results[0] == results[2] == -300  # ⌈999 · 30 %⌉
    assert results[3] == -300
    assert results[5] == -1
    assert results[6:10] == [0] * 4
    assert results[10] > 0
    assert results[12] == results[14] == max(results)


@pytest.mark.parametrize("score", [-10_000, -1, 0, 1, 10_000])
def test_given_a_curve_without_slopes(pays, score):
    at = {"slash_full": score, "slash_from": score, "pay_from": score, "pay_full": score, "floor": -10_000}
    terms = replace(TERMS, curve=replace(TERMS.curve, **at))
    near = [max(score - 1, -10_000), score, min(score + 1, 10_000), -10_000, 10_000]
    results = pays(terms, near)
    assert results[1] > 0
    assert (results[0] < 0) == (near[0] < score)


@pytest.mark.parametrize(
    ("scores", "spared"),
    [
        ([999, 999, -10_000], True),
        ([1_000, 1_000, -10_000], False),
        ([1_000, 999, -10_000], True),
        ([1_000, -10_000, -10_000], True),
        ([1_000, 1_000, -10_000, -10_000], False),
        ([1_000, 999, -10_000, -10_000], True),
        ([UNSCORED, UNSCORED, 999, -10_000, 1_000], True),
        ([UNSCORED, ABSENT, 1_000, -10_000], False),
        ([ABSENT, ABSENT, -10_000], True),
    ],
    ids=str,
)
def test_given_a_cohort_below_the_floor(pays, scores, spared):
    results = pays(TERMS, scores)
    lowest = [result for result, score in zip(results, scores, strict=True) if score == -10_000]
    assert lowest == [0 if spared else -300] * len(lowest)


@pytest.mark.parametrize("score", [-32_766, -10_001, 10_001, 32_767])
def test_given_scores_that_no_referee_gives(pays, score):
    pays(TERMS, [score, 5_000, 5_000])


@pytest.mark.parametrize(
    ("scores", "denounced"),
    [
        ([ABSENT] * 3, ()),
        ([ABSENT] * 3, (0, 1, 2)),
        ([ABSENT, 5_000, ABSENT], (2,)),
        ([UNSCORED, ABSENT, ABSENT, ABSENT, 100], (1,)),
    ],
    ids=str,
)
def test_given_seats_that_did_not_reveal(pays, scores, denounced):
    results = pays(TERMS, scores, denounced)
    for lane, score in enumerate(scores):
        if score == ABSENT:
            assert results[lane] == (0 if lane in denounced else -500)


@pytest.mark.parametrize(
    "scores", [ALONG, *([score] * 15 for score in (10_000, -10_000, UNSCORED, ABSENT))], ids=str
)
def test_given_the_largest_amounts(pays, scores):
    steep = replace(TERMS.curve, max_slash=5_000, forfeit=5_000, floor=-10_000)
    pays(replace(TERMS, stake=MOST, bounty=MOST, curve=steep), scores)


@pytest.mark.parametrize("bounty", [0, 1, 14, 15, 16, 10_007])
@pytest.mark.parametrize("stake", [0, 1, 3])
def test_given_any_of_these(pays, bounty, stake):
    for scores in ([3_000, 2_999, 1_001], [UNSCORED, ABSENT, -10_000], [1_500] * 15):
        pays(replace(TERMS, bounty=bounty, stake=stake), scores)
