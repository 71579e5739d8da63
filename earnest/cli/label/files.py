"""Files that a labeler asked for."""

from __future__ import annotations

from pathlib import Path

from earnest.cli.errors import InputError
from earnest.files import ALL_READ, OWNER_ONLY, write_atomic


def write_file(path: Path, data: bytes, mode: int = ALL_READ) -> None:
    """Write a file whole or not at all. Raises InputError when it cannot be written."""
    try:
        write_atomic(path, data, mode)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}.") from error


def write_new(path: Path, data: bytes) -> None:
    """Write a file for its owner only, over nothing but the very same: what is there may be work of hours.

    Raises InputError when something else is there, or it cannot be written.
    """
    if path.exists() and not (path.is_file() and path.read_bytes() == data):
        raise InputError(f"{path} is there already and may hold answers: import it, or name another file.")
    write_file(path, data, OWNER_ONLY)
