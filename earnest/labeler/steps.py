"""What a labeler has to do next: from the chain and the journal alone, never from what was done before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from earnest.chain.life import Phase
from earnest.chain.messages import Opening
from earnest.chain.state import BatchStatus
from earnest.labeler.sight import Sight, seats_of
from earnest.protocol.opening import DENOUNCED, NOTHING, has_committed

# The last part, one in so many, of a phase, where not acting is the greater danger.
LAST_CALL: Final = 4


class Step(StrEnum):
    """Something that a labeler can do."""

    COMMIT = "commit"
    RECOGNISE = "recognise"  # see whether the answers here are those behind a commitment made elsewhere
    REVEAL = "reveal"
    RELEASE = "release"
    REFUND = "refund"
    WITHDRAW = "withdraw"


@dataclass(frozen=True)
class Action:
    """A step; `which` is a seat to commit, recognise, reveal or refund, or a batch to release."""

    step: Step
    which: int = 0


@dataclass(frozen=True, kw_only=True)
class Notes:
    """What the journal knows: by seat the labels that all answers together give, and the openings by seat and
    record; `editing` are the seats that somebody is answering for at this moment.
    """

    labels: Mapping[int, bytes] = field(default_factory=dict)
    openings: Mapping[tuple[int, int], Opening] = field(default_factory=dict)
    editing: frozenset[int] = frozenset()


def due(sight: Sight, labeler: str, notes: Notes, free: int, collect: bool = False) -> list[Action]:
    """What `labeler`, whose free balance is `free`, can do now; doing any of it again does no harm.

    `collect`: also release what is final, take refunds, and withdraw once everything is paid.
    """
    phase, mine = sight.life.phase, seats_of(sight.campaign, labeler)
    actions: list[Action]
    match phase:
        case Phase.ENROLLING | Phase.DRAWING:  # what is free may be a stake that waits to be carried
            return []
        case Phase.COMMITTING:
            actions = _committing(sight, mine, notes)
        case Phase.REVEALING:
            actions = _revealing(sight, mine, notes)
        case _:
            actions = _collecting(sight, mine) if collect else []
    if collect and not actions and mine and free and paid(sight, labeler):
        return [Action(Step.WITHDRAW)]
    return actions


def paid(sight: Sight, labeler: str) -> bool:
    """Whether nothing of the labeler's is locked in the campaign any more."""
    seats = [sight.campaign.seats[seat] for seat in seats_of(sight.campaign, labeler)]
    return not any(seat.staked for seat in seats)


def last_call(sight: Sight) -> bool:
    """Whether three quarters of the time to commit or to reveal are over: who holds back now, forfeits."""
    life, periods = sight.life, sight.campaign.terms.periods
    length = {Phase.COMMITTING: periods.commit, Phase.REVEALING: periods.reveal}.get(life.phase)
    return length is not None and (life.deadline - sight.now) * LAST_CALL <= length


def reveals_now(sight: Sight) -> bool:
    """Whether an opening may be shown: the chain says Revealing, and will not say Committing again, or time
    is running out.
    """
    return sight.life.phase is Phase.REVEALING and (sight.committing_over_for_good or last_call(sight))


def _committing(sight: Sight, mine: list[int], notes: Notes) -> list[Action]:
    actions = []
    for seat in mine:
        record, labels = sight.campaign.seats[seat].record, notes.labels.get(seat)
        if labels is None or record == DENOUNCED or sight.campaign.batch_of(seat) is None:
            continue
        if seat in notes.editing and not last_call(sight):  # answers may be changed after a commitment, too
            continue
        held = notes.openings.get((seat, record))
        if record == NOTHING or (held is not None and held.labels != labels):
            actions.append(Action(Step.COMMIT, seat))
        elif held is None:
            actions.append(Action(Step.RECOGNISE, seat))
    return actions


def _revealing(sight: Sight, mine: list[int], notes: Notes) -> list[Action]:
    actions = []
    for seat in mine:
        record = sight.campaign.seats[seat].record
        if not has_committed(record):
            continue
        if (seat, record) not in notes.openings:
            if seat in notes.labels:
                actions.append(Action(Step.RECOGNISE, seat))
        elif reveals_now(sight):
            actions.append(Action(Step.REVEAL, seat))
    return actions


def _collecting(sight: Sight, mine: list[int]) -> list[Action]:
    campaign = sight.campaign
    staked = [seat for seat in mine if campaign.seats[seat].staked]
    if sight.life.phase is Phase.CANCELLED:
        return [Action(Step.REFUND, seat) for seat in staked]
    batches = {batch for seat in staked if (batch := campaign.batch_of(seat)) is not None}
    return [Action(Step.RELEASE, batch) for batch in sorted(batches) if _is_final(sight, batch)]


def _is_final(sight: Sight, batch: int) -> bool:
    final_at = sight.campaign.final_at(batch)
    released = sight.campaign.batch(batch).status is BatchStatus.RELEASED
    return final_at is not None and final_at <= sight.now and not released
