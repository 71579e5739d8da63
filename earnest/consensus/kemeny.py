"""Kemeny's ranking: the one with the fewest discordant pairs with all answers (Kemeny 1959).

Exact, over all R! rankings of up to 7 items; `score` is not there, since Kemeny orders rankings and not
items. Where several rankings are equally near, Borda's count decides between them. It is the maximum
likelihood ranking under Mallows' model with one spread for everybody (Young 1988); `mallows` has one for each
worker.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from earnest.consensus import kendall
from earnest.consensus.ballots import Gold, Rankings
from earnest.consensus.elect import elect
from earnest.consensus.result import RankingConsensus
from earnest.consensus.table import Floats, RankingTable


@dataclass(frozen=True)
class Kemeny:
    """Rank by Kemeny's rule.

    `weights` [W] are finite and not negative, in the order of the table's workers; None counts every worker
    once.
    """

    weights: ArrayLike | None = None

    def fit_predict(self, table: RankingTable, gold: Gold = None) -> RankingConsensus:
        """Consensus of a table; `gold` as for `RankingTable.gold`. ValueError if the weights do not fit."""
        return elect("kemeny", table, rule, gold, self.weights)


def rule(wins: Floats) -> tuple[Rankings, None]:
    """Counts [T, R, R] to rankings [T, R]."""
    size = wins.shape[1]
    rankings = kendall.all_rankings(size)
    cost = np.round(discordance(wins, rankings), 9)
    # Σ position · points is smallest when those with the most points stand first.
    misfit = wins.sum(axis=2) @ np.argsort(rankings, axis=1).T
    tie = np.where(cost == cost.min(axis=1, keepdims=True), np.round(misfit, 9), np.inf)
    return rankings[tie.argmin(axis=1)], None


def discordance(wins: Floats, rankings: Rankings) -> Floats:
    """Number of discordant pairs of each ranking [m, R] with all answers of each task, [T, m]."""
    first, second = kendall.pairs(wins.shape[1])
    order = kendall.orders(rankings).astype(np.float64)
    return np.asarray(wins[:, second, first] @ order.T + wins[:, first, second] @ (1 - order).T)
