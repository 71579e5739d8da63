"""What the contract's views tell of accounts, draws, seats and batches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from earnest.chain.life import Life, Phase
from earnest.chain.state import BatchStatus, lanes
from earnest.protocol.terms import ZERO_WORD


@dataclass(frozen=True)
class AccountView:
    """An account in one token: free balance, and the nonce that its next signed enrolment must carry."""

    balance: int
    nonce: int


@dataclass(frozen=True)
class DrawView:
    """How far a campaign's draw is: ticket once requested, seed once drawn, audit key once disclosed."""

    ticket: int | None
    seed: bytes | None
    audit_key: bytes | None


@dataclass(frozen=True)
class SeatView:
    """A seat as stored: `labeler` None when not taken, or freed; see docs/encoding.md for the record."""

    labeler: str | None
    record: int
    revisions: int


@dataclass(frozen=True)
class BatchView:
    """A batch's standing. `scores` by lane, None while there are none; `final_at` and `posting` may be 0."""

    status: BatchStatus
    final_at: int
    scores: tuple[int, ...] | None
    posting: int


def life_of(view: Any) -> Life:
    """A campaign's life, of what `lifeOf` answers."""
    counters = {name: int(getattr(view, name)) for name in Life.__dataclass_fields__ if name != "phase"}
    return Life(phase=Phase(view.phase), **counters)


def draw_of(requested: bool, ticket: int, seed: bytes, key: bytes) -> DrawView:
    """A campaign's draw, of what `drawOf` answers."""
    return DrawView(int(ticket) if requested else None, _known(seed), _known(key))


def batch_of(cohort: int, status: int, final_at: int, word: int, posting: int) -> BatchView:
    """A batch's standing, of what `batchOf` answers."""
    found = BatchStatus(status)
    scores = None if found is BatchStatus.OPEN else tuple(lanes(int(word), cohort))
    return BatchView(found, int(final_at), scores, int(posting))


def _known(word: bytes) -> bytes | None:
    return None if bytes(word) == ZERO_WORD else bytes(word)
