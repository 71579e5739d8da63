"""Wawa, "worker agreement with aggregate": majority, weighted by how often a worker is with the majority."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from earnest.consensus.majority import TIE, agreement, consensus, weighted_shares
from earnest.consensus.result import ClassConsensus, Convergence
from earnest.consensus.table import Floats, LabelTable
from earnest.consensus.votes import Votes, row_max


@dataclass(frozen=True)
class Wawa:
    """Two rounds of voting; the weight in the second is the share of answers that agreed with the first."""

    def fit_predict(self, table: LabelTable, gold: Any = None) -> ClassConsensus:
        """Consensus of a table; `gold` as for `LabelTable.gold`."""
        votes = Votes.of(table, table.gold(gold))
        probability = weighted_shares(votes, hits(votes, votes.shares()))
        return consensus("wawa", table, votes, probability, Convergence.closed_form())


def hits(votes: Votes, probability: Floats) -> Floats:
    """Share of each worker's answers that are the most probable class, [W]; tied classes share the hit."""
    best = probability >= row_max(probability)[:, None] - TIE
    return agreement(votes, best / best.sum(axis=1, keepdims=True))
