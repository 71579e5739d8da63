"""Doing what is due. An opening is on the disk before its commitment is sent; nothing else is remembered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from earnest.chain.messages import Opening
from earnest.labeler.errors import LabelerError
from earnest.labeler.journal import Book, Journal, Kept
from earnest.labeler.sight import Sight
from earnest.labeler.steps import Action, Notes, Step
from earnest.protocol.opening import committed_record, has_committed

if TYPE_CHECKING:
    from ape.api import AccountAPI

    from earnest.chain.client import Client
    from earnest.chain.sending import Sent


@dataclass(frozen=True)
class Desk:
    """Who acts, on which contract, with which part of the journal."""

    client: Client
    account: AccountAPI
    journal: Journal
    book: Book

    def kept(self, seat: int, labels: bytes) -> Kept:
        """The opening of these labels; the salt from the journal, or from the wallet's signature."""
        number = self.book.campaign
        earlier = [each for each in self.journal.kept(self.book) if each.opening.seat == seat]
        salt = earlier[-1].opening.salt if earlier else self.client.salt(number, seat, signer=self.account)
        opening = Opening(seat=seat, labels=labels, salt=salt)
        return Kept(opening, self.client.commitment(number, opening))


def act(desk: Desk, sight: Sight, action: Action, notes: Notes) -> list[Sent]:
    """Do one step; the transactions that it took. Raises ChainError or LabelerError where it cannot be."""
    client, account, number = desk.client, desk.account, desk.book.campaign
    match action.step:
        case Step.COMMIT:
            return _commit(desk, sight, action.which, notes.labels[action.which])
        case Step.RECOGNISE:
            recognise(desk, sight, action.which, notes.labels[action.which])
            return []
        case Step.REVEAL:
            record = sight.campaign.seats[action.which].record
            opening = notes.openings[action.which, record]
            return [client.reveal(number, opening, sender=account)]
        case Step.RELEASE:
            return [client.release(number, [action.which], sender=account)]
        case Step.REFUND:
            return [client.refund(number, [action.which], sender=account)]
    token = sight.campaign.terms.token
    free = client.balance_of(account.address, token)
    return [client.withdraw(token, free, sender=account)] if free else []


class OtherAnswersError(LabelerError):
    """A seat's commitment is to other answers than those here."""


def recognise(desk: Desk, sight: Sight, seat: int, labels: bytes) -> None:
    """Keep the opening of a commitment that was made elsewhere. Raises OtherAnswersError otherwise."""
    kept = desk.kept(seat, labels)
    if not matches(kept, sight.campaign.seats[seat].record):
        raise OtherAnswersError(
            f"Seat {seat} holds a commitment to other answers than those here; where it was made, it can be"
            " revealed, and `earnest label commit` replaces it while the phase lasts."
        )
    desk.journal.keep(desk.book, kept)


def matches(kept: Kept, record: int) -> bool:
    """Whether an opening is that of the commitment in a seat's record."""
    return has_committed(record) and committed_record(kept.commitment) == record


def _commit(desk: Desk, sight: Sight, seat: int, labels: bytes) -> list[Sent]:
    kept = desk.kept(seat, labels)
    desk.journal.keep(desk.book, kept)
    if matches(kept, sight.campaign.seats[seat].record):
        return []
    return [desk.client.commit(desk.book.campaign, seat, kept.commitment, sender=desk.account)]
