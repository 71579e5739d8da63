"""Signatures that are nearly right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

# The order of secp256k1's group: (r, N − s) with the other v is as good a signature, to ecrecover.
ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def mirrored(signature: bytes) -> bytes:
    """The other signature of the same key over the same digest."""
    r, s, v = signature[:32], int.from_bytes(signature[32:64], "big"), signature[64]
    return r + (ORDER - s).to_bytes(32, "big") + bytes([55 - v])


def compact(signature: bytes) -> bytes:
    """The 64 bytes of EIP-2098."""
    s = int.from_bytes(signature[32:64], "big") | (signature[64] - 27) << 255
    return signature[:32] + s.to_bytes(32, "big")


MALFORMED: Final[dict[str, Callable[[bytes], bytes]]] = {
    "empty": lambda signature: b"",
    "short": lambda signature: signature[:64],
    "long": lambda signature: signature + b"\0",
    "compact": compact,
    "mirrored": mirrored,
    "v of 0 or 1": lambda signature: signature[:64] + bytes([signature[64] - 27]),
    "the other v": lambda signature: signature[:64] + bytes([55 - signature[64]]),
    "r and s swapped": lambda signature: signature[32:64] + signature[:32] + signature[64:],
    "zero": lambda signature: bytes(65),
}
