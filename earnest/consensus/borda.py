"""Borda's count: an item scores, for each worker, the number of items that it stands before (Borda 1781)."""

from __future__ import annotations

from numpy.typing import ArrayLike

from earnest.consensus.ballots import Gold, Rankings, by_score
from earnest.consensus.elect import elect
from earnest.consensus.result import RankingConsensus
from earnest.consensus.table import Floats, RankingTable


def fit_predict(
    table: RankingTable, gold: Gold = None, *, weights: ArrayLike | None = None
) -> RankingConsensus:
    """Rank by Borda's count; `weights` [W] of the workers, 1 each when None."""
    return elect("borda", table, rule, gold, weights)


def rule(wins: Floats) -> tuple[Rankings, Floats]:
    """Counts [T, R, R] to rankings and scores [T, R]."""
    score = wins.sum(axis=2)
    return by_score(score), score
