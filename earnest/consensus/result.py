"""What an estimator returns: answers and their uncertainty, workers' reliability, how it converged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from earnest.consensus.table import Floats, Ids, Indices


@dataclass(frozen=True, eq=False)
class Convergence:
    """How an iteration ended.

    `trace` [iterations] is the objective after each iteration (its meaning is the estimator's: log
    likelihood, log posterior or evidence lower bound, natural logarithms); `tolerance` is what its change,
    per answer, or that of the probabilities was compared with. A method without iterations has an empty trace
    and has converged.
    """

    converged: bool
    tolerance: float
    trace: Floats

    @property
    def iterations(self) -> int:
        """Number of iterations done."""
        return len(self.trace)

    @property
    def objective(self) -> float:
        """Last value of the objective; NaN for a method without iterations."""
        return float(self.trace[-1]) if len(self.trace) else float("nan")

    @classmethod
    def closed_form(cls) -> Convergence:
        """The record of a method that does not iterate."""
        return cls(True, 0.0, np.zeros(0))


@dataclass(frozen=True, eq=False)
class ClassConsensus:
    """Consensus on classes.

    `label` [T] indexes `classes`: the most probable one, ties to the first; `probability` [T, C] sums to 1
    over the classes; `reliability` [W] in [0, 1] is the estimated probability that the worker's answer is
    right; `confusion` [W, C, C] is P(answer | truth) with the truth first, where the method estimates it;
    `prior` [C] is the estimated frequency of the classes.
    """

    method: str
    tasks: Ids
    workers: Ids
    classes: Ids
    label: Indices
    probability: Floats
    reliability: Floats
    convergence: Convergence
    prior: Floats
    confusion: Floats | None = None

    @property
    def labels(self) -> Ids:
        """Class id of each task, [T]."""
        return np.asarray(self.classes[self.label])

    @property
    def confidence(self) -> Floats:
        """Probability of the label of each task, [T]."""
        return np.asarray(self.probability.max(axis=1))


@dataclass(frozen=True, eq=False)
class RatingConsensus:
    """Consensus on ratings.

    `value` [T] with the interval [`low`, `high`] [T] that holds the truth with probability `coverage`; `bias`
    [W] is what a worker adds to the truth, `noise` [W] the standard deviation around it (both in units of the
    rating, NaN where the method does not estimate them); `reliability` [W] in [0, 1].
    """

    method: str
    tasks: Ids
    workers: Ids
    value: Floats
    low: Floats
    high: Floats
    coverage: float
    bias: Floats
    noise: Floats
    reliability: Floats
    convergence: Convergence


@dataclass(frozen=True, eq=False)
class RankingConsensus:
    """Consensus on rankings of R items.

    `ranking` [T, R] lists item numbers, best first; `precedence` [T, R, R] is the probability that the first
    item stands before the second; `reliability` [W] in [0, 1].
    """

    method: str
    tasks: Ids
    workers: Ids
    ranking: NDArray[np.int8]
    precedence: Floats
    reliability: Floats
    convergence: Convergence
