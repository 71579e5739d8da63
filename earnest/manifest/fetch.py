"""A manifest by URI, checked against the digest on chain before anything is shown (design, section 9)."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Final

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
        with fsspec.open(uri, "rb") as file:
            data: bytes = file.read(MAX_BYTES + 1)
    except (OSError, ValueError, ImportError) as error:
        reason = (error.__cause__ if str(error) == uri else None) or error  # fsspec may only say where
        raise ManifestError(f"The manifest at {uri} cannot be read: {reason}.") from error
    if len(data) > MAX_BYTES:
        raise ManifestError(f"The manifest at {uri} is larger than {MAX_BYTES} bytes.")
    found = sha256(data).digest()
    if found != digest:
        raise ManifestError(
            f"The manifest at {uri} has the digest {found.hex()}; the chain says {digest.hex()}."
        )
    return Manifest.from_bytes(data)


def _check(uri: str) -> None:
    """Raise ManifestError unless a URI is of one object of a known kind."""
    scheme, separator, path = uri.partition("://")
    scheme, path = (scheme, path) if separator else ("file", uri)
    if scheme not in SCHEMES or "::" in uri:
        raise ManifestError(f"The manifest at {uri!r} cannot be read: it must be a path, or of {SCHEMES}.")
    if scheme == "file" and Path(path).exists() and not Path(path).is_file():
        raise ManifestError(f"The manifest at {uri!r} cannot be read: it is no file.")
