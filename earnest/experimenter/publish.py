"""The manifest to where labelers fetch it, and back again, before money is put behind it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import fsspec  # type: ignore[import-untyped]

from earnest.experimenter.errors import ExperimenterError
from earnest.files import write_atomic
from earnest.manifest.errors import ManifestError
from earnest.manifest.fetch import fetch

DIGEST: Final = "{digest}"


def publish(data: bytes, digest: bytes, *, base: Path, to: str | None, uri: str | None, kept: Path) -> str:
    """Write the manifest to `to` and return the URI under which labelers fetch it, tried at once.

    `to` is a folder, a path or an fsspec URI, relative to `base`; `{digest}` in it, and in `uri`, is
    replaced. A folder gets a file named after the digest. Without `to` the manifest is at `kept`, or is there
    already, at `uri`. Raises ExperimenterError when it cannot be written, or not be fetched with this digest.
    """
    target = _named(to, digest) if to else ""
    if target and "://" in target:
        _upload(target, data)
    elif target:
        path = (base / target).resolve()
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, data)
        target = path.as_uri()
    found = _named(uri, digest) if uri else target or kept.resolve().as_uri()
    try:
        fetch(found, digest)
    except ManifestError as error:
        raise ExperimenterError(
            f"{error} Labelers must be able to fetch it there: put {kept} there and run this again."
        ) from error
    return found


def _named(place: str, digest: bytes) -> str:
    named = place.replace(DIGEST, digest.hex())
    return f"{named}{digest.hex()}.json" if named.endswith("/") else named


def _upload(target: str, data: bytes) -> None:
    try:
        with fsspec.open(target, "wb") as file:
            file.write(data)
    except Exception as error:  # whatever the file system's plugin raises
        raise ExperimenterError(f"The manifest cannot be written to {target}: {error}.") from error
