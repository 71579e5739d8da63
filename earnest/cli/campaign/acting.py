"""`earnest campaign disclose`, `settle`, `release`, `refund`, `export` and `report`."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import click

from earnest.chain.life import Phase
from earnest.chain.settle import open_batches
from earnest.chain.state import Campaign
from earnest.cli.campaign.which import WHICH, campaign_of, home_of, manifest_of, manifest_uri
from earnest.cli.errors import InputError
from earnest.cli.groups import MANIFEST, YES, Command
from earnest.cli.phases import need_phase
from earnest.cli.session import Session, pass_session
from earnest.cli.settling import carry_out, scorer_of
from earnest.cli.text import campaign_text, until
from earnest.experimenter.folder import Folder

if TYPE_CHECKING:
    from earnest.chain.sending import Sent
    from earnest.settler.steps import Action, Step

TO = click.option("--to", type=click.Path(file_okay=False, path_type=Path), help="The folder to write to.")
FORMATS = click.option(
    "--formats",
    metavar="LIST",
    help="What the dataset is written as: of jsonl, csv and parquet those that are listed; all unless given.",
)


@click.command(cls=Command)
@WHICH
@click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The folder with the audit's key, where that is not the campaign's.",
)
@YES
@pass_session
def disclose(session: Session, which: str, folder: Path | None, yes: bool) -> None:
    """Open the audit: show the key, so that gold and repeats count."""
    found = campaign_of(session, which)
    home = Folder(folder) if folder else home_of(which)
    if found.audit_key is not None:
        session.show({"transactions": []}, lambda: session.say("The audit is open already."))
        return
    if not found.terms.audited:
        raise InputError("The campaign has no audit: there is nothing to disclose.")
    need_phase(session, found, Phase.AUDITING)
    key = home.key(found.terms.audit_key_hash) if home else None
    if key is None:
        raise InputError("The audit's key is not here: name the folder that the campaign was created in.")
    session.confirm("Disclose the audit's key?", yes)
    with session.alone():
        done = session.client.disclose(found.number, key, sender=session.account)
    session.done([done], "The audit is open.")


@click.command(cls=Command)
@WHICH
@MANIFEST
@YES
@pass_session
def settle(session: Session, which: str, uri: str | None, yes: bool) -> None:
    """Post the scores of all open batches under a bond, and have false ones refereed."""
    from earnest.settler.steps import Me, Step, was_wrong

    found = campaign_of(session, which)
    need_phase(session, found, Phase.SETTLING)
    done = _carry_out(session, found, which, {Step.REFEREE, Step.POST}, yes, uri)
    found = campaign_of(session, which)
    if missing := len(open_batches(found)):
        why = "others were faster: try again."
        if was_wrong(found, Me(session.account.address)):
            why = (
                "a posting of this account was false, so it posts no more there; `earnest settle referee"
                " --batch` has the chain compute them."
            )
        session.done(done, f"{missing} of {len(found.batches)} batches hold no scores: {why}")
        return
    final = max((found.final_at(batch) or 0 for batch in range(len(found.batches))), default=0)
    when = "all are final" if final <= session.now else f"the last are final {until(final, session.now)}"
    session.done(done, f"All batches hold scores; {when}.")


@click.command(cls=Command)
@WHICH
@YES
@pass_session
def release(session: Session, which: str, yes: bool) -> None:
    """Pay out the batches whose scores are final, and take one's own bonds back."""
    from earnest.settler.steps import Step

    found = campaign_of(session, which)
    need_phase(session, found, Phase.SETTLING)
    done = _carry_out(session, found, which, {Step.RELEASE, Step.RETURN_BOND}, yes)
    life = campaign_of(session, which).life_at(session.now)
    session.done(done, f"{life.released} of {life.batches} batches are released.")


@click.command(cls=Command)
@WHICH
@YES
@pass_session
def refund(session: Session, which: str, yes: bool) -> None:
    """Give a cancelled campaign's bounties and stakes back."""
    from earnest.settler.steps import Step

    found = campaign_of(session, which)
    need_phase(session, found, Phase.CANCELLED)
    done = _carry_out(session, found, which, {Step.REFUND}, yes)
    session.done(done, "Everything is given back; `earnest campaign withdraw` takes it home.")


def _carry_out(
    session: Session, found: Campaign, which: str, steps: set[Step], yes: bool, uri: str | None = None
) -> list[Sent]:
    scorer = scorer_of(found.number, manifest_uri(found, which, uri))
    return carry_out(session, found.number, frozenset(steps), _question, yes, scorer)


def _question(session: Session, campaign: Campaign, actions: Sequence[Action]) -> str:
    """What is about to be signed, as a question."""
    from earnest.settler.steps import Step

    of: dict[Step, list[int]] = {}
    for action in actions:
        of.setdefault(action.step, []).extend(action.which)
    bonds = sum(action.step is Step.POST for action in actions)
    bond = session.token(campaign.terms.token).write(campaign.terms.bond)
    words = {
        Step.REFEREE: "have one of {} false batches of each posting refereed",
        Step.POST: f"post the scores of {{}} batches under {bonds} bonds of {bond}",
        Step.RELEASE: "pay {} batches out",
        Step.RETURN_BOND: "take {} bonds back",
        Step.REFUND: "give the bounties and {} stakes back",
    }
    text = ", ".join(words[step].format(len(some)) for step, some in of.items())
    return f"{text[0].upper()}{text[1:]}?"


@click.command(cls=Command)
@WHICH
@TO
@MANIFEST
@FORMATS
@pass_session
def export(session: Session, which: str, to: Path | None, uri: str | None, formats: str | None) -> None:
    """Write the dataset, from the chain's records and the manifest alone."""
    chosen = chosen_formats(session, formats)
    found = campaign_of(session, which)
    need_phase(session, found, Phase.SETTLING)
    written = write_dataset(found, which, to, uri, chosen)
    session.show({"files": written}, lambda: session.say("\n".join(map(str, written))))


def chosen_formats(session: Session, listed: str | None) -> tuple[str, ...]:
    """The dataset's formats. Raises InputError for one that there is not, or that cannot be written here."""
    from earnest.experimenter.export import FORMATS

    parquet = find_spec("pyarrow") is not None
    if listed is None:
        if not parquet:
            session.say("No Parquet is written: that needs pyarrow, pip install 'earnest[io]'.")
        return tuple(name for name in FORMATS if parquet or name != "parquet")
    chosen = tuple(name.strip() for name in listed.split(",") if name.strip())
    for name in chosen:
        if name not in FORMATS:
            raise InputError(f"--formats has {name!r}; it can have {', '.join(FORMATS)}.")
    if "parquet" in chosen and not parquet:
        raise InputError("--formats has 'parquet', which needs pyarrow: pip install 'earnest[io]'.")
    return chosen


def write_dataset(
    found: Campaign, which: str, to: Path | None, uri: str | None, formats: Sequence[str]
) -> list[Path]:
    """Write a campaign's dataset; the files written."""
    from earnest.experimenter.export import export as write

    return write(found, manifest_of(found, which, uri), to or _folder(which, found, "dataset"), formats)


@click.command(cls=Command)
@WHICH
@TO
@MANIFEST
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
        records=session.history(),
    )
    session.show({"files": written}, lambda: session.say("\n".join(map(str, written))))


def _folder(which: str, found: Campaign, name: str) -> Path:
    """Where a campaign's files go when nobody says: its own folder, or one named after it here."""
    home = home_of(which)
    return home.path / name if home else Path(f"{name}-{campaign_text(found.number)[:10]}")
