"""Ranked pairs: majorities are locked in from the largest, except those that would close a cycle (Tideman
1987).

Majorities of equal size are locked in the order of a tie-breaking ranking (Zavist & Tideman 1989), here
Borda's. An item that beats every other one (a Condorcet winner) comes first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from earnest.consensus import borda
from earnest.consensus.ballots import Gold, Rankings
from earnest.consensus.elect import elect
from earnest.consensus.result import RankingConsensus
from earnest.consensus.table import Floats, RankingTable


@dataclass(frozen=True)
class RankedPairs:
    """Rank by ranked pairs.

    `weights` [W] are finite and not negative, in the order of the table's workers; None counts every worker
    once.
    """

    weights: ArrayLike | None = None

    def fit_predict(self, table: RankingTable, gold: Gold = None) -> RankingConsensus:
        """Consensus of a table; `gold` as for `RankingTable.gold`. ValueError if the weights do not fit."""
        return elect("ranked_pairs", table, rule, gold, self.weights)


def rule(wins: Floats) -> tuple[Rankings, None]:
    """Counts [T, R, R] to rankings [T, R]; all tasks at once, one step for each pair of items."""
    tasks, size = wins.shape[:2]
    breaker, _ = borda.rule(wins)
    place = np.argsort(breaker, axis=1)
    margin = np.round(wins - wins.swapaxes(1, 2), 9).reshape(tasks, -1)
    first = np.broadcast_to(np.repeat(place, size, axis=1), margin.shape)
    second = np.broadcast_to(np.tile(place, (1, size)), margin.shape)
    # Largest margin first; of equal ones the pair whose winner, then whose loser, the breaker puts first.
    queue = np.lexsort((second, first, -margin), axis=1)
    above = np.zeros((tasks, size, size), bool)
    row = np.arange(tasks)
    for step in range(size * size):
        winner, loser = np.divmod(queue[:, step], size)
        lock = (winner != loser) & ~above[row, loser, winner] & ~above[row, winner, loser]
        reach = above[row, :, winner]
        reach[row, winner] = True
        below = above[row, loser, :]
        below[row, loser] = True
        above |= lock[:, None, None] & reach[:, :, None] & below[:, None, :]
    return np.argsort(-above.sum(axis=2), axis=1, kind="stable").astype(np.int8), None
