"""A labeler's scores and earnings, from the chain's records alone."""

from __future__ import annotations

from dataclasses import dataclass

from earnest.chain.life import Phase
from earnest.chain.state import Campaign, State
from earnest.labeler.sight import seats_of


@dataclass(frozen=True)
class Entry:
    """One seat. `score` in bps, UNSCORED or ABSENT; `result` on top of the stake, None while it is open."""

    campaign: int
    token: str
    seat: int
    batch: int | None
    outcome: str
    score: int | None
    stake: int
    result: int | None


def history(state: State, labeler: str, now: int) -> list[Entry]:
    """All seats that a labeler ever took, the oldest campaign first."""
    return [
        _entry(campaign, seat, now)
        for campaign in state.campaigns.values()
        for seat in seats_of(campaign, labeler)
    ]


def _entry(campaign: Campaign, seat: int, now: int) -> Entry:
    found, batch, score = campaign.seats[seat], campaign.batch_of(seat), None
    if batch is not None:
        scores = campaign.scores(batch)
        score = scores[campaign.cohorts[batch].tolist().index(seat)] if scores else None
    stake = campaign.terms.stake
    result = None if found.paid is None else found.paid - stake
    return Entry(
        campaign=campaign.number,
        token=campaign.terms.token,
        seat=seat,
        batch=batch,
        outcome=outcome_of(campaign, seat, now),
        score=score,
        stake=stake,
        result=result,
    )


def outcome_of(campaign: Campaign, seat: int, now: int) -> str:
    """How a seat stands, or ended, in a word or two."""
    found = campaign.seats[seat]
    phase = campaign.life_at(now).phase
    if found.denounced:
        return "denounced"
    if phase is Phase.CANCELLED:
        return "cancelled" if found.staked else "refunded"
    if campaign.seed is not None and campaign.batch_of(seat) is None:
        return "benched"
    if found.paid is not None:
        if not found.revealed:
            return "absent"
        return "slashed" if found.paid < campaign.terms.stake else "paid"
    if found.revealed:
        return "revealed"
    if found.committed:
        return "committed" if phase <= Phase.REVEALING else "absent"
    return "to label" if phase is Phase.COMMITTING else "enrolled" if phase < Phase.COMMITTING else "absent"
