"""The phase machine (design, section 7): which phase a campaign is in, and until when.

The contract's `LifeLib`: time carries a life forward by itself, and each phase begins where the one before it
ended.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import IntEnum

from earnest.protocol.terms import Periods, Terms


class Phase(IntEnum):
    """The phases in order; NONE is a campaign that does not exist."""

    NONE = 0
    ENROLLING = 1
    DRAWING = 2
    COMMITTING = 3
    REVEALING = 4
    AUDITING = 5
    SETTLING = 6
    FINAL = 7
    CANCELLED = 8

    @property
    def title(self) -> str:
        """As it is written in sentences."""
        return self.name.capitalize()


class DrawStatus(IntEnum):
    """How far a source of randomness is: `IRandomness.Status`."""

    PENDING = 0
    READY = 1
    EXPIRED = 2


@dataclass(frozen=True, kw_only=True)
class Life:
    """All of a campaign that moves while people act in it.

    `seats` are those offered, from the draw on those drawn; `opened` commitments are revealed or denounced
    ones; `scored` batches hold scores. `deadline` is the unix time at which the phase ends if nothing else
    ends it, in Settling when the last posting's scores are final, 0 where there is none.
    """

    phase: Phase
    deadline: int
    seats: int
    cohort: int
    taken: int = 0
    committed: int = 0
    opened: int = 0
    scored: int = 0
    released: int = 0

    @property
    def batches(self) -> int:
        """Batches drawn; before the draw, offered."""
        return self.seats // self.cohort if self.cohort else 0


def begin(terms: Terms) -> Life:
    """The life of a campaign just created."""
    seats = terms.batches * terms.cohort
    return Life(phase=Phase.ENROLLING, deadline=terms.enroll_by, seats=seats, cohort=terms.cohort)


def at(life: Life, terms: Terms, now: int) -> Life:
    """A life carried forward to unix time `now`."""
    periods = terms.periods
    if life.phase is Phase.ENROLLING and now >= life.deadline:
        if life.taken < life.cohort:
            return enter(life, Phase.CANCELLED, 0)
        life = close_enrolling(life, periods, life.deadline)
    if life.phase is Phase.DRAWING and now >= life.deadline:
        return enter(life, Phase.CANCELLED, 0)
    if life.phase is Phase.COMMITTING and now >= life.deadline:
        life = close_committing(life, terms, life.deadline)
    if life.phase is Phase.REVEALING and now >= life.deadline:
        life = close_revealing(life, terms, life.deadline)
    if life.phase is Phase.AUDITING and now >= life.deadline:
        life = enter(life, Phase.SETTLING, 0)
    if life.phase is Phase.SETTLING and life.scored == life.batches and now >= life.deadline:
        life = enter(life, Phase.FINAL, 0)
    return life


def passing(life: Life, terms: Terms, now: int) -> Iterator[tuple[Phase, int]]:
    """The phases that begin by themselves from a life until unix time `now`, and when each does."""
    while life.deadline and life.deadline <= now:
        after = at(life, terms, life.deadline)
        if after.phase is life.phase:
            return
        yield after.phase, life.deadline
        life = after


def enter(life: Life, phase: Phase, deadline: int) -> Life:
    """A life in another phase."""
    return replace(life, phase=phase, deadline=deadline)


def close_enrolling(life: Life, periods: Periods, time: int) -> Life:
    """Enrolling ends at `time` with a cohort or more."""
    return enter(life, Phase.DRAWING, time + periods.draw)


def close_committing(life: Life, terms: Terms, time: int) -> Life:
    """Committing ends at `time`; with nothing left to reveal, so does revealing."""
    if life.opened == life.committed:
        return close_revealing(life, terms, time)
    return enter(life, Phase.REVEALING, time + terms.periods.reveal)


def close_revealing(life: Life, terms: Terms, time: int) -> Life:
    """Revealing ends at `time`."""
    if terms.audited:
        return enter(life, Phase.AUDITING, time + terms.periods.audit)
    return enter(life, Phase.SETTLING, 0)
