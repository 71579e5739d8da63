"""Copeland's method: an item scores 1 for each item that a majority puts behind it, ½ for a draw (Copeland
1951).

Items with equal scores, common with few items, are ordered by Borda's count. An item that beats every other
one (a Condorcet winner) comes first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from earnest.consensus.ballots import Gold, Rankings, by_score
from earnest.consensus.elect import elect
from earnest.consensus.result import RankingConsensus
from earnest.consensus.table import Floats, RankingTable


@dataclass(frozen=True)
class Copeland:
    """Rank by Copeland's score.

    `weights` [W] are finite and not negative, in the order of the table's workers; None counts every worker
    once.
    """

    weights: ArrayLike | None = None

    def fit_predict(self, table: RankingTable, gold: Gold = None) -> RankingConsensus:
        """Consensus of a table; `gold` as for `RankingTable.gold`. ValueError if the weights do not fit."""
        return elect("copeland", table, rule, gold, self.weights)


def rule(wins: Floats) -> tuple[Rankings, Floats]:
    """Counts [T, R, R] to rankings and scores [T, R]."""
    margin = np.sign(np.round(wins - wins.swapaxes(1, 2), 9))
    score = ((margin + 1) / 2).sum(axis=2) - 0.5
    return by_score(score, wins.sum(axis=2)), score
