"""`earnest campaign disclose`, `settle`, `release`, `refund`, `withdraw`, `export` and `report`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from earnest.chain.life import Phase
from earnest.chain.state import Campaign
from earnest.cli.common import Command, InputError, Session, campaign_text, pass_session, until
from earnest.cli.planning import YES
from earnest.cli.which import WHICH, campaign_of, home_of, manifest_of, need_phase
from earnest.experimenter.steps import Next, Step, bond_step, post_step, refund_step, release_step
from earnest.protocol.terms import ZERO_ADDRESS

if TYPE_CHECKING:
    from earnest.chain.client import Sent

ALL_FORMATS: Final = "jsonl,csv,parquet"
TO = click.option(
    "--to", type=click.Path(file_okay=False, path_type=Path), help="The folder to write to."
)
FORMATS = click.option(
    "--formats", default=ALL_FORMATS, show_default=True, help="What the dataset is written as."
)
MANIFEST_URI = click.option(
    "--manifest", "uri", metavar="URI", help="The manifest, where it is elsewhere now."
)


@click.command(cls=Command)
@WHICH
@YES
@pass_session
def disclose(session: Session, which: str, yes: bool) -> None:
    """Open the audit: show the key, so that gold and repeats count."""
    found, home = campaign_of(session, which), home_of(which)
    if found.audit_key is not None:
        session.show({"transactions": []}, lambda: session.say("The audit is open already."))
        return
    if not found.terms.audited:
        raise InputError("The campaign has no audit: there is nothing to disclose.")
    need_phase(session, found, Phase.AUDITING)
    secret = home.secret() if home else None
    if secret is None:
        raise InputError("The audit's key is not here: name the folder that the campaign was created in.")
    session.confirm("Disclose the audit's key?", yes)
    _report(session, do(session, found, Next(Step.DISCLOSE), (), secret.audit_key), "The audit is open.")


@click.command(cls=Command)
@WHICH
@MANIFEST_URI
@YES
@pass_session
def settle(session: Session, which: str, uri: str | None, yes: bool) -> None:
    """Post the scores of all open batches under one bond, and have false ones refereed."""
    found = campaign_of(session, which)
    need_phase(session, found, Phase.SETTLING)
    rows = manifest_of(found, which, uri).audit_rows
    done: list[Sent] = []
    for _ in range(2):  # what is void after refereeing is posted anew
        what = post_step(found, session.now, rows)
        if what is None:
            break
        bond = session.token(found.terms.token).write(found.terms.bond)
        action = (
            f"Have {len(what.which)} false batches refereed?"
            if what.step is Step.REFEREE
            else f"Post the scores of {len(what.which)} batches under a bond of {bond}?"
        )
        session.confirm(action, yes)
        done += do(session, found, what, rows)
        found = campaign_of(session, which)
    final = max((found.final_at(batch) or 0 for batch in range(len(found.batches))), default=0)
    _report(session, done, f"All batches hold scores; the last are final {until(final, session.now)}.")


@click.command(cls=Command)
@WHICH
@YES
@pass_session
def release(session: Session, which: str, yes: bool) -> None:
    """Pay out the batches whose scores are final, and take one's own bonds back."""
    found, now = campaign_of(session, which), session.now
    need_phase(session, found, Phase.SETTLING)
    steps = [release_step(found, now), bond_step(found, now, session.account.address)]
    done: list[Sent] = []
    for what in filter(None, steps):
        session.confirm(f"{what.step.capitalize()} of {len(what.which)}?", yes)
        done += do(session, found, what, ())
    found = campaign_of(session, which)
    life = found.life_at(session.now)
    _report(session, done, f"{life.released} of {life.batches} batches are released.")


@click.command(cls=Command)
@WHICH
@YES
@pass_session
def refund(session: Session, which: str, yes: bool) -> None:
    """Give a cancelled campaign's bounties and stakes back."""
    found = campaign_of(session, which)
    need_phase(session, found, Phase.CANCELLED)
    what = refund_step(found)
    done: list[Sent] = []
    if what.step is Step.REFUND:
        session.confirm(f"Give back the bounties and {len(what.which)} stakes?", yes)
        done = do(session, found, what, ())
    _report(session, done, "Everything is given back; `earnest campaign withdraw` takes it home.")


@click.command(cls=Command)
@click.option("--token", "address", default=ZERO_ADDRESS, help="The token's address; ether unless given.")
@click.option("--amount", help="How much, in token units; everything unless given.")
@YES
@pass_session
def withdraw(session: Session, address: str, amount: str | None, yes: bool) -> None:
    """Take free balance out of the vault."""
    token, account = session.token(address), session.account
    free = session.client.balance_of(account.address, address)
    try:
        wanted = free if amount is None else token.parse(amount)
    except ValueError as error:
        raise InputError(str(error)) from error
    if wanted > free:
        raise InputError(
            f"{token.write(wanted)} is to be withdrawn and {token.write(free)} is free:"
            f" {token.write(wanted - free)} more is needed."
        )
    done: list[Sent] = []
    if wanted:
        session.confirm(f"Withdraw {token.write(wanted)} to {account.address}?", yes)
        done = [session.client.withdraw(address, wanted, sender=account)]
    _report(session, done, f"{token.write(wanted)} is withdrawn; {token.write(free - wanted)} stays.")


@click.command(cls=Command)
@WHICH
@TO
@MANIFEST_URI
@FORMATS
@pass_session
def export(session: Session, which: str, to: Path | None, uri: str | None, formats: str) -> None:
    """Write the dataset, from the chain's records and the manifest alone."""
    found = campaign_of(session, which)
    need_phase(session, found, Phase.SETTLING)
    written = write_dataset(found, which, to, uri, formats)
    session.show({"files": written}, lambda: session.say("\n".join(map(str, written))))


def write_dataset(
    found: Campaign, which: str, to: Path | None, uri: str | None, formats: str
) -> list[Path]:
    """Write a campaign's dataset; the files written."""
    from earnest.experimenter.export import FORMATS
    from earnest.experimenter.export import export as write

    chosen = [name.strip() for name in formats.split(",") if name.strip()]
    for name in chosen:
        if name not in FORMATS:
            raise InputError(f"--formats has {name!r}; it can have {', '.join(FORMATS)}.")
    return write(found, manifest_of(found, which, uri), to or _folder(which, found, "dataset"), chosen)


@click.command(cls=Command)
@WHICH
@TO
@MANIFEST_URI
@pass_session
def report(session: Session, which: str, to: Path | None, uri: str | None) -> None:
    """Write a page to look at, and its tables: scores and pay, agreement, the consensus, what it cost."""
    from earnest.report import report_campaign

    found = campaign_of(session, which)
    need_phase(session, found, Phase.SETTLING)
    written = report_campaign(
        found,
        manifest_of(found, which, uri),
        to or _folder(which, found, "report"),
        token=session.token(found.terms.token),
        records=session.client.records(),
    )
    session.show({"files": written}, lambda: session.say("\n".join(map(str, written))))


def _folder(which: str, found: Campaign, name: str) -> Path:
    """Where a campaign's files go when nobody says: its own folder, or one named after it here."""
    home = home_of(which)
    return home.path / name if home else Path(f"{name}-{campaign_text(found.number)[:10]}")


def do(
    session: Session, found: Campaign, what: Next, rows: Sequence[bytes], key: bytes | None = None
) -> list[Sent]:
    """Do one step with the session's account."""
    from earnest.experimenter.act import act

    return act(session.client, session.account, found, what, rows, key)


def _report(session: Session, done: Sequence[Sent], sentence: str) -> None:
    session.show(
        {"transactions": [each.transaction for each in done], "gas": sum(each.gas for each in done)},
        lambda: session.say(sentence),
    )
