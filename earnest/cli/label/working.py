"""`earnest label fetch`, `work` and `import`."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

from earnest.chain.life import Phase
from earnest.cli.groups import MANIFEST, Command
from earnest.cli.label.files import write_new
from earnest.cli.label.lookup import book_of, campaign_of, chosen_batch, drawn_seats, manifest_of
from earnest.cli.label.options import DATA, SEAT, WHICH
from earnest.cli.phases import need_phase
from earnest.cli.session import Session, pass_session
from earnest.cli.text import campaign_text
from earnest.labeler.answers import read_answers, write_batch
from earnest.labeler.batch import batch_of
from earnest.labeler.journal import Journal
from earnest.labeler.terminal import label as label_in_terminal
from earnest.times import clock
from earnest.visible import visible


@click.command(cls=Command)
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
    _, found = campaign_of(session, which, journal)
    book = book_of(session, found.number)
    batch = chosen_batch(session, found, manifest_of(journal, found, uri), seat)
    text = write_batch(batch, journal.answers(book, batch.seat))
    if to is None and not session.json:
        # `color` keeps click from taking out of a pipe what a terminal would obey.
        click.echo(visible(text) if sys.stdout.isatty() else text, nl=False, color=True)
        return
    target = to or Path(f"{campaign_text(found.number)[:10]}-seat-{batch.seat}.csv")
    write_new(target, text.encode())
    session.show(
        {"file": target, "seat": batch.seat, "batch": batch.number, "tasks": len(batch.tasks)},
        lambda: session.say(f"{target} has the {len(batch.tasks)} tasks of seat {batch.seat}."),
    )


@click.command(cls=Command)
@WHICH
@SEAT
@DATA
@MANIFEST
@pass_session
def work(session: Session, which: str, seat: int | None, data: Path, uri: str | None) -> None:
    """Label in the terminal: one key for each answer, saved at once; stop and go on whenever you like."""
    journal = Journal(data)
    _, found = campaign_of(session, which, journal)
    need_phase(session, found, Phase.COMMITTING)
    ends = found.life_at(session.now).deadline
    book = book_of(session, found.number)
    manifest = manifest_of(journal, found, uri)
    if session.json:
        session.leave_stdout()
    for each in drawn_seats(session, found, seat):
        batch = batch_of(found, manifest, each)
        with journal.editing(book, each):
            answers = journal.answers(book, each)

            def save(slot: Any, answer: int, own: int = each) -> None:
                journal.answer(book, own, slot, answer)

            whole = label_in_terminal(session.console, batch, answers, save, _keys())
        missing = len(batch.missing(answers))
        members = {"seat": each, "answered": len(batch.tasks) - missing, "missing": missing}
        sentence = (
            f"Seat {each}: all {len(batch.tasks)} answers are saved; commit them until {clock(ends)}"
            f" with `earnest label commit {campaign_text(found.number)[:10]}`, or leave it to `run`."
            if not missing
            else f"Seat {each}: {missing} of {len(batch.tasks)} answers are missing; what is there is saved."
        )
        session.show(members, lambda text=sentence: session.say(text))  # type: ignore[misc]
        if not whole:
            return


@click.command(name="import", cls=Command)
@WHICH
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@SEAT
@DATA
@MANIFEST
@pass_session
def import_(session: Session, which: str, file: Path, seat: int | None, data: Path, uri: str | None) -> None:
    """Take a seat's answers from a CSV file with the columns task and answer; all of them, or none."""
    journal = Journal(data)
    _, found = campaign_of(session, which, journal)
    need_phase(session, found, Phase.COMMITTING)
    book = book_of(session, found.number)
    batch = chosen_batch(session, found, manifest_of(journal, found, uri), seat)
    answers = read_answers(file, batch)
    with journal.editing(book, batch.seat):
        journal.replace(book, batch.seat, answers)
    session.show(
        {"seat": batch.seat, "answers": len(answers)},
        lambda: session.say(f"Seat {batch.seat}: all {len(answers)} answers are saved."),
    )


def _keys() -> Callable[[], str]:
    """One key at a time; what is typed fast arrives several keys at once."""

    def keys() -> Iterator[str]:
        while True:
            yield from re.findall(r"\x1b\[[A-D]|[\s\S]", click.getchar())

    return keys().__next__
