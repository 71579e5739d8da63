"""Doing what `steps` decided, through the chain client; once more after an interruption does no harm."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from earnest.chain import settle
from earnest.chain.errors import ChainError
from earnest.chain.state import Campaign
from earnest.chain.wallet import fund
from earnest.experimenter.steps import Next, Step

if TYPE_CHECKING:
    from ape.api import AccountAPI

    from earnest.chain.client import Client, Sent

# What fits into one transaction with room to spare, for the largest cohorts.
POST_AT_ONCE: Final = 200
RELEASE_AT_ONCE: Final = 10
REFUND_AT_ONCE: Final = 200

# Refusals that mean: somebody else was quicker, or it is too early; look again.
PASSING: Final = frozenset(
    {
        "DrawAlreadyRequested",
        "NothingToPost",
        "ScoresFinal",
        "WrongPhase",
        "NotFinal",
        "BondNotDue",
    }
)
PENDING_DRAW: Final = 0


def act(
    client: Client,
    account: AccountAPI,
    campaign: Campaign,
    what: Next,
    rows: Sequence[bytes],
    audit_key: bytes | None,
) -> list[Sent]:
    """Do one step; the transactions that it took. None of them when somebody else has done it meanwhile.

    Raises ChainError or ExperimenterError when it cannot be done.
    """
    done: list[Sent] = []
    for call in _calls(client, account, campaign, what, rows, audit_key):
        try:
            done += call()
        except ChainError as error:
            if not _passes(error):
                raise
            break
    return done


def _passes(error: ChainError) -> bool:
    return error.refusal is not None and error.refusal.name in PASSING


def _calls(
    client: Client,
    account: AccountAPI,
    campaign: Campaign,
    what: Next,
    rows: Sequence[bytes],
    audit_key: bytes | None,
) -> Iterator[Callable[[], list[Sent]]]:
    number, token = campaign.number, campaign.terms.token

    def one(method: Callable[..., Sent], *arguments: object) -> Callable[[], list[Sent]]:
        return lambda: [method(number, *arguments, sender=account)]

    match what.step:
        case Step.REQUEST_DRAW:
            yield one(client.request_draw)
        case Step.DRAW:
            yield lambda: _draw(client, account, number)
        case Step.DISCLOSE:
            yield one(client.disclose, audit_key)
        case Step.POST:
            words = dict(zip(what.which, what.words, strict=True))
            for some in _portions(what.which, POST_AT_ONCE):
                yield lambda: fund(client, account, token, campaign.terms.bond)
                yield one(client.post, some, [words[batch] for batch in some])
        case Step.REFEREE:
            for batch in what.which:
                yield one(client.referee, batch, settle.refereeing(campaign, batch, rows))
        case Step.RELEASE:
            for some in _portions(what.which, RELEASE_AT_ONCE):
                yield one(client.release, some)
        case Step.RETURN_BOND:
            for posting in what.which:
                yield one(client.return_bond, posting)
        case Step.REFUND:
            for some in _portions(what.which, REFUND_AT_ONCE) or [()]:
                yield one(client.refund, some)


def _draw(client: Client, account: AccountAPI, number: int) -> list[Sent]:
    """Draw; ask again where the outcome has expired; nothing while it is pending."""
    try:
        return [client.draw(number, sender=account)]
    except ChainError as error:
        if error.refusal is None or error.refusal.name != "DrawNotReady":
            raise
        if error.refusal.values.get("status") == PENDING_DRAW:
            return []
        return [client.request_draw(number, sender=account)]


def _portions(which: Sequence[int], size: int) -> list[tuple[int, ...]]:
    return [tuple(which[at : at + size]) for at in range(0, len(which), size)]
