"""Independent Bayesian classifier combination, by mean-field variational Bayes.

Kim and Ghahramani, "Bayesian Classifier Combination" (2012); the updates of Simpson, Roberts, Psorakis and
Smith, "Dynamic Bayesian Combination of Multiple Imperfect Classifiers" (2013).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from scipy.special import gammaln, psi

from earnest.consensus.em import Model, consensus, iterate
from earnest.consensus.result import ClassConsensus
from earnest.consensus.table import Floats, LabelTable
from earnest.consensus.votes import Votes, normalised


@dataclass(frozen=True)
class IBCC:
    """Dirichlet posteriors over every worker's confusion matrix and over the class frequencies.

    `right` and `wrong` are the Dirichlet parameters on and off the diagonal, `classes` that of each class.
    The trace is the evidence lower bound.
    """

    right: float = 4.0
    wrong: float = 1.0
    classes: float = 1.0
    iterations: int = 200
    tolerance: float = 1e-6

    def fit_predict(self, table: LabelTable, gold: Any = None) -> ClassConsensus:
        """Consensus of a table; `gold` as for `LabelTable.gold`. ValueError unless all parameters are
        positive.
        """
        if min(self.right, self.wrong, self.classes) <= 0:
            raise ValueError(f"Dirichlet parameters must be positive: {self}")
        votes = Votes.of(table, table.gold(gold))
        step = partial(self._maximise, votes)
        fitted = iterate(votes, step, votes.shares(), self.iterations, self.tolerance)
        return consensus("ibcc", table, *fitted)

    def _maximise(self, votes: Votes, probability: Floats, _before: Model | None) -> Model:
        pseudo = np.full((votes.classes, votes.classes), self.wrong)
        np.fill_diagonal(pseudo, self.right)
        answers = (votes.tally(probability) + pseudo).transpose(0, 2, 1)
        classes = probability.sum(axis=0) + self.classes
        prior_classes = np.full(votes.classes, self.classes)
        return Model(
            expected_log(classes),
            np.ascontiguousarray(expected_log(answers).transpose(0, 2, 1)),
            -divergence(answers, pseudo) - divergence(classes, prior_classes),
            normalised(classes),
            normalised(answers).transpose(0, 2, 1),
        )


def expected_log(parameters: Floats) -> Floats:
    """E[log p] of Dirichlet distributions along the last axis."""
    return np.asarray(psi(parameters) - psi(parameters.sum(axis=-1, keepdims=True)))


def divergence(parameters: Floats, base: Floats) -> float:
    """Sum of the Kullback–Leibler divergences of Dirichlet distributions (last axis) from those of `base`."""
    base = np.broadcast_to(base, parameters.shape)
    normaliser = gammaln(parameters.sum(-1)) - gammaln(parameters).sum(-1)
    normaliser -= gammaln(base.sum(-1)) - gammaln(base).sum(-1)
    return float(normaliser.sum() + ((parameters - base) * expected_log(parameters)).sum())
