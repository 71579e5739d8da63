"""`earnest settle post`, `referee` and `release`: one thing at a time, by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from earnest.chain.settle import Enciphered, false_batches, open_batches
from earnest.chain.state import Campaign
from earnest.cli.errors import InputError
from earnest.cli.groups import MANIFEST, YES, Command
from earnest.cli.session import Session, pass_session
from earnest.cli.settling import (
    acting,
    do_all,
    gas_limit,
    is_settled,
    right_words,
    scorer_of,
    told_of,
    unsettled,
)
from earnest.times import clock

if TYPE_CHECKING:
    from earnest.chain.sending import Sent
    from earnest.settler.steps import Step

CAMPAIGN = click.argument("which", metavar="CAMPAIGN")
BATCHES = click.option("--batch", "batches", type=int, multiple=True, help="Only this batch; several times.")
DEPOSIT = click.option(
    "--deposit", is_flag=True, help="Take what a bond lacks from the wallet, not from the free balance alone."
)


@click.command(cls=Command)
@CAMPAIGN
@BATCHES
@MANIFEST
@DEPOSIT
@YES
@pass_session
def post(
    session: Session, which: str, batches: Sequence[int], uri: str | None, deposit: bool, yes: bool
) -> None:
    """Post the scores of the batches that have none, under a bond for each transaction."""
    from earnest.settler.steps import Step, portions

    done: list[Sent] = []
    with told_of(session, done), acting(session, which) as (sight, campaign):
        right = right_words(scorer_of(campaign.number, uri), campaign, sight)
        todo = _chosen(campaign, batches, open_batches(campaign), "holds scores already")
        if todo and not is_settled(session, campaign, sight):
            raise unsettled(session)
        bond, token = campaign.terms.bond, session.token(campaign.terms.token)
        some = portions(Step.POST, campaign.terms, todo, gas_limit(session))
        free = session.client.balance_of(session.account.address, campaign.terms.token)
        if not deposit and free < bond * len(some):
            raise InputError(
                f"{token.write(bond * len(some))} is needed for {len(some)} bonds and {token.write(free)} is"
                f" free: {token.write(bond * len(some) - free)} more is needed; --deposit takes it."
            )
        if todo:
            session.confirm(f"Post {len(todo)} batches under {len(some)} bonds of {token.write(bond)}?", yes)
        words = [tuple(right[batch] for batch in each) for each in some]
        _do(session, campaign, Step.POST, some, done, words=words)
    session.done(done, f"{len(todo)} batches are posted.")


@click.command(cls=Command)
@CAMPAIGN
@BATCHES
@MANIFEST
@YES
@pass_session
def referee(session: Session, which: str, batches: Sequence[int], uri: str | None, yes: bool) -> None:
    """Have the chain compute batches: the false ones, or those named, which need no posting and no bond."""
    from earnest.settler.steps import Action, Step, to_referee

    done: list[Sent] = []
    with told_of(session, done), acting(session, which) as (sight, campaign):
        moment, scorer = sight.now, scorer_of(campaign.number, uri)
        right = right_words(scorer, campaign, sight)
        possible = [
            batch
            for batch in range(len(campaign.batches))
            if campaign.final_at(batch) is None or (campaign.final_at(batch) or 0) > moment
        ]
        todo = to_referee(campaign, moment, right)
        if batches:
            todo = _chosen(campaign, batches, possible, "has final scores")
        if todo:
            question = f"Have batches {', '.join(map(str, todo))} refereed?"
            if not batches and len(todo) > 1:
                question = (
                    f"Have one of the false batches {', '.join(map(str, todo))} of each posting refereed?"
                )
            session.confirm(question, yes)
        if batches:
            _do(session, campaign, Step.REFEREE, [(each,) for each in todo], done, scorer.rows(campaign))
        else:
            actions = [Action(Step.REFEREE, campaign.number, (each,)) for each in todo]
            do_all(session, sight, actions, scorer, done)
    session.done(done, f"{len(done)} batches are refereed." if todo else _none_false(campaign, right))


def _none_false(campaign: Campaign, right: Sequence[int]) -> str:
    """That there is nothing to referee, or no more."""
    late = [campaign.final_at(batch) or 0 for batch in false_batches(campaign, right)]
    if not late:
        return "No batch is false."
    return f"{len(late)} batches are false, but final since {clock(max(late))}: they stay as they are."


@click.command(cls=Command)
@CAMPAIGN
@BATCHES
@YES
@pass_session
def release(session: Session, which: str, batches: Sequence[int], yes: bool) -> None:
    """Pay out the batches whose scores are final, and take one's own bonds back."""
    from earnest.settler.steps import Me, Options, Step, due, portions, to_release

    done: list[Sent] = []
    with told_of(session, done), acting(session, which) as (sight, campaign):
        moment = sight.now
        todo = _chosen(campaign, batches, to_release(campaign, moment), "is not final, or paid out")
        if todo:
            session.confirm(f"Pay out {len(todo)} batches?", yes)
        some = portions(Step.RELEASE, campaign.terms, todo, gas_limit(session))
        _do(session, campaign, Step.RELEASE, some, done)
        only = Options(steps=frozenset({Step.RETURN_BOND}), campaigns=frozenset({campaign.number}))
        bonds = [each.which for each in due(sight.state, moment, Me(session.account.address), only, {})]
        _do(session, campaign, Step.RETURN_BOND, bonds, done)
    session.done(done, f"{len(todo)} batches are paid out, {len(bonds)} bonds are back.")


def _chosen(campaign: Campaign, named: Sequence[int], possible: Sequence[int], otherwise: str) -> list[int]:
    """The batches named, all of which must be possible; all possible ones when none is named."""
    for batch in named:
        if not 0 <= batch < len(campaign.batches):
            most = len(campaign.batches) - 1
            raise InputError(f"There is no batch {batch}; it must be 0 to {most}.")
        if batch not in possible:
            raise InputError(f"Batch {batch} {otherwise}.")
    return sorted(set(named)) if named else list(possible)


def _do(
    session: Session,
    campaign: Campaign,
    step: Step,
    which: Sequence[tuple[int, ...]],
    done: list[Sent],
    rows: Enciphered = (),
    words: Sequence[tuple[int, ...]] | None = None,
) -> None:
    """Do a step for each of `which`, adding the transactions to `done`."""
    from earnest.settler.act import act
    from earnest.settler.steps import Action

    for some, scores in zip(which, words or [()] * len(which), strict=True):
        action = Action(step, campaign.number, some, scores)
        done += act(session.client, session.account, campaign, action, rows)
