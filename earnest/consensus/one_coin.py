"""One-coin Dawid–Skene: a worker is right with one probability, and errs evenly over the other classes.

The model of Zhang, Chen, Zhou and Jordan, "Spectral Methods Meet EM" (2014), section 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from earnest.consensus.em import Model, consensus, iterate
from earnest.consensus.result import ClassConsensus
from earnest.consensus.table import Floats, LabelTable
from earnest.consensus.votes import NONE, Votes, log_floor, normalised


@dataclass(frozen=True)
class OneCoin:
    """One accuracy for every worker, fitted by EM from the vote shares.

    `right` and `wrong` are pseudo-answers added to each worker's right and wrong ones: zero is maximum
    likelihood, otherwise the mode under a Beta prior. The trace is the log likelihood, or log posterior.
    """

    right: float = 0.0
    wrong: float = 0.0
    iterations: int = 100
    tolerance: float = 1e-5

    def fit_predict(self, table: LabelTable, gold: Any = None) -> ClassConsensus:
        """Consensus of a table; `gold` as for `LabelTable.gold`. ValueError on negative pseudo-answers."""
        if min(self.right, self.wrong) < 0:
            raise ValueError(f"pseudo-answers must not be negative: {self}")
        votes = Votes.of(table, table.gold(gold))
        step = partial(self._maximise, votes)
        fitted = iterate(votes, step, votes.shares(), self.iterations, self.tolerance)
        return consensus("one_coin", table, *fitted)

    def _maximise(self, votes: Votes, probability: Floats, _before: Model | None) -> Model:
        tally = votes.tally(probability)
        hits = np.einsum("wcc->w", tally)
        outcome = np.stack([hits + self.right, tally.sum(axis=(1, 2)) - hits + self.wrong], axis=1)
        accuracy = normalised(np.maximum(outcome, 0.0))
        confusion = one_coin(accuracy[:, 0], votes.classes)
        prior = normalised(probability.sum(axis=0))
        penalty = float((log_floor(accuracy) * [self.right, self.wrong]).sum())
        return Model(log_floor(prior, NONE), log_floor(confusion), penalty, prior, confusion)


def one_coin(accuracy: Floats, classes: int) -> Floats:
    """Confusion matrices [W, C, C] of workers who are right with `accuracy` [W] and err evenly."""
    wrong = (1.0 - accuracy) / max(classes - 1, 1)
    confusion = np.repeat(wrong, classes * classes).reshape(-1, classes, classes)
    confusion[:, range(classes), range(classes)] = accuracy[:, None] if classes > 1 else 1.0
    return confusion
