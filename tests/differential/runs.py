"""How much a run compares, and the raw calls that make it quick."""

from __future__ import annotations

from random import SystemRandom
from typing import Any, Final

import pytest
from ape.contracts import ContractInstance
from eth_abi.abi import decode, encode
from eth_tester.exceptions import TransactionFailed
from eth_utils.crypto import keccak
from web3.exceptions import ContractCustomError

# On both EVMs; on the quick one; and, in a long run, new ones every time.
RUNS: Final = [
    pytest.param(60, id="some"),
    pytest.param(600, marks=pytest.mark.anvil, id="hundreds"),
    pytest.param(12_000, marks=pytest.mark.fuzz, id="thousands"),
]


def seeds(count: int) -> range:
    """The same seeds every time for a short run, others for a long one."""
    start = SystemRandom().randrange(2**40) if count >= 10_000 else 0
    return range(start, start + count)


class Rejected(Exception):
    """The contract reverted."""


class Contract:
    """Functions of one contract, called by name without Ape's checks and conversions, which are slow."""

    def __init__(self, instance: ContractInstance, gas: int) -> None:
        self.address = instance.address
        self._target = {"to": instance.address, "gas": gas}
        self._call = instance.provider.web3.eth.call
        self._methods = {}
        for method in instance.contract_type.methods:
            kinds = [member.canonical_type for member in method.inputs]
            found = [member.canonical_type for member in method.outputs]
            self._methods[method.name] = (keccak(text=method.selector)[:4], kinds, found)

    def __call__(self, name: str, *arguments: Any) -> Any:
        """What the function returns. Raises Rejected when it reverts."""
        selector, kinds, found = self._methods[name]
        data = "0x" + (selector + encode(kinds, arguments)).hex()
        try:
            answer = self._call({**self._target, "data": data})
        except (ContractCustomError, TransactionFailed) as error:
            raise Rejected(str(error)) from error
        values = decode(found, bytes(answer))
        return values[0] if len(values) == 1 else values
