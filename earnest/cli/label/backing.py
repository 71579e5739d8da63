"""`earnest label backup` and `recover`."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from earnest.chain.state import State
from earnest.cli.errors import InputError
from earnest.cli.groups import MANIFEST, Command
from earnest.cli.label.files import write_file
from earnest.cli.label.lookup import campaign_of, chosen_batch, desk_of, manifest_of
from earnest.cli.label.options import DATA, SEAT
from earnest.cli.session import Session, pass_session
from earnest.cli.text import campaign_text
from earnest.files import OWNER_ONLY
from earnest.labeler import backup as backups
from earnest.labeler.answers import read_answers
from earnest.labeler.errors import LabelerError
from earnest.labeler.journal import Journal


@click.command(cls=Command)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@DATA
@pass_session
def backup(session: Session, file: Path, data: Path) -> None:
    """Write the journal of your seats to a file that only your wallet opens, or add it to such a file."""
    journal, account, domain = Journal(data), session.account, session.client.domain
    books = backups.books_of(journal, domain, partial(_may_be, session.state, account.address))
    if not books:
        raise InputError(
            f"The journal {journal.path} has nothing of {account.address}'s on contract {domain.contract}."
        )
    signature = session.client.backup_signature(signer=account)
    if session.client.backup_signature(signer=account) != signature:
        raise InputError(
            "This wallet signs the same message differently each time: what it enciphers it could not open."
            f" Keep a copy of {journal.path} in a safe place instead."
        )
    if file.exists():
        try:
            books = backups.merged(_open(session, file.read_bytes(), signature), books)
        except (InputError, LabelerError) as error:
            raise InputError(f"{file} is there already: {error} Name another file.") from error
    write_file(file, backups.seal(books, signature, domain, account.address), OWNER_ONLY)
    session.show(
        {"file": file, "campaigns": [campaign_text(book.campaign) for book in books]},
        lambda: session.say(
            f"{file} holds {_count(len(books), 'campaign')}, for {account.address} only."
        ),
    )


@click.command(cls=Command)
@click.argument("which", metavar="[CAMPAIGN]", required=False)
@click.option(
    "--backup", "sealed", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A backup."
)
@click.option(
    "--labels",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The file with a seat's answers, as imported or fetched; the wallet gives the salt again.",
)
@SEAT
@DATA
@MANIFEST
@pass_session
def recover(
    session: Session,
    which: str | None,
    sealed: Path | None,
    labels: Path | None,
    seat: int | None,
    data: Path,
    uri: str | None,
) -> None:
    """Bring the journal back: from a backup, or an opening from the answers and the wallet alone."""
    journal = Journal(data)
    if (sealed is None) == (labels is None):
        raise InputError("Say --backup with a backup, or --labels with a file of answers and the campaign.")
    if sealed is not None:
        _recover_backup(session, journal, sealed)
        return
    if which is None or labels is None:
        raise InputError("Say which campaign the answers are for.")
    from earnest.labeler.act import recognise
    from earnest.labeler.sight import Lookout

    _, found = campaign_of(session, which, journal)
    desk = desk_of(session, found.number, journal)
    batch = chosen_batch(session, found, manifest_of(journal, found, uri), seat)
    if not found.seats[batch.seat].committed:
        raise InputError(f"Seat {batch.seat} holds no commitment that is still to be opened.")
    answers = read_answers(labels, batch)
    sight = Lookout(session.follower, session.client.web3).look(found.number)
    whole = batch.labels(answers)
    if sight is None or whole is None:
        raise InputError("The chain changed meanwhile; try again.")
    recognise(desk, sight, batch.seat, whole)
    journal.replace(desk.book, batch.seat, answers)
    session.show(
        {"seat": batch.seat, "answers": len(answers)},
        lambda: session.say(f"These are the answers behind the commitment of seat {batch.seat}; kept."),
    )


def _may_be(state: State, labeler: str, campaign: int, seat: int) -> bool:
    """Whether a seat may be a labeler's: it is, or the chain does not have it, which it may again."""
    found = state.campaigns.get(campaign)
    return found is None or seat >= len(found.seats) or found.seats[seat].labeler == labeler


def _open(session: Session, data: bytes, signature: bytes | None = None) -> backups.Books:
    """What a backup of the account's holds. Raises InputError when it is another's, or of elsewhere."""
    domain, head = session.client.domain, backups.read_head(data)
    if (head["chain"], head["contract"]) != (domain.chain_id, domain.contract):
        raise InputError(
            f"The backup is of chain {head['chain']}, contract {head['contract']}; this is chain"
            f" {domain.chain_id}, contract {domain.contract}."
        )
    if head["labeler"] != session.account.address:
        raise InputError(f"The backup is of {head['labeler']}; the account is {session.account.address}.")
    return backups.open_sealed(data, signature or session.client.backup_signature(signer=session.account))


def _recover_backup(session: Session, journal: Journal, file: Path) -> None:
    books = _open(session, file.read_bytes())
    journal.merge(books)
    openings = sum(len(kept) for _, kept in books.values())
    session.show(
        {"campaigns": [campaign_text(book.campaign) for book in books], "openings": openings},
        lambda: session.say(
            f"{_count(len(books), 'campaign')} and {_count(openings, 'opening')} are in {journal.path}."
        ),
    )


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"
