"""The mean rating, plain or weighted by what each worker's answers are worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from earnest.consensus.ratings import consensus, variances
from earnest.consensus.result import RatingConsensus
from earnest.consensus.table import Floats, RatingTable


@dataclass(frozen=True)
class Mean:
    """Mean of the answers to each task, with an interval that holds the truth with probability `coverage`.

    `weights` [W], finite and not negative, are the workers' precisions (the inverse of a variance) up to a
    common factor, in the order of the table's workers; None counts every worker once. A task without answers,
    or with none that has a weight, has no value (NaN).
    """

    weights: ArrayLike | None = None
    coverage: float = 0.95

    def fit_predict(
        self, table: RatingTable, gold: Mapping[Any, float] | ArrayLike | None = None
    ) -> RatingConsensus:
        """Consensus of a table; `gold` as for `RatingTable.gold`: a known value stands as it is."""
        known = table.gold(gold)
        count = len(table.tasks)
        weight = _weights(table, self.weights)[table.worker]
        total = np.bincount(table.task, weight, minlength=count)
        heard = np.bincount(table.task, weight > 0, minlength=count)
        weighted = np.bincount(table.task, weight * table.rating, minlength=count)
        value = np.divide(weighted, total, out=np.full(count, np.nan), where=total > 0)
        off = weight * np.where(weight > 0, table.rating - value[table.task], 0.0) ** 2
        squares = np.asarray(np.bincount(table.task, off, minlength=count), np.float64)
        spread = variances(squares, np.maximum(heard - 1.0, 0))
        factor = np.divide(1, total, out=np.full(count, np.nan), where=total > 0)
        other = total[table.task] - weight
        alone = heard[table.task] - (weight > 0) < 1
        rest = np.divide(
            weighted[table.task] - weight * table.rating, other, out=np.full(len(table), np.nan), where=~alone
        )
        rest_factor = np.divide(1, other, out=np.full(len(table), np.nan), where=~alone)
        return consensus("mean", table, known, value, spread, factor, rest, rest_factor, self.coverage)


def _weights(table: RatingTable, weights: ArrayLike | None) -> Floats:
    """Weights [W] with mean 1 over the answers."""
    if weights is None:
        return np.ones(len(table.workers))
    given = np.asarray(weights, np.float64)
    if given.shape != (len(table.workers),):
        raise ValueError(f"weights must be {len(table.workers)} numbers, one a worker, not {given.shape}")
    wrong = ~(np.isfinite(given) & (given >= 0))
    if wrong.any():
        raise ValueError(f"weight {given[wrong][0]} must be finite and >= 0")
    mean = float(given[table.worker].mean())
    if mean == 0:
        raise ValueError("weights must not all be 0")
    return given / mean
