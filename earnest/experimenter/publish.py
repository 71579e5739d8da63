"""The manifest to where labelers fetch it, and back again, before money is put behind it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import fsspec  # type: ignore[import-untyped]

from earnest.experimenter.errors import ExperimenterError
from earnest.files import write_atomic
from earnest.manifest.errors import ManifestError
from earnest.manifest.fetch import fetch, local_path

DIGEST: Final = "{digest}"


def publish(data: bytes, digest: bytes, *, base: Path, to: str | None, uri: str | None, kept: Path) -> str:
    """Write the manifest to `to` and return the URI under which labelers fetch it, tried at once.

    `to` is a folder, a path or an fsspec URI, relative to `base`; `{digest}` in it, and in `uri`, is
    replaced. A folder gets a file named after the digest. Without `to` the manifest is at `kept`, or is there
    already, at `uri`. What stands there and is something else stays: it may be another campaign's.

    Raises ExperimenterError when it cannot be written, or not be fetched with this digest.
    """
    written = _write(data, digest, base, to) if to else kept.resolve().as_uri()
    found = _named(uri, digest) if uri else written
    try:
        fetch(found, digest)
    except ManifestError as error:
        raise ExperimenterError(
            f"{error} Labelers must be able to fetch it there: put {kept} there and run this again."
        ) from error
    return found


def _write(data: bytes, digest: bytes, base: Path, to: str) -> str:
    """Write the manifest where it is to be, unless it is there; its URI."""
    try:
        path = local_path(to)
    except ManifestError as error:
        raise ExperimenterError(f"publish: {error}") from error
    if path is None:
        return _upload(data, digest, _named(to, digest))
    try:
        path = (base / path.expanduser()).resolve()
        place = f"{path}/" if path.is_dir() or to.endswith("/") else str(path)
        target = Path(_named(place, digest))
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(target, data)
        elif target.read_bytes() != data:
            raise _taken(str(target))
    except (OSError, RuntimeError) as error:  # RuntimeError: nobody's home folder
        reason = getattr(error, "strerror", None) or error
        raise ExperimenterError(f"The manifest cannot be written to {to}: {reason}.") from error
    return target.as_uri()


def _upload(data: bytes, digest: bytes, target: str) -> str:
    """As `_write`, by fsspec. A name that holds the digest is nobody else's: it need not be readable."""
    try:
        if digest.hex() not in target and _is_something_else(target, data):
            raise _taken(target)
        with fsspec.open(target, "wb") as file:
            file.write(data)
    except ExperimenterError:
        raise
    except Exception as error:  # whatever the file system's plugin raises
        raise ExperimenterError(f"The manifest cannot be written to {target}: {error}.") from error
    return target


def _is_something_else(target: str, data: bytes) -> bool:
    try:
        with fsspec.open(target, "rb") as file:
            return bool(file.read(len(data) + 1) != data)
    except FileNotFoundError:
        return False


def _taken(target: str) -> ExperimenterError:
    return ExperimenterError(
        f"{target} is there and is not this manifest: name another place under `publish`, a folder ending"
        f" in /, or a name with {DIGEST} in it."
    )


def _named(place: str, digest: bytes) -> str:
    named = place.replace(DIGEST, digest.hex())
    return f"{named}{digest.hex()}.json" if named.endswith("/") else named
