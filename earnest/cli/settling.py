"""What commands that settle share: looking while nothing else is sent, and doing what is due."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from earnest.chain.confirmations import CONFIRMATIONS, is_devnet
from earnest.chain.errors import RecordsError, short_id
from earnest.chain.gas import MOST_GAS
from earnest.chain.life import Phase
from earnest.chain.state import Campaign
from earnest.cli.errors import InputError
from earnest.cli.session import Session
from earnest.cli.text import campaign_text, known_campaign
from earnest.protocol.terms import ZERO_ADDRESS
from earnest.times import clock

if TYPE_CHECKING:
    from earnest.chain.follow import Sight
    from earnest.chain.sending import Sent
    from earnest.settler.scores import Scorer
    from earnest.settler.steps import Action, Step


def sight_of(session: Session, which: str) -> tuple[Sight, Campaign]:
    """A look, and a campaign whose records are in it what the contract holds; if need be they are read again.

    Raises InputError when there is none such, RecordsError when the node still leaves something out.
    """
    from earnest.chain.doubts import doubts

    for last in (False, True):
        sight = session.look()
        campaign = known_campaign(which, sight.state.campaigns)
        doubt = doubts(session.client, sight, [campaign.number]).get(campaign.number)
        if doubt is None:
            break
        if last:
            raise RecordsError(doubt)
        session.follower.forget(campaign.created.block)
    return sight, campaign


@contextmanager
def acting(session: Session, which: str) -> Iterator[tuple[Sight, Campaign]]:
    """`sight_of` while nothing else is sent for the account. Raises BusyError where something always is."""
    with session.alone():
        yield sight_of(session, which)


def confirmations_of(session: Session) -> int:
    """After how many blocks the reveals are settled that scores hang on; on a devnet at once."""
    return 0 if is_devnet(session.client.web3) else CONFIRMATIONS


def gas_limit(session: Session) -> int:
    """How much gas a transaction may take at most."""
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


def is_settled(session: Session, campaign: Campaign, sight: Sight) -> bool:
    """Whether no likely reorganisation changes a campaign's scores any more."""
    from earnest.settler.settled import settled

    return bool(settled(session.client.web3, sight, [campaign.number], confirmations_of(session)))


def unsettled(session: Session) -> InputError:
    """Why scores are not posted yet."""
    return InputError(
        f"Scores are posted once {confirmations_of(session)} blocks follow the last that they hang on, as a"
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

    Bonds are taken from the wallet where the free balance does not do. Raises InputError, ChainError; what
    was sent before is told then.
    """
    done: list[Sent] = []
    with told_of(session, done), session.alone():
        while _carry_on(session, number, steps, ask, yes, scorer, done):
            pass
    return done


@contextmanager
def told_of(session: Session, done: Sequence[Sent]) -> Iterator[None]:
    """Say what was sent when something that comes after it fails."""
    try:
        yield
    except Exception:
        if done:
            session.done(done, f"{len(done)} transactions went through; the rest could not be done:")
        raise


def _carry_on(
    session: Session,
    number: int,
    steps: frozenset[Step],
    ask: Callable[[Session, Campaign, Sequence[Action]], str],
    yes: bool,
    scorer: Scorer,
    done: list[Sent],
) -> bool:
    """Do what is due by one look; whether something was."""
    from earnest.chain.wallet import spendable
    from earnest.settler.scores import needs_scores
    from earnest.settler.steps import Me, Options, Step, due, lacking

    sight, campaign = sight_of(session, campaign_text(number))
    address, token = session.account.address, campaign.terms.token
    options = Options(steps=steps, campaigns=frozenset({number}), gas=gas_limit(session))
    right = {}
    if steps & {Step.POST, Step.REFEREE} and needs_scores(campaign, sight.time):
        right = {number: scorer.words(campaign, sight.forks)}
    me = Me(address)
    if lacking(sight.state, sight.now, me, options, right):
        me = Me(address, {token: spendable(session.client, address, token)})
    ready = {number} if right and is_settled(session, campaign, sight) else set()
    actions = due(sight.state, sight.now, me, options, right, ready)
    if not actions:
        missing = lacking(sight.state, sight.now, me, options, right)
        if missing:
            bond, more = (session.token(token).write(each) for each in (campaign.terms.bond, missing[number]))
            beside = " beside what gas may take" if token == ZERO_ADDRESS else ""
            raise InputError(f"The bond of a posting is {bond}: {more} more is needed{beside}.")
        if not ready and due(sight.state, sight.now, me, options, right):
            raise unsettled(session)
        return False
    session.confirm(ask(session, campaign, actions), yes)
    before = len(done)
    do_all(session, sight, actions, scorer, done)
    return len(done) > before


def do_all(
    session: Session, sight: Sight, actions: Sequence[Action], scorer: Scorer, done: list[Sent]
) -> None:
    """Do actions one after another, adding their transactions to `done`.

    What somebody else has done meanwhile is passed over, and so are further false batches of a posting that
    one was refereed of: they are there in case that it cannot be. Raises ChainError when none could.
    """
    from earnest.chain.errors import ChainError, SentError
    from earnest.settler.act import act, is_passing
    from earnest.settler.steps import Step, posting_of

    shown: set[tuple[int, int]] = set()
    failed: dict[tuple[int, int], ChainError] = {}
    for action in actions:
        posting, campaign = posting_of(sight.state, action), sight.state.campaigns[action.campaign]
        if posting in shown:
            continue
        rows = scorer.rows(campaign) if action.step is Step.REFEREE else ()
        try:
            done += act(session.client, session.account, campaign, action, rows)
        except ChainError as error:
            if is_passing(error):
                continue
            if posting is None or isinstance(error, SentError):
                raise
            failed[posting] = error
        else:
            if posting is not None:
                shown.add(posting)
    for posting, failure in failed.items():
        if posting not in shown:
            raise failure
