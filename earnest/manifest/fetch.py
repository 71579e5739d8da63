"""A manifest by URI, checked against the digest on chain before anything is shown (design, section 9)."""

from __future__ import annotations

from hashlib import sha256
from typing import Final

import fsspec  # type: ignore[import-untyped]

from earnest.manifest.errors import ManifestError
from earnest.manifest.manifest import Manifest

MAX_BYTES: Final = 256 * 2**20


def fetch(uri: str, digest: bytes) -> Manifest:
    """The manifest at `uri`: a path, `file:`, `https:`, `ipfs:`, `s3:` or whatever fsspec knows.

    `digest` is the SHA-256 that the campaign's terms hold. Raises ManifestError when it cannot be read, is
    too large, has another digest, or is no manifest.
    """
    try:
        with fsspec.open(uri, "rb") as file:
            data: bytes = file.read(MAX_BYTES + 1)
    except (OSError, ValueError, ImportError) as error:
        raise ManifestError(f"The manifest at {uri} cannot be read: {error}.") from error
    if len(data) > MAX_BYTES:
        raise ManifestError(f"The manifest at {uri} is larger than {MAX_BYTES} bytes.")
    found = sha256(data).digest()
    if found != digest:
        raise ManifestError(
            f"The manifest at {uri} has the digest {found.hex()}; the chain says {digest.hex()}."
        )
    return Manifest.from_bytes(data)
