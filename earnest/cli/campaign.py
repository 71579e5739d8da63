"""`earnest campaign`: from a campaign file and a file of tasks to a labelled dataset."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from earnest.chain.errors import clock
from earnest.chain.life import Life, Phase
from earnest.chain.money import ETHER, Token
from earnest.chain.state import Campaign
from earnest.cli.common import (
    CAMPAIGN,
    Group,
    InputError,
    Session,
    campaign_text,
    pass_session,
    until,
)
from earnest.experimenter.folder import MANIFEST, Folder, Record
from earnest.experimenter.plan import Plan, make_plan
from earnest.experimenter.prepare import inputs_digest, prepare
from earnest.experimenter.publish import publish
from earnest.experimenter.settings import Settings, read_settings
from earnest.experimenter.steps import Next, Step, bond_step, next_step, post_step, refund_step, release_step
from earnest.manifest.fetch import fetch
from earnest.manifest.manifest import Manifest
from earnest.protocol.settlement import outlook
from earnest.protocol.terms import ZERO_ADDRESS, Terms, campaign_id
from earnest.tasks.columns import TaskFile, read_tasks
from earnest.times import duration

if TYPE_CHECKING:
    from earnest.chain.client import Sent

POLL: Final = 5.0
ALL_FORMATS: Final = "jsonl,csv,parquet"


@click.group(cls=Group)
def campaign() -> None:
    """Buy labels: plan, create, watch, disclose, settle, release, export; or run, which does all of it."""


FILE = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
FOLDER = click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the campaign is kept; a folder beside the campaign file, named as it is, unless given.",
)
WHICH = click.argument("which", metavar="CAMPAIGN|FOLDER")
YES = click.option("--yes", is_flag=True, help="Do not ask before signing.")
POLLING = click.option(
    "--poll", type=click.FloatRange(0.1), default=POLL, show_default=True, help="Seconds between looks."
)
TO = click.option(
    "--to", type=click.Path(file_okay=False, path_type=Path), help="The folder for the dataset."
)
MANIFEST_URI = click.option(
    "--manifest", "uri", metavar="URI", help="The manifest, where it is elsewhere now."
)


# ── Planning and creating ───────────────────────────────────────────────────────────────────────────────────


@campaign.command()
@FILE
@pass_session
def plan(session: Session, file: Path) -> None:
    """Show what a campaign file takes and costs. Signs nothing; needs no network when paying in ether."""
    settings = read_settings(file)
    tasks = read_tasks(settings.tasks, settings.question, settings.columns)
    token = _planned_token(session, settings)
    found = make_plan(settings, tasks, token)
    session.show(_plan_members(settings, found), lambda: _show_plan(session, settings, found, token))


@campaign.command()
@FILE
@FOLDER
@YES
@pass_session
def create(session: Session, file: Path, folder: Path | None, yes: bool) -> None:
    """Publish the manifest, deposit what is missing, open the campaign; once, however often it is run."""
    home = Folder(folder or file.with_suffix(""))
    with home.locked():
        record, done = _create(session, file, home, yes)
    members = {"campaign": campaign_text(record.campaign), "uri": record.uri, "folder": home.path}
    session.show(
        members | {"transactions": [each.transaction for each in done]},
        lambda: session.members(members),
    )


def _create(session: Session, file: Path, home: Folder, yes: bool) -> tuple[Record, list[Sent]]:
    record = home.record()
    if record is not None:
        _check_chain(session, record, home)
        if _exists(session, record.campaign):
            return record, []
    settings, tasks, found = _planned(session, file)
    record = _prepared(session, settings, tasks, found, file, home, record)
    token = session.token(record.terms.token)
    if not session.json:
        _show_plan(session, settings, found, token)
    cost = record.terms.batches * (record.terms.bounty + record.terms.fee)
    session.confirm(f"Escrow {token.write(cost)} and open the campaign?", yes)
    return _open(session, record, settings, file, home, cost)


def _planned(session: Session, file: Path) -> tuple[Settings, TaskFile, Plan]:
    settings = read_settings(file)
    tasks = read_tasks(settings.tasks, settings.question, settings.columns)
    return settings, tasks, make_plan(settings, tasks, session.token(settings.money.token))


def _prepared(
    session: Session,
    settings: Settings,
    tasks: TaskFile,
    found: Plan,
    file: Path,
    home: Folder,
    record: Record | None,
) -> Record:
    """The record that stands, or a fresh one: when the files changed, or the time to enroll has passed."""
    inputs = inputs_digest(file, settings.tasks)
    experimenter = session.account.address
    if record is not None and record.terms.enroll_by > session.now:
        unchanged = record.inputs == inputs and record.experimenter == experimenter
        if unchanged or record.sent:
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
    from earnest.experimenter.act import fund

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
    done = fund(client, account, terms.token, cost)
    record = replace(record, sent=True)
    home.save(record)
    done.append(client.create(terms, uri, sender=account))
    session.say(f"Campaign {campaign_text(record.campaign)} is open until {clock(terms.enroll_by)}.")
    return record, done


def _exists(session: Session, number: int) -> bool:
    return session.client.life(number).phase is not Phase.NONE


def _check_chain(session: Session, record: Record, home: Folder) -> None:
    chain, contract = session.client.domain.chain_id, session.client.address
    if record.chain != chain or record.contract != contract:
        raise InputError(
            f"The campaign in {home.path} is on chain {record.chain}, contract {record.contract};"
            f" this is chain {chain}, contract {contract}."
        )


def _planned_token(session: Session, settings: Settings) -> Token:
    return ETHER if settings.money.token == ZERO_ADDRESS else session.token(settings.money.token)


def _plan_members(settings: Settings, found: Plan) -> dict[str, Any]:
    shape = found.shape
    return {
        "tasks": found.tasks,
        "batches": shape.batches,
        "positions": shape.positions,
        "cohort": shape.seats,
        "seats": found.seats,
        "labels": found.labels,
        "tasks_by_cohort": found.cohort_tasks,
        "tasks_by_one_seat": found.single_tasks,
        "audit": {"shared": shape.shared, "gold": shape.gold, "repeats": shape.repeats}
        if shape.audited
        else None,
        "token": settings.money.token,
        "amounts": vars(found.amounts),
        "cost": found.cost,
        "largest_refund": found.cost,
        "gas": dict(found.gas),
        "warnings": list(found.warnings),
    }


def _show_plan(session: Session, settings: Settings, found: Plan, token: Token) -> None:
    shape, amounts, periods = found.shape, found.amounts, settings.periods
    most = outlook(_outlook_terms(settings, found))
    longest = settings.enroll + sum(vars(periods).values()) - (0 if shape.audited else periods.audit)
    by_cohort = f"{found.cohort_tasks} tasks by all {shape.seats} seats of a cohort"
    known = f", {found.gold_known} with a known answer" if found.gold_known else ""
    by_one = f", {found.single_tasks} by one seat" if shape.single else ""
    hidden = f"{shape.shared} positions are compared, {shape.gold} gold, {shape.repeats} repeats, a batch"
    session.members(
        {
            "question": settings.question.text,
            "answers": f"{settings.question.kind}: {', '.join(settings.question.options)}",
            "tasks": f"{found.tasks}{known}",
            "batches": f"{shape.batches} of {shape.positions} positions, {shape.seats} seats each",
            "seats": found.seats,
            "labels": f"{found.labels}: {by_cohort}{by_one}",
            "audit": hidden if shape.audited else "none: every position is compared",
            "cost": f"{token.write(found.cost)}: {shape.batches} · ({token.write(amounts.bounty)} bounty"
            f" + {token.write(amounts.fee)} fee), {token.write(-(-found.cost // found.labels), 8)} a label",
            "comes back": "all of it if nobody enrolls;"
            f" {token.write(amounts.bounty // shape.seats)} for each seat that delivers nothing",
            "a seat": f"stakes {token.write(amounts.stake)}, wins at most {token.write(most.max_win)},"
            f" loses at most {token.write(most.max_loss)}",
            "a posting": f"needs a bond of {token.write(amounts.bond)}",
            "takes": f"at most {duration(longest)}",
            "gas": f"about {sum(found.gas.values()):,}: "
            + ", ".join(f"{name} {gas:,}" for name, gas in found.gas.items()),
        },
        title="Plan",
    )
    for warning in found.warnings:
        session.console.print(f"! {warning}", markup=False, style="yellow")


def _outlook_terms(settings: Settings, found: Plan) -> Terms:
    shape, amounts = found.shape, found.amounts
    return Terms(
        **vars(amounts),
        batch_size=shape.positions,
        cohort=shape.seats,
        metric=settings.question.metric,
        classes=settings.question.classes,
        batches=shape.batches,
        enroll_by=0,
        curve=settings.curve,
        weights=settings.weights,
        periods=settings.periods,
        manifest=bytes(32),
    )


# ── Looking ─────────────────────────────────────────────────────────────────────────────────────────────────


@campaign.command(name="list")
@click.option("--mine", is_flag=True, help="Only those of the chosen account.")
@pass_session
def list_(session: Session, mine: bool) -> None:
    """List the campaigns on the contract."""
    state, now = session.client.state(), session.now
    account = session.account.address if mine else None
    found = [each for each in state.campaigns.values() if account in (None, each.experimenter)]
    rows = [_list_row(session, each, now) for each in found]
    session.show(
        {"campaigns": [_members(each, now) for each in found]},
        lambda: session.table(
            ["campaign", "phase", "ends", "#seats", "#bounty", "#stake", "experimenter"], rows
        ),
    )


def _list_row(session: Session, found: Campaign, now: int) -> list[object]:
    life, token = found.life_at(now), session.token(found.terms.token)
    return [
        campaign_text(found.number),
        life.phase.title,
        until(life.deadline, now),
        f"{life.taken}/{life.batches * life.cohort}",
        token.write(found.terms.bounty),
        token.write(found.terms.stake),
        found.experimenter,
    ]


@campaign.command()
@WHICH
@pass_session
def show(session: Session, which: str) -> None:
    """Show a campaign: its terms, how far it is, and its batches."""
    found, now = _campaign(session, which), session.now
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
            "phase": f"{life.phase.title}, ends {until(life.deadline, now)}",
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
        lanes = found.scores(batch)
        posting = there.posting and found.postings[there.posting].settler
        revealed = sum(seat.revealed for seat in found.cohort(batch))
        scores = " ".join(map(_score_text, lanes)) if lanes else "–"
        rows.append([batch, f"{revealed}/{terms.cohort}", there.status.name.lower(), scores, posting or ""])
    if rows:
        session.table(["#batch", "#revealed", "status", "scores", "posted by"], rows)


def _score_text(score: int) -> str:
    from earnest.protocol.score import ABSENT, UNSCORED

    return {ABSENT: "absent", UNSCORED: "unscored"}.get(score, f"{score:+d}")


def _progress(life: Life) -> str:
    parts = [f"{life.taken} seats taken of {life.seats}"] if life.phase <= Phase.DRAWING else []
    if Phase.COMMITTING <= life.phase <= Phase.FINAL:
        parts = [f"{life.committed} of {life.seats} committed", f"{life.opened} opened"]
    if Phase.SETTLING <= life.phase <= Phase.FINAL:
        parts += [f"{life.scored} of {life.batches} batches scored", f"{life.released} released"]
    return ", ".join(parts) or "–"


@campaign.command()
@WHICH
@click.option("--once", is_flag=True, help="Look once.")
@POLLING
@pass_session
def watch(session: Session, which: str, once: bool, poll: float) -> None:
    """Show how a campaign goes on, until it is over."""
    number = _number(which)
    if not _exists(session, number):
        raise InputError(f"There is no campaign {campaign_text(number)} on this contract.")
    before: Life | None = None
    with session.console.status("") as status:
        while True:
            life, now = session.client.life(number), session.now
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


# ── Doing one thing ─────────────────────────────────────────────────────────────────────────────────────────


@campaign.command()
@WHICH
@YES
@pass_session
def disclose(session: Session, which: str, yes: bool) -> None:
    """Open the audit: show the key, so that gold and repeats count."""
    found, home = _campaign(session, which), _home(which)
    life = found.life_at(session.now)
    if found.audit_key is not None:
        session.show({"transactions": []}, lambda: session.say("The audit is open already."))
        return
    if not found.terms.audited:
        raise InputError("The campaign has no audit: there is nothing to disclose.")
    _need_phase(session, life, Phase.AUDITING)
    secret = home.secret() if home else None
    if secret is None:
        raise InputError("The audit's key is not here: name the folder that the campaign was created in.")
    session.confirm("Disclose the audit's key?", yes)
    _report(session, _do(session, found, Next(Step.DISCLOSE), (), secret.audit_key), "The audit is open.")


@campaign.command()
@WHICH
@MANIFEST_URI
@YES
@pass_session
def settle(session: Session, which: str, uri: str | None, yes: bool) -> None:
    """Post the scores of all open batches under one bond, and have false ones refereed."""
    found = _campaign(session, which)
    _need_phase(session, found.life_at(session.now), Phase.SETTLING)
    rows = _manifest(found, which, uri).audit_rows
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
        done += _do(session, found, what, rows)
        found = _campaign(session, which)
    final = max((found.final_at(batch) or 0 for batch in range(len(found.batches))), default=0)
    _report(session, done, f"All batches hold scores; the last are final {until(final, session.now)}.")


@campaign.command()
@WHICH
@YES
@pass_session
def release(session: Session, which: str, yes: bool) -> None:
    """Pay out the batches whose scores are final, and take one's own bonds back."""
    found, now = _campaign(session, which), session.now
    _need_phase(session, found.life_at(now), Phase.SETTLING)
    steps = [release_step(found, now), bond_step(found, now, session.account.address)]
    done: list[Sent] = []
    for what in filter(None, steps):
        session.confirm(f"{what.step.capitalize()} of {len(what.which)}?", yes)
        done += _do(session, found, what, ())
    found = _campaign(session, which)
    life = found.life_at(session.now)
    _report(session, done, f"{life.released} of {life.batches} batches are released.")


@campaign.command()
@WHICH
@YES
@pass_session
def refund(session: Session, which: str, yes: bool) -> None:
    """Give a cancelled campaign's bounties and stakes back."""
    found = _campaign(session, which)
    _need_phase(session, found.life_at(session.now), Phase.CANCELLED)
    what = refund_step(found)
    done: list[Sent] = []
    if what.step is Step.REFUND:
        session.confirm(f"Give back the bounties and {len(what.which)} stakes?", yes)
        done = _do(session, found, what, ())
    _report(session, done, "Everything is given back; `earnest campaign withdraw` takes it home.")


@campaign.command()
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


@campaign.command()
@WHICH
@TO
@MANIFEST_URI
@click.option("--formats", default=ALL_FORMATS, show_default=True, help="What the dataset is written as.")
@pass_session
def export(session: Session, which: str, to: Path | None, uri: str | None, formats: str) -> None:
    """Write the dataset, from the chain's records and the manifest alone."""
    found = _campaign(session, which)
    _need_phase(session, found.life_at(session.now), Phase.SETTLING)
    written = _export(found, which, to, uri, formats)
    session.show({"files": written}, lambda: session.say("\n".join(map(str, written))))


def _export(found: Campaign, which: str, to: Path | None, uri: str | None, formats: str) -> list[Path]:
    from earnest.experimenter.export import FORMATS
    from earnest.experimenter.export import export as write

    chosen = [name.strip() for name in formats.split(",") if name.strip()]
    for name in chosen:
        if name not in FORMATS:
            raise InputError(f"--formats has {name!r}; it can have {', '.join(FORMATS)}.")
    home = _home(which)
    folder = to or (home.path / "dataset" if home else Path(f"dataset-{campaign_text(found.number)[:10]}"))
    return write(found, _manifest(found, which, uri), folder, chosen)


# ── Doing everything ────────────────────────────────────────────────────────────────────────────────────────


@campaign.command()
@FILE
@FOLDER
@TO
@click.option("--formats", default=ALL_FORMATS, show_default=True, help="What the dataset is written as.")
@POLLING
@YES
@pass_session
def run(
    session: Session, file: Path, folder: Path | None, to: Path | None, formats: str, poll: float, yes: bool
) -> None:
    """Carry a campaign from file to dataset; can be stopped and started again at any point."""
    home = Folder(folder or file.with_suffix(""))
    with home.locked():
        record, _ = _create(session, file, home, yes)
        found = _carry(session, record, home, poll)
        if found.life_at(session.now).phase is Phase.CANCELLED:
            session.show(
                {"campaign": campaign_text(record.campaign), "phase": Phase.CANCELLED.title, "files": []},
                lambda: session.say("The campaign is cancelled and everything is given back."),
            )
            return
        written = _export(found, str(home.path), to, None, formats)
    session.show(
        {"campaign": campaign_text(record.campaign), "phase": "Final", "files": written},
        lambda: session.say("\n".join(map(str, written))),
    )


def _carry(session: Session, record: Record, home: Folder, poll: float) -> Campaign:
    """Do step after step until there is none left."""
    rows, secret = home.manifest().audit_rows, home.secret()
    said = ""
    while True:
        found = session.client.state().campaigns[record.campaign]
        now = session.now
        what = next_step(found, now, session.account.address, rows, secret is not None)
        if what.step is Step.DONE:
            return found
        done: Sequence[Sent] = ()
        if what.step is not Step.WAIT:
            done = _do(session, found, what, rows, secret.audit_key if secret else None)
        phase = found.life_at(now).phase.title
        about = f": {what.reason}, until {until(what.until or 0, now)}" if what.step is Step.WAIT else ""
        text = f"{phase}, {what.step}{about}"
        if (text if done else phase + what.reason) != said and (done or what.step is Step.WAIT):
            session.say(f"{clock(now, now)}  {text}" + "".join(f"  {each.transaction}" for each in done))
            said = text if done else phase + what.reason
        if not done:
            time.sleep(poll)


# ── Below ───────────────────────────────────────────────────────────────────────────────────────────────────


def _home(which: str) -> Folder | None:
    """The campaign's folder, when a folder (or the campaign file beside it) is named."""
    path = Path(which)
    if path.is_file():
        path = path.with_suffix("")
    return Folder(path) if path.is_dir() else None


def _number(which: str) -> int:
    home = _home(which)
    if home is not None:
        return home.needed_record().campaign
    if not which.startswith("0x"):
        raise InputError(f"{which} is no folder and no campaign; a campaign is 0x and 64 hexadecimal digits.")
    return int(CAMPAIGN.convert(which, None, None))


def _campaign(session: Session, which: str) -> Campaign:
    number = _number(which)
    home = _home(which)
    if home is not None:
        _check_chain(session, home.needed_record(), home)
    found = session.client.state().campaigns.get(number)
    if found is None:
        raise InputError(f"There is no campaign {campaign_text(number)} on this contract.")
    return found


def _manifest(found: Campaign, which: str, uri: str | None) -> Manifest:
    """The manifest from where it is published; the campaign's folder has it, too."""
    home = _home(which)
    if uri is None and home is not None and (home.path / MANIFEST).is_file():
        uri = str(home.path / MANIFEST)
    return fetch(uri or found.uri, found.terms.manifest)


def _do(
    session: Session, found: Campaign, what: Next, rows: Sequence[bytes], key: bytes | None = None
) -> list[Sent]:
    from earnest.experimenter.act import act

    return act(session.client, session.account, found, what, rows, key)


def _report(session: Session, done: Sequence[Sent], sentence: str) -> None:
    session.show(
        {"transactions": [each.transaction for each in done], "gas": sum(each.gas for each in done)},
        lambda: session.say(sentence),
    )


def _need_phase(session: Session, life: Life, phase: Phase) -> None:
    """Raise InputError unless the campaign is in this phase; in Settling, Final will do."""
    if life.phase is phase or (phase is Phase.SETTLING and life.phase is Phase.FINAL):
        return
    when = f", which ends {until(life.deadline, session.now)}" if life.deadline else ""
    over = life.phase > phase and phase is not Phase.CANCELLED
    needed = f"{phase.title} is over" if over else f"{phase.title} has not begun"
    raise InputError(f"{needed}: the campaign is {life.phase.title}{when}.")


