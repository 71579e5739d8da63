"""Doing what `steps` decided, through the chain client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from earnest.chain import settle
from earnest.chain.doubts import check_records
from earnest.chain.errors import ChainError, RecordsError
from earnest.chain.life import DrawStatus
from earnest.chain.state import Campaign
from earnest.chain.wallet import fund
from earnest.settler.steps import Action, Step

if TYPE_CHECKING:
    from ape.api import AccountAPI

    from earnest.chain.client import Client
    from earnest.chain.sending import Sent

# Refusals that mean: somebody else was faster, or it is a little early.
PASSING: Final = frozenset(
    {"BondNotDue", "DrawAlreadyRequested", "NothingToPost", "NotFinal", "ScoresFinal", "WrongPhase"}
)
# Refusals of what comes of records that lack something.
MISREAD: Final = frozenset({"LengthMismatch", "WrongAuditRow", "WrongLabels"})


def act(
    client: Client, account: AccountAPI, campaign: Campaign, action: Action, rows: settle.Enciphered = ()
) -> list[Sent]:
    """Do one action; the transactions that it took, none while the outcome of a draw is awaited.

    `rows` are the campaign's audit rows, for refereeing. Raises ChainError when it is refused, or a bond
    cannot be paid; RecordsError when what was read of the campaign is not what the contract holds.
    """
    number, terms = campaign.number, campaign.terms
    match action.step:
        case Step.REFEREE:
            (batch,) = action.which
            return [_referee(client, account, campaign, batch, rows)]
        case Step.REQUEST_DRAW:
            return [client.request_draw(number, sender=account)]
        case Step.DRAW:
            return _draw(client, account, number)
        case Step.POST:
            check_records(client, campaign)
            sent = fund(client, account, terms.token, terms.bond)
            return [*sent, client.post(number, action.which, action.words, sender=account)]
        case Step.RELEASE:
            return [client.release(number, action.which, sender=account)]
        case Step.RETURN_BOND:
            return [client.return_bond(number, posting, sender=account) for posting in action.which]
        case Step.REFUND:
            return [client.refund(number, action.which, sender=account)]


def is_passing(error: Exception) -> bool:
    """Whether an action failed only because somebody else was faster, or it came a little early."""
    return isinstance(error, ChainError) and error.refusal is not None and error.refusal.name in PASSING


def _referee(
    client: Client, account: AccountAPI, campaign: Campaign, batch: int, rows: settle.Enciphered
) -> Sent:
    case = settle.refereeing(campaign, batch, rows)
    try:
        return client.referee(campaign.number, batch, case, sender=account)
    except ChainError as error:
        if error.refusal is None or error.refusal.name not in MISREAD:
            raise
        sentence = f"{error} What was read of the campaign is not what the contract holds."
        raise RecordsError(sentence, error.refusal, error.transaction) from error


def _draw(client: Client, account: AccountAPI, number: int) -> list[Sent]:
    """Draw; nothing while the outcome is pending; ask again where it has expired."""
    try:
        return [client.draw(number, sender=account)]
    except ChainError as error:
        if error.refusal is None or error.refusal.name != "DrawNotReady":
            raise
        if error.refusal.values.get("status") == DrawStatus.EXPIRED:
            return [client.request_draw(number, sender=account)]
        return []
