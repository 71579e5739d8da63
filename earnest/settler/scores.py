"""The right scores of campaigns, computed once; manifests fetched where there is an audit to open.

Whoever creates a campaign chooses where its manifest is fetched from, so several are fetched at once, a look
waits for them no longer than a while in all, and what cannot be had is reported and tried again later.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from threading import Thread
from typing import Final

from earnest.chain import settle
from earnest.chain.life import Phase
from earnest.chain.settle import Sealed
from earnest.chain.state import Campaign
from earnest.manifest.errors import ManifestError
from earnest.protocol.errors import ProtocolError
from earnest.settler.errors import SettlerError
from earnest.settler.rows import FETCH_LIMIT, Rows, fetch_rows

FETCHES: Final = 8  # at once
FIRST_PAUSE: Final = 30.0
LONGEST_PAUSE: Final = 3_600.0

Fetch = Callable[[str, bytes], Rows]


class Waiting(SettlerError):
    """Scores that cannot be computed yet, while a manifest is on its way."""


class _Fetching:
    """A manifest on its way."""

    def __init__(self, fetch: Fetch, uri: str, digest: bytes) -> None:
        self._found: list[Rows | Exception] = []

        def work() -> None:
            try:
                self._found.append(fetch(uri, digest))
            except Exception as error:  # to be raised where it is waited for
                self._found.append(error)

        self.thread = Thread(target=work, daemon=True)
        self.thread.start()

    def result(self, patience: float | None) -> Rows | None:
        """The rows; None when they are not there within `patience` seconds. Raises what fetching raised."""
        self.thread.join(patience)
        if not self._found:
            return None
        (found,) = self._found
        if isinstance(found, Exception):
            raise found
        return found


@dataclass
class Scorer:
    """Computes each campaign's words once. `uris` overrules where the manifests of campaigns are.

    `patience`: seconds for which one look waits for manifests in all, once `begin` was called; without that
    they are waited for.
    """

    fetch: Fetch = fetch_rows
    uris: Mapping[int, str] = field(default_factory=dict)
    clock: Callable[[], float] = time.monotonic
    patience: float = FETCH_LIMIT
    _words: dict[int, tuple[int, list[int]]] = field(default_factory=dict)
    _rows: dict[int, Sealed] = field(default_factory=dict)
    _failed: dict[int, tuple[float, float, str]] = field(default_factory=dict)
    _fetching: dict[tuple[str, bytes], _Fetching] = field(default_factory=dict)
    _until: float | None = None

    def begin(self, campaigns: Collection[int]) -> None:
        """Begin a look that needs the scores of these campaigns; what was kept for others is let go."""
        self._until = time.monotonic() + self.patience
        self._words = {number: words for number, words in self._words.items() if number in campaigns}
        self._failed = {number: failure for number, failure in self._failed.items() if number in campaigns}
        self._rows = {number: rows for number, rows in self._rows.items() if number in campaigns}

    def put_off(self, campaign: int) -> float:
        """For how many seconds a campaign was put off when it last failed; 0 for one that never did."""
        return self._failed.get(campaign, (0.0, 0.0, ""))[1]

    def words(self, campaign: Campaign, forks: int) -> list[int]:
        """The right words of all batches of a campaign in Settling, as of a history (`Sight.forks`).

        Raises SettlerError when they cannot be computed, at once until it is worth another try; Waiting while
        the manifest is on its way.
        """
        known = self._words.get(campaign.number)
        if known is None or known[0] != forks:
            found = self._guarded(campaign, lambda: settle.words(campaign, self.rows(campaign)))
            known = self._words[campaign.number] = (forks, found)
        return known[1]

    def rows(self, campaign: Campaign) -> Sealed:
        """The audit rows that the terms fix; none when there is no audit, or nothing to open it with.

        Raises ManifestError or AuditError; Waiting while the manifest is on its way.
        """
        terms, drawn = campaign.terms, len(campaign.batches)
        if not terms.audited or campaign.audit_key is None:
            return settle.sealed(campaign, ())
        known = self._rows.get(campaign.number)
        if known is None or len(known.rows) != drawn:  # a reorganisation may draw fewer or more
            rows = self._fetched(self.uris.get(campaign.number, campaign.uri), terms.manifest)
            known = self._rows[campaign.number] = settle.sealed(campaign, rows)
        return known

    def _fetched(self, uri: str, digest: bytes) -> Rows:
        key = (uri, digest)
        if key not in self._fetching:
            if sum(each.thread.is_alive() for each in self._fetching.values()) >= FETCHES:
                raise Waiting("its manifest is fetched after others'.")
            self._fetching[key] = _Fetching(self.fetch, uri, digest)
        left = None if self._until is None else max(0.0, self._until - time.monotonic())
        try:
            found = self._fetching[key].result(left)
        except Exception:
            del self._fetching[key]
            raise
        if found is None:
            raise Waiting("its manifest is being fetched.")
        del self._fetching[key]
        return found

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
    return campaign.life_at(block_time).phase is Phase.SETTLING
