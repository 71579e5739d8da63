"""A transaction handed to the node until it is mined, dearer where it must take the place of another."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import ape
from ape.api import ReceiptAPI
from ape.exceptions import ApeException, TransactionNotFoundError
from requests.exceptions import RequestException
from web3 import Web3

from earnest.chain.errors import ChainError, SentError
from earnest.chain.failures import reason
from earnest.chain.records import Record

LEAST_TIP: Final = 10**9  # wei
TRANSACTION: Final = re.compile(r"0x[0-9a-fA-F]{64}")

# What nodes say of a transaction whose nonce a dearer one has, and how many times dearer it is then sent.
UNDERPRICED: Final = "underpriced"
DEARER: Final = (2, 4, 8, 16)

# What nodes say of a transaction that they have already.
HAS_IT: Final = ("already known", "already imported")

R = TypeVar("R", bound=Record)


@dataclass(frozen=True)
class Sent:
    """A transaction that went through, and what the contract recorded of it."""

    transaction: str
    block: int
    gas: int
    records: tuple[Record, ...]

    def all(self, kind: type[R]) -> list[R]:
        """Its records of one kind."""
        return [record for record in self.records if isinstance(record, kind)]

    def only(self, kind: type[R]) -> R:
        """Its one record of a kind. Raises ValueError when there are more or none."""
        (record,) = self.all(kind)
        return record


def mined(web3: Web3, name: str, send: Callable[[dict[str, Any]], ReceiptAPI]) -> ReceiptAPI:
    """The receipt of what `send` hands over through Ape with the given fees, once it is mined.

    `name` is what is called. Raises ChainError when the node does not take it, SentError when it is not mined
    in time.
    """
    for dearer in (0, *DEARER):
        try:
            receipt = send(_fees(web3, dearer) if dearer else {})
            if receipt.block_number >= 0:
                return receipt
            why = _why_not(web3, receipt)
            if why is None:
                return ape.networks.provider.get_receipt(str(receipt.txn_hash))
        except TransactionNotFoundError as error:
            raise _not_mined(name, error) from error
        except ApeException as error:
            raise ChainError(f"{name} could not be sent: {reason(error)}") from error
        if UNDERPRICED not in why:
            break
    raise ChainError(f"{name} could not be sent: {why}.")


def _why_not(web3: Web3, receipt: ReceiptAPI) -> str | None:
    """Why the node did not take a transaction, which Ape does not keep; None when it has it after all."""
    try:
        web3.eth.send_raw_transaction(receipt.transaction.serialize_transaction())
    except RequestException:
        raise
    except Exception as error:  # the in-process node raises its own
        why = reason(error)
        return None if any(each in why.lower() for each in HAS_IT) else why
    return None


def _fees(web3: Web3, times: int) -> dict[str, int]:
    """Fees so many times as high as now."""
    base = int(web3.eth.get_block("latest").get("baseFeePerGas", 0))
    tip = max(LEAST_TIP, int(web3.eth.max_priority_fee)) * times
    return {"max_priority_fee": tip, "max_fee": 2 * base * times + tip}


def _not_mined(name: str, error: Exception) -> SentError:
    found = TRANSACTION.search(str(error))
    transaction = found[0] if found else "?"
    return SentError(
        f"{name} is sent as transaction {transaction} and not mined yet, which it still may be: look before"
        " it is sent again.",
        transaction=transaction,
    )
