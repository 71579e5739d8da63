"""What commands that settle share: looking while nothing else is sent, and doing what is due."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from earnest.chain.confirmations import CONFIRMATIONS, is_devnet
from earnest.chain.errors import short_id
from earnest.chain.life import Phase
from earnest.chain.state import Campaign
from earnest.cli.errors import InputError
from earnest.cli.session import Session
from earnest.times import clock

if TYPE_CHECKING:
    from earnest.chain.client import Sent
    from earnest.chain.follow import Sight
    from earnest.settler.scores import Scorer
    from earnest.settler.steps import Action, Step


@contextmanager
def acting(session: Session) -> Iterator[Sight]:
    """A look while nothing else is sent for the account. Raises BusyError where something always is."""
    with session.alone():
        yield session.look()


def confirmations_of(session: Session) -> int:
    """After how many blocks the reveals are settled that scores hang on; on a devnet at once."""
    return 0 if is_devnet(session.client.web3) else CONFIRMATIONS


def gas_limit(session: Session) -> int:
    """How much gas a transaction may take at most."""
    from earnest.settler.steps import MOST_GAS

    return min(MOST_GAS, int(session.client.web3.eth.get_block("latest")["gasLimit"]))


def scorer_of(campaign: int, uri: str | None) -> Scorer:
    """What computes a campaign's scores, with the manifest at `uri` where that is given."""
    from earnest.settler.scores import Scorer

    return Scorer(uris={campaign: uri} if uri else {})


def right_words(scorer: Scorer, campaign: Campaign, sight: Sight) -> list[int]:
    """The right words of a campaign's batches. Raises InputError before Settling, SettlerError without the
    manifest of an audit.
    """
    life = campaign.life_at(sight.time)  # by a clock that is ahead, reveals could be missing
    if life.phase not in (Phase.SETTLING, Phase.FINAL):
        ends = f" until {clock(life.deadline, sight.now)}" if life.deadline else ""
        needs = "scores are computed from Settling on"
        raise InputError(f"Campaign {short_id(campaign.number)} is {life.phase.title}{ends}; {needs}.")
    return scorer.words(campaign, sight.forks)


def unsettled(session: Session, campaign: Campaign, sight: Sight) -> str | None:
    """Why scores should not be posted yet, in a sentence."""
    from earnest.settler.settled import settled

    confirmations = confirmations_of(session)
    if settled(session.client.web3, sight, [campaign.number], confirmations):
        return None
    return (
        f"Scores are posted once {confirmations} blocks follow the last that they hang on, as a"
        " reorganisation could still make them false and take the bond: try again in some minutes."
    )


def carry_out(
    session: Session,
    number: int,
    steps: frozenset[Step],
    ask: Callable[[Session, Campaign, Sequence[Action]], str],
    yes: bool,
    scorer: Scorer,
) -> list[Sent]:
    """Do which of `steps` are due in a campaign, and what becomes due by it, after having asked.

    Bonds are taken from the wallet where the free balance does not do. Raises InputError, ChainError.
    """
    from earnest.chain.wallet import lacking, spendable
    from earnest.settler.steps import Me, Options, Step, due

    done: list[Sent] = []
    options = Options(steps=steps, campaigns=frozenset({number}), gas=gas_limit(session))
    with acting(session) as sight:
        while True:
            campaign = sight.state.campaigns[number]
            terms, address = campaign.terms, session.account.address
            right = _needed(scorer, campaign, sight, steps)
            me = Me(address, {terms.token: spendable(session.client, address, terms.token)})
            actions = due(sight.state, sight.now, me, options, right)
            if any(action.step is Step.POST for action in actions) and (
                why := unsettled(session, campaign, sight)
            ):
                actions = [action for action in actions if action.step is not Step.POST]
                if not actions:
                    raise InputError(why)
            if not actions:
                missing = lacking(session.client, address, terms.token, terms.bond)
                if right and missing and _to_post(campaign, steps):
                    bond, more = (session.token(terms.token).write(each) for each in (terms.bond, missing))
                    raise InputError(f"The bond of a posting is {bond}: {more} more is needed.")
                return done
            session.confirm(ask(session, campaign, actions), yes)
            fresh = _all(session, campaign, actions, scorer)
            if not fresh:
                return done
            done += fresh
            sight = session.look()


def _needed(
    scorer: Scorer, campaign: Campaign, sight: Sight, steps: frozenset[Step]
) -> dict[int, Sequence[int]]:
    from earnest.settler.scores import needs_scores
    from earnest.settler.steps import Step

    if not steps & {Step.POST, Step.REFEREE} or not needs_scores(campaign, sight.time):
        return {}
    return {campaign.number: scorer.words(campaign, sight.forks)}


def _to_post(campaign: Campaign, steps: frozenset[Step]) -> bool:
    from earnest.chain.settle import open_batches
    from earnest.settler.steps import Step

    return Step.POST in steps and bool(open_batches(campaign))


def _all(session: Session, campaign: Campaign, actions: Sequence[Action], scorer: Scorer) -> list[Sent]:
    """Do actions one after another; what somebody else has done meanwhile is passed over."""
    from earnest.chain.errors import ChainError
    from earnest.settler.act import act, is_passing
    from earnest.settler.steps import Step

    done: list[Sent] = []
    for action in actions:
        rows = scorer.rows(campaign) if action.step is Step.REFEREE else ()
        try:
            done += act(session.client, session.account, campaign, action, rows)
        except ChainError as error:
            if not is_passing(error):
                raise
    return done
