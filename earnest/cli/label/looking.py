"""`earnest label status` and `history`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from earnest.chain.errors import short_id
from earnest.chain.state import Campaign
from earnest.cli.groups import Command
from earnest.cli.label.amounts import about
from earnest.cli.label.lookup import book_of, campaign_of
from earnest.cli.label.options import DATA
from earnest.cli.session import Session, pass_session
from earnest.cli.text import campaign_text, score_text, until
from earnest.labeler.history import Entry
from earnest.labeler.history import history as history_of
from earnest.labeler.journal import Journal
from earnest.protocol.errors import ScoreError
from earnest.protocol.settlement import Outlook, outlook


@click.command(cls=Command)
@click.argument("which", metavar="[CAMPAIGN]", required=False)
@DATA
@pass_session
def status(session: Session, which: str | None, data: Path) -> None:
    """Show how your seats stand, in one campaign or in all."""
    journal = Journal(data)
    state, now, address = session.state, session.now, session.address
    chosen = state.campaigns.keys() if which is None else {campaign_of(session, which, journal)[1].number}
    entries = [each for each in history_of(state, address, now) if each.campaign in chosen]
    rows, members = [], []
    for each in entries:
        found = state.campaigns[each.campaign]
        answered = len(journal.answers(book_of(session, each.campaign), each.seat))
        life = found.life_at(now)
        token = session.token(each.token)
        look = _outlook(found, each.seat, now)
        rows.append(
            [
                short_id(each.campaign),
                life.phase.title,
                until(life.deadline, now),
                each.seat,
                "–" if each.batch is None else each.batch,
                f"{answered}/{found.terms.batch_size}",
                each.outcome,
                about(token, look.max_win),
                about(token, -look.max_loss),
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


@click.command(cls=Command)
@pass_session
def history(session: Session) -> None:
    """List scores and earnings of all your seats, from the chain's records."""
    state, address = session.state, session.address
    entries = history_of(state, address, session.now)
    rows: list[list[object]] = []
    totals: dict[str, int] = {}
    for each in entries:
        token = session.token(each.token)
        rows.append(
            [
                short_id(each.campaign),
                each.seat,
                "–" if each.batch is None else each.batch,
                each.outcome,
                score_text(each.score),
                token.write(each.stake),
                "–" if each.result is None else about(token, each.result),
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


def _outlook(found: Campaign, seat: int, now: int) -> Outlook:
    """What a seat can still lose and win; where nonsense was posted and is final, what the terms allow."""
    try:
        return found.outlook(seat, now)
    except ScoreError:
        return outlook(found.terms)


def _entry_members(entry: Entry) -> dict[str, Any]:
    return vars(entry) | {"campaign": campaign_text(entry.campaign)}
