"""Doing what `steps` decided, through the chain client."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from eth_utils.address import to_canonical_address, to_checksum_address
from eth_utils.crypto import keccak
from web3.exceptions import Web3Exception

from earnest.chain import settle
from earnest.chain.errors import ChainError
from earnest.chain.state import Campaign
from earnest.experimenter.act import fund
from earnest.protocol.terms import ZERO_ADDRESS
from earnest.settler.steps import MOST_GAS, Action, Step

if TYPE_CHECKING:
    from ape.api import AccountAPI

    from earnest.chain.client import Client, Sent

# Refusals that mean: somebody else was faster, or it is a little early.
PASSING: Final = frozenset(
    {"BondNotDue", "DrawAlreadyRequested", "NothingToPost", "NotFinal", "ScoresFinal", "WrongPhase"}
)
EXPIRED: Final = 2

_BALANCE_OF: Final = keccak(text="balanceOf(address)")[:4]


def act(
    client: Client, account: AccountAPI, campaign: Campaign, action: Action, rows: Sequence[bytes]
) -> list[Sent]:
    """Do one action; the transactions that it took, none while the outcome of a draw is awaited.

    `rows` are the campaign's audit rows, for refereeing. Raises ChainError when it is refused,
    ExperimenterError when a bond cannot be paid.
    """
    number, terms = campaign.number, campaign.terms
    match action.step:
        case Step.REFEREE:
            (batch,) = action.which
            case = settle.refereeing(campaign, batch, rows)
            return [client.referee(number, batch, case, sender=account)]
        case Step.REQUEST_DRAW:
            return [client.request_draw(number, sender=account)]
        case Step.DRAW:
            return _draw(client, account, number)
        case Step.POST:
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


def wallet(client: Client, account: AccountAPI, token: str) -> int:
    """What an account could deposit of a token, in its smallest units; of ether not what gas takes."""
    if token == ZERO_ADDRESS:
        return max(0, int(account.balance) - MOST_GAS * int(client.web3.eth.gas_price))
    data = _BALANCE_OF + to_canonical_address(account.address).rjust(32, b"\0")
    try:
        answer = client.web3.eth.call({"to": to_checksum_address(token), "data": "0x" + data.hex()})  # type: ignore[typeddict-item]
    except (Web3Exception, ValueError):
        return 0  # no token that could be deposited
    return int.from_bytes(bytes(answer)[:32], "big")


def under_way(client: Client, address: str) -> int | None:
    """The nonce of a transaction of the account's that is sent and not mined; None when there is none."""
    count = client.web3.eth.get_transaction_count
    mined, sent = (count(to_checksum_address(address), tag) for tag in ("latest", "pending"))
    return int(mined) if sent > mined else None


def _draw(client: Client, account: AccountAPI, number: int) -> list[Sent]:
    """Draw; nothing while the outcome is pending; ask again where it has expired."""
    try:
        return [client.draw(number, sender=account)]
    except ChainError as error:
        if error.refusal is None or error.refusal.name != "DrawNotReady":
            raise
        if error.refusal.values.get("status") == EXPIRED:
            return [client.request_draw(number, sender=account)]
        return []
