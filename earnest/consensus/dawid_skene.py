"""Dawid and Skene, "Maximum Likelihood Estimation of Observer Error-Rates Using the EM Algorithm" (1979)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, Self

import numpy as np

from earnest.consensus.em import Model, consensus, iterate
from earnest.consensus.result import ClassConsensus
from earnest.consensus.table import Floats, LabelTable
from earnest.consensus.votes import NONE, Votes, log_floor, normalised


@dataclass(frozen=True)
class DawidSkene:
    """A confusion matrix for every worker, fitted by EM from the vote shares.

    `right` and `wrong` are pseudo-answers added to each cell on and off the diagonal, `classes` to each
    class: all zero is maximum likelihood, otherwise the mode under Dirichlet priors of these counts plus one.
    The trace is the log likelihood, or log posterior.
    """

    right: float = 0.0
    wrong: float = 0.0
    classes: float = 0.0
    iterations: int = 100
    tolerance: float = 1e-5

    @classmethod
    def maximum_a_posteriori(cls) -> Self:
        """With priors that suit answers better than chance: four pseudo-answers right, one for each way to
        err.
        """
        return cls(right=4.0, wrong=1.0, classes=1.0)

    def fit_predict(self, table: LabelTable, gold: Any = None) -> ClassConsensus:
        """Consensus of a table; `gold` as for `LabelTable.gold`. ValueError on negative pseudo-answers."""
        if min(self.right, self.wrong, self.classes) < 0:
            raise ValueError(f"pseudo-answers must not be negative: {self}")
        votes = Votes.of(table, table.gold(gold))
        step = partial(self._maximise, votes)
        fitted = iterate(votes, step, votes.shares(), self.iterations, self.tolerance)
        method = "dawid_skene_map" if self.right or self.wrong or self.classes else "dawid_skene"
        return consensus(method, table, *fitted)

    def _maximise(self, votes: Votes, probability: Floats, _before: Model | None) -> Model:
        pseudo = np.full((votes.classes, votes.classes), self.wrong)
        np.fill_diagonal(pseudo, self.right)
        confusion = normalised((votes.tally(probability) + pseudo).transpose(0, 2, 1)).transpose(0, 2, 1)
        prior = normalised(probability.sum(axis=0) + self.classes)
        log_answer, log_prior = log_floor(confusion), log_floor(prior, NONE)
        penalty = float((log_answer * pseudo).sum() + self.classes * log_prior.sum())
        return Model(log_prior, log_answer, penalty, prior, confusion)
