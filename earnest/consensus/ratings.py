"""What the mean and the median share: a task's variance and interval, and how far each worker is off.

The variance of the answers to one task is a poor estimate when the answers are few, so it is shrunk towards
that of all tasks: variances are taken to follow a scaled inverse χ² distribution over the tasks (Smyth 2004),
fitted by its first two moments, and the interval is that of Student's t with the degrees of freedom of both.
It stands for the mean of all who might have answered. Where no task has two
answers, the interval is (−∞, ∞).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from earnest.consensus.result import Convergence, RatingConsensus
from earnest.consensus.table import Floats, RatingTable

PRIOR = 4.0
"""Answers of an average worker that the prior on a worker's noise is worth."""

MOST_FREEDOM = 1000.0
"""Degrees of freedom that stand for "all tasks have the same variance"."""


@dataclass(frozen=True, eq=False)
class Variances:
    """Variance of an answer to each task [T], shrunk, and its degrees of freedom [T]."""

    variance: Floats
    freedom: Floats


def variances(squares: Floats, freedom: Floats) -> Variances:
    """Shrink the sums of squares [T], of so many degrees of freedom [T]; NaN when there are none at all."""
    if not (freedom > 0).any():
        return Variances(np.full(len(squares), np.nan), np.zeros(len(squares)))
    total = freedom.sum()
    mean = squares.sum() / total
    if mean == 0:
        return Variances(np.zeros(len(squares)), np.full(len(squares), MOST_FREEDOM))
    seen = freedom > 0
    each = squares[seen] / freedom[seen] / mean
    weight = freedom[seen] / total
    # E[s²]² = (1 + 2/d)(1 + CV²) for the mean 1, where CV² is that of the variances themselves.
    second = (weight * each**2).sum() / (weight * (1 + 2 / freedom[seen])).sum()
    prior = min(4 + 2 / max(second - 1, 1e-12), MOST_FREEDOM)
    scale = mean * (prior - 2)
    return Variances((scale + squares) / (prior + freedom), prior + freedom)


def consensus(
    method: str,
    table: RatingTable,
    gold: Floats,
    value: Floats,
    spread: Variances,
    factor: Floats,
    rest: Floats,
    rest_factor: Floats,
    coverage: float,
) -> RatingConsensus:
    """Assemble the result.

    `value` [T]; `factor` [T] times the task's variance is that of the value; `rest` [n] is the value without
    the row's own answer, NaN where there is no other answer, and `rest_factor` [n] its factor.
    """
    if not 0 < coverage < 1:
        raise ValueError(f"coverage must lie between 0 and 1, not {coverage}")
    known = ~np.isnan(gold)
    with np.errstate(invalid="ignore"):
        reach = student.ppf((1 + coverage) / 2, np.maximum(spread.freedom, 1)) * np.sqrt(
            spread.variance * factor
        )
    reach = np.where(np.isnan(reach), np.inf, reach)
    centre = np.where(np.isnan(value), 0.0, value)
    return RatingConsensus(
        method=method,
        tasks=table.tasks,
        workers=table.workers,
        value=np.where(known, gold, value),
        low=np.where(known, gold, centre - reach),
        high=np.where(known, gold, centre + reach),
        coverage=coverage,
        bias=np.full(len(table.workers), np.nan),
        noise=np.full(len(table.workers), np.nan),
        reliability=_reliability(table, gold, value, spread, factor, rest, rest_factor),
        convergence=Convergence.closed_form(),
    )


def _reliability(
    table: RatingTable,
    gold: Floats,
    value: Floats,
    spread: Variances,
    factor: Floats,
    rest: Floats,
    rest_factor: Floats,
) -> Floats:
    """Squared correlation of a worker's answers with the truth, [W]: signal / (signal + squared error).

    The error is measured against the gold answer, else against the others' consensus, whose own variance is
    taken off. NaN when no task has two answers or a gold one.
    """
    known = ~np.isnan(gold)[table.task]
    reference = np.where(known, gold[table.task], rest)
    usable = ~np.isnan(reference)
    if not usable.any():
        return np.full(len(table.workers), np.nan)
    own = np.where(known, 0.0, rest_factor * spread.variance[table.task])
    error = ((table.rating - reference) ** 2 - own)[usable]
    worker = table.worker[usable]
    average = max(float(error.mean()), 0.0)
    load = np.bincount(worker, minlength=len(table.workers))
    total = np.bincount(worker, error, minlength=len(table.workers))
    noise = np.maximum((total + PRIOR * average) / (load + PRIOR), 0)
    best = np.where(np.isnan(gold), value, gold)
    uncertainty = np.where(np.isnan(gold), factor * spread.variance, 0.0)
    here = ~np.isnan(best) & ~np.isnan(uncertainty)
    signal = max(float(best[here].var() - uncertainty[here].mean()), 0.0) if here.any() else 0.0
    scale = signal + noise
    return np.asarray(np.divide(signal, scale, out=np.ones(len(noise)), where=scale > 0))
