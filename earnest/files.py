"""Where users' data is kept, files read in a sentence or written whole, and locks between processes."""

from __future__ import annotations

import csv
import fcntl
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from earnest.json_text import parse_json

DATA_FOLDER: Final = "EARNEST_DATA"
OWNER_ONLY: Final = 0o600
ALL_READ: Final = 0o644
FOLDER_MODE: Final = 0o700  # the owner alone
LONGEST_FIELD: Final = 2**31 - 1  # characters
BETWEEN_TRIES: Final = 0.1  # seconds, of a lock that another process holds


def data_folder() -> Path:
    """Where journals and stores are: the folder that the environment names, or the user's own for data."""
    if named := os.environ.get(DATA_FOLDER):
        return Path(named)
    data = os.environ.get("XDG_DATA_HOME")
    return (Path(data) if data else Path.home() / ".local" / "share") / "earnest"


@contextmanager
def locked(path: Path, patience: float = 0.0) -> Iterator[bool]:
    """Whether this process alone holds the lock, after waiting up to `patience` seconds for it.

    The system ends it when the process ends, however.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    until = time.monotonic() + patience
    handle = os.open(path, os.O_CREAT | os.O_RDWR, OWNER_ONLY)
    try:
        while not _acquired(handle):
            if time.monotonic() >= until:
                yield False
                return
            time.sleep(BETWEEN_TRIES)
        yield True
    finally:
        os.close(handle)


def _acquired(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class FileError(Exception):
    """A file that cannot be read, in a sentence."""


def read_text(path: Path) -> str:
    """A text that its user wrote, line ends as they are, without a byte order mark. Raises FileError."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return file.read()
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise FileError(f"{path} is not in UTF-8: {error.reason} at byte {error.start}.") from error


@contextmanager
def long_fields() -> Iterator[None]:
    """Let fields of CSV be as long as texts are; Python's own limit, which is for all, returns afterwards."""
    usual = csv.field_size_limit(LONGEST_FIELD)
    try:
        yield
    finally:
        csv.field_size_limit(usual)


def read_json(path: Path) -> Any:
    """What a file of JSON holds. Raises FileError."""
    text = read_text(path)
    try:
        return parse_json(text)
    except ValueError as error:
        raise FileError(f"{path} is no JSON: {error}.") from error


def write_atomic(path: Path, data: bytes, mode: int = ALL_READ) -> None:
    """Write a file whole or not at all, flushed to disk; only its owner reads it before `mode` is set.

    Raises OSError, which names the file.
    """
    try:
        _write(path, data, mode)
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from error


def _write(path: Path, data: bytes, mode: int) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, mode)
        os.replace(name, path)
        flush_folder(path.parent)
    except BaseException:
        with suppress(FileNotFoundError):
            os.unlink(name)
        raise


def flush_folder(path: Path) -> None:
    """Flush a folder's entries to disk, so that a file made or renamed in it is there after a crash."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
