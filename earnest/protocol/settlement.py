"""The money of a batch (design, section 5): pay, slashes, refunds, in the token's smallest units, exactly.

Money may exceed 64 bits: amounts are Python integers throughout, for a whole campaign in arrays of objects.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from earnest.protocol.errors import ScoreError
from earnest.protocol.score import ABSENT, UNSCORED
from earnest.protocol.terms import BPS, MAX_COHORT, Curve, Terms

LANE_BITS: Final = 16

Amounts = NDArray[np.object_]


@dataclass(frozen=True)
class Payouts:
    """Where one batch's money goes; by lane what a seat earns, loses by score or absence, is paid."""

    reward: tuple[int, ...]
    slash: tuple[int, ...]
    forfeit: tuple[int, ...]
    paid: tuple[int, ...]
    refund: int
    sink: int
    fee: int

    @property
    def total(self) -> int:
        """All that goes out: exactly the batch's bounty, its fee and the stakes not lost by denouncing."""
        return sum(self.paid) + self.refund + self.sink + self.fee


@dataclass(frozen=True)
class CampaignPayouts:
    """Where all batches' money goes: `Payouts` in arrays (batches, K) and (batches,) of Python integers."""

    reward: Amounts
    slash: Amounts
    forfeit: Amounts
    paid: Amounts
    refund: Amounts
    sink: Amounts
    fee: Amounts

    @property
    def total(self) -> Amounts:
        """All that goes out of each batch: its bounty, its fee and the stakes not lost by denouncing."""
        total: Amounts = self.paid.sum(axis=1) + self.refund + self.sink + self.fee
        return total


@dataclass(frozen=True)
class Outlook:
    """The most that a seat can lose and win, denouncing apart, in the token's smallest units."""

    max_loss: int
    max_win: int


def settle_batch(terms: Terms, scores: Sequence[int], denounced: Sequence[bool] | None = None) -> Payouts:
    """One batch's payouts from its scores by lane (bps, UNSCORED or ABSENT).

    `denounced` seats are absent ones whose stake is gone already; none unless given. Raises ScoreError when
    the number of scores is not the cohort's, a score is none, or a denounced seat is not absent.
    """
    gone = [False] * len(scores) if denounced is None else denounced
    _check(terms, np.array([scores], dtype=np.int64), np.array([gone], dtype=np.bool_))
    curve = terms.curve
    d = max(curve.pay_full - curve.pay_from, 1)
    weights = [_weight(curve, score) if score != ABSENT else 0 for score in scores]
    revealed = sum(score != ABSENT for score in scores)

    pool = terms.bounty * revealed // terms.cohort
    refund = terms.bounty * (terms.cohort - revealed) // terms.cohort
    share = max(2 * sum(weights), revealed * d, 1)
    reward = tuple(2 * pool * weight // share for weight in weights)

    lenient = _without_signal(curve, scores)
    slash = tuple(0 if lenient or score == ABSENT else _slash(terms, score) for score in scores)
    forfeit = tuple(
        _ceil_div(terms.stake * curve.forfeit, BPS) if score == ABSENT and not lost else 0
        for score, lost in zip(scores, gone, strict=True)
    )
    paid = tuple(
        0 if lost else terms.stake - cut - absent + earned
        for earned, cut, absent, lost in zip(reward, slash, forfeit, gone, strict=True)
    )
    sink = terms.bounty - refund - sum(reward) + sum(slash) + sum(forfeit)
    return Payouts(reward, slash, forfeit, paid, refund, sink, terms.fee)


def settle_campaign(
    terms: Terms, scores: NDArray[np.int16], denounced: NDArray[np.bool_] | None = None
) -> CampaignPayouts:
    """The payouts of all batches from their scores, shape (batches, K); the rest as `settle_batch`."""
    gone = np.zeros(scores.shape, dtype=np.bool_) if denounced is None else denounced
    wide = scores.astype(np.int64)
    _check(terms, wide, gone)
    curve = terms.curve
    there = wide != ABSENT
    d = max(curve.pay_full - curve.pay_from, 1)
    weights = np.where(there, _weights(curve, wide), 0)
    revealed = there.sum(axis=1)

    pool = terms.bounty * revealed.astype(object) // terms.cohort
    refund = terms.bounty * (terms.cohort - revealed).astype(object) // terms.cohort
    share = np.maximum(np.maximum(2 * weights.sum(axis=1), revealed * d), 1).astype(object)
    reward = 2 * pool[:, None] * weights.astype(object) // share[:, None]

    slashed = there & (wide != UNSCORED) & ~_batches_without_signal(curve, wide)[:, None]
    slash = _slashes(terms, np.where(slashed, wide, curve.slash_from))
    forfeit = (~there & ~gone).astype(object) * _ceil_div(terms.stake * curve.forfeit, BPS)
    paid = (~gone).astype(object) * terms.stake - slash - forfeit + reward
    sink = terms.bounty - refund - reward.sum(axis=1) + slash.sum(axis=1) + forfeit.sum(axis=1)
    fee = np.full(len(scores), terms.fee, dtype=object)
    return CampaignPayouts(reward, slash, forfeit, paid, refund, sink, fee)


def outlook(terms: Terms) -> Outlook:
    """The most that a seat can lose and win under these terms, denouncing apart.

    It loses `⌈stake·forfeit⌉` when absent and at most `⌈stake·maxSlash⌉` when scored. It wins most,
    `⌊2·bounty / K⌋`, when all reveal and the weights of the others together are at most `K/2 − 1` full
    ones: its weight is at most `d` and what the pool is shared by is at least `R·d`, so that a reward is at
    most `2·pool / R ≤ 2·bounty / K`; alone it gets the whole pool, `⌊bounty / K⌋`.
    """
    curve = terms.curve
    loss = max(_ceil_div(terms.stake * share, BPS) for share in (curve.forfeit, curve.max_slash))
    return Outlook(max_loss=loss, max_win=2 * terms.bounty // terms.cohort)


def pack(scores: Sequence[int]) -> int:
    """One batch's scores as a word: lane `r` in the 16 bits from bit `16·r` upward, as two's complement.

    Raises ScoreError for more than 15 lanes or a score that is none.
    """
    if len(scores) > MAX_COHORT:
        raise ScoreError(f"There are {len(scores)} scores; a word holds at most {MAX_COHORT}.")
    _check_scores(np.array(scores, dtype=np.int64))
    return sum((score & 0xFFFF) << LANE_BITS * lane for lane, score in enumerate(scores))


def unpack(word: int, cohort: int) -> list[int]:
    """One batch's scores by lane from its word.

    Raises ScoreError when a lane holds none, or one from K on is not 0.
    """
    if not 0 <= word < 1 << LANE_BITS * cohort:
        raise ScoreError(f"The word is {word:#x}; lanes from {cohort} on must be 0.")
    lanes = [word >> LANE_BITS * lane & 0xFFFF for lane in range(cohort)]
    scores = [lane - 0x10000 if lane & 0x8000 else lane for lane in lanes]
    _check_scores(np.array(scores, dtype=np.int64))
    return scores


def pack_campaign(scores: NDArray[np.int16]) -> list[int]:
    """The words of all batches, from scores of shape (batches, K); errors as `pack`."""
    if scores.shape[1] > MAX_COHORT:
        raise ScoreError(f"There are {scores.shape[1]} scores; a word holds at most {MAX_COHORT}.")
    _check_scores(scores)
    return [int.from_bytes(lanes.tobytes(), "little") for lanes in scores.astype("<i2")]


def unpack_campaign(words: Sequence[int], cohort: int) -> NDArray[np.int16]:
    """The scores of all batches, shape (batches, K), from their words; errors as `unpack`."""
    return np.array([unpack(word, cohort) for word in words], dtype=np.int16).reshape(len(words), cohort)


def _weight(curve: Curve, score: int) -> int:
    d = curve.pay_full - curve.pay_from
    if score == UNSCORED:
        return max(d, 1)
    if d == 0:
        return int(score >= curve.pay_full)
    return max(0, min(d, score - curve.pay_from))


def _weights(curve: Curve, scores: NDArray[np.int64]) -> NDArray[np.int64]:
    d = curve.pay_full - curve.pay_from
    scored = np.clip(scores - curve.pay_from, 0, d) if d else (scores >= curve.pay_full).astype(np.int64)
    return np.where(scores == UNSCORED, max(d, 1), scored)


def _slash(terms: Terms, score: int) -> int:
    curve = terms.curve
    g = curve.slash_from - curve.slash_full
    if score == UNSCORED:
        return 0
    excess = max(0, min(g, curve.slash_from - score)) if g else int(score < curve.slash_from)
    return _ceil_div(terms.stake * curve.max_slash * excess, BPS * max(g, 1))


def _slashes(terms: Terms, scores: NDArray[np.int64]) -> Amounts:
    curve = terms.curve
    g = curve.slash_from - curve.slash_full
    short = curve.slash_from - scores
    excess = np.clip(short, 0, g) if g else (short > 0).astype(np.int64)
    full = terms.stake * curve.max_slash
    slash: Amounts = -(-full * excess.astype(object) // (BPS * max(g, 1)))
    return slash


def _without_signal(curve: Curve, scores: Sequence[int]) -> bool:
    """Whether the scored seats' upper median is below the floor: then nobody is slashed."""
    scored = sorted((score for score in scores if score not in (UNSCORED, ABSENT)), reverse=True)
    return bool(scored) and scored[(len(scored) - 1) // 2] < curve.floor


def _batches_without_signal(curve: Curve, scores: NDArray[np.int64]) -> NDArray[np.bool_]:
    scored = (scores != UNSCORED) & (scores != ABSENT)
    number = scored.sum(axis=1)
    ranked = np.sort(np.where(scored, scores, UNSCORED), axis=1)
    index = scores.shape[1] - 1 - np.maximum(number - 1, 0) // 2
    median = np.take_along_axis(ranked, index[:, None], axis=1)[:, 0]
    without: NDArray[np.bool_] = (number > 0) & (median < curve.floor)
    return without


def _ceil_div(numerator: int, denominator: int) -> int:
    return -(-numerator // denominator)


def _check(terms: Terms, scores: NDArray[np.int64], denounced: NDArray[np.bool_]) -> None:
    if scores.ndim != 2 or scores.shape[1] != terms.cohort:
        raise ScoreError(f"The scores' shape is {scores.shape}; a batch must have {terms.cohort}.")
    if denounced.shape != scores.shape:
        raise ScoreError(f"denounced has the shape {denounced.shape}; it must be {scores.shape}.")
    _check_scores(scores)
    if (denounced & (scores != ABSENT)).any():
        raise ScoreError("A denounced seat has a score; it must be ABSENT.")


def _check_scores(scores: NDArray[np.int64] | NDArray[np.int16]) -> None:
    wrong = (np.abs(scores.astype(np.int64)) > BPS) & (scores != UNSCORED) & (scores != ABSENT)
    if wrong.any():
        raise ScoreError(f"Score {scores[wrong].flat[0]} must be −{BPS} to {BPS}, UNSCORED or ABSENT.")
