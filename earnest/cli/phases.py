"""Whether a campaign is in the phase for a command; if not, when that phase was or will be."""

from __future__ import annotations

from typing import Final

from earnest.chain.life import Phase
from earnest.chain.phases import phase_end, phase_starts
from earnest.chain.state import Campaign
from earnest.cli.errors import InputError
from earnest.cli.session import Session
from earnest.cli.text import until
from earnest.times import clock

# What reveals must be over for, by the chain's own clock.
AFTER_REVEALS: Final = (Phase.AUDITING, Phase.SETTLING)


def need_phase(session: Session, found: Campaign, phase: Phase) -> None:
    """Raise InputError, with times, unless the campaign is in this phase; for Settling, Final will do."""
    now = session.client.now() if phase in AFTER_REVEALS else session.now
    life = found.life_at(now)
    if life.phase is phase or (phase is Phase.SETTLING and life.phase is Phase.FINAL):
        return
    ends = f", until {until(life.deadline, now)}" if life.deadline else ""
    state = f"the campaign is {life.phase.title}{ends}"
    if phase is Phase.CANCELLED:
        raise InputError(f"Only a cancelled campaign is refunded: {state}.")
    if life.phase < phase:
        raise InputError(f"{phase.title} has not begun: {state}.")
    starts = phase_starts(session.history(), session.client.sink, found.number, now)
    end = phase_end(starts, phase)
    over = f"was over at {clock(end, now)}" if end else "never came"
    raise InputError(f"{phase.title} {over}: {state}.")
