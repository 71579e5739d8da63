"""`earnest label find` and `show`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from earnest.chain.errors import short_id
from earnest.chain.life import Phase
from earnest.cli.groups import MANIFEST, Command
from earnest.cli.label.amounts import about
from earnest.cli.label.lookup import campaign_of, manifest_of
from earnest.cli.label.offering import offer_members, show_offer
from earnest.cli.label.options import DATA, WHICH
from earnest.cli.session import Session, pass_session
from earnest.cli.text import until
from earnest.labeler.journal import Journal
from earnest.labeler.offer import offer, offers
from earnest.labeler.sight import seats_of
from earnest.protocol.terms import ZERO_ADDRESS


@click.command(cls=Command)
@click.option("--all", "all_", is_flag=True, help="Those with a gate, too, that asks for a proof.")
@pass_session
def find(session: Session, all_: bool) -> None:
    """List the campaigns that this account can enroll in now."""
    state, now = session.state, session.now
    address = session.address if session.alias else None
    chosen = []
    for each in state.campaigns.values():
        life = each.life_at(now)
        open_ = life.phase is Phase.ENROLLING and life.taken < life.seats
        if open_ and (all_ or each.terms.gate == ZERO_ADDRESS):
            chosen.append((each, life))
    prospects = offers([each.terms for each, _ in chosen], state, address)
    rows = []
    for (each, life), expected in zip(chosen, prospects, strict=True):
        token = session.token(each.terms.token)
        mine = len(seats_of(each, address)) if address else 0
        rows.append(
            [
                short_id(each.number),
                until(life.deadline, now),
                f"{life.taken}/{life.seats}" + (f", {mine} yours" if mine else ""),
                each.terms.batch_size,
                token.write(each.terms.stake),
                about(token, expected.likely),
                about(token, -expected.max_loss),
                "open" if each.terms.gate == ZERO_ADDRESS else "gate",
            ]
        )
    columns = ["campaign", "enroll until", "#seats", "#tasks", "#stake", "#likely pay", "#at worst", "for"]
    session.show(
        {"campaigns": [offer_members(*each, what) for each, what in zip(chosen, prospects, strict=True)]},
        lambda: session.table(columns, rows) if rows else session.say("No campaign is open now."),
    )


@click.command(cls=Command)
@WHICH
@DATA
@MANIFEST
@pass_session
def show(session: Session, which: str, data: Path, uri: str | None) -> None:
    """Show what a campaign asks, what a seat may win and lose, and what to think about before staking."""
    journal = Journal(data)
    state, found = campaign_of(session, which, journal)
    manifest = manifest_of(journal, found, uri)  # checked before anything of it is shown
    address = session.address if session.alias else None
    prospects = offer(found.terms, state, address)
    session.show(
        offer_members(found, found.life_at(session.now), prospects)
        | {"question": manifest.question.to_json(), "tasks": len(manifest.tasks)}
        | {"terms": asdict(found.terms) | {"metric": found.terms.metric.name}},
        lambda: show_offer(session, found, manifest, prospects),
    )
