"""What a campaign file may hold: each function reads a value, and says with its name what is wrong with it.

All of them raise ExperimenterError. Amounts stay as written until the token's decimals are known.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from earnest.addresses import AddressError, read_address
from earnest.chain.money import number
from earnest.experimenter.errors import ExperimenterError
from earnest.files import FileError, read_text
from earnest.protocol.terms import MAX_CLASSES, MAX_PERIOD, ZERO_ADDRESS
from earnest.times import DurationError, duration, seconds

LONGEST_RANGE: Final = 20  # characters of a range of whole numbers


def text(name: str, value: Any) -> str:
    """One text, without space around it."""
    if isinstance(value, Mapping | list | tuple):
        raise ExperimenterError(f"{name} is {value!r}; it must be one text.")
    found = str(value).strip()
    if "\0" in found or any("\ud800" <= letter <= "\udfff" for letter in found):
        raise ExperimenterError(f"{name} is {found!r}; it must be valid Unicode without a zero character.")
    return found


def place(name: str, value: Any) -> str:
    """Where something can be written to."""
    found = text(name, value)
    if found.lower().startswith(("http://", "https://")):
        raise ExperimenterError(
            f"{name} is {value!r}, where nothing can be written; it must be a folder, a path, or a place for"
            " uploads such as s3://…. Where labelers see it is `uri`."
        )
    return found


def texts(name: str, value: Any) -> tuple[str, ...]:
    """A list of texts."""
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise ExperimenterError(f"{name} is {value!r}; it must be a list.")
    for each in value:
        if each is None or isinstance(each, bool):
            raise ExperimenterError(f"{name} has {json.dumps(each)}; put the text that is meant into quotes.")
    return tuple(text(name, each) for each in value)


def text_or_texts(name: str, value: Any) -> str | tuple[str, ...]:
    """One text, or a list of them."""
    return text(name, value) if isinstance(value, str) else texts(name, value)


def options(name: str, value: Any) -> tuple[str, ...]:
    """A list of options; whole numbers `1-5`; or, for a ranking, the number of items."""
    written = str(value).strip() if isinstance(value, str | int) else ""
    first, dash, last = written.partition("-")
    if written.isdecimal():
        first, dash, last = "1", "-", written
    if not (dash and first.isdecimal() and last.isdecimal()):
        return texts(name, value)
    if not (len(written) <= LONGEST_RANGE and 0 < int(last) - int(first) < MAX_CLASSES):
        raise ExperimenterError(
            f"{name} is {written}; it must be a list, or 2 to {MAX_CLASSES} ascending whole numbers, as 1-5."
        )
    return tuple(map(str, range(int(first), int(last) + 1)))


def one_of(known: Sequence[str]) -> Callable[[str, Any], str]:
    """One of some texts."""

    def read(name: str, value: Any) -> str:
        if str(value) not in known:
            raise ExperimenterError(f"{name} is {value!r}; it must be one of {', '.join(known)}.")
        return str(value)

    return read


def boolean(name: str, value: Any) -> bool:
    """True or false."""
    known = {"true": True, "yes": True, "false": False, "no": False}
    if str(value).lower() not in known:
        raise ExperimenterError(f"{name} is {value!r}; it must be true or false.")
    return known[str(value).lower()]


def integer(least: int, most: int) -> Callable[[str, Any], int]:
    """A whole number from `least` to `most`."""

    def read(name: str, value: Any) -> int:
        try:
            whole = int(str(value).replace("_", ""))
        except ValueError:
            raise ExperimenterError(f"{name} is {value!r}; it must be a whole number.") from None
        if isinstance(value, bool) or not least <= whole <= most:
            raise ExperimenterError(f"{name} is {value}; it must be {least} to {most}.")
        return whole

    return read


def share(name: str, value: Any) -> float:
    """A share of all, from 0 to 1 or in percent."""
    written = str(value).strip()
    try:
        found = float(written.removesuffix("%")) / (100 if written.endswith("%") else 1)
    except ValueError:
        raise ExperimenterError(f"{name} is {value!r}; it must be a share such as 0.5 or 50%.") from None
    if not 0 <= found <= 1:
        raise ExperimenterError(f"{name} is {value}; it must be 0 to 1.")
    return found


def amount(name: str, value: Any) -> str:
    """An amount of a token, as written."""
    written = text(name, value)
    try:
        number(written)
    except ValueError:
        raise ExperimenterError(f"{name} is {value!r}; it must be an amount of the token, as 1.5.") from None
    return written


def address(name: str, value: Any) -> str:
    """An address, with its checksum."""
    try:
        return read_address(name, value)
    except AddressError as error:
        raise ExperimenterError(str(error)) from error


def token(name: str, value: Any) -> str:
    """A token's address, 0 for ether."""
    return ZERO_ADDRESS if str(value).lower() in ("eth", "ether", "0") else address(name, value)


def period(name: str, value: Any) -> int:
    """A duration that a campaign can have, in seconds."""
    try:
        length = seconds(value, name)
    except DurationError as error:
        raise ExperimenterError(str(error)) from error
    if not 1 <= length <= MAX_PERIOD:
        raise ExperimenterError(f"{name} is {value}; it must be 1s to {duration(MAX_PERIOD)}.")
    return length


def allowlist(folder: Path) -> Callable[[str, Any], dict[str, int]]:
    """Addresses with the seats that each may take: a list, names and numbers, or a file of lines, named
    from `folder`.
    """

    def read(name: str, value: Any) -> dict[str, int]:
        listed = _lines(name, folder / text(name, value)) if isinstance(value, str) else value
        if not isinstance(listed, Mapping | list | tuple):
            raise ExperimenterError(f"{name} is {value!r}; it must be a list of addresses or a file.")
        pairs = listed.items() if isinstance(listed, Mapping) else (_pair(each) for each in listed if each)
        admitted: dict[str, int] = {}
        for labeler, seats in pairs:
            found = address(name, labeler)
            if found in admitted:
                raise ExperimenterError(f"{name} has {found} twice; each labeler stands once.")
            admitted[found] = integer(1, 2**32 - 1)(f"{name}, {found}", seats)
        return admitted

    return read


def _lines(name: str, file: Path) -> list[str]:
    """What stands in a file, without comments."""
    try:
        lines = [line.partition("#")[0].strip() for line in read_text(file).splitlines()]
    except FileError as error:
        raise ExperimenterError(f"{name}: {error}") from error
    if not any(lines):
        raise ExperimenterError(f"{name}: {file} names nobody; it must have a line for each labeler.")
    return lines


def _pair(entry: Any) -> tuple[str, str]:
    """An address, and seats after a comma or a space."""
    labeler, _, seats = str(entry).replace(",", " ").partition(" ")
    return labeler, seats.strip() or "1"
