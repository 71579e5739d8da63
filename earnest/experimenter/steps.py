"""What is to be done next in a campaign, decided from the chain alone: it can be stopped anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from earnest.chain import settle
from earnest.chain.life import Phase
from earnest.chain.state import BatchStatus, Campaign, PostingStatus


class Step(StrEnum):
    """Something that the experimenter can do, or wait for."""

    WAIT = "wait"
    REQUEST_DRAW = "request draw"
    DRAW = "draw"
    DISCLOSE = "disclose"
    REFEREE = "referee"
    POST = "post"
    RELEASE = "release"
    RETURN_BOND = "return bond"
    REFUND = "refund"
    DONE = "done"


@dataclass(frozen=True)
class Next:
    """A step. `which`: batches, seats or postings that it is about; `words` to post; `until`: when waiting
    ends by itself (unix time), None when nobody knows.
    """

    step: Step
    which: tuple[int, ...] = ()
    words: tuple[int, ...] = ()
    until: int | None = None
    reason: str = ""


def next_step(
    campaign: Campaign, now: int, account: str, rows: Sequence[bytes], has_key: bool
) -> Next:
    """What `account` does next at unix time `now`.

    `rows` are the manifest's enciphered audit rows, `has_key` whether the audit's key is at hand. Raises
    AuditError when the rows are not those of the terms.
    """
    life = campaign.life_at(now)
    match life.phase:
        case Phase.ENROLLING:
            reason = f"{life.taken} of {life.seats} seats are taken"
            return Next(Step.WAIT, until=life.deadline, reason=reason)
        case Phase.DRAWING:
            return Next(Step.DRAW if campaign.tickets else Step.REQUEST_DRAW, until=life.deadline)
        case Phase.COMMITTING:
            reason = f"{life.committed} of {life.seats} seats have committed"
            return Next(Step.WAIT, until=life.deadline, reason=reason)
        case Phase.REVEALING:
            reason = f"{life.opened} of {life.committed} commitments are opened"
            return Next(Step.WAIT, until=life.deadline, reason=reason)
        case Phase.AUDITING if has_key:
            return Next(Step.DISCLOSE, until=life.deadline)
        case Phase.AUDITING:
            reason = "the audit's key is not here; without it every seat is paid in full"
            return Next(Step.WAIT, until=life.deadline, reason=reason)
        case Phase.CANCELLED:
            return refund_step(campaign)
    return _settling(campaign, now, account, rows)


def refund_step(campaign: Campaign) -> Next:
    """What is still to be given back of a cancelled campaign."""
    staked = tuple(seat for seat, found in enumerate(campaign.seats) if found.staked)
    return Next(Step.REFUND, which=staked) if staked or campaign.escrowed else Next(Step.DONE)


def post_step(campaign: Campaign, now: int, rows: Sequence[bytes]) -> Next | None:
    """The wrong batches to have refereed, else the open ones to post; None when there is neither."""
    right = settle.words(campaign, rows)
    wrong = tuple(b for b in settle.false_batches(campaign, right) if (campaign.final_at(b) or 0) > now)
    if wrong:
        return Next(Step.REFEREE, which=wrong)
    todo = tuple(settle.open_batches(campaign))
    return Next(Step.POST, which=todo, words=tuple(right[batch] for batch in todo)) if todo else None


def release_step(campaign: Campaign, now: int) -> Next | None:
    """The batches whose scores are final and that are not paid out yet."""
    ready = tuple(
        batch
        for batch in range(len(campaign.batches))
        if (final_at := campaign.final_at(batch)) is not None
        and final_at <= now
        and campaign.batch(batch).status is not BatchStatus.RELEASED
    )
    return Next(Step.RELEASE, which=ready) if ready else None


def bond_step(campaign: Campaign, now: int, account: str) -> Next | None:
    """The account's postings whose bond can be had back."""
    due = tuple(
        number
        for number, posting in sorted(campaign.postings.items())
        if posting.settler == account
        and posting.status is PostingStatus.STANDING
        and posting.posted_at + campaign.terms.periods.challenge <= now
    )
    return Next(Step.RETURN_BOND, which=due) if due else None


def _settling(campaign: Campaign, now: int, account: str, rows: Sequence[bytes]) -> Next:
    found = (
        post_step(campaign, now, rows) or release_step(campaign, now) or bond_step(campaign, now, account)
    )
    if found is not None:
        return found
    waits = [
        final_at
        for batch in range(len(campaign.batches))
        if (final_at := campaign.final_at(batch)) is not None and final_at > now
    ]
    waits += [
        posting.posted_at + campaign.terms.periods.challenge
        for posting in campaign.postings.values()
        if posting.settler == account and posting.status is PostingStatus.STANDING
    ]
    if waits:
        return Next(Step.WAIT, until=min(waits), reason="scores can be challenged")
    return Next(Step.DONE)
