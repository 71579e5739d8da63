"""Which campaign a command is about, and where its manifest is."""

from __future__ import annotations

from pathlib import Path

import click

from earnest.chain.state import Campaign
from earnest.cli.errors import InputError
from earnest.cli.session import Session
from earnest.cli.text import campaign_text, known_campaign
from earnest.experimenter.folder import MANIFEST, Folder, Record
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
    known = session.state.campaigns
    where = f"on the contract {session.client.address} of chain {session.client.domain.chain_id}"
    if home is not None:
        record = home.needed_record()
        check_chain(session, record, home)
        return known_campaign(campaign_text(record.campaign), known, where)
    if which.lower().startswith("0x"):
        return known_campaign(which, known, where)
    raise InputError(f"{which!r} is neither a folder nor a campaign; a campaign begins with 0x.")


def manifest_of(found: Campaign, which: str, uri: str | None) -> Manifest:
    """The manifest from where it is published, or from the campaign's folder; its digest is checked."""
    return fetch(manifest_uri(found, which, uri), found.terms.manifest)


def manifest_uri(found: Campaign, which: str, uri: str | None) -> str:
    """Where the manifest is: where somebody says, in the campaign's folder, or where it was published."""
    home = home_of(which)
    return uri or (manifest_in(home, found.uri) if home else found.uri)


def manifest_in(home: Folder, published: str) -> str:
    """Where a folder's manifest is: in the folder, or else where it was published."""
    kept = home.path / MANIFEST
    return str(kept) if kept.is_file() else published


def check_chain(session: Session, record: Record, home: Folder) -> None:
    """Raise InputError unless the session is connected to where the folder's campaign is."""
    chain, contract = session.client.domain.chain_id, session.client.address
    if (record.chain, record.contract) != (chain, contract):
        raise InputError(
            f"The campaign in {home.path} is on chain {record.chain}, contract {record.contract};"
            f" this is chain {chain}, contract {contract}."
        )
