"""What a campaign keeps on disk: terms, manifest, and what nobody else may see until the audit is disclosed.

=================  ==================================================================
`campaign.json`    id, experimenter, contract, URI, terms; written last, all at once
`manifest.json`    the very bytes that are published
`secrets/`         audit keys, each in a file named after the hash that its terms hold,
                   never replaced; readable by their owner only
`allowlist.json`   who may enroll, where there is a gate
`earlier/`         the same of campaigns that were sent in vain, a folder each
=================  ==================================================================
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from earnest.experimenter.errors import ExperimenterError
from earnest.files import (
    ALL_READ,
    FOLDER_MODE,
    OWNER_ONLY,
    FileError,
    flush_folder,
    locked,
    read_json,
    write_atomic,
)
from earnest.manifest.errors import ManifestError
from earnest.protocol import audit
from earnest.protocol.terms import Curve, Metric, Periods, Terms, Weights

VERSION: Final = 1
CAMPAIGN: Final = "campaign.json"
MANIFEST: Final = "manifest.json"
SECRETS: Final = "secrets"
ALLOWLIST: Final = "allowlist.json"
EARLIER: Final = "earlier"


@dataclass(frozen=True, kw_only=True)
class Record:
    """A prepared campaign. `sent`: its creation may have been sent, so the terms must not change any more.

    `inputs` is a digest of the campaign file and the tasks that it was prepared from.
    """

    campaign: int
    chain: int
    contract: str
    experimenter: str
    inputs: str
    terms: Terms
    uri: str = ""
    sent: bool = False


class Folder:
    """The folder of one campaign."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes out. Raises ExperimenterError when one is at work here."""
        with locked(self.path / ".lock") as mine:
            if not mine:
                raise ExperimenterError(f"Another process is at work in {self.path}; wait for it.")
            yield

    def record(self) -> Record | None:
        """The prepared campaign; None when there is none yet. Raises ExperimenterError for a garbled file."""
        document = self._read(CAMPAIGN)
        if document is None:
            return None
        try:
            if document.pop("version") != VERSION:
                raise ExperimenterError(f"{self.path / CAMPAIGN} is of another version than {VERSION}.")
            campaign, terms = int(document.pop("campaign"), 16), _terms(document.pop("terms"))
            return Record(campaign=campaign, terms=terms, **document)
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            if isinstance(error, ExperimenterError):
                raise
            raise ExperimenterError(f"{self.path / CAMPAIGN} lacks or garbles {error}.") from error

    def needed_record(self) -> Record:
        """The prepared campaign. Raises ExperimenterError when there is none."""
        record = self.record()
        if record is None:
            raise ExperimenterError(f"There is no campaign in {self.path}; create one first.")
        return record

    def save(self, record: Record) -> None:
        """Write the record, all at once."""
        members = {name: value for name, value in vars(record).items() if name != "terms"}
        document = {"version": VERSION} | members
        document |= {"campaign": f"0x{record.campaign:064x}", "terms": _hexadecimal(asdict(record.terms))}
        self._write(CAMPAIGN, document)

    def keep_earlier(self, record: Record | None) -> None:
        """Keep copies of what is here before another campaign takes its place: should the chain have this one
        after all, it can go on from there. `record` is its record, None where that is gone.

        What was kept before stays as it was, so that this may be stopped and done again.
        """
        if record is None and not (self.path / MANIFEST).is_file():
            return
        name = f"0x{record.campaign:064x}" if record else sha256(self.manifest_bytes()).hexdigest()
        secret = [_secret(record.terms.audit_key_hash)] if record else []
        kept = self.path / EARLIER / name
        for each in (*secret, MANIFEST, ALLOWLIST, CAMPAIGN):
            if (self.path / each).is_file() and not (kept / each).exists():
                (kept / each).parent.mkdir(FOLDER_MODE, parents=True, exist_ok=True)
                write_atomic(kept / each, (self.path / each).read_bytes(), OWNER_ONLY)
        for folder in (kept, kept.parent, self.path):
            flush_folder(folder)

    def manifest_bytes(self) -> bytes:
        """The very bytes that are published."""
        try:
            return (self.path / MANIFEST).read_bytes()
        except OSError as error:
            raise ManifestError(f"{self.path / MANIFEST} cannot be read: {error.strerror}.") from error

    def save_manifest(self, data: bytes) -> None:
        """Keep the manifest's bytes."""
        write_atomic(self.path / MANIFEST, data)

    def key(self, key_hash: bytes) -> bytes | None:
        """The audit key that the terms hold the hash of; None when this folder does not have it."""
        document = self._read(_secret(key_hash))
        if document is None:
            return None
        try:
            key = bytes.fromhex(document["audit_key"])
            if audit.key_hash(key) == key_hash:
                return key
        except (KeyError, TypeError, ValueError):
            pass
        path = self.path / _secret(key_hash)
        raise ExperimenterError(f"{path} is garbled: it does not hold the key with the hash of its name.")

    def save_key(self, key: bytes) -> None:
        """Keep an audit key, for the owner alone. No other key is touched."""
        key_hash = audit.key_hash(key)
        (self.path / SECRETS).mkdir(FOLDER_MODE, parents=True, exist_ok=True)
        self._write(_secret(key_hash), {"audit_key": key.hex()}, OWNER_ONLY)
        flush_folder(self.path)

    def save_allowlist(self, seats: Mapping[str, int]) -> None:
        """Keep who may enroll; labelers need the whole list to prove that they are on it."""
        self._write(ALLOWLIST, dict(sorted(seats.items())))

    def _read(self, name: str) -> dict[str, Any] | None:
        path = self.path / name
        if not path.exists():
            return None
        try:
            document = read_json(path)
        except FileError as error:
            raise ExperimenterError(str(error)) from error
        if not isinstance(document, dict):
            raise ExperimenterError(f"{path} is garbled; it must be a JSON object.")
        return document

    def _write(self, name: str, document: Mapping[str, Any], mode: int = ALL_READ) -> None:
        self.path.mkdir(parents=True, exist_ok=True)
        write_atomic(self.path / name, (json.dumps(document, indent=1) + "\n").encode(), mode)


def _secret(key_hash: bytes) -> str:
    return f"{SECRETS}/0x{key_hash.hex()}.json"


def _hexadecimal(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _hexadecimal(each) for name, each in value.items()}
    return "0x" + value.hex() if isinstance(value, bytes) else value


def _terms(document: dict[str, Any]) -> Terms:
    words = ("gate_rule", "audit_root", "audit_key_hash", "manifest")
    return Terms(
        **document
        | {name: bytes.fromhex(document[name].removeprefix("0x")) for name in words}
        | {
            "metric": Metric(document["metric"]),
            "curve": Curve(**document["curve"]),
            "weights": Weights(**document["weights"]),
            "periods": Periods(**document["periods"]),
        }
    )
