"""`earnest campaign plan`: what a campaign file takes and costs, before anything is signed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from earnest.chain.money import ETHER, Token
from earnest.cli.groups import Command
from earnest.cli.session import Session, pass_session
from earnest.experimenter.plan import Plan, make_plan
from earnest.experimenter.settings import Settings, read_settings
from earnest.protocol.settlement import outlook
from earnest.protocol.terms import ZERO_ADDRESS, Terms
from earnest.tasks.columns import TaskFile, read_tasks
from earnest.times import duration

FILE = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))


@click.command(cls=Command)
@FILE
@pass_session
def plan(session: Session, file: Path) -> None:
    """Show what a campaign file takes and costs. Signs nothing; needs no network when paying in ether."""
    settings, _, found = read_plan(session, file)
    token = token_of(session, settings)
    session.show(_plan_members(settings, found), lambda: show_plan(session, settings, found, token))


def read_plan(session: Session, file: Path) -> tuple[Settings, TaskFile, Plan]:
    """A campaign file, its tasks, and what they take. Raises ExperimenterError or TaskError."""
    settings = read_settings(file)
    tasks = read_tasks(settings.tasks, settings.question, settings.columns)
    return settings, tasks, make_plan(settings, tasks, token_of(session, settings))


def token_of(session: Session, settings: Settings) -> Token:
    """What a campaign pays in; ether needs no connection."""
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


def show_plan(session: Session, settings: Settings, found: Plan, token: Token) -> None:
    """For people, with what is risky about it."""
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
