"""`earnest campaign create`: one campaign for one folder, wherever it is stopped and started again."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import click

from earnest.chain.errors import ChainError, clock
from earnest.chain.life import Phase
from earnest.cli.campaign.planning import FILE, read_plan, show_plan
from earnest.cli.campaign.which import check_chain
from earnest.cli.errors import InputError
from earnest.cli.groups import YES, Command
from earnest.cli.session import Session, pass_session
from earnest.cli.text import campaign_text
from earnest.experimenter.errors import ExperimenterError
from earnest.experimenter.folder import MANIFEST, SECRET, Folder, Record
from earnest.experimenter.plan import Plan
from earnest.experimenter.prepare import inputs_digest, prepare
from earnest.experimenter.publish import publish
from earnest.experimenter.settings import Settings, read_settings
from earnest.manifest.errors import ManifestError
from earnest.protocol import audit
from earnest.protocol.terms import Terms, campaign_id
from earnest.tasks.columns import TaskFile

if TYPE_CHECKING:
    from earnest.chain.client import Sent

FOLDER = click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the campaign is kept; a folder beside the campaign file, named as it is, unless given.",
)


@click.command(cls=Command)
@FILE
@FOLDER
@YES
@pass_session
def create(session: Session, file: Path, folder: Path | None, yes: bool) -> None:
    """Publish the manifest, deposit what is missing, open the campaign; once, however often it is run."""
    home = Folder(folder or file.with_suffix(""))
    with home.locked():
        record, done = ensure_created(session, file, home, yes)
    members = {"campaign": campaign_text(record.campaign), "uri": record.uri, "folder": home.path}
    session.show(
        members | {"transactions": [each.transaction for each in done]},
        lambda: session.members(members),
    )


def ensure_created(session: Session, file: Path, home: Folder, yes: bool) -> tuple[Record, list[Sent]]:
    """The campaign of a folder, prepared, published, funded and opened as far as it was not yet."""
    record = home.record()
    if record is not None:
        check_chain(session, record, home)
        if _exists(session, record.campaign):
            if _changed(file, record):
                session.say(
                    f"{file} or its tasks changed since the campaign was created, which stays as it was:"
                    " a new one takes another --folder."
                )
            return record, []
    settings, tasks, found = read_plan(session, file)
    record = _prepared(session, settings, tasks, found, file, home, record)
    token = session.token(record.terms.token)
    if not session.json:
        show_plan(session, settings, found, token)
    cost = record.terms.batches * (record.terms.bounty + record.terms.fee)
    session.confirm(f"Escrow {token.write(cost)} and open the campaign?", yes)
    return _open(session, record, settings, file, home, cost)


def _prepared(
    session: Session,
    settings: Settings,
    tasks: TaskFile,
    found: Plan,
    file: Path,
    home: Folder,
    record: Record | None,
) -> Record:
    """The record that stands, or a fresh one: when the files changed, or the time to enroll has passed.

    A creation that was sent may go through until the chain itself is past that time: till then it stands.
    """
    inputs = inputs_digest(file, settings.tasks)
    experimenter = session.account.address
    if record is not None and record.sent:
        if not _is_void(session, record):
            if not _fits(home, record.terms):
                raise InputError(
                    f"{home.path} does not hold what its campaign was made with: put {MANIFEST} and {SECRET}"
                    " back as they were, or use another --folder."
                )
            if record.inputs == inputs:
                return record
            raise InputError(
                f"{file} or its tasks changed after the campaign's creation was sent, which may still go"
                f" through until {clock(record.terms.enroll_by)}: put them back as they were, or use another"
                " --folder."
            )
        home.keep_earlier(record)
    elif record is not None:
        unchanged = (record.inputs, record.experimenter) == (inputs, experimenter)
        if unchanged and record.terms.enroll_by > session.now and _fits(home, record.terms):
            return record
    fresh = prepare(settings, tasks, found, session.now)
    home.save_manifest(fresh.manifest.to_bytes())
    home.save_secret(fresh.secret)
    if settings.gate:
        home.save_allowlist(settings.gate.seats)
    record = Record(
        campaign=campaign_id(experimenter, fresh.terms),
        chain=session.client.domain.chain_id,
        contract=session.client.address,
        experimenter=experimenter,
        inputs=inputs,
        terms=fresh.terms,
    )
    home.save(record)
    return record


def _open(
    session: Session, record: Record, settings: Settings, file: Path, home: Folder, cost: int
) -> tuple[Record, list[Sent]]:
    from earnest.chain.wallet import fund

    client, account = session.client, session.account
    if account.address != record.experimenter:
        raise InputError(
            f"{home.path} belongs to {record.experimenter}; the account chosen is {account.address}."
        )
    terms = record.terms
    uri = publish(
        home.manifest_bytes(),
        terms.manifest,
        base=file.parent,
        to=settings.publish,
        uri=settings.uri,
        kept=home.path / MANIFEST,
    )
    record = replace(record, uri=uri)
    home.save(record)
    with session.alone():
        done = fund(client, account, terms.token, cost)
        before, record = record, replace(record, sent=True)
        home.save(record)
        try:
            done.append(client.create(terms, uri, sender=account))
        except ChainError as error:
            if error.refusal is not None:  # the contract's no: it was not sent, or in vain
                home.save(before)
            raise
    session.say(f"Campaign {campaign_text(record.campaign)} is open until {clock(terms.enroll_by)}.")
    return record, done


def _fits(home: Folder, terms: Terms) -> bool:
    """Whether a folder has the manifest and the audit key of these terms: a process that was killed may have
    left those of others.
    """
    secret = home.secret()
    if terms.audited and (secret is None or audit.key_hash(secret.audit_key) != terms.audit_key_hash):
        return False
    try:
        return sha256(home.manifest_bytes()).digest() == terms.manifest
    except ManifestError:
        return False


def _changed(file: Path, record: Record) -> bool:
    """Whether the files are not those any more that a campaign was created from."""
    try:
        return inputs_digest(file, read_settings(file).tasks) != record.inputs
    except (ExperimenterError, OSError):
        return True


def _is_void(session: Session, record: Record) -> bool:
    """Whether a creation that was sent can never go through any more: the chain is past its time to enroll,
    and as of the same block does not have it.
    """
    sight = session.look()
    return sight.time >= record.terms.enroll_by and record.campaign not in sight.state.campaigns


def _exists(session: Session, number: int) -> bool:
    return session.client.life(number).phase is not Phase.NONE
