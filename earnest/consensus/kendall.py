"""Kendall's distance between rankings: the number of pairs of items that they order differently.

Rankings are permutations of 0 … R−1, best first. A ranking of R items is the same thing as R(R−1)/2 binary
answers, "does i stand before j?" for i < j, and the distance counts those that differ (Kendall 1938). It is
the distance δ of the metric `Ranking` (design, section 3).
"""

from __future__ import annotations

from itertools import permutations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from earnest.consensus.table import Floats

MOST_ITEMS = 7
"""Largest R whose R! rankings are enumerated (5040 of them)."""


def pairs(size: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The pairs i < j of `size` items, as two index arrays [P], P = R(R−1)/2."""
    first, second = np.triu_indices(size, 1)
    return first, second


def orders(rankings: ArrayLike) -> NDArray[np.bool_]:
    """The binary answers of rankings [..., R]: whether i stands before j, for each pair i < j, [..., P]."""
    position = np.argsort(np.asarray(rankings), axis=-1)
    first, second = pairs(position.shape[-1])
    return np.asarray(position[..., first] < position[..., second])


def distance(left: ArrayLike, right: ArrayLike) -> NDArray[np.int64]:
    """Number of discordant pairs between rankings [..., R]; the leading axes broadcast."""
    left, right = np.asarray(left), np.asarray(right)
    if left.shape[-1:] != right.shape[-1:]:
        raise ValueError(f"rankings of {left.shape[-1]} and of {right.shape[-1]} items have no distance")
    return np.asarray((orders(left) != orders(right)).sum(axis=-1))


def correlation(left: ArrayLike, right: ArrayLike) -> Floats:
    """Kendall's τ between rankings [..., R]: 1 when equal, −1 when reversed, 0 by chance."""
    size = np.asarray(left).shape[-1]
    if size < 2:
        raise ValueError("rankings need at least 2 items to be correlated")
    return np.asarray(1 - 4 * distance(left, right) / (size * (size - 1)))


def all_rankings(size: int) -> NDArray[np.int8]:
    """Every ranking of `size` items in lexicographic order [R!, R]; `ValueError` above `MOST_ITEMS`."""
    if not 1 <= size <= MOST_ITEMS:
        raise ValueError(f"rankings of {size} items cannot be enumerated: 1 to {MOST_ITEMS} can")
    return np.array(list(permutations(range(size))), np.int8)


def index(rankings: NDArray[np.int8]) -> NDArray[np.int64]:
    """Place of rankings [..., R] in the order of `all_rankings`, [...]."""
    size = rankings.shape[-1]
    place = np.zeros(rankings.shape[:-1], np.int64)
    for k in range(size):
        smaller_later = (rankings[..., k + 1 :] < rankings[..., k : k + 1]).sum(axis=-1)
        place = place * (size - k) + smaller_later
    return place
