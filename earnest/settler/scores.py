"""The right scores of campaigns, computed once; manifests fetched where there is an audit to open.

Whoever creates a campaign chooses where its manifest is fetched from, so fetching is given a time limit, and
what cannot be had is reported and tried again later, never waited for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Thread
from typing import Final

from earnest.chain import settle
from earnest.chain.life import Phase
from earnest.chain.state import Campaign
from earnest.manifest.errors import ManifestError
from earnest.manifest.fetch import fetch
from earnest.protocol.errors import ProtocolError
from earnest.settler.errors import SettlerError

FETCH_LIMIT: Final = 60.0
FIRST_PAUSE: Final = 30.0
LONGEST_PAUSE: Final = 3_600.0

Rows = Sequence[bytes]
Fetch = Callable[[str, bytes], Rows]


def fetch_rows(uri: str, digest: bytes, limit: float = FETCH_LIMIT) -> Rows:
    """The enciphered audit rows of the manifest at `uri`, its digest checked.

    Raises ManifestError when it cannot be had, is another, or takes longer than `limit` seconds.
    """
    found: list[Rows | Exception] = []

    def work() -> None:
        try:
            found.append(fetch(uri, digest).audit_rows)
        except Exception as error:  # a stranger's URI may fail in any way
            found.append(error)

    thread = Thread(target=work, daemon=True)
    thread.start()
    thread.join(limit)
    if not found:
        raise ManifestError(f"The manifest at {uri} was not there after {limit:.0f} s.")
    (result,) = found
    if isinstance(result, ManifestError):
        raise result
    if isinstance(result, Exception):
        raise ManifestError(f"The manifest at {uri} cannot be read: {result}.") from result
    return result


@dataclass
class Scorer:
    """Computes each campaign's words once. `uris` overrules where the manifests of campaigns are."""

    fetch: Fetch = fetch_rows
    uris: Mapping[int, str] = field(default_factory=dict)
    clock: Callable[[], float] = time.monotonic
    _words: dict[tuple[int, int], list[int]] = field(default_factory=dict)
    _rows: dict[bytes, Rows] = field(default_factory=dict)
    _failed: dict[int, tuple[float, float, str]] = field(default_factory=dict)

    def words(self, campaign: Campaign, forks: int) -> list[int]:
        """The right words of all batches of a campaign in Settling, as of a history (`Sight.forks`).

        Raises SettlerError when they cannot be computed, at once until it is worth another try.
        """
        key = (campaign.number, forks)
        if key not in self._words:
            self._words[key] = self._guarded(campaign, lambda: settle.words(campaign, self.rows(campaign)))
        return self._words[key]

    def rows(self, campaign: Campaign) -> Rows:
        """The audit rows that the terms fix; none when there is no audit, or nothing to open it with.

        Raises ManifestError or AuditError.
        """
        terms = campaign.terms
        if not terms.audited or campaign.audit_key is None:
            return ()
        if terms.manifest not in self._rows:
            rows = self.fetch(self.uris.get(campaign.number, campaign.uri), terms.manifest)
            settle.check_rows(campaign, rows)
            self._rows[terms.manifest] = rows
        return self._rows[terms.manifest]

    def _guarded(self, campaign: Campaign, compute: Callable[[], list[int]]) -> list[int]:
        at, pause, sentence = self._failed.get(campaign.number, (0.0, 0.0, ""))
        if self.clock() < at + pause:
            raise SettlerError(sentence)
        try:
            found = compute()
        except (ManifestError, ProtocolError) as error:
            later = min(max(2 * pause, FIRST_PAUSE), LONGEST_PAUSE)
            self._failed[campaign.number] = (self.clock(), later, str(error))
            raise SettlerError(str(error)) from error
        self._failed.pop(campaign.number, None)
        return found


def needs_scores(campaign: Campaign, block_time: int) -> bool:
    """Whether a campaign has scores to post or to check as of the newest block read, of unix time
    `block_time`. By another clock its reveals could still be going on, and its right scores change.
    """
    life = campaign.life_at(block_time)
    return life.phase in (Phase.SETTLING, Phase.FINAL) and life.released < life.batches
