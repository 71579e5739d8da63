"""Dawid–Skene with partial pooling: what is known of all workers fills in for what is not known of one.

A worker's confusion matrix is shrunk towards a mixture of the whole crowd's confusion matrix and a guessing
distribution of their own, in a proportion of their own: the spammer model of MACE (Hovy et al., 2013), as the
mean of the Dirichlet prior of a hierarchical Dawid–Skene (Carpenter, "Multilevel Bayesian Models of
Categorical Data Annotation", 2008; Paun et al., "Comparing Bayesian Models of Annotation", 2018). All are
refitted in every M-step.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from earnest.consensus.em import Model, consensus, iterate
from earnest.consensus.result import ClassConsensus
from earnest.consensus.table import Floats, LabelTable
from earnest.consensus.votes import Votes, log_floor, normalised

SPLITS = 3
"""Rounds of splitting answers into those like the crowd's and guesses, within one M-step."""


@dataclass(frozen=True)
class PooledDawidSkene:
    """Each row of a worker's confusion matrix counts `strength` pseudo-answers spread like its prior mean.

    The trace is the log likelihood plus the log prior under the present prior mean; as that mean is refitted
    too, it need not rise at every step.
    """

    strength: float = 2.0
    iterations: int = 100
    tolerance: float = 1e-6

    def fit_predict(self, table: LabelTable, gold: Any = None) -> ClassConsensus:
        """Consensus of a table; `gold` as for `LabelTable.gold`. ValueError unless `strength` is positive."""
        if self.strength <= 0:
            raise ValueError(f"strength must be positive, not {self.strength}")
        votes = Votes.of(table, table.gold(gold))
        step = partial(self._maximise, votes)
        fitted = iterate(votes, step, votes.shares(), self.iterations, self.tolerance)
        return consensus("pooled_dawid_skene", table, *fitted)

    def _maximise(self, votes: Votes, probability: Floats, before: _Pooled | None) -> _Pooled:
        tally = votes.tally(probability)
        crowd = crowd_confusion(tally)
        if before:
            like_crowd, guess = before.like_crowd, before.guess
        else:
            like_crowd, guess = np.full(votes.workers, 0.7), normalised(tally.sum(axis=2) + 1.0)
        for _ in range(SPLITS):
            alike, guessed = (
                like_crowd[:, None, None] * crowd,
                ((1.0 - like_crowd)[:, None] * guess)[:, :, None],
            )
            shared = tally * (alike / (alike + guessed))
            like_crowd = (shared.sum(axis=(1, 2)) + 1.0) / (tally.sum(axis=(1, 2)) + 2.0)
            guess = normalised((tally - shared).sum(axis=2) + 1.0)
        mean = like_crowd[:, None, None] * crowd + ((1.0 - like_crowd)[:, None] * guess)[:, :, None]
        pseudo = self.strength * mean
        confusion = over_answers(tally + pseudo)
        prior = normalised(probability.sum(axis=0) + 1.0)
        log_answer, log_prior = log_floor(confusion), log_floor(prior)
        penalty = float((pseudo * log_answer).sum() + log_prior.sum())
        return _Pooled(log_prior, log_answer, penalty, prior, confusion, like_crowd, guess)


@dataclass(frozen=True, eq=False)
class _Pooled(Model):
    """`like_crowd` [W] weighs the crowd's confusion matrix in the prior mean, `guess` [W, C] is the rest of
    it.
    """

    like_crowd: Floats
    guess: Floats


def crowd_confusion(tally: Floats) -> Floats:
    """Confusion matrix [answer, truth] of all workers together, from their counts [W, answer, truth].

    One pseudo-answer in each cell, four on the diagonal, keep it finite and its classes named.
    """
    classes = tally.shape[1]
    return over_answers(tally.sum(axis=0) + np.ones((classes, classes)) + 3.0 * np.eye(classes))


def over_answers(count: Floats) -> Floats:
    """Counts [..., answer, truth] scaled to sum 1 over the answers."""
    return np.ascontiguousarray(normalised(count.swapaxes(-1, -2)).swapaxes(-1, -2))
