"""What the methods that count rankings share: the pairwise counts and the order by score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array

from earnest.consensus import kendall
from earnest.consensus.table import Floats, RankingTable

Rankings: TypeAlias = NDArray[np.int8]
Gold: TypeAlias = Mapping[Any, Sequence[int]] | None


def counts(table: RankingTable, weights: ArrayLike | None = None) -> Floats:
    """Number (or weight) of the workers who put the first item before the second, [T, R, R].

    `weights` [W] are finite and not negative; 1 each when None.
    """
    first, second = kendall.pairs(table.ranking.shape[1])
    weight = worker_weights(table, weights)[table.worker]
    before = csr_array((weight, np.arange(len(table)), table.start), shape=(len(table.tasks), len(table)))
    yes = before @ kendall.orders(table.ranking).astype(np.float64)
    total: Floats = np.asarray(before.sum(axis=1))[:, None]
    matrix = np.zeros((len(table.tasks), table.ranking.shape[1], table.ranking.shape[1]))
    matrix[:, first, second] = yes
    matrix[:, second, first] = total - yes
    return matrix


def worker_weights(table: RankingTable, weights: ArrayLike | None) -> Floats:
    """The weights as an array [W], checked."""
    if weights is None:
        return np.ones(len(table.workers))
    given = np.asarray(weights, np.float64)
    if given.shape != (len(table.workers),):
        raise ValueError(f"weights must be {len(table.workers)} numbers, one a worker, not {given.shape}")
    if not (np.isfinite(given) & (given >= 0)).all():
        raise ValueError(f"weight {given[~(np.isfinite(given) & (given >= 0))][0]} must be finite and >= 0")
    return given


def by_score(*scores: Floats) -> Rankings:
    """Rankings [T, R] by the first score [T, R], highest first; ties by the next score, then by number."""
    number = np.broadcast_to(np.arange(scores[0].shape[-1]), scores[0].shape)
    # Sums of weights that should be equal may differ in the last bits.
    keys = [number, *(-np.round(score, 9) for score in reversed(scores))]
    return np.asarray(np.lexsort(keys, axis=-1), np.int8)
