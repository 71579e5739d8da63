"""From a rule that ranks items by counting to a full consensus."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from numpy.typing import ArrayLike

from earnest.consensus import plackett_luce
from earnest.consensus.ballots import Gold, Rankings, counts
from earnest.consensus.result import RankingConsensus
from earnest.consensus.table import Floats, RankingTable

Rule: TypeAlias = Callable[[Floats], tuple[Rankings, Floats | None]]
"""Counts [T, R, R] to rankings [T, R], and the scores [T, R] they follow where there are any."""


def elect(
    method: str, table: RankingTable, rule: Rule, gold: Gold, weights: ArrayLike | None
) -> RankingConsensus:
    """Rank the items of every task by `rule`.

    A rule breaks ties by item number; the rule is applied a second time with the items numbered backwards,
    and where that gives another ranking, the task is `tied`. A rule has no probabilities of its own: those of
    its rankings, and the workers' reliabilities, are Plackett–Luce's. Known rankings are
    returned as they are, and teach that model.
    """
    wins = counts(table, weights)
    ranking, score = rule(wins)
    backwards, _ = rule(wins[:, ::-1, ::-1])
    tied = (ranking != ranking.shape[1] - 1 - backwards).any(axis=1)
    known = table.gold(gold)
    for task, right in known.items():
        ranking[task], tied[task] = right, False
    model = plackett_luce.fit(table, known)
    return RankingConsensus(
        method=method,
        tasks=table.tasks,
        workers=table.workers,
        ranking=ranking,
        probability=plackett_luce.order_probability(ranking, model, known),
        precedence=plackett_luce.precedence(model, known),
        tied=tied,
        reliability=model.reliability,
        convergence=model.convergence,
        score=score,
    )
