"""A wallet's own money, outside the vault, and sending from it: one process, and one thing, at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from earnest.chain.errors import BusyError, ChainError, SentError, TokenError
from earnest.chain.records import Deposited
from earnest.files import data_folder, locked
from earnest.protocol.terms import ZERO_ADDRESS

if TYPE_CHECKING:
    from ape.api import AccountAPI
    from web3 import Web3

    from earnest.chain.client import Client
    from earnest.chain.sending import Sent

# What the gas of one transaction may cost is kept back of ether that is deposited.
GAS_KEPT: Final = 1 << 24
DEPOSITS: Final = 3
PATIENCE: Final = 120.0  # seconds that one process of an account waits for another
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
    """Put an amount of a token into `owner`'s free balance; the transactions, the deposit last.

    Raises TokenError when a token took the gas of an allowance and then refuses.
    """
    sent: list[Sent] = []
    if token != ZERO_ADDRESS and (left := client.allowance_of(account.address, token)) < amount:
        # Some tokens, Tether's for one, refuse another allowance before what is left of one is taken back.
        steps = [0, amount] if left else [amount]
        sent = [client.approve(token, allowed, sender=account) for allowed in steps]
    try:
        return [*sent, client.deposit(token, amount, sender=account, account=owner)]
    except SentError:
        raise
    except ChainError as error:
        if not sent:
            raise
        paid = error.transaction or sent[-1].transaction
        raise TokenError(f"{token} took an allowance for nothing. {error}", error.refusal, paid) from error


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
    except SentError:
        raise
    except ChainError as error:
        if error.transaction is None:
            raise
        raise TokenError(str(error), error.refusal, error.transaction) from error


def _deposit_tokens(client: Client, account: AccountAPI, token: str, missing: int) -> list[Sent]:
    """Deposit until `missing` is credited: a token may take a fee on the way, at most half of it."""
    sent: list[Sent] = []
    amount, taken, credited = missing, 0, 0
    for _ in range(DEPOSITS):
        sent += deposit(client, account, token, amount, account.address)
        arrived = sum(each.amount for each in sent[-1].all(Deposited))
        taken, credited = taken + amount, credited + arrived
        if credited >= missing:
            return sent
        if 2 * arrived < amount:
            break
        amount = -(-(missing - credited) * amount // arrived)
    raise TokenError(
        f"{token} credited {credited} units of the {taken} that were deposited: {missing - credited} are"
        " missing still, and what was credited can be withdrawn."
    )


def under_way(web3: Web3, account: str) -> int | None:
    """The nonce of a transaction of an account's that is sent and not mined; None when there is none."""
    address = web3.to_checksum_address(account)
    count = web3.eth.get_transaction_count
    mined, sent = (int(count(address, tag)) for tag in ("latest", "pending"))
    return mined if sent > mined else None


def sending_lock(web3: Web3, account: str) -> Path:
    """The lock under which an account sends on a chain, in whatever role."""
    return data_folder() / f"{web3.eth.chain_id}-{account.lower()}.lock"


@contextmanager
def alone(
    web3: Web3,
    account: str,
    told: Callable[[str], object] = lambda _: None,
    urgent: Callable[[], bool] = lambda: False,
) -> Iterator[None]:
    """While no other process sends for an account, and nothing of it is pending.

    Two that send at once take each other's nonces, and what is sent beside something pending takes its place:
    that is done only where it is `urgent`. `told` gets a sentence if it takes a while. Raises BusyError.
    """
    path = sending_lock(web3, account)
    with ExitStack() as stack:
        mine = stack.enter_context(locked(path))
        if not mine:
            told(f"Another process is sending for {account}; waiting for it.")
            mine = stack.enter_context(locked(path, PATIENCE))
        if not mine:
            raise BusyError(f"Another process acts for {account} all the time; stop it first.")
        nonce = _pending_at_last(web3, account, told)
        if nonce is not None and not urgent():
            raise BusyError(
                f"Transaction {nonce} of {account} is sent and not mined yet, and may be this very one: wait"
                " for it, or replace it in the wallet, before anything else is sent."
            )
        yield


def _pending_at_last(web3: Web3, account: str, told: Callable[[str], object]) -> int | None:
    """The nonce of what still is pending when it was waited for; None when nothing is."""
    deadline, waiting = time.monotonic() + PENDING_LIMIT, False
    while (nonce := under_way(web3, account)) is not None:
        if time.monotonic() >= deadline:
            return nonce
        if not waiting:
            told(f"A transaction of {account} is still pending; waiting for it.")
            waiting = True
        time.sleep(PENDING_POLL)
    return None
