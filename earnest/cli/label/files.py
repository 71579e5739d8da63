"""Files that a labeler asked for."""

from __future__ import annotations

from pathlib import Path

from earnest.cli.errors import InputError
from earnest.files import ALL_READ, write_atomic


def write_file(path: Path, data: bytes, mode: int = ALL_READ) -> None:
    """Write a file whole or not at all. Raises InputError when it cannot be written."""
    try:
        write_atomic(path, data, mode)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}.") from error
