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

    `label` [T] indexes `classes`: the most probable one; `probability` [T, C] sums to 1
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

    `ranking` [T, R] lists item numbers, best first; `probability` [T] is that of the whole ranking being
    right, `precedence` [T, R, R] that of the first item standing before the second; `tied` [T] tells where
    the method itself left items tied and only their numbers decided; `score` [T, R] is what the method
    ordered the items by, where it has such a score; `reliability` [W] in [0, 1] is the estimated probability
    that the worker puts two items in the right order; `posterior` [T, R!] is the probability of every
    ranking, in lexicographic order, and `spread` [W] the concentration of each worker's rankings around the
    truth, where the method estimates them.
    """

    method: str
    tasks: Ids
    workers: Ids
    ranking: NDArray[np.int8]
    probability: Floats
    precedence: Floats
    tied: NDArray[np.bool_]
    reliability: Floats
    convergence: Convergence
    score: Floats | None = None
    posterior: Floats | None = None
    spread: Floats | None = None


@dataclass(frozen=True, eq=False)
class PreferenceConsensus:
    """Consensus on pairs of items that share items with each other.

    `pairs` is the consensus on the tasks, as classes; `strength` [M] of each of the `items` [M] is a natural
    logarithm of odds, with mean 0 over the items compared with each other; `error` [M] is its standard error;
    `tie` is Davidson's parameter (0: there are no ties).
    """

    pairs: ClassConsensus
    items: Ids
    strength: Floats
    error: Floats
    tie: float
