"""A manifest by URI, checked against the digest on chain before anything is shown (design, section 9)."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path
from typing import Final
from urllib.parse import unquote_to_bytes

import fsspec  # type: ignore[import-untyped]

from earnest.manifest.errors import ManifestError
from earnest.manifest.manifest import Manifest

MAX_BYTES: Final = 256 * 2**20

# Strangers choose the URI. Of what fsspec knows these read one object and no more: no file systems chained to
# each other, no logging in with this machine's keys to a host of theirs.
SCHEMES: Final = ("file", "https", "http", "ipfs", "s3", "gs")


def fetch(uri: str, digest: bytes) -> Manifest:
    """The manifest at `uri`, a path or one of SCHEMES (fsspec's plugins bring `ipfs`, `s3` and `gs`).

    `digest` is the SHA-256 that the campaign's terms hold. Raises ManifestError when it cannot be read, is
    too large, has another digest, or is no manifest.
    """
    _check(uri)
    try:
        path = local_path(uri)
        if path is not None and path.exists() and not path.is_file():
            raise ManifestError(f"The manifest at {uri!r} cannot be read: it is no file.")
        with path.open("rb") if path is not None else fsspec.open(uri, "rb") as file:
            data: bytes = file.read(MAX_BYTES + 1)
    except ManifestError:
        raise
    except Exception as error:  # fsspec and its plugins let through whatever their libraries throw
        cause = (error.__cause__ if str(error) == uri else None) or error  # fsspec may only say where
        reason = " ".join(str(cause).split()) or type(cause).__name__
        raise ManifestError(f"The manifest at {uri} cannot be read: {reason.removesuffix('.')}.") from error
    if len(data) > MAX_BYTES:
        raise ManifestError(f"The manifest at {uri} is larger than {MAX_BYTES} bytes.")
    found = sha256(data).digest()
    if found != digest:
        raise ManifestError(
            f"The manifest at {uri} has the digest {found.hex()}; the chain says {digest.hex()}."
        )
    return Manifest.from_bytes(data)


def local_path(uri: str) -> Path | None:
    """The path behind a path or a `file:` URI, whose escapes are undone; None for what is elsewhere.

    Raises ManifestError for a `file:` URI that names another machine.
    """
    scheme, separator, rest = uri.partition("://")
    if not separator:
        return Path(uri)
    if scheme != "file":
        return None
    host, slash, path = rest.partition("/")
    if host not in ("", "localhost"):
        raise ManifestError(f"{uri!r} names the machine {host!r}; a file's URI must begin with file:///.")
    return Path(os.fsdecode(unquote_to_bytes(slash + path)))


def _check(uri: str) -> None:
    """Raise ManifestError unless a URI is of one object of a known kind."""
    scheme, separator, _ = uri.partition("://")
    if (separator and scheme not in SCHEMES) or "::" in uri:
        raise ManifestError(f"The manifest at {uri!r} cannot be read: it must be a path, or of {SCHEMES}.")
