"""Majority vote: every answer counts the same, or as much as its worker's given weight."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from earnest.consensus.result import ClassConsensus, Convergence
from earnest.consensus.table import Floats, LabelTable
from earnest.consensus.votes import Votes, normalised

TIE = 1e-6
"""Enough to break ties, no more: differences below it are rounding."""


@dataclass(frozen=True)
class MajorityVote:
    """Share of the (weighted) votes as probability; ties go to the class whose voters agree more otherwise.

    `weights` [W] are finite and not negative, in the order of the table's workers; None counts every worker
    once. A worker's reliability is the mean probability of their answers.
    """

    weights: ArrayLike | None = None

    def fit_predict(self, table: LabelTable, gold: Any = None) -> ClassConsensus:
        """Consensus of a table; `gold` as for `LabelTable.gold`. ValueError if the weights do not fit."""
        votes = Votes.of(table, table.gold(gold))
        probability = weighted_shares(votes, self._checked(len(table.workers)))
        return consensus("majority", table, votes, probability, Convergence.closed_form())

    def _checked(self, workers: int) -> Floats:
        if self.weights is None:
            return np.ones(workers)
        weights = np.asarray(self.weights, np.float64)
        if weights.shape != (workers,) or not (np.isfinite(weights).all() and (weights >= 0).all()):
            raise ValueError(f"weights must be {workers} finite numbers ≥ 0, one for each worker")
        return weights


def weighted_shares(votes: Votes, weights: Floats) -> Floats:
    """Share of the weight behind each class, [T, C]; plain shares where all weight is zero."""
    weighted = votes.support(np.repeat(weights[:, None], votes.classes, axis=1))
    empty = weighted.sum(axis=1) == 0
    if empty.any():
        weighted[empty] = votes.shares()[empty]
    return votes.clamped(normalised(weighted))


def agreement(votes: Votes, probability: Floats) -> Floats:
    """Mean probability of each worker's answers, [W]; chance, 1/C, for a worker without answers."""
    right = votes.hits(probability).sum(axis=1)
    total = votes.hits(np.ones_like(probability)).sum(axis=1)
    return np.asarray(np.divide(right, total, out=np.full(len(total), 1.0 / votes.classes), where=total > 0))


def consensus(
    method: str, table: LabelTable, votes: Votes, probability: Floats, convergence: Convergence
) -> ClassConsensus:
    """The result of a method that weighs votes and models nothing else.

    Ties go to the class whose voters agree more with the others.
    """
    reliability = agreement(votes, probability)
    preferred = probability + TIE * weighted_shares(votes, reliability)
    return ClassConsensus(
        method=method,
        tasks=table.tasks,
        workers=table.workers,
        classes=table.classes,
        label=preferred.argmax(axis=1).astype(np.int32),
        probability=probability,
        reliability=reliability,
        convergence=convergence,
        prior=probability.mean(axis=0),
    )
