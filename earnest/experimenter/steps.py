"""Where a campaign stands for its experimenter, from the chain alone; what anyone may do is a settler's."""

from __future__ import annotations

from dataclasses import dataclass

from earnest.chain.life import Life, Phase
from earnest.chain.state import Campaign, PostingStatus


@dataclass(frozen=True)
class Standing:
    """What is waited for, until when (unix time; 0 when nobody knows).

    `disclose`: the audit's key is to be shown, which only who has it can; `over`: nothing is left to do, and
    nothing of the campaign's, nor of the account's bonds, is locked.
    """

    reason: str = ""
    until: int = 0
    disclose: bool = False
    over: bool = False


def standing(campaign: Campaign, now: int, account: str, has_key: bool) -> Standing:
    """How a campaign stands for `account` at unix time `now`; `has_key`: the audit's key is at hand."""
    life = campaign.life_at(now)
    match life.phase:
        case Phase.AUDITING if has_key:
            return Standing("the audit is to be opened", life.deadline, disclose=True)
        case Phase.CANCELLED:
            locked = campaign.escrowed or any(seat.staked for seat in campaign.seats)
            return Standing("stakes and bounties are to be given back", over=not locked)
        case Phase.SETTLING | Phase.FINAL:
            return _settling(campaign, life, now, account)
    reasons = {
        Phase.ENROLLING: f"{life.taken} of {life.seats} seats are taken",
        Phase.DRAWING: "the randomness of the draw is to come",
        Phase.COMMITTING: f"{life.committed} of {life.seats} seats have committed",
        Phase.REVEALING: f"{life.opened} of {life.committed} commitments are opened",
        Phase.AUDITING: "the audit's key is not here; without it every seat is paid in full",
    }
    return Standing(reasons.get(life.phase, ""), life.deadline)


def _settling(campaign: Campaign, life: Life, now: int, account: str) -> Standing:
    final = [campaign.final_at(batch) for batch in range(len(campaign.batches))]
    bonds = [
        posting.posted_at + campaign.terms.periods.challenge
        for posting in campaign.postings.values()
        if posting.settler == account and posting.status is PostingStatus.STANDING
    ]
    if life.released == life.batches and not bonds:
        return Standing(over=True)
    if None in final:
        missing = final.count(None)
        return Standing(f"{missing} of {life.batches} batches have no scores", life.deadline)
    until = max([*bonds, *(time for time in final if time is not None)])
    if until > now:
        return Standing("scores can be challenged", until)
    return Standing("what is final is to be paid out, and bonds are to be taken back")
