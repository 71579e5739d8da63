"""Reading what the mocks that call back in have seen."""

from __future__ import annotations

from typing import Any

from ape.api import ReceiptAPI
from eth_utils.crypto import keccak


def called_back(tx: ReceiptAPI) -> tuple[bool, bytes]:
    """How a mock's call went: whether it succeeded, and what it returned."""
    [event] = [event for event in tx.events if event.event_name == "CalledBack"]
    return event.success, bytes(event.result)


def selector(error: Any) -> bytes:
    """The four bytes that a custom error begins with."""
    return keccak(text=error.abi.selector)[:4]
