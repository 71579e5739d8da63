"""Enhanced Bayesian classifier combination, by mean-field variational Bayes.

Li, Rubinstein and Cohn, "Exploiting Worker Correlation for Label Aggregation in Crowdsourcing" (2019): every
class is a mixture of subtypes of tasks; workers are independent given class and subtype only, hence
correlated given the class.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from earnest.consensus.em import Model, consensus
from earnest.consensus.ibcc import divergence, expected_log
from earnest.consensus.result import ClassConsensus, Convergence
from earnest.consensus.table import UNKNOWN, Floats, LabelTable
from earnest.consensus.votes import Votes, normalised, softmax


@dataclass(frozen=True)
class EBCC:
    """`subtypes` M of each class, with Dirichlet priors.

    `right` and `wrong` are the parameters of each worker's answers to one subtype, `mixture` that of the
    subtypes of a class, `classes` that of the classes. The best lower bound of `restarts` random ways to
    split the vote shares into subtypes (from `seed`) wins. The trace is the evidence lower bound.
    """

    subtypes: int = 3
    right: float = 4.0
    wrong: float = 1.0
    mixture: float = 0.1
    classes: float = 1.0
    restarts: int = 3
    seed: int = 0
    iterations: int = 200
    tolerance: float = 1e-6

    def fit_predict(self, table: LabelTable, gold: Any = None) -> ClassConsensus:
        """Consensus of a table; `gold` as for `LabelTable.gold`. ValueError on parameters that are not
        positive.
        """
        if (
            min(
                self.right,
                self.wrong,
                self.mixture,
                self.classes,
                self.subtypes,
                self.restarts,
                self.iterations,
            )
            <= 0
        ):
            raise ValueError(f"all parameters must be positive: {self}")
        votes = Votes.of(table, table.gold(gold))
        runs = (self._fit(votes, start) for start in self._starts(votes))
        best = max(runs, key=lambda run: run[2].objective)
        return consensus("ebcc", table, *best)

    def _starts(self, votes: Votes) -> Iterator[Floats]:
        """Vote shares, split at random into subtypes: [T, C, M]."""
        rng = np.random.default_rng(self.seed)
        shares = votes.shares()[:, :, None]
        for _ in range(self.restarts):
            yield shares * normalised(rng.standard_gamma(1.0, (votes.tasks, votes.classes, self.subtypes)))

    def _fit(self, votes: Votes, joint: Floats) -> tuple[Floats, Model, Convergence]:
        classes, groups = votes.classes, self.subtypes
        pseudo = np.full((classes, classes), self.wrong)
        np.fill_diagonal(pseudo, self.right)
        known = votes.gold != UNKNOWN
        other = np.arange(classes) != votes.gold[known, None]
        trace: list[float] = []
        gain = np.inf
        while gain >= self.tolerance and len(trace) < self.iterations:
            tally = votes.tally(joint.reshape(votes.tasks, -1)).reshape(-1, classes, classes, groups)
            answers = tally.transpose(0, 2, 3, 1) + pseudo[:, None, :]  # [W, truth, subtype, answer]
            size = joint.sum(axis=0)
            mixture, prior = size + self.mixture, size.sum(axis=1) + self.classes
            log_answer = expected_log(answers).transpose(0, 3, 1, 2)
            log = votes.evidence(log_answer.reshape(len(answers), classes, -1)).reshape(joint.shape)
            log += expected_log(mixture) + expected_log(prior)[:, None]
            if known.any():
                log[known] = np.where(other[:, :, None], -np.inf, log[known])
            flat, likelihood = softmax(log.reshape(votes.tasks, -1))
            joint = flat.reshape(joint.shape)
            apart = divergence(answers, pseudo[:, None, :]) + divergence(mixture, np.array([self.mixture]))
            apart += divergence(prior, np.array([self.classes]))
            trace.append(likelihood - apart)
            gain = (trace[-1] - trace[-2]) / votes.matrix.nnz if len(trace) > 1 else np.inf
        confusion = normalised((tally.sum(axis=3) + pseudo).transpose(0, 2, 1)).transpose(0, 2, 1)
        model = Model(expected_log(prior), confusion, -apart, normalised(prior), confusion)
        return joint.sum(axis=2), model, Convergence(gain < self.tolerance, self.tolerance, np.array(trace))
