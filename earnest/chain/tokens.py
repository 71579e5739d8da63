"""Tokens that strangers wrote, asked for what ERC-20 has them tell; they may answer anything."""

from __future__ import annotations

from typing import Any, Final

import ape
from ape.contracts import ContractInstance
from eth_abi.abi import decode
from hexbytes import HexBytes
from requests.exceptions import RequestException
from web3 import Web3

from earnest.chain.money import ETHER, Token
from earnest.protocol.terms import ZERO_ADDRESS

LONGEST_SYMBOL: Final = 12
WORD: Final = 32

_ERC20: Final = [
    {"type": "function", "name": name, "stateMutability": mutability,
     "inputs": [{"name": f"a{i}", "type": kind} for i, kind in enumerate(inputs)],
     "outputs": [{"name": "", "type": output}]}
    for name, mutability, inputs, output in (
        ("balanceOf", "view", ["address"], "uint256"),
        ("allowance", "view", ["address", "address"], "uint256"),
        ("approve", "nonpayable", ["address", "uint256"], "bool"),
        ("decimals", "view", [], "uint8"),
        ("symbol", "view", [], "string"),
    )
]  # fmt: skip


def contract_of(token: str) -> ContractInstance:
    """A token as Ape calls it."""
    return ape.Contract(token, abi=_ERC20, fetch_from_explorer=False)


def told(web3: Web3, token: str, name: str, *arguments: Any) -> Any:
    """What a token answers; None when it is nothing of the kind. Raises RequestException without a node."""
    method = getattr(contract_of(token), name)
    data = HexBytes(method.encode_input(*arguments))
    try:
        answer = bytes(web3.eth.call({"to": web3.to_checksum_address(token), "data": data}))
        (kind,) = (output.canonical_type for output in method.abis[0].outputs)
        return decode([kind], answer)[0] if len(answer) >= WORD else None
    except RequestException:  # the node is away, which says nothing about the token
        raise
    except Exception:
        return None


def token_at(web3: Web3, address: str) -> Token:
    """A token's symbol and decimals; those that it does not tell are guessed.

    A symbol is cut to what a name needs: whoever wrote the token may have put anything there.
    """
    if address == ZERO_ADDRESS:
        return ETHER
    symbol = "".join(filter(str.isprintable, str(told(web3, address, "symbol") or "")))
    if symbol.strip().upper() == ETHER.symbol:
        symbol = ""
    decimals = told(web3, address, "decimals")
    return Token(address, symbol[:LONGEST_SYMBOL] or "units", decimals or 0, guessed=decimals is None)
