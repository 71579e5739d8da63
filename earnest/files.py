"""Where users' data is kept, and files written whole or not at all."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

DATA_FOLDER: Final = "EARNEST_DATA"
OWNER_ONLY: Final = 0o600
ALL_READ: Final = 0o644
FOLDER_MODE: Final = 0o700  # the owner alone


def data_folder() -> Path:
    """Where journals and stores are: the folder that the environment names, or the user's own for data."""
    if named := os.environ.get(DATA_FOLDER):
        return Path(named)
    data = os.environ.get("XDG_DATA_HOME")
    return (Path(data) if data else Path.home() / ".local" / "share") / "earnest"


def account_lock(chain: int, address: str) -> str:
    """The name of the lock, in the folder of data, under which an account sends on a chain, in whatever role:
    two processes at once would take the same nonce.
    """
    return f"{chain}-{address.lower()}"


def write_atomic(path: Path, data: bytes, mode: int = ALL_READ) -> None:
    """Write a file whole or not at all, flushed to disk; only its owner reads it before `mode` is set."""
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
