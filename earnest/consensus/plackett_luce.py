"""Plackett–Luce: each task's items have strengths, and a ranking draws them one by one, in proportion to
strength, from those left (Luce 1959, Plackett 1975).

Strengths maximise the posterior by the minorisation–maximisation steps of Hunter (2004), under the Gamma
prior of Caron & Doucet (2012); the prior's shape, that is, how much items differ, is chosen on a grid by
evidence over all tasks. A worker is sincere with a probability of their own, estimated by EM, and otherwise
answers at random: the mixture that MACE (Hovy et al. 2013) uses for classes. It is the kind of worker
reliability that leaves Hunter's steps, and hence their certain ascent, as they are: an answer just counts
with the probability that it was sincere.

Probabilities of orders come from the normal (Laplace) approximation of the posterior of log strengths.
Where a ranking is known, the strengths are those typical of the prior, in that order.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv, gammaln, ndtr, ndtri
from scipy.stats import qmc

from earnest.consensus import kendall
from earnest.consensus.ballots import Gold, Rankings, by_score
from earnest.consensus.result import Convergence, RankingConsensus
from earnest.consensus.table import Floats, RankingTable

SINCERE, INSINCERE = 4.0, 1.0
"""Answers that the prior on a worker's sincerity is worth: a Beta distribution with mean 0.8."""

SHAPES = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
"""Shapes of the Gamma prior that are tried: from very different items to nearly equal ones."""

SAMPLE = 2_000
"""Most tasks that the shape is chosen on."""


@dataclass(frozen=True, eq=False)
class _Answers:
    """Rankings [n, R] of tasks [n] by workers [n]; `known` [T] tells which tasks have a ranking in `gold`
    [T, R].
    """

    task: NDArray[np.int64]
    worker: NDArray[np.int64]
    ranking: NDArray[np.int64]
    workers: int
    known: NDArray[np.bool_]
    gold: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Model:
    """A fitted model: log strengths `score` [T, R] with mean 0 in each task and their `covariance` [T, R,
    R]; `sincerity` [W]; `reliability` [W], the probability that the worker puts two random items of a
    random task in the order of their strengths; the log `evidence` of all answers.
    """

    score: Floats
    covariance: Floats
    sincerity: Floats
    reliability: Floats
    evidence: float
    convergence: Convergence


@dataclass(frozen=True)
class PlackettLuce:
    """Rank by strength; the result's `score` [T, R] is the log strength, with mean 0 in each task.

    EM stops when the log posterior changes by no more than `tolerance` per answer.
    """

    tolerance: float = 1e-7
    iterations: int = 2000

    def fit_predict(self, table: RankingTable, gold: Gold = None) -> RankingConsensus:
        """Consensus of a table; `gold` as for `RankingTable.gold`."""
        known = table.gold(gold)
        model = fit(table, known, self.iterations, self.tolerance)
        rounded = np.round(model.score, 6)
        ranking = by_score(rounded)
        tied = (np.diff(np.take_along_axis(rounded, ranking, axis=1), axis=1) == 0).any(axis=1)
        for task, right in known.items():
            ranking[task], tied[task] = right, False
        return RankingConsensus(
            method="plackett_luce",
            tasks=table.tasks,
            workers=table.workers,
            ranking=ranking,
            probability=order_probability(ranking, model, known),
            precedence=precedence(model, known),
            tied=tied,
            reliability=model.reliability,
            convergence=model.convergence,
            score=model.score,
        )


def fit(
    table: RankingTable,
    known: Mapping[int, Rankings],
    iterations: int = 2000,
    tolerance: float = 1e-7,
) -> Model:
    """Fit strengths and sincerities; `known` rankings by task index.

    The prior's shape is chosen on at most `SAMPLE` tasks, evenly spaced.
    """
    answers = _answers(table, known)
    sample = _sample(answers)
    tried = [_fit(sample, shape, iterations, tolerance) for shape in SHAPES]
    best = max(range(len(SHAPES)), key=lambda k: tried[k].evidence)
    return tried[best] if sample is answers else _fit(answers, SHAPES[best], iterations, tolerance)


def log_probability(ranking: NDArray[np.integer], strength: Floats) -> Floats:
    """Log probability [...] of rankings [..., R] when the items have these strengths [..., R] (positive)."""
    drawn = np.take_along_axis(strength, ranking, axis=-1)
    left = drawn[..., ::-1].cumsum(axis=-1)[..., ::-1]
    return np.asarray((np.log(drawn) - np.log(left)).sum(axis=-1))


def _answers(table: RankingTable, known: Mapping[int, Rankings]) -> _Answers:
    gold = np.zeros((len(table.tasks), table.ranking.shape[1]), np.int64)
    is_known = np.zeros(len(table.tasks), bool)
    for task, ranking in known.items():
        gold[task], is_known[task] = ranking, True
    return _Answers(
        task=table.task.astype(np.int64),
        worker=table.worker.astype(np.int64),
        ranking=table.ranking.astype(np.int64),
        workers=len(table.workers),
        known=is_known,
        gold=gold,
    )


def _sample(answers: _Answers) -> _Answers:
    """The answers to `SAMPLE` tasks, evenly spaced; all when there are no more."""
    step = -(-len(answers.known) // SAMPLE)
    if step == 1:
        return answers
    kept = answers.task % step == 0
    return replace(
        answers,
        task=answers.task[kept] // step,
        worker=answers.worker[kept],
        ranking=answers.ranking[kept],
        known=answers.known[::step],
        gold=answers.gold[::step],
    )


def _fit(answers: _Answers, shape: float, iterations: int, tolerance: float) -> Model:
    """EM with one step of Hunter's for the strengths in each iteration."""
    size = answers.ranking.shape[1]
    known, free = answers.known, ~answers.known
    strength: Floats = np.full((len(known), size), shape)
    np.put_along_axis(strength, answers.gold, _typical_strengths(size, shape), axis=1)
    strength[free] = shape
    sincerity: Floats = np.full(answers.workers, SINCERE / (SINCERE + INSINCERE))
    load = np.bincount(answers.worker, minlength=answers.workers)
    trace: list[float] = []
    converged = False
    for _ in range(iterations):
        model = np.log(sincerity)[answers.worker] + log_probability(answers.ranking, strength[answers.task])
        chance = np.log1p(-sincerity)[answers.worker] - gammaln(size + 1)
        either = np.logaddexp(model, chance)
        prior = (shape * np.log(strength) - strength)[free].sum()
        prior += (SINCERE * np.log(sincerity) + INSINCERE * np.log1p(-sincerity)).sum()
        trace.append(float(either.sum() + prior))
        weight = np.exp(model - either)
        converged = len(trace) > 1 and abs(trace[-1] - trace[-2]) <= tolerance * len(answers.task)
        if converged:
            break
        strength = np.where(known[:, None], strength, _hunter_step(answers, strength, weight, shape))
        total = np.bincount(answers.worker, weight, minlength=answers.workers)
        sincerity = (total + SINCERE) / (load + SINCERE + INSINCERE)
    precision = _precision(answers, strength, weight)
    constant = (shape * np.log(strength) - strength - gammaln(shape) + np.log(2 * np.pi) / 2)[free].sum()
    evidence = either.sum() + constant - np.linalg.slogdet(precision[free])[1].sum() / 2
    score = np.log(strength)
    return Model(
        score=score - score.mean(axis=1, keepdims=True),
        covariance=np.asarray(np.linalg.inv(precision), np.float64),
        sincerity=sincerity,
        reliability=_reliability(strength, sincerity),
        evidence=float(evidence),
        convergence=Convergence(converged, tolerance, np.array(trace)),
    )


def _typical_strengths(size: int, shape: float) -> Floats:
    """Strengths [R] typical of the prior, largest first: geometric means of the order statistics."""
    draws = gammaincinv(shape, qmc.Halton(size, scramble=False).random(4097)[1:])
    return np.asarray(np.exp(np.log(np.sort(draws, axis=1)[:, ::-1]).mean(axis=0)))


def _hunter_step(answers: _Answers, strength: Floats, weight: Floats, shape: float) -> Floats:
    """One minorisation–maximisation step for all tasks, answers counting with their weights [m]."""
    size = answers.ranking.shape[1]
    drawn = strength[answers.task[:, None], answers.ranking]
    left = drawn[:, ::-1].cumsum(axis=1)[:, ::-1]
    share = np.where(np.arange(size) < size - 1, 1 / left, 0.0).cumsum(axis=1) * weight[:, None]
    won = np.where(np.arange(size) < size - 1, weight[:, None], 0.0)
    place = (answers.task[:, None] * size + answers.ranking).ravel()
    length = strength.size
    wins = np.bincount(place, won.ravel(), minlength=length).reshape(strength.shape)
    exposure = np.bincount(place, share.ravel(), minlength=length).reshape(strength.shape)
    stepped = (shape + wins) / (1 + exposure)
    # The likelihood knows ratios only; the prior's best total is R times its shape.
    return np.asarray(stepped * (size * shape / stepped.sum(axis=1, keepdims=True)))


def _precision(answers: _Answers, strength: Floats, weight: Floats) -> Floats:
    """Curvature of the log posterior in the log strengths, [T, R, R]."""
    size = strength.shape[1]
    drawn = strength[answers.task[:, None], answers.ranking]
    precision = np.zeros((len(strength), size, size))
    precision[:, np.arange(size), np.arange(size)] = strength
    for k in range(size - 1):
        chance = drawn[:, k:] / drawn[:, k:].sum(axis=1, keepdims=True)
        block = -chance[:, :, None] * chance[:, None, :]
        block[:, np.arange(size - k), np.arange(size - k)] += chance
        row, column = answers.ranking[:, k:, None], answers.ranking[:, None, k:]
        place = (answers.task[:, None, None] * size + row) * size + column
        block *= weight[:, None, None]
        added = np.bincount(place.ravel(), block.ravel(), minlength=precision.size)
        precision += added.reshape(precision.shape)
    return precision


def precedence(model: Model, known: Mapping[int, Rankings]) -> Floats:
    """P(first item is stronger than the second), [T, R, R]; certain where the ranking is known."""
    variance = np.diagonal(model.covariance, axis1=1, axis2=2)
    apart = variance[:, :, None] + variance[:, None, :] - 2 * model.covariance
    gap = model.score[:, :, None] - model.score[:, None, :]
    matrix = np.asarray(ndtr(gap / np.sqrt(np.maximum(apart, 1e-300))))
    for task, right in known.items():
        place = np.argsort(right)
        matrix[task] = np.where(np.eye(len(right), dtype=bool), 0.5, place[:, None] < place)
    return matrix


def order_probability(
    ranking: Rankings, model: Model, known: Mapping[int, Rankings], points: int = 512
) -> Floats:
    """P(strengths are in this order), [T], by sequential integration (Genz 1992) at quasi-random points."""
    steps = ranking.shape[1] - 1
    if steps < 1:
        return np.ones(len(ranking))
    sample = qmc.Halton(max(steps - 1, 1), scramble=False).random(points + 1)[1:]
    probability = np.empty(len(ranking))
    for start in range(0, len(ranking), 4096):
        part = slice(start, start + 4096)
        order = ranking[part].astype(np.intp)
        ordered = np.take_along_axis(model.score[part], order, axis=1)
        gap = -np.diff(ordered, axis=1)
        spread = model.covariance[part][
            np.arange(len(order))[:, None, None], order[:, :, None], order[:, None, :]
        ]
        apart = np.diff(np.diff(spread, axis=1), axis=2)
        lower = np.linalg.cholesky(apart)
        drawn = np.zeros((len(order), points, steps))
        product = np.ones((len(order), points))
        for k in range(steps):
            shift = (lower[:, None, k, :k] * drawn[:, :, :k]).sum(axis=2)
            bound = -(gap[:, None, k] + shift) / lower[:, None, k, k]
            inside = ndtr(-bound)
            product *= inside
            if k < steps - 1:
                drawn[:, :, k] = -ndtri(np.clip(sample[None, :, k] * inside, 1e-300, 1 - 1e-16))
        probability[part] = product.mean(axis=1)
    for task, right in known.items():
        probability[task] = float((ranking[task] == right).all())
    return probability


def _reliability(strength: Floats, sincerity: Floats) -> Floats:
    """Probability that a worker puts two random items of a random task in the order of their strengths."""
    size = strength.shape[1]
    if size < 2:
        return np.ones(len(sincerity))
    first, second = kendall.pairs(size)
    stronger = np.maximum(strength[:, first], strength[:, second])
    right = float((stronger / (strength[:, first] + strength[:, second])).mean())
    return np.asarray(sincerity * right + (1 - sincerity) / 2)
