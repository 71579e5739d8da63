"""`earnest campaign list`, `show` and `watch`."""

from __future__ import annotations

import time
from typing import Any, Final

import click

from earnest.chain.errors import ChainError, short_id
from earnest.chain.life import Life, Phase
from earnest.chain.state import Campaign
from earnest.cli.campaign.which import WHICH, campaign_of
from earnest.cli.groups import POLLING, Command
from earnest.cli.session import Session, pass_session
from earnest.cli.text import campaign_text, phase_text, scores_text, short, until
from earnest.protocol.settlement import outlook
from earnest.protocol.terms import ZERO_ADDRESS, Terms
from earnest.times import clock

COLUMNS: Final = ["campaign", "phase", "ends", "#seats", "#bounty", "#stake", "experimenter"]


@click.command(name="list", cls=Command)
@click.option("--mine", is_flag=True, help="Only those of the chosen account.")
@pass_session
def list_(session: Session, mine: bool) -> None:
    """List the campaigns on the contract."""
    state, now = session.state, session.now
    account = session.address if mine else None
    found = [each for each in state.campaigns.values() if account in (None, each.experimenter)]
    rows = [_list_row(session, each, now) for each in found]
    session.show(
        {"campaigns": [_members(each, now) for each in found]},
        lambda: session.table(COLUMNS, rows) if rows else session.say("There is no campaign to list."),
    )


def _list_row(session: Session, found: Campaign, now: int) -> list[object]:
    life, token = found.life_at(now), session.token(found.terms.token)
    return [
        short_id(found.number),
        life.phase.title,
        until(life.deadline, now),
        f"{life.taken}/{life.batches * life.cohort}",
        token.write(found.terms.bounty),
        token.write(found.terms.stake),
        short(found.experimenter),
    ]


@click.command(cls=Command)
@WHICH
@pass_session
def show(session: Session, which: str) -> None:
    """Show a campaign: its terms, how far it is, and its batches."""
    found, now = campaign_of(session, which), session.now
    session.show(_members(found, now), lambda: _show(session, found, now))


def _members(found: Campaign, now: int) -> dict[str, Any]:
    life = found.life_at(now)
    return {
        "campaign": campaign_text(found.number),
        "experimenter": found.experimenter,
        "uri": found.uri,
        "phase": life.phase.title,
        "deadline": life.deadline,
        "seats": life.seats,
        "taken": life.taken,
        "committed": life.committed,
        "opened": life.opened,
        "batches": life.batches,
        "scored": life.scored,
        "released": life.released,
        "terms": _terms_members(found.terms),
    }


def _terms_members(terms: Terms) -> dict[str, Any]:
    nested = {"curve": vars(terms.curve), "weights": vars(terms.weights), "periods": vars(terms.periods)}
    return vars(terms) | nested | {"metric": terms.metric.name}


def _show(session: Session, found: Campaign, now: int) -> None:
    terms, life, token = found.terms, found.life_at(now), session.token(found.terms.token)
    most = outlook(terms)
    session.members(
        {
            "campaign": campaign_text(found.number),
            "experimenter": found.experimenter,
            "manifest": f"{found.uri} (SHA-256 {terms.manifest.hex()})",
            "phase": phase_text(life, now),
            "progress": _progress(life),
            "batches": f"{life.batches} of {terms.batch_size} positions, {terms.cohort} seats each",
            "bounty": f"{token.write(terms.bounty)} a batch, and {token.write(terms.fee)} to its settler",
            "a seat": f"stakes {token.write(terms.stake)}, wins at most {token.write(most.max_win)},"
            f" loses at most {token.write(most.max_loss)}",
            "bond": token.write(terms.bond),
            "audit": ("open" if found.audit_key else "sealed") if terms.audited else "none",
            "gate": "open to all" if terms.gate == ZERO_ADDRESS else terms.gate,
        }
    )
    rows = []
    for batch in range(len(found.batches)):
        there = found.batch(batch)
        posting = there.posting and short(found.postings[there.posting].settler)
        revealed = sum(seat.revealed for seat in found.cohort(batch))
        scores = scores_text(found.scores(batch))
        rows.append([batch, f"{revealed}/{terms.cohort}", there.status.name.lower(), scores, posting or ""])
    if rows:
        session.table(["#batch", "#revealed", "status", "scores", "posted by"], rows)


def _progress(life: Life) -> str:
    parts = [f"{life.taken} seats taken of {life.seats}"] if life.phase <= Phase.DRAWING else []
    if Phase.COMMITTING <= life.phase <= Phase.FINAL:
        parts = [f"{life.committed} of {life.seats} committed", f"{life.opened} opened"]
    if Phase.SETTLING <= life.phase <= Phase.FINAL:
        parts += [f"{life.scored} of {life.batches} batches scored", f"{life.released} released"]
    return ", ".join(parts) or "–"


@click.command(cls=Command)
@WHICH
@click.option("--once", is_flag=True, help="Look once.")
@POLLING
@pass_session
def watch(session: Session, which: str, once: bool, poll: float) -> None:
    """Show how a campaign goes on, until it is over."""
    from earnest.chain.failures import NODE_ERRORS, told

    number = campaign_of(session, which).number
    before: Life | None = None
    with session.console.status("") as status:
        while True:
            try:
                life, now = session.client.life(number), session.now
            except (ChainError, *NODE_ERRORS) as error:
                if once:
                    raise
                session.say(f"{told(error)} Looking again.")
                time.sleep(poll)
                continue
            text = f"{life.phase.title}: {_progress(life)}; ends {until(life.deadline, now)}"
            status.update(text)
            if life != before:
                session.show(
                    {"campaign": campaign_text(number), "time": now}
                    | vars(life)
                    | {"phase": life.phase.title},
                    lambda t=text, n=now: session.say(f"{clock(n, n)}  {t}"),  # type: ignore[misc]
                )
            over = life.phase is Phase.CANCELLED or (
                life.phase is Phase.FINAL and life.released == life.batches
            )
            if once or over:
                return
            before = life
            time.sleep(poll)
