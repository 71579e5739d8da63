"""Addresses as people write them, checked in one place."""

from __future__ import annotations

from eth_utils.address import (
    is_address,
    is_checksum_address,
    is_checksum_formatted_address,
    to_checksum_address,
)


class AddressError(ValueError):
    """A text that is no address, or a mistyped one; the message says so with its name."""


def read_address(name: str, text: object) -> str:
    """An address, with its checksum; `name` is what errors call it. Raises AddressError."""
    written = str(text)
    if not is_address(written):
        raise AddressError(f"{name} is {text!r}; it must be an address, 0x and 40 hexadecimal digits.")
    if is_checksum_formatted_address(written) and not is_checksum_address(written):
        raise AddressError(
            f"{name} is {text!r}, but the case of its letters says that one is mistyped (ERC-55);"
            " write it in lower case if it is right."
        )
    return str(to_checksum_address(written))
