"""Which campaign a command is about, and whether it is in the phase for it."""

from __future__ import annotations

from pathlib import Path

import click

from earnest.chain.errors import clock
from earnest.chain.life import Phase
from earnest.chain.state import Campaign
from earnest.cli.common import InputError, Session, campaign_text, parse_campaign, until
from earnest.experimenter.folder import MANIFEST, Folder, Record
from earnest.experimenter.history import phase_end, phase_starts
from earnest.manifest.fetch import fetch
from earnest.manifest.manifest import Manifest

WHICH = click.argument("which", metavar="CAMPAIGN|FOLDER")


def home_of(which: str) -> Folder | None:
    """The campaign's folder, when a folder (or the campaign file beside it) is named."""
    path = Path(which)
    if path.is_file():
        path = path.with_suffix("")
    return Folder(path) if path.is_dir() else None


def campaign_of(session: Session, which: str) -> Campaign:
    """The campaign as the chain has it. Raises InputError when there is none."""
    home = home_of(which)
    campaigns = session.client.state().campaigns
    if home is not None:
        record = home.needed_record()
        check_chain(session, record, home)
        number = record.campaign
    elif which.lower().startswith("0x"):
        number = parse_campaign(which, campaigns)
    else:
        raise InputError(f"{which!r} is neither a folder nor a campaign; a campaign begins with 0x.")
    if number not in campaigns:
        raise InputError(
            f"There is no campaign {campaign_text(number)} on the contract {session.client.address}"
            f" of chain {session.client.domain.chain_id}."
        )
    return campaigns[number]


def manifest_of(found: Campaign, which: str, uri: str | None) -> Manifest:
    """The manifest from where it is published, or from the campaign's folder; its digest is checked."""
    home = home_of(which)
    if uri is None and home is not None and (home.path / MANIFEST).is_file():
        uri = str(home.path / MANIFEST)
    return fetch(uri or found.uri, found.terms.manifest)


def check_chain(session: Session, record: Record, home: Folder) -> None:
    """Raise InputError unless the session is connected to where the folder's campaign is."""
    chain, contract = session.client.domain.chain_id, session.client.address
    if (record.chain, record.contract) != (chain, contract):
        raise InputError(
            f"The campaign in {home.path} is on chain {record.chain}, contract {record.contract};"
            f" this is chain {chain}, contract {contract}."
        )


def need_phase(session: Session, found: Campaign, phase: Phase) -> None:
    """Raise InputError, with times, unless the campaign is in this phase; for Settling, Final will do."""
    now = session.now
    life = found.life_at(now)
    if life.phase is phase or (phase is Phase.SETTLING and life.phase is Phase.FINAL):
        return
    ends = f", until {until(life.deadline, now)}" if life.deadline else ""
    state = f"the campaign is {life.phase.title}{ends}"
    if phase is Phase.CANCELLED:
        raise InputError(f"Only a cancelled campaign is refunded: {state}.")
    if life.phase < phase:
        raise InputError(f"{phase.title} has not begun: {state}.")
    starts = phase_starts(session.client.records(), session.client.sink, found.number, now)
    end = phase_end(starts, phase)
    over = f"was over at {clock(end, now)}" if end else "never came"
    raise InputError(f"{phase.title} {over}: {state}.")
