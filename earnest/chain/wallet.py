"""A wallet's own money, outside the vault, and what it has sent that is not mined yet."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from earnest.chain.errors import ChainError, TokenError
from earnest.chain.records import Deposited
from earnest.protocol.terms import ZERO_ADDRESS

if TYPE_CHECKING:
    from ape.api import AccountAPI

    from earnest.chain.client import Client, Sent

# What the gas of one transaction may cost is kept back of ether that is deposited.
GAS_KEPT: Final = 1 << 24
DEPOSITS: Final = 3
PENDING_LIMIT: Final = 60.0
PENDING_POLL: Final = 0.5


def spendable(client: Client, account: str, token: str) -> int:
    """What an account could deposit of a token, in its smallest units; of ether not what gas takes."""
    held = client.wallet_of(account, token)
    return held if token != ZERO_ADDRESS else max(0, held - GAS_KEPT * int(client.web3.eth.gas_price))


def lacking(client: Client, account: str, token: str, needed: int) -> int:
    """What an account lacks for a free balance of `needed`, counting what its wallet holds."""
    missing = needed - client.balance_of(account, token)
    return max(0, missing - client.wallet_of(account, token)) if missing > 0 else 0


def deposit(client: Client, account: AccountAPI, token: str, amount: int, owner: str) -> list[Sent]:
    """Put an amount of a token into `owner`'s free balance; the transactions, the deposit last."""
    sent = []
    if token != ZERO_ADDRESS and (left := client.allowance_of(account.address, token)) < amount:
        # Some tokens, Tether's for one, refuse another allowance before what is left of one is taken back.
        steps = [0, amount] if left else [amount]
        sent = [client.approve(token, allowed, sender=account) for allowed in steps]
    return [*sent, client.deposit(token, amount, sender=account, account=owner)]


def fund(client: Client, account: AccountAPI, token: str, needed: int) -> list[Sent]:
    """Deposit what is missing for a free balance of `needed` (the token's smallest units).

    Raises ChainError when the account does not have it, with how much more is needed; nothing is sent then.
    Raises TokenError when a token took the gas and credited little or nothing.
    """
    free = client.balance_of(account.address, token)
    missing = needed - free
    if missing <= 0:
        return []
    held = client.wallet_of(account.address, token)
    if held < missing:
        write = client.token(token).write
        gas = ", and something for gas" if token == ZERO_ADDRESS else ""
        raise ChainError(
            f"{account.address} has {write(held)}, and {write(free)} free in the vault; {write(needed)} is"
            f" needed: {write(missing - held)} more{gas}."
        )
    if token == ZERO_ADDRESS:
        return deposit(client, account, token, missing, account.address)
    try:
        return _deposit_tokens(client, account, token, missing)
    except ChainError as error:
        if error.transaction is None:
            raise
        raise TokenError(str(error), error.refusal, error.transaction) from error


def _deposit_tokens(client: Client, account: AccountAPI, token: str, missing: int) -> list[Sent]:
    """Deposit until `missing` is credited: a token may take a fee on the way, at most half of it."""
    sent: list[Sent] = []
    amount = missing
    for _ in range(DEPOSITS):
        sent += deposit(client, account, token, amount, account.address)
        credited = sum(each.amount for each in sent[-1].all(Deposited))
        missing -= credited
        if missing <= 0:
            return sent
        if 2 * credited < amount:
            break
        amount = -(-missing * amount // credited)
    raise TokenError(
        f"{token} credited {credited} units of the {amount} that were deposited: {missing} are"
        " missing still, and what was credited can be withdrawn."
    )


def under_way(client: Client, account: str) -> int | None:
    """The nonce of a transaction of an account's that is sent and not mined; None when there is none."""
    address = client.web3.to_checksum_address(account)
    count = client.web3.eth.get_transaction_count
    mined, sent = (int(count(address, tag)) for tag in ("latest", "pending"))
    return mined if sent > mined else None


def wait_for_pending(
    client: Client, account: str, limit: float = PENDING_LIMIT, waiting: Callable[[], None] | None = None
) -> bool:
    """Wait until the node has no transaction of an account pending, so that the chain tells all of it.

    `waiting` is called once if it takes a while. False when one still was after `limit` seconds.
    """
    deadline = time.monotonic() + limit
    told = False
    while under_way(client, account) is not None:
        if time.monotonic() >= deadline:
            return False
        if waiting is not None and not told:
            waiting()
            told = True
        time.sleep(PENDING_POLL)
    return True
