"""What a campaign keeps on disk: terms, manifest, and what nobody else may see before the audit's disclosure.

=================  ==================================================================
`campaign.json`    id, experimenter, contract, URI, terms; written last, all at once
`manifest.json`    the very bytes that are published
`secret.json`      the audit key and the layout's seed; readable by its owner only
`allowlist.json`   who may enroll, where there is a gate
`earlier/`         the same of campaigns whose creation was sent in vain, a folder each
=================  ==================================================================
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from earnest.experimenter.errors import ExperimenterError
from earnest.files import ALL_READ, FOLDER_MODE, OWNER_ONLY, flush_folder, locked, write_atomic
from earnest.manifest.errors import ManifestError
from earnest.manifest.manifest import Manifest
from earnest.protocol.terms import Curve, Metric, Periods, Terms, Weights

VERSION: Final = 1
CAMPAIGN: Final = "campaign.json"
MANIFEST: Final = "manifest.json"
SECRET: Final = "secret.json"
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


@dataclass(frozen=True)
class Secret:
    """What stays hidden until the audit is disclosed."""

    audit_key: bytes
    seed: int


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

    def keep_earlier(self, record: Record) -> None:
        """Keep copies of a campaign whose creation was sent, before another takes its place: should the chain
        have it after all, nothing but its audit key opens its audit.
        """
        kept = self.path / EARLIER / f"0x{record.campaign:064x}"
        kept.mkdir(FOLDER_MODE, parents=True, exist_ok=True)
        for name in (SECRET, MANIFEST, ALLOWLIST, CAMPAIGN):
            if (self.path / name).is_file():
                write_atomic(kept / name, (self.path / name).read_bytes(), OWNER_ONLY)
        flush_folder(kept.parent)
        flush_folder(self.path)

    def manifest(self) -> Manifest:
        """The manifest. Raises ManifestError or ExperimenterError when it is missing or garbled."""
        return Manifest.from_bytes(self.manifest_bytes())

    def manifest_bytes(self) -> bytes:
        """The very bytes that are published."""
        try:
            return (self.path / MANIFEST).read_bytes()
        except OSError as error:
            raise ManifestError(f"{self.path / MANIFEST} cannot be read: {error.strerror}.") from error

    def save_manifest(self, data: bytes) -> None:
        """Keep the manifest's bytes."""
        write_atomic(self.path / MANIFEST, data)

    def secret(self) -> Secret | None:
        """What is hidden; None when this folder does not have it."""
        document = self._read(SECRET)
        if document is None:
            return None
        try:
            return Secret(bytes.fromhex(document["audit_key"]), int(document["seed"]))
        except (KeyError, TypeError, ValueError) as error:
            raise ExperimenterError(f"{self.path / SECRET} is garbled.") from error

    def save_secret(self, secret: Secret) -> None:
        """Keep what is hidden, for the owner alone."""
        document = {"audit_key": secret.audit_key.hex(), "seed": str(secret.seed)}
        self._write(SECRET, document, OWNER_ONLY)

    def save_allowlist(self, seats: Mapping[str, int]) -> None:
        """Keep who may enroll; labelers need the whole list to prove that they are on it."""
        self._write(ALLOWLIST, dict(sorted(seats.items())))

    def _read(self, name: str) -> dict[str, Any] | None:
        path = self.path / name
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise ExperimenterError(f"{path} cannot be read: {error}.") from error
        if not isinstance(document, dict):
            raise ExperimenterError(f"{path} is garbled; it must be a JSON object.")
        return document

    def _write(self, name: str, document: Mapping[str, Any], mode: int = ALL_READ) -> None:
        self.path.mkdir(parents=True, exist_ok=True)
        write_atomic(self.path / name, (json.dumps(document, indent=1) + "\n").encode(), mode)


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
