"""`earnest label commit`, `reveal` and `run`."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from earnest.chain.life import Phase
from earnest.chain.state import Campaign
from earnest.cli.errors import InputError
from earnest.cli.groups import MANIFEST, POLLING, YES, Command
from earnest.cli.label.lookup import drawn_seats, runner_of
from earnest.cli.label.options import CONFIRMATIONS, DATA, WHICH
from earnest.cli.phases import need_phase
from earnest.cli.session import Session, pass_session
from earnest.cli.text import campaign_text
from earnest.labeler.batch import batch_of
from earnest.labeler.errors import LabelerError
from earnest.labeler.steps import Action, Step, reveals_now
from earnest.times import clock

if TYPE_CHECKING:
    from earnest.labeler.run import Runner
    from earnest.labeler.sight import Sight


@click.command(cls=Command)
@WHICH
@DATA
@MANIFEST
@YES
@pass_session
def commit(session: Session, which: str, data: Path, uri: str | None, yes: bool) -> None:
    """Commit to the answers of all seats that have them; again after answers have changed."""
    runner, found = runner_of(session, which, data, uri)
    need_phase(session, found, Phase.COMMITTING)
    ends = clock(found.life_at(session.now).deadline)  # as of now: the last commitment ends the phase
    seats = drawn_seats(session, found, None)
    runner.manifest()  # without it answers are no labels
    notes = runner.notes(runner.look())
    lacking = [_lacking(runner, found, seat) for seat in seats if seat not in notes.labels]
    if not notes.labels:
        raise InputError(f"There is nothing to commit yet: {', '.join(lacking)}.")
    sight = runner.until_done([Step.COMMIT])
    for action in runner.due(sight, runner.notes(sight)):
        _replace(session, runner, action.which, yes)
    sight = runner.look()
    for seat in notes.labels:
        _check_committed(session, runner, sight, seat)
    session.done(
        runner.sent,
        "; ".join([f"{_named(sorted(notes.labels))} committed", *lacking])
        + f". Reveal at {ends}, or sooner if all seats have committed; `earnest label run` does it in time.",
    )


@click.command(cls=Command)
@WHICH
@DATA
@MANIFEST
@CONFIRMATIONS
@pass_session
def reveal(
    session: Session, which: str, data: Path, uri: str | None, confirmations: int | str | None
) -> None:
    """Open the commitments of all your seats."""
    runner, found = runner_of(session, which, data, uri, confirmations)
    need_phase(session, found, Phase.REVEALING)
    drawn_seats(session, found, None)
    with suppress(LabelerError):  # of other answers than those here: lost, see below
        runner.until_done([Step.RECOGNISE])
    sight = runner.look()
    if sight.life.phase is Phase.COMMITTING:  # this machine's clock is ahead
        ends = clock(sight.life.deadline)
        raise InputError(f"By the chain's clock Committing lasts until {ends}: ask again in a block.")
    held = [seat for seat in runner.seats(sight) if sight.campaign.seats[seat].committed]
    if held and sight.life.phase is Phase.REVEALING and not reveals_now(sight):
        raise InputError(
            "The commit phase ended early, and the block that ended it could still be replaced: wait a"
            " little, leave it to `earnest label run`, or ask for fewer --confirmations."
        )
    sight = runner.until_done([Step.REVEAL])
    for seat in runner.lost(sight):
        raise InputError(
            f"The opening of seat {seat} is not in the journal {runner.desk.journal.path}:"
            " `earnest label recover` brings it back from a backup or the file with the answers."
        )
    mine = runner.seats(sight)
    if late := [seat for seat in mine if sight.campaign.seats[seat].committed]:
        raise InputError(f"The reveal phase was over before {_named(late).lower()} revealed.")
    opened = [seat for seat in mine if sight.campaign.seats[seat].revealed]
    if not opened:
        raise InputError("None of your seats has committed to answers: there is nothing to reveal.")
    missing = [seat for seat in mine if sight.campaign.batch_of(seat) is not None and seat not in opened]
    rest = f" {_named(missing)} no commitment to reveal." if missing else ""
    session.done(runner.sent, f"{_named(opened)} revealed.{rest}")


@click.command(cls=Command)
@WHICH
@click.option("--once", is_flag=True, help="Do what is due now and do not wait.")
@click.option(
    "--collect", is_flag=True, help="Release what is final, take refunds, and withdraw all that is free."
)
@POLLING
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
    runner, _ = runner_of(session, which, data, uri, confirmations, collect)
    sight = runner.run(poll, once)
    session.show(
        {
            "campaign": campaign_text(runner.desk.book.campaign),
            "phase": sight.life.phase.title,
            "over": runner.over(sight),
            "transactions": [each.transaction for each in runner.sent],
        },
        lambda: None,
    )


def _lacking(runner: Runner, found: Campaign, seat: int) -> str:
    """How many answers are missing."""
    batch = batch_of(found, runner.manifest(), seat)
    missing = batch.missing(runner.desk.journal.answers(runner.desk.book, seat))
    return f"seat {seat} lacks {len(missing)} of {len(batch.tasks)} answers"


def _check_committed(session: Session, runner: Runner, sight: Sight, seat: int) -> None:
    """Raise InputError unless the chain holds a seat's commitment to the answers here."""
    notes, found = runner.notes(sight), sight.campaign.seats[seat]
    opening = notes.openings.get((seat, found.record))
    if found.denounced:
        raise InputError(f"Seat {seat} was denounced: its labels were known to somebody else.")
    if opening is not None and opening.labels == notes.labels.get(seat, opening.labels):
        return
    if seat in notes.editing:
        raise InputError(f"Seat {seat} is being answered by another process: commit when that is done.")
    need_phase(session, sight.campaign, Phase.COMMITTING)
    raise InputError(f"The chain does not hold the commitment of seat {seat}: commit again.")


def _replace(session: Session, runner: Runner, seat: int, yes: bool) -> None:
    """Recognise a commitment that was made elsewhere, or put these answers in its place."""
    from earnest.labeler.act import act

    sight = runner.look()
    try:
        act(runner.desk, sight, Action(Step.RECOGNISE, seat), runner.notes(sight))
    except LabelerError:
        session.confirm(f"Seat {seat} has committed to other answers elsewhere. Replace them?", yes)
        runner.replace(seat)


def _named(seats: Sequence[int]) -> str:
    """Seats as a sentence begins that says what they have done."""
    one = len(seats) == 1
    return f"Seat{'' if one else 's'} {', '.join(map(str, seats))} {'has' if one else 'have'}"
