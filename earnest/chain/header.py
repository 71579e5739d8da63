"""A block's header as the chain hashes it, from what a node tells of the block."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import rlp  # type: ignore[import-untyped]
from eth_typing import HexStr
from eth_utils.conversions import to_bytes
from eth_utils.crypto import keccak

# In their order (yellow paper; EIP-1559, 4895, 4844, 4788, 7685); a fork's own are absent before it.
NUMBERS: Final = frozenset(
    {
        "difficulty",
        "number",
        "gasLimit",
        "gasUsed",
        "timestamp",
        "baseFeePerGas",
        "blobGasUsed",
        "excessBlobGas",
    }
)
FIELDS: Final = (
    "parentHash",
    "sha3Uncles",
    "miner",
    "stateRoot",
    "transactionsRoot",
    "receiptsRoot",
    "logsBloom",
    "difficulty",
    "number",
    "gasLimit",
    "gasUsed",
    "timestamp",
    "extraData",
    "mixHash",
    "nonce",
    "baseFeePerGas",
    "withdrawalsRoot",
    "blobGasUsed",
    "excessBlobGas",
    "parentBeaconBlockRoot",
    "requestsHash",
)


class HeaderError(ValueError):
    """A block whose header cannot be rebuilt."""


def encode(block: Mapping[str, Any]) -> bytes:
    """The RLP-encoded header of a block as `eth_getBlockByNumber` tells it, in hexadecimal.

    Raises HeaderError when its hash is not the block's: the chain's headers have fields not known here.
    """
    known = [name for name in FIELDS if block.get(name) is not None]
    header: bytes = rlp.encode([_field(name, block[name]) for name in known])
    found, told = keccak(header), to_bytes(hexstr=block["hash"])
    if found != told:
        number = int(block["number"], 16)
        raise HeaderError(f"Block {number} has the hash {told.hex()}; its header gives {found.hex()}.")
    return header


def _field(name: str, value: HexStr) -> bytes | int:
    return int(value, 16) if name in NUMBERS else to_bytes(hexstr=value)
