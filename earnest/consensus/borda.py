"""Borda's count: an item scores, for each worker, the number of items that it stands before (Borda 1781)."""

from __future__ import annotations

from dataclasses import dataclass

from numpy.typing import ArrayLike

from earnest.consensus.ballots import Gold, Rankings, by_score
from earnest.consensus.elect import elect
from earnest.consensus.result import RankingConsensus
from earnest.consensus.table import Floats, RankingTable


@dataclass(frozen=True)
class Borda:
    """Rank by Borda's count.

    `weights` [W] are finite and not negative, in the order of the table's workers; None counts every worker
    once.
    """

    weights: ArrayLike | None = None

    def fit_predict(self, table: RankingTable, gold: Gold = None) -> RankingConsensus:
        """Consensus of a table; `gold` as for `RankingTable.gold`. ValueError if the weights do not fit."""
        return elect("borda", table, rule, gold, self.weights)


def rule(wins: Floats) -> tuple[Rankings, Floats]:
    """Counts [T, R, R] to rankings and scores [T, R]."""
    score = wins.sum(axis=2)
    return by_score(score), score
