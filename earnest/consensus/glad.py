"""GLAD: Whitehill, Ruvolo, Wu, Bergsma and Movellan, "Whose Vote Should Count More" (2009).

P(answer right) = σ(α·b) for a worker of ability α and a task of ease b = exp(β) > 0; errors are even over the
other classes. The M-step maximises the quadratic lower bound of log σ by Jaakkola and Jordan (2000), in
closed form for every α and by a one-dimensional Newton search for every b, so that the log posterior can
never fall.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from earnest.consensus.result import ClassConsensus, Convergence
from earnest.consensus.table import Floats, LabelTable
from earnest.consensus.votes import Votes

MEAN = 1.0
"""Mean of the normal priors, of variance one, on α and β."""


@dataclass(frozen=True)
class GLAD:
    """Ability of workers and ease of tasks, at the mode under normal priors N(1, 1) of α and β.

    The trace is the log posterior (up to a constant), with uniform class frequencies as in the paper.
    """

    iterations: int = 100
    tolerance: float = 1e-5

    def fit_predict(self, table: LabelTable, gold: Any = None) -> ClassConsensus:
        """Consensus of a table; `gold` as for `LabelTable.gold`. ValueError if `iterations` < 1."""
        if self.iterations < 1:
            raise ValueError(f"iterations must be at least 1, not {self.iterations}")
        votes = Votes.of(table, table.gold(gold))
        model = _Glad(table, votes)
        trace: list[float] = []
        gain = np.inf
        while gain >= self.tolerance and len(trace) < self.iterations:
            probability, objective = model.expect()
            trace.append(objective)
            gain = (trace[-1] - trace[-2]) / len(table) if len(trace) > 1 else np.inf
            if gain >= self.tolerance:
                model.maximise(probability)
        convergence = Convergence(gain < self.tolerance, self.tolerance, np.array(trace))
        return ClassConsensus(
            method="glad",
            tasks=table.tasks,
            workers=table.workers,
            classes=table.classes,
            label=probability.argmax(axis=1).astype(np.int32),
            probability=probability,
            reliability=model.reliability(),
            convergence=convergence,
            prior=np.full(votes.classes, 1.0 / votes.classes),
        )


class _Glad:
    """The parameters, and the arrays of one value an answer that both steps share."""

    def __init__(self, table: LabelTable, votes: Votes) -> None:
        self.table, self.votes = table, votes
        self.ability = np.full(votes.workers, MEAN)
        self.ease = np.full(votes.tasks, np.exp(MEAN))
        self.each = table.per_task
        self.wrong = np.log(max(votes.classes - 1, 1))
        self.count = votes.support(np.ones((votes.workers, votes.classes)))
        self.product = self._product()

    def _product(self) -> Floats:
        return np.asarray(self.ability[self.table.worker] * np.repeat(self.ease, self.each))

    def expect(self) -> tuple[Floats, float]:
        """Class probabilities [T, C] and the log posterior of the parameters."""
        classes = self.votes.classes
        joint = self.votes.support(np.repeat(self.ability[:, None], classes, axis=1))
        joint *= self.ease[:, None]
        joint += self.wrong * self.count
        joint -= np.log(classes)
        probability, likelihood = self.votes.posterior(joint)
        size = np.abs(self.product)
        self.decay = np.exp(-size)
        softplus = 0.5 * (size.sum() + self.product.sum()) + np.log1p(self.decay).sum()
        errors = float(softplus) + self.wrong * len(self.product)
        prior = ((self.ability - MEAN) ** 2).sum() + ((np.log(self.ease) - MEAN) ** 2).sum()
        return probability, likelihood - errors - 0.5 * float(prior)

    def maximise(self, probability: Floats) -> None:
        """Raise the expected log posterior by its lower bound at the present parameters."""
        table, ease = self.table, np.repeat(self.ease, self.each)
        curve = _curvature(self.product, self.decay)
        surplus = probability.ravel()[self.votes.spot] - 0.5
        workers = self.votes.workers
        slope = np.bincount(table.worker, surplus * ease, workers) + MEAN
        self.ability = slope / (1.0 + 2.0 * np.bincount(table.worker, curve * ease * ease, workers))
        ability = self.ability[table.worker]
        slope = _sum_rows(surplus * ability, table)
        self.ease = _best_ease(slope, _sum_rows(curve * ability * ability, table), self.ease)
        self.product = self._product()

    def reliability(self) -> Floats:
        """Mean of σ(α·b) over the tasks that each worker answered, [W]; chance without answers."""
        right = 1.0 / (1.0 + np.exp(-self.product))
        total, count = np.bincount(self.table.worker, right, self.votes.workers), self.table.per_worker
        chance = np.full(len(count), 1.0 / self.votes.classes)
        return np.asarray(np.divide(total, count, out=chance, where=count > 0))


def _curvature(product: Floats, decay: Floats) -> Floats:
    """tanh(x/2) / (4x) for x = `product`, where `decay` is exp(−|x|); 1/8 at zero."""
    size = np.maximum(np.abs(product), 1e-6)
    return np.asarray((1.0 - np.minimum(decay, np.exp(-1e-6))) / (1.0 + decay) / (4.0 * size))


def _sum_rows(value: Floats, table: LabelTable) -> Floats:
    """Sum over the answers to each task, [T]."""
    return np.asarray(np.bincount(table.task, value, len(table.tasks)), np.float64)


def _best_ease(slope: Floats, curve: Floats, ease: Floats) -> Floats:
    """Raise slope·b − curve·b² − (ln b − MEAN)²/2 in β = ln b, by Newton steps of at most one that may not
    lower it.
    """

    def bound(beta: Floats) -> Floats:
        b = np.exp(beta)
        return slope * b - curve * b * b - 0.5 * (beta - MEAN) ** 2

    beta = np.log(ease)
    value = bound(beta)
    for _ in range(NEWTON):
        b = np.exp(beta)
        gradient = slope * b - 2.0 * curve * b * b - (beta - MEAN)
        bend = np.maximum(4.0 * curve * b * b - slope * b + 1.0, 1.0)
        trial = beta + np.clip(gradient / bend, -1.0, 1.0)
        reached = bound(trial)
        better = reached > value
        beta, value = np.where(better, trial, beta), np.where(better, reached, value)
    return np.exp(beta)


NEWTON = 3
