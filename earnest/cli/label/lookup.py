"""What the labeler's commands are about: the campaign, its manifest, the account's seats, and who acts."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from earnest.chain.errors import short_id
from earnest.chain.life import Phase
from earnest.chain.state import Campaign, State
from earnest.cli.errors import InputError
from earnest.cli.phases import need_phase
from earnest.cli.session import Session
from earnest.cli.text import campaign_text, parse_campaign
from earnest.files import write_atomic
from earnest.labeler.batch import Batch, batch_of
from earnest.labeler.journal import Book, Journal
from earnest.labeler.sight import seats_of
from earnest.manifest.errors import ManifestError
from earnest.manifest.fetch import fetch as fetch_manifest
from earnest.manifest.manifest import Manifest
from earnest.times import clock

if TYPE_CHECKING:
    from earnest.labeler.act import Desk
    from earnest.labeler.run import Runner


FETCH_PAUSE: Final = 60.0  # seconds until a manifest that could not be had is asked for again


def campaign_of(session: Session, which: str, journal: Journal) -> tuple[State, Campaign]:
    """The state, and the campaign that is meant; of several whose ids begin alike, that with seats of the
    account's. Raises InputError when the chain does not have it.
    """
    state = session.state
    chain, contract = session.client.domain.chain_id, session.client.address
    elsewhere = [book for book in journal.books() if (book.chain, book.contract) != (chain, contract)]

    def is_mine(number: int) -> bool:
        there = state.campaigns.get(number)
        return there is not None and session.alias is not None and bool(seats_of(there, session.address))

    number = parse_campaign(which, {*state.campaigns, *(book.campaign for book in elsewhere)}, is_mine)
    if number in state.campaigns:
        return state, state.campaigns[number]
    for book in elsewhere:
        if book.campaign == number:
            raise InputError(
                f"Campaign {short_id(number)} is on chain {book.chain}, contract"
                f" {book.contract}; this is chain {chain}, contract {contract}."
            )
    raise InputError(
        f"There is no campaign {campaign_text(number)} on the contract {contract} of chain {chain}."
    )


def manifest_of(journal: Journal, found: Campaign, uri: str | None) -> Manifest:
    """The manifest, checked against the digest and the terms, then kept beside the journal."""
    digest = found.terms.manifest
    kept = journal.folder / "manifests" / f"{digest.hex()}.json"
    manifest = None
    if kept.is_file():
        with suppress(ManifestError):  # damaged meanwhile: it is fetched once more
            manifest = fetch_manifest(str(kept), digest)
    if manifest is None:
        manifest = fetch_manifest(uri or found.uri, digest)
        kept.parent.mkdir(exist_ok=True)
        write_atomic(kept, manifest.to_bytes())
    manifest.check_terms(found.terms)
    return manifest


def book_of(session: Session, number: int) -> Book:
    """The part of the journal that belongs to a campaign, for which nothing is unlocked."""
    return Book(session.client.domain.chain_id, session.client.address, number)


def desk_of(session: Session, number: int, journal: Journal) -> Desk:
    """Who acts: the session's account, with its journal of the campaign."""
    from earnest.labeler.act import Desk

    return Desk(session.client, session.account, journal, book_of(session, number))


def runner_of(
    session: Session,
    which: str,
    data: Path,
    uri: str | None,
    confirmations: int | str | None = None,
    collect: bool = False,
) -> tuple[Runner, Campaign]:
    """What does all that is due in a campaign, telling people with the time; and the campaign."""
    from earnest.labeler.run import Runner
    from earnest.labeler.sight import Lookout

    journal = Journal(data)
    _, found = campaign_of(session, which, journal)
    desk = desk_of(session, found.number, journal)

    def tell(sentence: str) -> None:
        now = int(time.time())  # the node, which may be away, is not asked
        session.say(f"{clock(now, now)}  {sentence}")

    lookout = Lookout(session.follower, session.client.web3, confirmations)
    source = _Source(journal, found, uri)
    runner = Runner(desk=desk, manifest=source.manifest, lookout=lookout, tell=tell, collect=collect)
    return runner, found


@dataclass
class _Source:
    """A campaign's manifest, fetched when it is asked for; what fails is not tried again at once."""

    journal: Journal
    campaign: Campaign
    uri: str | None
    _found: Manifest | None = None
    _failed: tuple[float, ManifestError] | None = None

    def manifest(self) -> Manifest:
        """The manifest. Raises ManifestError."""
        if self._found is not None:
            return self._found
        if self._failed is not None and time.monotonic() < self._failed[0] + FETCH_PAUSE:
            raise self._failed[1]
        try:
            self._found = manifest_of(self.journal, self.campaign, self.uri)
        except ManifestError as error:
            self._failed = (time.monotonic(), error)
            raise
        return self._found


def drawn_seats(session: Session, found: Campaign, seat: int | None) -> list[int]:
    """The account's drawn seats, or the one that is named."""
    address = session.address
    mine = seats_of(found, address)
    if not mine:
        raise InputError(f"{address} has no seat in campaign {short_id(found.number)}.")
    if seat is not None and seat not in mine:
        raise InputError(f"Seat {seat} is not yours; yours are {', '.join(map(str, mine))}.")
    if seat is not None:
        return [seat]
    drawn = [each for each in mine if found.seed is None or found.batch_of(each) is not None]
    if not drawn:
        raise InputError("The draw has benched all of your seats: there is nothing to do, the stake is back.")
    return drawn


def chosen_batch(session: Session, found: Campaign, manifest: Manifest, seat: int | None) -> Batch:
    """The one seat's batch that is meant."""
    mine = drawn_seats(session, found, seat)
    if len(mine) > 1:
        raise InputError(f"Say which --seat; yours are {', '.join(map(str, mine))}.")
    if found.seed is None:
        need_phase(session, found, Phase.COMMITTING)
    return batch_of(found, manifest, mine[0])
