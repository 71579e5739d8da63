"""How well an estimator foretells answers that it has not seen: the evidence by which models are weighed.

No truth is needed. Answers are held out fold by fold; an estimator is fitted to the others, and a held-out
answer `a` of worker `w` to task `t` is foretold with probability Σ_c P(t is c) · P(w answers a | c), where
the second factor comes from one and the same smoothed count of answers, so that any estimator with
probabilities can be compared.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from earnest.consensus.pooled import crowd_confusion, over_answers
from earnest.consensus.result import ClassConsensus
from earnest.consensus.table import Indices, LabelTable
from earnest.consensus.votes import TINY, Votes

STRENGTH = 3.0
"""Pseudo-answers, spread like the whole crowd's, in each row of a worker's confusion matrix."""


class ClassEstimator(Protocol):
    """Anything that turns a table into a consensus on classes."""

    def fit_predict(self, table: LabelTable, gold: Any = None) -> ClassConsensus:
        """Consensus of a table; `gold` as for `LabelTable.gold`."""


def held_out_likelihood(
    estimator: ClassEstimator, table: LabelTable, gold: Indices, folds: int = 5, seed: int = 0
) -> float:
    """Mean log probability of an answer foretold from the other folds (natural logarithm).

    `gold` [T] as from `LabelTable.gold`. ValueError if there are fewer than two folds, or fewer answers than
    folds.
    """
    if not 2 <= folds <= len(table):
        raise ValueError(f"folds must lie between 2 and the number of answers, {len(table)}, not {folds}")
    fold = np.random.default_rng(seed).permutation(np.arange(len(table)) % folds)
    return sum(_foretold(estimator, table, gold, fold == k) for k in range(folds)) / len(table)


def _foretold(
    estimator: ClassEstimator, table: LabelTable, gold: Indices, held: np.ndarray[Any, Any]
) -> float:
    """Total log probability of the held-out answers."""
    seen = table.select(~held)
    probability = estimator.fit_predict(seen, gold).probability
    tally = Votes.of(seen, gold).tally(probability)
    confusion = over_answers(tally + STRENGTH * crowd_confusion(tally))
    right = confusion[table.worker[held], table.label[held]]
    chance = np.einsum("nc,nc->n", probability[table.task[held]], right)
    return float(np.log(np.maximum(chance, TINY)).sum())
