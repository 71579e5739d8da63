"""`earnest campaign plan`: what a campaign file takes and costs, before anything is signed."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Context, Decimal
from pathlib import Path
from typing import Any, Final

import click

from earnest.chain.money import ETHER, Token
from earnest.cli.groups import Command
from earnest.cli.session import Session, pass_session
from earnest.experimenter.plan import Plan, make_plan
from earnest.experimenter.settings import Settings, read_settings
from earnest.protocol.settlement import outlook
from earnest.protocol.terms import ZERO_ADDRESS
from earnest.tasks.columns import TaskFile, read_tasks
from earnest.times import duration

FILE = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
_PRICE: Final = Context(prec=4)  # of a label; nobody asks for more digits


@dataclass(frozen=True)
class Draft:
    """A campaign file, its tasks, and what they take."""

    settings: Settings
    tasks: TaskFile
    plan: Plan


@click.command(cls=Command)
@FILE
@pass_session
def plan(session: Session, file: Path) -> None:
    """Show what a campaign file takes and costs. Signs nothing; needs no network when paying in ether."""
    draft = read_plan(session, file)
    token = token_of(session, draft.settings)
    session.show(_plan_members(draft), lambda: show_plan(session, draft, token))


def read_plan(session: Session, file: Path) -> Draft:
    """The draft of a campaign file. Raises ExperimenterError, TaskError or TermsError."""
    settings = read_settings(file)
    tasks = read_tasks(settings.tasks, settings.question, settings.columns)
    return Draft(settings, tasks, make_plan(settings, tasks, token_of(session, settings)))


def token_of(session: Session, settings: Settings) -> Token:
    """What a campaign pays in; ether needs no connection."""
    return ETHER if settings.money.token == ZERO_ADDRESS else session.token(settings.money.token)


def _plan_members(draft: Draft) -> dict[str, Any]:
    found, shape, terms = draft.plan, draft.plan.shape, draft.plan.terms
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
        "token": terms.token,
        "amounts": {name: getattr(terms, name) for name in ("bounty", "stake", "fee", "bond")},
        "cost": found.cost,
        "largest_refund": found.cost,
        "postings": found.postings,
        "gas": dict(found.gas),
        "warnings": list(found.warnings),
    }


def show_plan(session: Session, draft: Draft, token: Token) -> None:
    """For people, with what is risky about it."""
    question, found = draft.settings.question, draft.plan
    shape, terms = found.shape, found.terms
    most = outlook(terms)
    longest = draft.settings.enroll + sum(vars(terms.periods).values())
    longest -= 0 if shape.audited else terms.periods.audit
    by_cohort = f"{found.cohort_tasks} tasks by all {shape.seats} seats of a cohort"
    known = f", {found.gold_known} with a known answer" if found.gold_known else ""
    by_one = f", {found.single_tasks} by one seat" if shape.single else ""
    hidden = f"{shape.shared} positions are compared, {shape.gold} gold, {shape.repeats} repeats, a batch"
    label = _PRICE.divide(Decimal(found.cost), found.labels).scaleb(-token.decimals)
    bonds = f"{found.postings} postings, each under a bond" if found.postings > 1 else "a bond"
    session.members(
        {
            "question": question.text,
            "answers": f"{question.kind}: {', '.join(question.options)}",
            "tasks": f"{found.tasks}{known}",
            "batches": f"{shape.batches} of {shape.positions} positions, {shape.seats} seats each",
            "seats": found.seats,
            "labels": f"{found.labels}: {by_cohort}{by_one}",
            "audit": hidden if shape.audited else "none: every position is compared",
            "cost": f"{token.write(found.cost)}: {shape.batches} · ({token.write(terms.bounty)} bounty"
            f" + {token.write(terms.fee)} fee), about {label:f} {token.symbol} a label",
            "comes back": f"all of it if fewer than {shape.seats} seats are taken;"
            f" {token.write(terms.bounty // shape.seats)} for each seat that delivers nothing",
            "a seat": f"stakes {token.write(terms.stake)}, wins at most {token.write(most.max_win)},"
            f" loses at most {token.write(most.max_loss)}",
            "settling": f"takes {bonds} of {token.write(terms.bond)}",
            "takes": f"at most {duration(longest, parts=4)}, and longer as long as nobody posts the scores",
            "gas": f"about {sum(found.gas.values()):,}: "
            + ", ".join(f"{name} {gas:,}" for name, gas in found.gas.items()),
        },
        title="Plan",
    )
    for warning in found.warnings:
        session.console.print(f"! {warning}", markup=False, style="yellow")
