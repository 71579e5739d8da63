"""Zero-based skill: majority, weighted by a worker's accuracy above chance, repeated until it settles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from earnest.consensus.majority import agreement, consensus, weighted_shares
from earnest.consensus.result import ClassConsensus, Convergence
from earnest.consensus.table import LabelTable
from earnest.consensus.votes import Votes


@dataclass(frozen=True)
class ZeroBasedSkill:
    """Weighted majority whose weights, `max(0, agreement − 1/C)`, follow its own outcome in steps of `rate`.

    The trace is the mean agreement; it ends when no weight moves by more than `tolerance`.
    """

    iterations: int = 100
    rate: float = 0.3
    tolerance: float = 1e-5

    def fit_predict(self, table: LabelTable, gold: Any = None) -> ClassConsensus:
        """Consensus of a table; `gold` as for `LabelTable.gold`."""
        votes = Votes.of(table, table.gold(gold))
        probability = votes.shares()
        skill = np.zeros(votes.workers)
        trace: list[float] = []
        moved = np.inf
        while moved > self.tolerance and len(trace) < self.iterations:
            agreed = agreement(votes, probability)
            target = np.maximum(agreed - 1.0 / votes.classes, 0.0)
            step = (target - skill) * (self.rate if trace else 1.0)
            skill = skill + step
            moved = float(np.abs(step).max())
            probability = weighted_shares(votes, skill)
            trace.append(float(np.average(agreed, weights=table.per_worker)))
        convergence = Convergence(moved <= self.tolerance, self.tolerance, np.array(trace))
        return consensus("zero_based_skill", table, votes, probability, convergence)
