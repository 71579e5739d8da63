"""`earnest label`: from a campaign that is open to money withdrawn, without losing an answer on the way."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from earnest.chain.errors import clock
from earnest.chain.life import Phase
from earnest.chain.messages import SignedEnrolment
from earnest.chain.state import Campaign, State
from earnest.cli.acting import withdraw
from earnest.cli.common import (
    Group,
    InputError,
    Session,
    campaign_text,
    parse_campaign,
    pass_session,
    short,
    until,
)
from earnest.cli.which import need_phase
from earnest.experimenter import allowlist
from earnest.files import OWNER_ONLY, data_folder, write_atomic
from earnest.labeler import backup as backups
from earnest.labeler.answers import read_answers, write_batch
from earnest.labeler.batch import Batch, batch_of
from earnest.labeler.errors import LabelerError
from earnest.labeler.history import Entry
from earnest.labeler.history import history as history_of
from earnest.labeler.journal import Book, Journal
from earnest.labeler.offer import DENOUNCING, Offer, offer
from earnest.labeler.sight import TAGS, seats_of
from earnest.labeler.steps import Action, Step, Wishes, reveals_now
from earnest.labeler.terminal import label as label_in_terminal
from earnest.manifest.fetch import fetch as fetch_manifest
from earnest.manifest.manifest import Manifest
from earnest.protocol.score import ABSENT, UNSCORED
from earnest.protocol.terms import ZERO_ADDRESS, Terms
from earnest.times import duration

if TYPE_CHECKING:
    from earnest.labeler.act import Desk
    from earnest.labeler.run import Runner

POLL: Final = 5.0
PLACES: Final = 4  # decimals of amounts that are estimates, or in a table


@click.group(cls=Group)
def label() -> None:
    """Sell labels: find, show, enroll, work, commit, reveal; or run, which does what is due by itself."""


class _Confirmations(click.ParamType):
    name = "blocks"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | str:
        if isinstance(value, int) or value in TAGS:
            return int(value) if isinstance(value, int) else str(value)
        if not str(value).isdecimal():
            self.fail(f"{value!r} must be a number of blocks, {' or '.join(TAGS)}.", param, ctx)
        return int(value)


WHICH = click.argument("which", metavar="CAMPAIGN")
DATA = click.option(
    "--data",
    envvar="EARNEST_DATA",
    type=click.Path(file_okay=False, path_type=Path),
    default=data_folder,
    show_default="the user's folder for data",
    help="Where the journal is kept.",
)
MANIFEST = click.option("--manifest", "uri", metavar="URI", help="The manifest, where it is elsewhere now.")
SEAT = click.option("--seat", type=click.IntRange(0), help="Which of your seats; all unless given.")
YES = click.option("--yes", is_flag=True, help="Do not ask before signing.")
CONFIRMATIONS = click.option(
    "--confirmations",
    type=_Confirmations(),
    help="How settled an early end of the commit phase must be before labels are shown: blocks, safe or"
    " finalized; 2 blocks on a devnet, 12 elsewhere, unless given.",
)
PROOF = click.option(
    "--proof",
    "proof_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="For a campaign with a gate: the allowlist as JSON, or a file with the proof in hexadecimal.",
)


# ── Before staking ──────────────────────────────────────────────────────────────────────────────────────────


@label.command()
@click.option("--all", "all_", is_flag=True, help="Those with a gate, too, that asks for a proof.")
@pass_session
def find(session: Session, all_: bool) -> None:
    """List the campaigns that this account can enroll in now."""
    state, now = session.client.state(), session.now
    address = session.account.address if session.alias else None
    found = []
    for each in state.campaigns.values():
        life = each.life_at(now)
        open_ = life.phase is Phase.ENROLLING and life.taken < life.seats
        if open_ and (all_ or each.terms.gate == ZERO_ADDRESS):
            found.append((each, life, offer(each.terms, state, address)))
    rows = []
    for each, life, prospects in found:
        write = session.token(each.terms.token).write
        mine = len(seats_of(each, address)) if address else 0
        rows.append(
            [
                short(campaign_text(each.number)),
                until(life.deadline, now),
                f"{life.taken}/{life.seats}" + (f", {mine} yours" if mine else ""),
                each.terms.batch_size,
                write(each.terms.stake),
                write(prospects.likely, PLACES),
                write(-prospects.max_loss, PLACES),
                "open" if each.terms.gate == ZERO_ADDRESS else "gate",
            ]
        )
    columns = ["campaign", "enroll until", "#seats", "#tasks", "#stake", "#likely pay", "#at worst", "for"]
    session.show(
        {"campaigns": [_prospects(each, prospects) for each, _, prospects in found]},
        lambda: session.table(columns, rows) if rows else session.say("No campaign is open now."),
    )


@label.command()
@WHICH
@DATA
@MANIFEST
@pass_session
def show(session: Session, which: str, data: Path, uri: str | None) -> None:
    """Show what a campaign asks, what a seat may win and lose, and what to think about before staking."""
    journal = Journal(data)
    state, found = _campaign(session, which, journal)
    manifest = _manifest(journal, found, uri)  # checked before anything of it is shown
    address = session.account.address if session.alias else None
    prospects = offer(found.terms, state, address)
    session.show(
        _prospects(found, prospects)
        | {"question": manifest.question.to_json(), "tasks": len(manifest.tasks)},
        lambda: _show(session, found, manifest, prospects),
    )


@label.command()
@WHICH
@click.option("--seats", type=click.IntRange(1), default=1, show_default=True, help="Seats to have in all.")
@click.option(
    "--signed",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Carry an enrolment that somebody signed with sign-enroll, at this account's gas.",
)
@PROOF
@DATA
@MANIFEST
@YES
@pass_session
def enroll(
    session: Session,
    which: str,
    seats: int,
    signed: Path | None,
    proof_file: Path | None,
    data: Path,
    uri: str | None,
    yes: bool,
) -> None:
    """Take seats, depositing what is missing; run again it takes no more than those asked for."""
    journal = Journal(data)
    state, found = _campaign(session, which, journal)
    need_phase(session, found, Phase.ENROLLING)
    if signed is not None:
        enrolment = _read_enrolment(signed, session, found)
        session.confirm(f"Carry the enrolment of {enrolment.labeler}?", yes)
        sent = session.client.enroll_signed(found.number, [enrolment], sender=session.account)
        session.show(
            {"transactions": [sent.transaction], "labeler": enrolment.labeler},
            lambda: session.say(f"{enrolment.labeler} is enrolled."),
        )
        return
    manifest = _manifest(journal, found, uri)
    address, token = session.account.address, session.token(found.terms.token)
    proof = _proof(found.terms, proof_file, address)
    mine = seats_of(found, address)
    missing = seats - len(mine)
    if missing <= 0:
        _enrolled(session, found.number, mine, [])
        return
    life = found.life_at(session.now)
    if missing > life.seats - life.taken:
        raise InputError(f"{missing} seats are wanted and {life.seats - life.taken} are left.")
    _check_balance(session, found.terms, missing)
    if not session.json:
        _show(session, found, manifest, offer(found.terms, state, address))
    stake = token.write(found.terms.stake * missing)
    session.confirm(f"Stake {stake} for {missing} seat{'s' * (missing > 1)}?", yes)
    transactions = _take_seats(_desk(session, found.number, journal), session, seats, proof)
    mine = seats_of(session.client.state().campaigns[found.number], address)
    _enrolled(session, found.number, mine, transactions)


@label.command(name="sign-enroll")
@WHICH
@click.option("--seats", type=click.IntRange(1), default=1, show_default=True, help="Seats to take.")
@click.option(
    "--to", type=click.Path(dir_okay=False, path_type=Path), help="A file; the terminal unless given."
)
@PROOF
@DATA
@MANIFEST
@YES
@pass_session
def sign_enroll(
    session: Session,
    which: str,
    seats: int,
    to: Path | None,
    proof_file: Path | None,
    data: Path,
    uri: str | None,
    yes: bool,
) -> None:
    """Sign an enrolment that anybody may carry to the chain: the stake is yours, the gas theirs."""
    journal = Journal(data)
    state, found = _campaign(session, which, journal)
    need_phase(session, found, Phase.ENROLLING)
    manifest = _manifest(journal, found, uri)
    client, account, token = session.client, session.account, found.terms.token
    proof = _proof(found.terms, proof_file, account.address)
    if not session.json and to is not None:
        _show(session, found, manifest, offer(found.terms, state, account.address))
    session.confirm(f"Sign for {seats} seats under these terms?", yes)
    signed = client.sign_enrolment(
        found.number,
        seats,
        found.terms.enroll_by,
        signer=account,
        nonce=client.nonce_of(account.address, token),
        proof=proof,
    )
    members = vars(signed) | {"proof": signed.proof.hex(), "signature": signed.signature.hex()}
    document = {
        "chain": client.domain.chain_id,
        "contract": client.address,
        "campaign": campaign_text(found.number),
        "enrolment": members,
    }
    if to is None:
        click.echo(json.dumps(document, indent=1))
        return
    write_atomic(to, (json.dumps(document, indent=1) + "\n").encode())
    session.show({"file": to}, lambda: session.say(f"{to} can be carried until {clock(signed.deadline)}."))


# ── Labeling ────────────────────────────────────────────────────────────────────────────────────────────────


@label.command()
@WHICH
@click.option(
    "--to", type=click.Path(dir_okay=False, path_type=Path), help="A file; the terminal unless given."
)
@SEAT
@DATA
@MANIFEST
@pass_session
def fetch(
    session: Session, which: str, to: Path | None, seat: int | None, data: Path, uri: str | None
) -> None:
    """Write a seat's batch as CSV, with the answers so far: to be filled in and imported."""
    journal = Journal(data)
    _, found = _campaign(session, which, journal)
    desk = _desk(session, found.number, journal)
    batch = _batch(session, found, _manifest(journal, found, uri), seat)
    text = write_batch(batch, journal.answers(desk.book, batch.seat))
    if to is None and not session.json:
        click.echo(text, nl=False)
        return
    target = to or Path(f"seat-{batch.seat}.csv")
    write_atomic(target, text.encode(), OWNER_ONLY)
    session.show(
        {"file": target, "seat": batch.seat, "batch": batch.number, "tasks": len(batch.tasks)},
        lambda: session.say(f"{target} has the {len(batch.tasks)} tasks of seat {batch.seat}."),
    )


@label.command()
@WHICH
@SEAT
@DATA
@MANIFEST
@pass_session
def work(session: Session, which: str, seat: int | None, data: Path, uri: str | None) -> None:
    """Label in the terminal: one key for each answer, saved at once; stop and go on whenever you like."""
    journal = Journal(data)
    _, found = _campaign(session, which, journal)
    need_phase(session, found, Phase.COMMITTING)
    desk = _desk(session, found.number, journal)
    manifest = _manifest(journal, found, uri)
    for each in _seats(session, found, seat):
        batch = batch_of(found, manifest, each)
        with journal.locked(desk.editing(each)):
            answers = journal.answers(desk.book, each)

            def save(slot: Any, answer: int, own: int = each) -> None:
                journal.answer(desk.book, own, slot, answer)

            whole = label_in_terminal(session.console, batch, answers, save, _keys())
        missing = len(batch.missing(answers))
        members = {"seat": each, "answered": len(batch.tasks) - missing, "missing": missing}
        life = found.life_at(session.now)
        sentence = (
            f"Seat {each}: all {len(batch.tasks)} answers are saved; commit them until {clock(life.deadline)}"
            f" with `earnest label commit {short(campaign_text(found.number))[:-1]}`, or leave it to `run`."
            if not missing
            else f"Seat {each}: {missing} of {len(batch.tasks)} answers are missing; what is there is saved."
        )
        session.show(members, lambda text=sentence: session.say(text))  # type: ignore[misc]
        if not whole:
            return


@label.command(name="import")
@WHICH
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@SEAT
@DATA
@MANIFEST
@pass_session
def import_(session: Session, which: str, file: Path, seat: int | None, data: Path, uri: str | None) -> None:
    """Take a seat's answers from a CSV file with the columns task and answer; all of them, or none."""
    journal = Journal(data)
    _, found = _campaign(session, which, journal)
    need_phase(session, found, Phase.COMMITTING)
    desk = _desk(session, found.number, journal)
    batch = _batch(session, found, _manifest(journal, found, uri), seat)
    answers = read_answers(file, batch)
    with journal.locked(desk.editing(batch.seat)):
        journal.replace(desk.book, batch.seat, answers)
    session.show(
        {"seat": batch.seat, "answers": len(answers)},
        lambda: session.say(f"Seat {batch.seat}: all {len(answers)} answers are saved."),
    )


# ── Committing and revealing ────────────────────────────────────────────────────────────────────────────────


@label.command()
@WHICH
@DATA
@MANIFEST
@YES
@pass_session
def commit(session: Session, which: str, data: Path, uri: str | None, yes: bool) -> None:
    """Commit to the answers of all seats that have them; again after answers have changed."""
    runner, found = _runner(session, which, data, uri)
    need_phase(session, found, Phase.COMMITTING)
    _seats(session, found, None)
    notes = runner.notes(runner.look())
    if not notes.labels:
        raise InputError(_lacking(runner, found))
    sight = runner.settle([Step.COMMIT])
    for action in runner.due(sight, runner.notes(sight)):
        _replace(session, runner, action.which, yes)
    _told(session, runner, "Every seat with all its answers has committed.")


@label.command()
@WHICH
@DATA
@MANIFEST
@CONFIRMATIONS
@pass_session
def reveal(
    session: Session, which: str, data: Path, uri: str | None, confirmations: int | str | None
) -> None:
    """Open the commitments of all your seats."""
    runner, found = _runner(session, which, data, uri, confirmations)
    need_phase(session, found, Phase.REVEALING)
    _seats(session, found, None)
    runner.settle([Step.RECOGNISE])
    sight, notes = runner.look(), runner.notes(runner.look())
    for seat in runner.seats(sight):
        there = sight.campaign.seats[seat]
        if there.committed and (seat, there.record) not in notes.openings:
            raise InputError(
                f"The opening of seat {seat} is not in the journal {runner.desk.journal.path}:"
                " `earnest label recover` brings it back from a backup or the file with the answers."
            )
    if any(sight.campaign.seats[seat].committed for seat in runner.seats(sight)) and not reveals_now(sight):
        raise InputError(
            "The commit phase ended early, and the block that ended it could still be replaced: wait a"
            " little, leave it to `earnest label run`, or ask for fewer --confirmations."
        )
    sight = runner.settle([Step.REVEAL])
    opened = [seat for seat in runner.seats(sight) if sight.campaign.seats[seat].revealed]
    _told(session, runner, f"{len(opened)} of your seats are revealed.")


@label.command()
@WHICH
@click.option("--once", is_flag=True, help="Do what is due now and do not wait.")
@click.option(
    "--collect", is_flag=True, help="Release what is final, take refunds, and withdraw all that is free."
)
@click.option(
    "--poll", type=click.FloatRange(0.1), default=POLL, show_default=True, help="Seconds between looks."
)
@DATA
@MANIFEST
@CONFIRMATIONS
@pass_session
def run(
    session: Session,
    which: str,
    once: bool,
    collect: bool,
    poll: float,
    data: Path,
    uri: str | None,
    confirmations: int | str | None,
) -> None:
    """Commit once all answers are there, reveal when the chain says so, and wait until everything is paid."""
    runner, _ = _runner(session, which, data, uri, confirmations, Wishes(collect=collect))
    sight = runner.run(poll, once)
    session.show(
        {
            "campaign": campaign_text(runner.desk.book.campaign),
            "phase": sight.life.phase.title if sight else None,
            "over": bool(sight and runner.over(sight)),
            "transactions": [each.transaction for each in runner.sent],
        },
        lambda: None,
    )


@label.command()
@click.argument("which", metavar="[CAMPAIGN]", required=False)
@DATA
@pass_session
def status(session: Session, which: str | None, data: Path) -> None:
    """Show how your seats stand, in one campaign or in all."""
    journal = Journal(data)
    state, now, address = session.client.state(), session.now, session.account.address
    chosen = state.campaigns.values()
    if which is not None:
        chosen = [_campaign(session, which, journal)[1]]  # type: ignore[assignment]
    entries = [
        each for each in history_of(state, address, now) if each.campaign in {c.number for c in chosen}
    ]
    rows, members = [], []
    for each in entries:
        found = state.campaigns[each.campaign]
        book = Book(session.client.domain.chain_id, session.client.address, each.campaign)
        answered, life = len(journal.answers(book, each.seat)), found.life_at(now)
        write = session.token(each.token).write
        look = found.outlook(each.seat, now)
        rows.append(
            [
                short(campaign_text(each.campaign)),
                life.phase.title,
                until(life.deadline, now),
                each.seat,
                "–" if each.batch is None else each.batch,
                f"{answered}/{found.terms.batch_size}",
                each.outcome,
                write(look.max_win, PLACES),
                write(-look.max_loss, PLACES),
            ]
        )
        members.append(
            _entry_members(each)
            | {"phase": life.phase.title, "deadline": life.deadline, "answered": answered}
            | {"max_win": look.max_win, "max_loss": look.max_loss}
        )
    columns = ["campaign", "phase", "ends", "#seat", "#batch", "#answers", "stands", "#at best", "#at worst"]
    session.show(
        {"seats": members},
        lambda: session.table(columns, rows) if rows else session.say(f"{address} has no seats."),
    )


label.add_command(withdraw)


@label.command()
@pass_session
def history(session: Session) -> None:
    """List scores and earnings of all your seats, from the chain's records."""
    state, address = session.client.state(), session.account.address
    entries = history_of(state, address, session.now)
    rows: list[list[object]] = []
    totals: dict[str, int] = {}
    for each in entries:
        write = session.token(each.token).write
        rows.append(
            [
                short(campaign_text(each.campaign)),
                each.seat,
                "–" if each.batch is None else each.batch,
                each.outcome,
                _score(each.score),
                write(each.stake),
                "–" if each.result is None else write(each.result, PLACES),
            ]
        )
        totals[each.token] = totals.get(each.token, 0) + (each.result or 0)

    def people() -> None:
        session.table(["campaign", "#seat", "#batch", "outcome", "#score", "#stake", "#earned"], rows)
        for token, total in totals.items():
            free = session.client.balance_of(address, token)
            write = session.token(token).write
            session.say(f"Earned {write(total)} in all; {write(free)} is free to withdraw.")

    session.show(
        {"seats": [_entry_members(each) for each in entries], "earned": totals},
        people if rows else lambda: session.say(f"{address} has no seats."),
    )


# ── Backup ──────────────────────────────────────────────────────────────────────────────────────────────────


@label.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@DATA
@pass_session
def backup(session: Session, file: Path, data: Path) -> None:
    """Write the journal of this contract to a file that only your wallet opens."""
    journal, account, domain = Journal(data), session.account, session.client.domain
    books = backups.books_of(journal, domain)
    if not books:
        raise InputError(f"The journal {journal.path} has nothing of contract {domain.contract}.")
    signature = _backup_signature(session)
    if _backup_signature(session) != signature:
        raise InputError(
            "This wallet signs the same message differently each time: what it enciphers it could not open."
            f" Keep a copy of {journal.path} in a safe place instead."
        )
    write_atomic(file, backups.seal(books, signature, domain, account.address), OWNER_ONLY)
    session.show(
        {"file": file, "campaigns": [campaign_text(book.campaign) for book in books]},
        lambda: session.say(
            f"{file} holds {len(books)} campaigns of the journal, for {account.address} only."
        ),
    )


@label.command()
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

    _, found = _campaign(session, which, journal)
    desk = _desk(session, found.number, journal)
    batch = _batch(session, found, _manifest(journal, found, uri), seat)
    if not found.seats[batch.seat].committed:
        raise InputError(f"Seat {batch.seat} holds no commitment that is still to be opened.")
    answers = read_answers(labels, batch)
    sight = Lookout(session.client).look(found.number)
    whole = batch.labels(answers)
    if sight is None or whole is None:
        raise InputError("The chain changed meanwhile; try again.")
    recognise(desk, sight, batch.seat, whole)
    journal.replace(desk.book, batch.seat, answers)
    session.show(
        {"seat": batch.seat, "answers": len(answers)},
        lambda: session.say(f"These are the answers behind the commitment of seat {batch.seat}; kept."),
    )


def _recover_backup(session: Session, journal: Journal, file: Path) -> None:
    data, domain = file.read_bytes(), session.client.domain
    head = backups.read_head(data)
    if (head["chain"], head["contract"]) != (domain.chain_id, domain.contract):
        raise InputError(
            f"The backup is of chain {head['chain']}, contract {head['contract']}; this is chain"
            f" {domain.chain_id}, contract {domain.contract}."
        )
    if head["labeler"] != session.account.address:
        raise InputError(f"The backup is of {head['labeler']}; the account is {session.account.address}.")
    books = backups.open_sealed(data, _backup_signature(session))
    journal.merge(books)
    openings = sum(len(kept) for _, kept in books.values())
    session.show(
        {"campaigns": [campaign_text(book.campaign) for book in books], "openings": openings},
        lambda: session.say(f"{len(books)} campaigns and {openings} openings are in {journal.path}."),
    )


# ── Below ───────────────────────────────────────────────────────────────────────────────────────────────────


def _campaign(session: Session, which: str, journal: Journal) -> tuple[State, Campaign]:
    """The state, and the campaign that is meant. Raises InputError when the chain does not have it."""
    state = session.client.state()
    chain, contract = session.client.domain.chain_id, session.client.address
    elsewhere = [book for book in journal.books() if (book.chain, book.contract) != (chain, contract)]
    number = parse_campaign(which, {*state.campaigns, *(book.campaign for book in elsewhere)})
    if number in state.campaigns:
        return state, state.campaigns[number]
    for book in elsewhere:
        if book.campaign == number:
            raise InputError(
                f"Campaign {short(campaign_text(number))} is on chain {book.chain}, contract"
                f" {book.contract}; this is chain {chain}, contract {contract}."
            )
    raise InputError(
        f"There is no campaign {campaign_text(number)} on the contract {contract} of chain {chain}."
    )


def _manifest(journal: Journal, found: Campaign, uri: str | None) -> Manifest:
    """The manifest, checked against the digest and the terms, then kept beside the journal."""
    kept = journal.folder / "manifests" / f"{found.terms.manifest.hex()}.json"
    manifest = fetch_manifest(str(kept) if kept.is_file() else uri or found.uri, found.terms.manifest)
    manifest.check_terms(found.terms)
    if not kept.is_file():
        kept.parent.mkdir(exist_ok=True)
        write_atomic(kept, manifest.to_bytes())
    return manifest


def _desk(session: Session, number: int, journal: Journal) -> Desk:
    from earnest.labeler.act import Desk

    client = session.client
    book = Book(client.domain.chain_id, client.address, number)
    return Desk(client, session.account, journal, book)


def _runner(
    session: Session,
    which: str,
    data: Path,
    uri: str | None,
    confirmations: int | str | None = None,
    wishes: Wishes = Wishes(),  # noqa: B008 -- frozen
) -> tuple[Runner, Campaign]:
    from earnest.labeler.run import Runner
    from earnest.labeler.sight import Lookout

    journal = Journal(data)
    _, found = _campaign(session, which, journal)
    desk = _desk(session, found.number, journal)
    manifest = _manifest(journal, found, uri)

    def tell(sentence: str) -> None:
        now = session.now
        session.say(f"{clock(now, now)}  {sentence}")

    lookout = Lookout(session.client, confirmations)
    return Runner(desk=desk, manifest=manifest, lookout=lookout, tell=tell, wishes=wishes), found


def _seats(session: Session, found: Campaign, seat: int | None) -> list[int]:
    """The account's drawn seats, or the one that is named."""
    address = session.account.address
    mine = seats_of(found, address)
    if not mine:
        raise InputError(f"{address} has no seat in campaign {short(campaign_text(found.number))}.")
    if seat is not None and seat not in mine:
        raise InputError(f"Seat {seat} is not yours; yours are {', '.join(map(str, mine))}.")
    if seat is not None:
        return [seat]
    drawn = [each for each in mine if found.seed is None or found.batch_of(each) is not None]
    if not drawn:
        raise InputError("The draw has benched all of your seats: there is nothing to do, the stake is back.")
    return drawn


def _batch(session: Session, found: Campaign, manifest: Manifest, seat: int | None) -> Batch:
    """The one seat's batch that is meant."""
    mine = _seats(session, found, seat)
    if len(mine) > 1:
        raise InputError(f"Say which --seat; yours are {', '.join(map(str, mine))}.")
    if found.seed is None:
        need_phase(session, found, Phase.COMMITTING)
    return batch_of(found, manifest, mine[0])


def _lacking(runner: Runner, found: Campaign) -> str:
    """Which answers are missing."""
    parts = []
    for seat in runner.seats(runner.look()):
        if runner.manifest is not None and found.batch_of(seat) is not None:
            batch = batch_of(found, runner.manifest, seat)
            missing = len(batch.missing(runner.desk.journal.answers(runner.desk.book, seat)))
            parts.append(f"seat {seat} lacks {missing} of {len(batch.tasks)} answers")
    return f"There is nothing to commit yet: {', '.join(parts)}."


def _replace(session: Session, runner: Runner, seat: int, yes: bool) -> None:
    """Recognise a commitment that was made elsewhere, or put these answers in its place."""
    from earnest.labeler.act import act

    sight = runner.look()
    try:
        act(runner.desk, sight, Action(Step.RECOGNISE, seat), runner.notes(sight))
    except LabelerError:
        session.confirm(f"Seat {seat} has committed to other answers elsewhere. Replace them?", yes)
        with runner.desk.journal.locked(runner.desk.acting):
            runner.sent += act(runner.desk, sight, Action(Step.COMMIT, seat), runner.notes(sight))


def _take_seats(desk: Desk, session: Session, seats: int, proof: bytes) -> list[str]:
    """Enroll until the labeler has so many seats, decided from the chain with nothing pending."""
    from earnest.chain.wallet import fund, wait_for_pending

    client, account, number = desk.client, desk.account, desk.book.campaign
    with desk.journal.locked(desk.acting, lambda: session.say("Another process of this wallet is sending.")):
        if not wait_for_pending(client, account.address):
            raise InputError(
                f"A transaction of {account.address} is still pending, which may be this very enrolment:"
                " wait for it, or replace it, then look with `earnest label status`."
            )
        found = client.state().campaigns[number]
        missing = seats - len(seats_of(found, account.address))
        if missing <= 0:
            return []
        sent = fund(client, account, found.terms.token, found.terms.stake * missing)
        sent.append(client.enroll(number, missing, sender=account, proof=proof))
    return [each.transaction for each in sent]


def _check_balance(session: Session, terms: Terms, seats: int) -> None:
    """Raise InputError, with how much more is needed, before anything is sent."""
    from earnest.chain.wallet import lacking

    address, write, stake = session.account.address, session.token(terms.token).write, terms.stake * seats
    missing = lacking(session.client, address, terms.token, stake)
    if missing:
        raise InputError(
            f"The stake is {write(stake)}: {write(missing)} more is needed than {address} has in its wallet"
            " and free in the vault."
        )


def _proof(terms: Terms, file: Path | None, labeler: str) -> bytes:
    """The gate's proof for a labeler, from an allowlist or as it stands in the file."""
    if terms.gate == ZERO_ADDRESS:
        return b""
    if file is None:
        raise InputError(
            f"The campaign has a gate, {terms.gate}: say --proof with its allowlist, or with your proof."
        )
    text = file.read_text(encoding="utf-8").strip()
    if re.fullmatch(r"(0x)?([0-9a-fA-F]{2})*", text):
        return bytes.fromhex(text.removeprefix("0x"))
    try:
        seats = {str(address): int(most) for address, most in json.loads(text).items()}
    except (ValueError, AttributeError, TypeError) as error:
        raise InputError(f"{file} is neither an allowlist nor a proof in hexadecimal.") from error
    if allowlist.root(seats) != terms.gate_rule:
        raise InputError(
            f"{file} is not the campaign's allowlist: its root is 0x{allowlist.root(seats).hex()},"
            f" the terms have 0x{terms.gate_rule.hex()}."
        )
    return allowlist.proof(seats, labeler)


def _read_enrolment(file: Path, session: Session, found: Campaign) -> SignedEnrolment:
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        members = document["enrolment"]
        where = (document["chain"], document["contract"], int(document["campaign"], 16))
        signed = SignedEnrolment(
            **members
            | {"proof": bytes.fromhex(members["proof"]), "signature": bytes.fromhex(members["signature"])}
        )
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{file} holds no signed enrolment: {error!r}.") from error
    here = (session.client.domain.chain_id, session.client.address, found.number)
    if where != here:
        raise InputError(
            f"{file} is for chain {where[0]}, contract {where[1]}, campaign {where[2]:#x};"
            f" this is chain {here[0]}, contract {here[1]}, campaign {here[2]:#x}."
        )
    return signed


def _backup_signature(session: Session) -> bytes:
    from eth_account.messages import encode_typed_data

    account = session.account
    document = backups.typed_data(session.client.domain, account.address)
    signature = account.sign_message(encode_typed_data(full_message=document))
    if signature is None:
        raise InputError(f"{account.address} did not sign.")
    return bytes(signature.encode_rsv())


def _keys() -> Callable[[], str]:
    """One key at a time; what is typed fast arrives several keys at once."""

    def keys() -> Iterator[str]:
        while True:
            yield from re.findall(r"\x1b\[[A-D]|[\s\S]", click.getchar())

    return keys().__next__


def _prospects(found: Campaign, prospects: Offer) -> dict[str, Any]:
    terms = found.terms
    return {
        "campaign": campaign_text(found.number),
        "experimenter": found.experimenter,
        "uri": found.uri,
        "token": terms.token,
        "stake": terms.stake,
        "bounty": terms.bounty,
        "batch_size": terms.batch_size,
        "cohort": terms.cohort,
        "enroll_by": terms.enroll_by,
        "gate": terms.gate,
        "max_loss": prospects.max_loss,
        "max_win": prospects.max_win,
        "likely": prospects.likely,
        "basis": prospects.basis,
        "warnings": prospects.warnings,
    }


def _show(session: Session, found: Campaign, manifest: Manifest, prospects: Offer) -> None:
    from earnest.labeler.terminal import visible

    terms, life, now = found.terms, found.life_at(session.now), session.now
    write, periods, curve = session.token(terms.token).write, terms.periods, terms.curve
    signals = {name: weight for name, weight in vars(terms.weights).items() if weight}
    session.members(
        {
            "campaign": campaign_text(found.number),
            "phase": f"{life.phase.title}, ends {until(life.deadline, now)}",
            "question": visible(manifest.question.text),
            "kind": f"{manifest.question.kind}: {visible(', '.join(manifest.question.options))}",
            "a seat": f"{terms.batch_size} labels; {life.seats - life.taken} of {life.seats} seats are free"
            if life.phase is Phase.ENROLLING
            else f"{terms.batch_size} labels",
            "stake": write(terms.stake),
            "likely pay": f"{write(prospects.likely, PLACES)}, going by {prospects.basis}",
            "at best": f"{write(prospects.max_win, PLACES)}"
            f" (an even share: {write(prospects.even_share, PLACES)})",
            "at worst": f"{write(-prospects.max_loss)}; for a bad score at most {curve.max_slash / 100:g}% of"
            f" the stake, for not committing or not revealing {curve.forfeit / 100:g}%",
            "score": " + ".join(f"{weight} × {name}" for name, weight in signals.items())
            + f"; paid from {curve.pay_from:+d} bps, in full from {curve.pay_full:+d}; slashed below"
            f" {curve.slash_from:+d}",
            "time": f"{duration(periods.commit)} to commit, {duration(periods.reveal)} to reveal,"
            f" {duration(periods.challenge)} to challenge scores",
            "for": "everybody" if terms.gate == ZERO_ADDRESS else f"whom the gate {terms.gate} admits",
        }
    )
    for warning in prospects.warnings:
        session.say(f"Careful: {warning}")
    session.say(DENOUNCING)


def _enrolled(session: Session, number: int, mine: list[int], transactions: list[str]) -> None:
    seats = ", ".join(map(str, mine))
    session.show(
        {"campaign": campaign_text(number), "seats": mine, "transactions": transactions},
        lambda: session.say(f"Your seats in campaign {short(campaign_text(number))}: {seats}."),
    )


def _told(session: Session, runner: Runner, sentence: str) -> None:
    session.show({"transactions": [each.transaction for each in runner.sent]}, lambda: session.say(sentence))


def _entry_members(entry: Entry) -> dict[str, Any]:
    return vars(entry) | {"campaign": campaign_text(entry.campaign)}


def _score(score: int | None) -> str:
    if score is None:
        return "–"
    return {ABSENT: "absent", UNSCORED: "unscored"}.get(score, f"{score:+d}")
