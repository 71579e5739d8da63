"""The network, the contract and the account behind a session: where the command line meets Ape."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import ExitStack, chdir, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import ape
from ape.exceptions import AccountsError, ApeException
from ape.logging import logger
from ape_accounts.accounts import InvalidPasswordError, KeyfileAccount
from eth_utils.address import is_address

from earnest.addresses import read_address
from earnest.chain import deployment
from earnest.chain.client import Client
from earnest.chain.errors import ChainError
from earnest.cli.errors import InputError
from earnest.cli.session import PASSPHRASE_FILE, passphrase
from earnest.protocol.terms import ZERO_ADDRESS

if TYPE_CHECKING:
    from ape.api import AccountAPI


REGISTRY: Final = "EARNEST_DEPLOYMENTS"
DEVNET_ACCOUNT: Final = "TEST::"


def registry() -> Path:
    """The folder of the registry of deployments: the project's, or the one that the environment names."""
    return Path(os.environ.get(REGISTRY) or deployment.FOLDER).resolve()


@contextmanager
def connect(network: str | None, contract: str | None) -> Iterator[Client]:
    """A client on a node's URL or a network of Ape: of the contract at `contract` (`ADDRESS`, or
    `ADDRESS@BLOCK` with the block that it was deployed in), or of the one in the registry of deployments.

    Raises InputError when there is no such network, nobody answers, or no contract is known there.
    """
    with network_of(network):
        yield client_at(contract)


@contextmanager
def network_of(network: str | None) -> Iterator[None]:
    """A connection to a node's URL or a network of Ape, or the one that is open already."""
    with chdir(deployment.FOLDER.parent):
        _ = ape.project.path, ape.config.project_manifest  # Ape looks for its project where it is first asked
    logger.set_level(logging.CRITICAL)  # what goes wrong is told in sentences of our own
    if network is None and ape.networks.connected:
        yield
        return
    if network is None:
        raise InputError("No network is named: say --network with a node's URL or a network of Ape.")
    with ExitStack() as stack:
        try:
            stack.enter_context(ape.networks.parse_network_choice(network))
        except (ApeException, OSError, ValueError) as error:
            reason = str(error).splitlines()[0].removesuffix(" Options:")
            raise InputError(f"There is no connection to {network}: {reason}") from error
        yield


def client_at(contract: str | None) -> Client:
    """The client of a contract on the connected network; of the one in the registry unless it is named."""
    if contract is None:
        try:
            found = deployment.load(int(ape.networks.provider.chain_id), registry()).client()
        except deployment.DeploymentError as error:
            raise InputError(f"{error} Say --contract if you know better.") from error
        return _checked(found, f", which {registry()} names")
    address, _, block = contract.partition("@")
    if not is_address(address) or (block and not block.isdecimal()):
        raise InputError(f"--contract is {contract!r}; it must be an address, as 0x…, or 0x…@BLOCK.")
    return _checked(Client.at(read_address("--contract", address), int(block or 0)))


def _checked(client: Client, where: str = "") -> Client:
    """The client, when there is such a contract, and its first block. Raises InputError."""
    address, chain = client.address, ape.networks.provider.chain_id
    if not ape.networks.provider.get_code(address):
        raise InputError(f"There is no contract at {address}{where} on chain {chain}; is it another network?")
    newest = int(client.web3.eth.block_number)
    if client.first_block > newest:
        raise InputError(
            f"The contract at {address}{where} is said to begin in block {client.first_block:,}; the newest"
            f" of chain {chain} is {newest:,}."
        )
    try:
        sink = client.sink
    except ChainError as error:
        raise InputError(f"The contract at {address}{where} is not Earnest: it tells no sink.") from error
    if sink == ZERO_ADDRESS:  # what is told by who answers nothing
        raise InputError(f"The contract at {address}{where} is not Earnest: it tells no sink.")
    return client


def find_account(alias: str | None) -> AccountAPI:
    """An account of Ape, still locked. Raises InputError when there is none of that name."""
    if alias is None:
        raise InputError("No account is named: say --account with an alias; `ape accounts list` shows them.")
    if alias.startswith(DEVNET_ACCOUNT):
        return _devnet_account(alias)
    try:
        account: AccountAPI = ape.accounts.load(alias)
    except (AccountsError, KeyError, ValueError) as error:
        known = ", ".join(sorted(filter(None, ape.accounts.aliases))) or "none"
        raise InputError(f"There is no account {alias!r}; there are: {known}.") from error
    return account


def load_account(alias: str | None) -> AccountAPI:
    """An account of Ape that signs without asking for each signature: what to sign was agreed to before.

    Raises InputError when there is none of that name, or the passphrase is wrong.
    """
    account = find_account(alias)
    if isinstance(account, KeyfileAccount):
        given = os.environ.get(f"APE_ACCOUNTS_{alias}_PASSPHRASE") or passphrase(str(alias))
        try:
            if not given:
                raise InvalidPasswordError
            account.set_autosign(True, passphrase=given)
        except (InvalidPasswordError, AccountsError) as error:
            reason = f"The passphrase of {alias}, typed or in the file of ${PASSPHRASE_FILE}, is wrong."
            raise InputError(reason) from error
    return account


def _devnet_account(alias: str) -> AccountAPI:
    """One of the accounts that Ape's own devnets give money to, as `TEST::0`; their keys are known to all."""
    number = alias.removeprefix(DEVNET_ACCOUNT)
    known = len(ape.accounts.test_accounts)
    if not number.isdecimal() or int(number) >= known:
        raise InputError(f"There is no account {alias!r}; there are TEST::0 to TEST::{known - 1}.")
    account: AccountAPI = ape.accounts.test_accounts[int(number)]
    return account
