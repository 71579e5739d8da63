"""Zero-based skill: Wawa, repeated until the weights agree with their own outcome."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from earnest.consensus.majority import consensus, weighted_shares
from earnest.consensus.result import ClassConsensus, Convergence
from earnest.consensus.table import LabelTable
from earnest.consensus.votes import Votes
from earnest.consensus.wawa import hits


@dataclass(frozen=True)
class ZeroBasedSkill:
    """Majority weighted by skill; skill follows the share of answers that agree with the outcome, by steps of
    `rate`.

    The trace is the mean skill of an answer; it ends when no skill moves by more than `tolerance`.
    """

    rate: float = 0.5
    iterations: int = 100
    tolerance: float = 1e-5

    def fit_predict(self, table: LabelTable, gold: Any = None) -> ClassConsensus:
        """Consensus of a table; `gold` as for `LabelTable.gold`. ValueError unless 0 < rate ≤ 1, iterations ≥
        1.
        """
        if not (0 < self.rate <= 1 and self.iterations >= 1):
            raise ValueError(f"rate must lie in (0, 1] and iterations be at least 1: {self}")
        votes = Votes.of(table, table.gold(gold))
        probability = votes.shares()
        skill = hits(votes, probability)
        trace: list[float] = []
        moved = np.inf
        while moved > self.tolerance and len(trace) < self.iterations:
            probability = weighted_shares(votes, skill)
            step = self.rate * (hits(votes, probability) - skill)
            skill, moved = skill + step, float(np.abs(step).max())
            trace.append(float(np.average(skill, weights=table.per_worker)))
        convergence = Convergence(moved <= self.tolerance, self.tolerance, np.array(trace))
        return consensus("zero_based_skill", table, votes, probability, convergence)
