"""`earnest campaign create`: one campaign for one folder, wherever it is stopped and started again."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import click

from earnest.chain.confirmations import is_devnet
from earnest.chain.errors import ChainError
from earnest.chain.life import Phase
from earnest.cli.campaign.gate import check_gate
from earnest.cli.campaign.planning import FILE, Draft, read_plan, show_plan
from earnest.cli.campaign.which import check_chain
from earnest.cli.errors import InputError
from earnest.cli.groups import YES, Command
from earnest.cli.session import Session, pass_session
from earnest.cli.text import campaign_text
from earnest.experimenter.errors import ExperimenterError
from earnest.experimenter.folder import MANIFEST, SECRETS, Folder, Record
from earnest.experimenter.plan import cost
from earnest.experimenter.prepare import inputs_digest, prepare
from earnest.experimenter.publish import publish
from earnest.experimenter.settings import Settings, read_settings
from earnest.manifest.errors import ManifestError
from earnest.protocol.terms import Terms, campaign_id
from earnest.times import clock

if TYPE_CHECKING:
    from earnest.chain.sending import Sent

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
    with created(session, file, folder or file.with_suffix(""), yes) as (home, record, done):
        members = {"campaign": campaign_text(record.campaign), "uri": record.uri, "folder": home.path}
    session.show(
        members | {"transactions": [each.transaction for each in done]},
        lambda: session.members(members),
    )


@contextmanager
def created(
    session: Session, file: Path, folder: Path, yes: bool
) -> Iterator[tuple[Folder, Record, list[Sent]]]:
    """The campaign of a folder, prepared, published, funded and opened as far as it was not yet; the folder
    is this process's alone meanwhile.
    """
    home = Folder(folder)
    # What is wrong with the files is said before a folder is made.
    draft = None if home.record() else read_plan(session, file)
    with home.locked():
        record = home.record()
        if record is not None and record.sent:
            check_chain(session, record, home)
            if _exists(session, record.campaign):
                _check_unchanged(file, record, home)
                yield home, record, []
                return
        draft = draft or read_plan(session, file)
        record = _prepared(session, draft, file, home, record)
        if session.client.sink == record.experimenter:
            raise InputError(f"{record.experimenter} receives what is slashed: it cannot buy labels.")
        _check_reach(session, draft.settings)
        session.client.check_terms(record.terms, session.client.now())
        if draft.settings.gate is not None:
            check_gate(session, record, draft.settings.gate)
        token = session.token(record.terms.token)
        if not session.json:
            show_plan(session, draft, token)
        session.confirm(f"Escrow {token.write(cost(record.terms))} and open the campaign?", yes)
        record, done = _open(session, record, draft, file, home)
        yield home, record, done


def _check_reach(session: Session, settings: Settings) -> None:
    """Raise InputError where labelers elsewhere would be told of a file on this machine.

    Who names a file as `uri` may do so: those labelers may all see it.
    """
    nearby = settings.publish is None or "://" not in settings.publish or settings.publish.startswith("file:")
    if settings.uri is None and nearby and not is_devnet(session.client.web3):
        raise InputError(
            f"Chain {session.client.domain.chain_id} is no devnet, and the manifest would stay on this"
            " machine, where labelers cannot fetch it: name in `publish` where to upload it, as s3://…, or in"
            " `uri` where they see what is written to `publish`."
        )


def _check_unchanged(file: Path, record: Record, home: Folder) -> None:
    """Raise InputError when the files are not those that a campaign was created from."""
    try:
        unchanged = inputs_digest(read_settings(file)) == record.inputs
    except (ExperimenterError, OSError):
        unchanged = False
    if not unchanged:
        raise InputError(
            f"{file} or its tasks are not what the campaign in {home.path} was created from, which stays as"
            f" it was: `earnest campaign run {home.path}` goes on with it; a new one takes another --folder."
        )


def _prepared(session: Session, draft: Draft, file: Path, home: Folder, record: Record | None) -> Record:
    """The record that stands, or a fresh one where the files changed.

    A creation that was sent may go through until the chain itself is past its time to enroll: till then it
    stands. As long as it is not sent its time to enroll begins anew.
    """
    inputs = inputs_digest(draft.settings)
    if record is not None and record.sent and not _is_void(session, record):
        _check_sent(session, record, inputs, file, home)
        return record
    if record is None or record.sent:
        home.keep_earlier(record)
    elif record.inputs == inputs and _fits(home, record.terms) and _is_planned(draft, record.terms):
        enroll_by = session.now + draft.settings.enroll
        return _saved(session, home, replace(record.terms, enroll_by=enroll_by), inputs)
    key = secrets.token_bytes(32)
    fresh = prepare(draft.settings, draft.tasks, draft.plan, session.now, key)
    if fresh.terms.audited:
        home.save_key(key)
    home.save_manifest(fresh.manifest.to_bytes())
    if draft.settings.gate:
        home.save_allowlist(draft.settings.gate.seats)
    return _saved(session, home, fresh.terms, inputs)


def _saved(session: Session, home: Folder, terms: Terms, inputs: str) -> Record:
    """The record of terms that are not sent yet, kept."""
    record = Record(
        campaign=campaign_id(session.account.address, terms),
        chain=session.client.domain.chain_id,
        contract=session.client.address,
        experimenter=session.account.address,
        inputs=inputs,
        terms=terms,
    )
    home.save(record)
    return record


def _check_sent(session: Session, record: Record, inputs: str, file: Path, home: Folder) -> None:
    """Raise InputError unless a creation that was sent can be sent again as it was."""
    account = session.account.address
    if account != record.experimenter:
        raise InputError(f"{home.path} belongs to {record.experimenter}; the account chosen is {account}.")
    if not _fits(home, record.terms):
        raise InputError(
            f"{home.path} does not hold what its campaign was made with: put {MANIFEST} and {SECRETS}/"
            " back as they were, or use another --folder."
        )
    if record.inputs != inputs:
        raise InputError(
            f"{file} or its tasks changed after the campaign's creation was sent, which may still go"
            f" through until {clock(record.terms.enroll_by)}: put them back as they were, or use another"
            " --folder."
        )


def _open(
    session: Session, record: Record, draft: Draft, file: Path, home: Folder
) -> tuple[Record, list[Sent]]:
    from earnest.chain.wallet import fund

    client, account, settings = session.client, session.account, draft.settings
    uri = publish(
        home.manifest_bytes(),
        record.terms.manifest,
        base=file.parent,
        to=settings.publish,
        uri=settings.uri,
        kept=home.path / MANIFEST,
    )
    record = replace(record, uri=uri)
    home.save(record)
    with session.alone():
        if record.sent and _exists(session, record.campaign):  # it went through while this waited
            return record, []
        done = fund(client, account, record.terms.token, cost(record.terms))
        if not record.sent:  # the time to enroll begins now, however long all this took
            terms = replace(record.terms, enroll_by=session.now + settings.enroll)
            record = replace(record, terms=terms, campaign=campaign_id(account.address, terms))
        before, record = record, replace(record, sent=True)
        home.save(record)
        try:
            done.append(client.create(record.terms, uri, sender=account))
        except ChainError as error:
            if error.refusal is not None:  # the contract's no: it was not sent, or in vain
                home.save(before)
            raise
    session.say(f"Campaign {campaign_text(record.campaign)} is open until {clock(record.terms.enroll_by)}.")
    return record, done


def _fits(home: Folder, terms: Terms) -> bool:
    """Whether a folder has the manifest and the audit key of these terms."""
    try:
        has_key = not terms.audited or home.key(terms.audit_key_hash) is not None
        return has_key and sha256(home.manifest_bytes()).digest() == terms.manifest
    except (ExperimenterError, ManifestError):
        return False


def _is_planned(draft: Draft, terms: Terms) -> bool:
    """Whether terms are what the plan says, apart from what preparing adds."""
    added = ("enroll_by", "audit_root", "audit_key_hash", "manifest")
    return replace(draft.plan.terms, **{name: getattr(terms, name) for name in added}) == terms


def _is_void(session: Session, record: Record) -> bool:
    """Whether a creation that was sent can never go through any more: the chain is past its time to enroll,
    and as of the same block does not have it.
    """
    sight = session.look()
    return sight.time >= record.terms.enroll_by and record.campaign not in sight.state.campaigns


def _exists(session: Session, number: int) -> bool:
    return session.client.life(number).phase is not Phase.NONE
