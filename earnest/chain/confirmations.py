"""How many blocks must follow one before it is taken as settled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from requests.exceptions import HTTPError
from web3.exceptions import Web3Exception

if TYPE_CHECKING:
    from web3 import Web3

CONFIRMATIONS: Final = 12
DEVNETS: Final = ("anvil", "hardhat", "ganache", "eth-tester", "ethereumtester")


def is_devnet(web3: Web3) -> bool:
    """Whether a node says that it is one for development, whose chain nobody reorganises."""
    try:
        version = str(web3.client_version).lower()
    except (Web3Exception, HTTPError, ValueError):  # some do not tell what they are
        return False
    return any(name in version for name in DEVNETS)
