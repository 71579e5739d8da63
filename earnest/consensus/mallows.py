"""Mallows' model of rankings with a spread for each worker: the most probable ranking, and every ranking's
probability.

A worker of spread θ gives the ranking r with a probability proportional to exp(−θ·d(r, σ)), where σ is the
right ranking and d Kendall's distance (Mallows 1957; Fligner & Verducci 1986 for the normaliser). θ = 0
answers at random. With one θ for everybody the most probable ranking is Kemeny's; with a θ for each worker
it is Kemeny's with workers weighted by what their answers are worth. For R ≤ 7 items the posterior over all
R! rankings is exact. The spreads maximise the posterior by EM: under a conjugate prior, worth `PRIOR` answers
of an average worker, so that a worker with few answers is taken to be average. Spreads are never negative:
who is worse than chance is ignored, not inverted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.special import logsumexp

from earnest.consensus import kendall
from earnest.consensus.ballots import Gold
from earnest.consensus.result import Convergence, RankingConsensus
from earnest.consensus.table import Floats, RankingTable

PRIOR = 4.0
"""Answers of an average worker that the prior on a spread is worth."""

MOST_SPREAD = 8.0
"""Largest spread: a discordant pair is e⁸ ≈ 3000 times less likely than a concordant one."""

_GRID = np.concatenate([[0.0], np.geomspace(1e-4, MOST_SPREAD, 4000)])


@dataclass(frozen=True, eq=False)
class Model:
    """A fitted model: `posterior` [T, R!] in the order of `kendall.all_rankings`, `precedence` [T, R, R],
    `spread` [W], `reliability` [W]: the probability that the worker orders a random pair rightly.
    """

    posterior: Floats
    precedence: Floats
    spread: Floats
    reliability: Floats
    convergence: Convergence


@dataclass(frozen=True)
class Mallows:
    """The most probable ranking of each task under Mallows' model with a spread for each worker.

    EM stops when the log posterior changes by no more than `tolerance` per answer.
    """

    tolerance: float = 1e-7
    iterations: int = 200

    def fit_predict(self, table: RankingTable, gold: Gold = None) -> RankingConsensus:
        """Consensus of a table; `gold` as for `RankingTable.gold`. ValueError above 7 items."""
        model = fit(table, table.gold(gold), self.iterations, self.tolerance)
        rankings = kendall.all_rankings(table.ranking.shape[1])
        # Equal but for rounding is equal, and the first ranking wins.
        rounded = np.round(model.posterior, 10)
        return RankingConsensus(
            method="mallows",
            tasks=table.tasks,
            workers=table.workers,
            ranking=rankings[rounded.argmax(axis=1)],
            probability=model.posterior.max(axis=1),
            precedence=model.precedence,
            tied=(rounded == rounded.max(axis=1, keepdims=True)).sum(axis=1) > 1,
            reliability=model.reliability,
            convergence=model.convergence,
            posterior=model.posterior,
            spread=model.spread,
        )


def fit(
    table: RankingTable,
    known: Mapping[int, NDArray[np.int8]],
    iterations: int = 200,
    tolerance: float = 1e-7,
) -> Model:
    """Fit the spreads by EM, first one for all workers, then one each; `known` rankings by task index.

    `tolerance` is the change of the log posterior per answer below which it stops.
    """
    size = table.ranking.shape[1]
    answers = kendall.orders(table.ranking).astype(np.float64)
    rankings = kendall.orders(kendall.all_rankings(size)).astype(np.float64)
    clamped = _clamp(known, len(table.tasks), len(rankings))
    mean_distance, log_normaliser = _moments(size)
    load = table.per_worker
    spread: Floats = np.full(len(table.workers), 1.0)
    trace: list[float] = []
    converged = pooled = False
    centre = mean_distance[0] / 2
    for _ in range(iterations):
        posterior, evidence = _posterior(table, answers, rankings, spread, clamped)
        objective = evidence - float((load * np.interp(spread, _GRID, log_normaliser)).sum())
        if pooled:
            prior = -spread * centre - np.interp(spread, _GRID, log_normaliser)
            objective += float(PRIOR * prior.sum())
        done = bool(trace) and abs(objective - trace[-1]) <= tolerance * len(table)
        trace.append(objective)
        if done and pooled:
            converged = True
            break
        missed = _missed(table, answers, posterior @ rankings)
        if not pooled:
            centre = float(missed.sum() / len(table))
            spread = np.full(len(spread), _solve(np.array([centre]), mean_distance)[0])
            if done:
                # From here on the objective is another one: it has a prior for each worker.
                pooled, trace = True, []
        else:
            spread = _solve((missed + PRIOR * centre) / (load + PRIOR), mean_distance)
    pair_count = max(1, size * (size - 1) // 2)
    return Model(
        posterior=posterior,
        precedence=_matrix(posterior @ rankings, size),
        spread=spread,
        reliability=1 - np.interp(spread, _GRID, mean_distance) / pair_count,
        convergence=Convergence(converged, tolerance, np.array(trace)),
    )


def confusion(spread: Floats, size: int) -> Floats:
    """P(answer | right ranking) [W, R!, R!], the right one first, of workers of these spreads [W]."""
    rankings = kendall.all_rankings(size)
    distance = kendall.distance(rankings[:, None], rankings[None])
    weight = np.exp(-spread[:, None, None] * distance)
    return np.asarray(weight / weight.sum(axis=2, keepdims=True))


def _clamp(known: Mapping[int, NDArray[np.int8]], tasks: int, rankings: int) -> Floats | None:
    """Log prior [T, R!]: flat, but for the tasks whose ranking is known."""
    if not known:
        return None
    prior = np.zeros((tasks, rankings))
    for task, right in known.items():
        prior[task] = -np.inf
        prior[task, kendall.index(right)] = 0
    return prior


def _moments(size: int) -> tuple[Floats, Floats]:
    """Mean distance and log normaliser over the spreads of `_GRID`."""
    j = np.arange(1, size + 1)
    q = np.exp(-_GRID[1:, None] * j)
    mean = size * q[:, 0] / (1 - q[:, 0]) - (j * q / (1 - q)).sum(axis=1)
    log_z = np.log1p(-q).sum(axis=1) - size * np.log1p(-q[:, 0])
    return (
        np.concatenate([[size * (size - 1) / 4], mean]),
        np.concatenate([[np.log(np.arange(1, size + 1)).sum()], log_z]),
    )


def _solve(distance: Floats, mean_distance: Floats) -> Floats:
    """The spreads whose mean distances are these."""
    return np.asarray(np.interp(distance, mean_distance[::-1], _GRID[::-1]))


def _posterior(
    table: RankingTable, answers: Floats, rankings: Floats, spread: Floats, prior: Floats | None
) -> tuple[Floats, float]:
    """E-step: P(ranking | answers) [T, R!] and the log evidence, normalisers of the answers apart."""
    weight = spread[table.worker]
    each = csr_array((weight, np.arange(len(table)), table.start), shape=(len(table.tasks), len(table)))
    yes = np.asarray(each @ answers)
    total: Floats = np.asarray(each.sum(axis=1))[:, None]
    log_p = -(yes.sum(axis=1, keepdims=True) + (total - 2 * yes) @ rankings.T)
    if prior is not None:
        log_p = log_p + prior
    norm = logsumexp(log_p, axis=1, keepdims=True)
    return np.exp(log_p - norm), float(norm.sum())


def _missed(table: RankingTable, answers: Floats, precedence: Floats) -> Floats:
    """Expected number of discordant pairs in all of a worker's answers, [W]."""
    right = precedence[table.task]
    expected = (answers + right - 2 * answers * right).sum(axis=1)
    return np.asarray(np.bincount(table.worker, expected, minlength=len(table.workers)), np.float64)


def _matrix(precedence: Floats, size: int) -> Floats:
    """Pairs [T, P] as a matrix [T, R, R]; ½ on the diagonal."""
    first, second = kendall.pairs(size)
    matrix = np.full((len(precedence), size, size), 0.5)
    matrix[:, first, second] = precedence
    matrix[:, second, first] = 1 - precedence
    return matrix
