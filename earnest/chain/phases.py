"""When a campaign's phases began, from the chain's records alone."""

from __future__ import annotations

from collections.abc import Iterable

from earnest.chain import life as lives
from earnest.chain.life import Phase
from earnest.chain.records import Record
from earnest.chain.state import Campaign, State


def phase_starts(records: Iterable[Record], sink: str, campaign: int, now: int) -> dict[Phase, int]:
    """The unix time at which each phase began that the campaign has been in until `now`.

    A phase that nobody had anything to do in (no commitment to reveal) is left out.
    """
    state = State(sink)
    starts: dict[Phase, int] = {}
    for record in records:
        if (found := state.campaigns.get(campaign)) is not None:
            _pass_deadlines(found, record.place.timestamp, starts)
        state.apply(record)
        if (found := state.campaigns.get(campaign)) is not None:
            starts.setdefault(found.life.phase, record.place.timestamp)
    if (found := state.campaigns.get(campaign)) is not None:
        _pass_deadlines(found, now, starts)
    return starts


def phase_end(starts: dict[Phase, int], phase: Phase) -> int | None:
    """When a phase ended; None when it did not, or never was."""
    later = [start for other, start in starts.items() if other > phase]
    return min(later) if phase in starts and later else None


def _pass_deadlines(campaign: Campaign, now: int, starts: dict[Phase, int]) -> None:
    for phase, time in lives.passing(campaign.life, campaign.terms, now):
        starts.setdefault(phase, time)
