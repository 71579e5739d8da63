"""What a campaign's seats got and what a label cost, exactly, from its state alone (design, section 5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from earnest.chain import settle
from earnest.chain.money import ETHER, Token
from earnest.chain.state import BatchStatus, Campaign
from earnest.manifest.manifest import Manifest
from earnest.protocol.errors import ScoreError
from earnest.protocol.score import ABSENT, UNSCORED
from earnest.protocol.settlement import settle_batch
from earnest.protocol.terms import BPS, Curve, Terms

NEAR = 250
"""How near a score must be to a threshold to be looked at, in bps."""


@dataclass(frozen=True, kw_only=True)
class SeatRow:
    """One drawn seat. `score` in bps, None when absent or unscored; money in the token's smallest units.

    `result` is what it wins on top of its stake, or (negative) loses of it. `looks` says why a person should
    look at it; empty for most.
    """

    seat: int
    labeler: str
    batch: int
    lane: int
    state: str  # scored, unscored, absent or denounced
    score: int | None
    reward: int
    slash: int
    forfeit: int
    result: int
    looks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Cost:
    """Where the money of all drawn batches goes, in the token's smallest units."""

    bounty: int
    fees: int
    paid: int
    refunded: int
    unearned: int  # bounty that nobody earned, to the sink
    slashed: int
    forfeited: int
    denounced: int  # stakes shared by who denounced and the sink

    @property
    def spent(self) -> int:
        """What the experimenter has paid in the end."""
        return self.bounty - self.refunded + self.fees

    @property
    def sunk(self) -> int:
        """What goes to the sink, stakes of denounced seats apart."""
        return self.unearned + self.slashed + self.forfeited


@dataclass(frozen=True, eq=False)
class Books:
    """A campaign's seats and money. `final`: every batch is released; until then it is what is to come."""

    terms: Terms
    token: Token
    seats: tuple[SeatRow, ...]
    cost: Cost
    labels: int
    final: bool
    revealed_at: Mapping[int, int]

    def amount(self, units: int) -> float:
        """An amount in token units, for plots."""
        return float(units / 10**self.token.decimals)


def books(
    campaign: Campaign,
    manifest: Manifest,
    token: Token = ETHER,
    revealed_at: Mapping[int, int] | None = None,
) -> Books:
    """The books of a campaign whose labels are revealed; scores that nobody posted yet are computed here.

    `revealed_at` is the unix time of each seat's reveal, where it is known.
    """
    terms = campaign.terms
    right = settle.scores(campaign, manifest.audit_rows)
    rows: list[SeatRow] = []
    refunded = unearned = 0
    for batch in range(len(campaign.batches)):
        scores, false = _scores(campaign, batch, right[batch].tolist())
        cohort = campaign.cohort(batch)
        paid = settle_batch(terms, scores, [seat.denounced for seat in cohort])
        refunded += paid.refund
        unearned += terms.bounty - paid.refund - sum(paid.reward)
        for lane, (number, seat) in enumerate(zip(campaign.cohorts[batch].tolist(), cohort, strict=True)):
            score = scores[lane]
            loss = terms.stake if seat.denounced else paid.slash[lane] + paid.forfeit[lane]
            rows.append(
                SeatRow(
                    seat=number,
                    labeler=seat.labeler,
                    batch=batch,
                    lane=lane,
                    state=_state(score, seat.denounced),
                    score=None if score in (ABSENT, UNSCORED) else score,
                    reward=paid.reward[lane],
                    slash=paid.slash[lane],
                    forfeit=paid.forfeit[lane],
                    result=paid.reward[lane] - loss,
                    looks=_looks(terms.curve, score, paid.slash[lane], false[lane]),
                )
            )
    batches = len(campaign.batches)
    return Books(
        terms=terms,
        token=token,
        seats=tuple(rows),
        cost=Cost(
            bounty=terms.bounty * batches,
            fees=terms.fee * batches,
            paid=sum(row.reward for row in rows),
            refunded=refunded,
            unearned=unearned,
            slashed=sum(row.slash for row in rows),
            forfeited=sum(row.forfeit for row in rows),
            denounced=terms.stake * sum(row.state == "denounced" for row in rows),
        ),
        labels=terms.batch_size * sum(row.state in ("scored", "unscored") for row in rows),
        final=all(batch.status is BatchStatus.RELEASED for batch in campaign.batches),
        revealed_at=dict(revealed_at or {}),
    )


def _scores(campaign: Campaign, batch: int, right: list[int]) -> tuple[list[int], list[int | None]]:
    """The scores that count, and by lane the right one where a false one stands posted."""
    posted = campaign.scores(batch)
    if posted is None:
        return right, [None] * len(right)
    cohort = campaign.cohort(batch)
    # The contract goes by the seats' records, whatever was posted for who is absent.
    counting = [score if seat.revealed else ABSENT for score, seat in zip(posted, cohort, strict=True)]
    false = [None if score == expected else expected for score, expected in zip(counting, right, strict=True)]
    try:
        settle_batch(campaign.terms, counting, [seat.denounced for seat in cohort])
    except ScoreError:  # no score at all: it pays nothing until somebody has it refereed
        return right, list(right)
    return counting, false


def _state(score: int, denounced: bool) -> str:
    if denounced:
        return "denounced"
    return {ABSENT: "absent", UNSCORED: "unscored"}.get(score, "scored")


def _looks(curve: Curve, score: int, slash: int, false: int | None) -> tuple[str, ...]:
    """Why a person should look at a seat."""
    found: list[str] = []
    if false is not None:
        found.append(f"another score is posted than the chain would compute ({points(false)})")
    if score in (ABSENT, UNSCORED):
        return tuple(found)
    for name, threshold in (("slashing begins", curve.slash_from), ("pay begins", curve.pay_from)):
        if abs(score - threshold) <= NEAR:
            side = "below" if score < threshold else "above"
            found.append(f"{abs(score - threshold) / BPS:.3f} {side} where {name}")
    if score < curve.slash_from and slash == 0:
        found.append("spared: its cohort shows no signal (the floor)")
    elif slash:
        found.append("slashed")
    return tuple(found)


def points(score: int) -> str:
    """A score in bps as people read it: 1 is full agreement."""
    return {ABSENT: "absent", UNSCORED: "unscored"}.get(score, f"{score / BPS:+.3f}")


def pay_curve(terms: Terms, scores: NDArray[np.int64]) -> list[int]:
    """What a seat gets for each score, shape of `scores`, when all others of its cohort score in full.

    Exactly what a settlement would pay and slash, in the token's smallest units.
    """
    full = terms.curve.pay_full
    others = [max(min(full, BPS), -BPS)] * (terms.cohort - 1)
    found = [settle_batch(terms, [int(score), *others]) for score in scores]
    return [paid.reward[0] - paid.slash[0] for paid in found]
