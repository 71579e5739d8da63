"""The median rating: half of the answers lie on either side; with an even number, midway between the middle
two.

The interval takes the median of n answers to vary as it does for normal answers, with the variance
(π/2) / (n + π/2 − 1) of a single one's: π/2n for large n, and right to within 3% for every odd n. Outliers
widen the interval although they hardly move the median.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from earnest.consensus.ratings import consensus, variances
from earnest.consensus.result import RatingConsensus
from earnest.consensus.table import Floats, RatingTable


@dataclass(frozen=True)
class Median:
    """Median of the answers to each task, with an interval that holds the truth with probability `coverage`.

    A task without answers has no value (NaN).
    """

    coverage: float = 0.95

    def fit_predict(
        self, table: RatingTable, gold: Mapping[Any, float] | ArrayLike | None = None
    ) -> RatingConsensus:
        """Consensus of a table; `gold` as for `RatingTable.gold`: a known value stands as it is."""
        known = table.gold(gold)
        number = table.per_task
        order = np.lexsort((table.rating, table.task))
        ranked = table.rating[order]
        value = np.full(len(number), np.nan)
        some = number > 0
        lower, upper = table.start[:-1] + (number - 1) // 2, table.start[:-1] + number // 2
        value[some] = (ranked[lower[some]] + ranked[upper[some]]) / 2
        mean = np.bincount(table.task, table.rating, minlength=len(number)) / np.maximum(number, 1)
        squares = np.asarray(
            np.bincount(table.task, (table.rating - mean[table.task]) ** 2, minlength=len(number)), np.float64
        )
        rest = np.full(len(table), np.nan)
        rest[order] = _without_each(ranked, table)
        spread = variances(squares, np.maximum(number - 1.0, 0))
        return consensus(
            "median",
            table,
            known,
            value,
            spread,
            _factor(number),
            rest,
            _factor(number[table.task] - 1),
            self.coverage,
        )


def _factor(number: NDArray[np.int64]) -> Floats:
    """Variance of the median of so many normal answers, in variances of one; NaN for none."""
    factor = (np.pi / 2) / (np.maximum(number, 1) + np.pi / 2 - 1)
    return np.where(number < 1, np.nan, np.where(number == 2, 0.5, factor))


def _without_each(ranked: Floats, table: RatingTable) -> Floats:
    """Median of the other answers of the task, for answers sorted within their task [n]."""
    first = table.start[:-1][table.task]
    rank = np.arange(len(ranked)) - first
    left = table.per_task[table.task] - 1

    def other(place: NDArray[np.int64]) -> Floats:
        return np.asarray(ranked[np.minimum(first + place + (place >= rank), len(ranked) - 1)])

    middle = (other((left - 1) // 2) + other(left // 2)) / 2
    return np.where(left > 0, middle, np.nan)
