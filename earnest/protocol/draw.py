"""The draw (design, section 7): which batch a seat gets, and which seats a batch gets, from one seed.

Of `n` seats taken, `N = ⌊n / K⌋` batches are drawn; seat `i < N·K` is in round `r = ⌊i / N⌋` and gets batch
`π_r(i mod N)`; the rest are benched. `π_r` is a generalised Feistel network on `Z_a × Z_b` (Black & Rogaway
2002) with cycle walking, so that the contract can evaluate it for one index, both ways, and stores no list.
The functions for one seat or one batch do the same; those for all of them tabulate the round functions, which
takes about `8·√N` hashes a round instead of `8·N`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from eth_utils.crypto import keccak
from numpy.typing import NDArray

from earnest.protocol.errors import DrawError

ROUNDS: Final = 8
BENCHED: Final = -1


def seed(outcome: bytes, campaign: int) -> bytes:
    """A campaign's seed, 32 bytes, from the randomness source's word and the campaign's id.

    Raises DrawError when the word is no 32 bytes or the id no uint256.
    """
    if not 0 <= campaign < 1 << 256:
        raise DrawError(f"The campaign is {campaign}; it must be 0 to 2^256 − 1.")
    return keccak(_word("outcome", outcome) + campaign.to_bytes(32, "big"))


def batch_count(seats: int, cohort: int) -> int:
    """How many batches are drawn from `seats` seats taken, in cohorts of `cohort`.

    Raises DrawError for fewer than 0 seats or cohorts below 1.
    """
    if seats < 0 or cohort < 1:
        raise DrawError(f"{seats} seats in cohorts of {cohort}: they must be at least 0 and 1.")
    return seats // cohort


def batch_of(seed: bytes, seats: int, cohort: int, seat: int) -> int:
    """The batch of one seat, or BENCHED. Raises DrawError for a seat that was not taken."""
    batches = batch_count(seats, cohort)
    if not 0 <= seat < seats:
        raise DrawError(f"Seat {seat} was not taken; it must be 0 to {seats - 1}.")
    if seat >= batches * cohort:
        return BENCHED
    round_, index = divmod(seat, batches)
    return permute(seed, round_, batches, index)


def cohort_of(seed: bytes, seats: int, cohort: int, batch: int) -> list[int]:
    """The seats of one batch, by lane. Raises DrawError for a batch that was not drawn."""
    batches = batch_count(seats, cohort)
    return [lane * batches + unpermute(seed, lane, batches, batch) for lane in range(cohort)]


def assignment(seed: bytes, seats: int, cohort: int) -> NDArray[np.int64]:
    """Every seat's batch, or BENCHED; shape (seats,)."""
    batches = batch_count(seats, cohort)
    drawn = np.full(seats, BENCHED, dtype=np.int64)
    for lane in range(cohort if batches else 0):
        drawn[lane * batches : (lane + 1) * batches] = permutation(seed, lane, batches)
    return drawn


def cohorts(seed: bytes, seats: int, cohort: int) -> NDArray[np.int64]:
    """Every batch's seats, by lane; shape (batches, K)."""
    batches = batch_count(seats, cohort)
    drawn = np.empty((batches, cohort), dtype=np.int64)
    for lane in range(cohort if batches else 0):
        start = lane * batches
        drawn[permutation(seed, lane, batches), lane] = np.arange(start, start + batches)
    return drawn


def permute(seed: bytes, round_: int, size: int, index: int) -> int:
    """`π_round(index)` on `[0, size)`. Raises DrawError for an index out of range."""
    _check_index(index, size)
    a, b = _sides(size)
    f = _round_function(seed, round_)
    while True:
        y, x = divmod(index, a)
        for j in range(ROUNDS):
            if j % 2 == 0:
                x = (x + f(j, y)) % a
            else:
                y = (y + f(j, x)) % b
        index = y * a + x
        if index < size:
            return index


def unpermute(seed: bytes, round_: int, size: int, index: int) -> int:
    """`π_round⁻¹(index)` on `[0, size)`. Raises DrawError for an index out of range."""
    _check_index(index, size)
    a, b = _sides(size)
    f = _round_function(seed, round_)
    while True:
        y, x = divmod(index, a)
        for j in reversed(range(ROUNDS)):
            if j % 2 == 0:
                x = (x - f(j, y)) % a
            else:
                y = (y - f(j, x)) % b
        index = y * a + x
        if index < size:
            return index


def permutation(seed: bytes, round_: int, size: int) -> NDArray[np.int64]:
    """`π_round` of all of `[0, size)`; shape (size,). Raises DrawError when `size` is below 1."""
    a, b = _sides(size)
    f = _round_function(seed, round_)
    y, x = np.divmod(np.arange(a * b, dtype=np.int64), a)
    for j in range(ROUNDS):
        if j % 2 == 0:
            x = (x + np.array([f(j, half) % a for half in range(b)], dtype=np.int64)[y]) % a
        else:
            y = (y + np.array([f(j, half) % b for half in range(a)], dtype=np.int64)[x]) % b
    once = y * a + x
    walked: NDArray[np.int64] = once[:size]
    while (outside := walked >= size).any():
        walked = np.where(outside, once[walked], walked)
    return walked


def _round_function(seed: bytes, round_: int) -> Callable[[int, int], int]:
    key = keccak(_word("seed", seed) + round_.to_bytes(32, "big"))
    return lambda j, half: int.from_bytes(keccak(key + (j << 128 | half).to_bytes(32, "big")), "big")


def _sides(size: int) -> tuple[int, int]:
    if size < 1:
        raise DrawError(f"The size is {size}; it must be at least 1.")
    a = 1 << ((size - 1).bit_length() + 1) // 2  # the smallest power of two whose square is at least `size`
    return a, -(-size // a)


def _check_index(index: int, size: int) -> None:
    if not 0 <= index < size:
        raise DrawError(f"Index {index} is out of range; it must be 0 to {size - 1}.")


def _word(name: str, value: bytes) -> bytes:
    if len(value) != 32:
        raise DrawError(f"The {name} has {len(value)} bytes; it must have 32.")
    return value
