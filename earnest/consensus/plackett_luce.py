"""Plackett–Luce: each task's items have strengths, and a ranking draws them one by one, in proportion to
strength, from those left (Luce 1959, Plackett 1975).

Strengths maximise the posterior by the minorisation–maximisation steps of Hunter (2004), under the Gamma
prior of Caron & Doucet (2012); the prior's shape, that is, how much items differ, is chosen on a grid by
evidence over all tasks. A worker is sincere with a probability of their own, estimated by EM, and otherwise
answers at random: the mixture that MACE (Hovy et al. 2013) uses for classes. It is the kind of worker
reliability that leaves Hunter's steps, and hence their certain ascent, as they are: an answer just counts
with the probability that it was sincere.

Probabilities of orders come from the normal (Laplace) approximation of the posterior of log strengths. A
known ranking counts as `GOLD_ANSWERS` sincere answers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, ndtr, ndtri
from scipy.stats import qmc

from earnest.consensus import kendall
from earnest.consensus.ballots import Gold, Rankings, by_score
from earnest.consensus.result import Convergence, RankingConsensus
from earnest.consensus.table import Floats, RankingTable

GOLD_ANSWERS = 10
"""Sincere answers that a known ranking is worth."""

SINCERE, INSINCERE = 4.0, 1.0
"""Answers that the prior on a worker's sincerity is worth: a Beta distribution with mean 0.8."""

SHAPES = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
"""Shapes of the Gamma prior that are tried: from very different items to nearly equal ones."""

SAMPLE = 2_000
"""Most tasks that the shape is chosen on."""


@dataclass(frozen=True, eq=False)
class _Answers:
    """Rankings [m, R] of tasks [m] by workers [m], where worker W stands for gold."""

    task: NDArray[np.int64]
    worker: NDArray[np.int64]
    ranking: NDArray[np.int64]
    tasks: int
    workers: int


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


def fit_predict(
    table: RankingTable, gold: Gold = None, *, iterations: int = 2000, tolerance: float = 1e-7
) -> RankingConsensus:
    """Rank by strength; `score` [T, R] is the log strength, with mean 0 in each task.

    `tolerance` is the change of the log posterior per answer below which it stops.
    """
    known = table.gold(gold)
    model = fit(table, known, iterations=iterations, tolerance=tolerance)
    rounded = np.round(model.score, 6)
    ranking = by_score(rounded)
    tied = (np.diff(np.take_along_axis(rounded, ranking, axis=1), axis=1) == 0).any(axis=1)
    for task, right in known.items():
        ranking[task], tied[task] = right, False
    probability = order_probability(ranking, model)
    probability[list(known)] = 1.0
    return RankingConsensus(
        method="plackett_luce",
        tasks=table.tasks,
        workers=table.workers,
        ranking=ranking,
        probability=probability,
        precedence=precedence(model, known),
        tied=tied,
        reliability=model.reliability,
        convergence=model.convergence,
        score=model.score,
    )


def fit(
    table: RankingTable,
    known: Mapping[int, Rankings],
    *,
    iterations: int = 2000,
    tolerance: float = 1e-7,
) -> Model:
    """Fit strengths and sincerities; `known` rankings by task index.

    The prior's shape is chosen on at most `SAMPLE` tasks, evenly spaced.
    """
    answers = _with_gold(table, known)
    sample = _sample(answers)
    tried = [_fit(sample, shape, iterations, tolerance) for shape in SHAPES]
    best = max(range(len(SHAPES)), key=lambda k: tried[k].evidence)
    return tried[best] if sample is answers else _fit(answers, SHAPES[best], iterations, tolerance)


def log_probability(ranking: NDArray[np.integer], strength: Floats) -> Floats:
    """Log probability [...] of rankings [..., R] when the items have these strengths [..., R] (positive)."""
    drawn = np.take_along_axis(strength, ranking, axis=-1)
    left = drawn[..., ::-1].cumsum(axis=-1)[..., ::-1]
    return np.asarray((np.log(drawn) - np.log(left)).sum(axis=-1))


def _with_gold(table: RankingTable, known: Mapping[int, Rankings]) -> _Answers:
    task = np.repeat(np.array(list(known), np.int64), GOLD_ANSWERS)
    rankings = np.array([*known.values()], np.int64).reshape(-1, table.ranking.shape[1])
    ranking = np.repeat(rankings, GOLD_ANSWERS, axis=0)
    workers = len(table.workers)
    return _Answers(
        task=np.concatenate([table.task, task]),
        worker=np.concatenate([table.worker, np.full(len(task), workers)]),
        ranking=np.concatenate([table.ranking, ranking]),
        tasks=len(table.tasks),
        workers=workers,
    )


def _sample(answers: _Answers) -> _Answers:
    """The answers to `SAMPLE` tasks, evenly spaced; all when there are no more."""
    step = -(-answers.tasks // SAMPLE)
    if step == 1:
        return answers
    kept = answers.task % step == 0
    return replace(
        answers,
        task=answers.task[kept] // step,
        worker=answers.worker[kept],
        ranking=answers.ranking[kept],
        tasks=-(-answers.tasks // step),
    )


def _fit(answers: _Answers, shape: float, iterations: int, tolerance: float) -> Model:
    """EM with one step of Hunter's for the strengths in each iteration."""
    size = answers.ranking.shape[1]
    strength: Floats = np.full((answers.tasks, size), shape)
    sincerity = np.append(np.full(answers.workers, SINCERE / (SINCERE + INSINCERE)), 1.0)
    by_chance = -gammaln(size + 1)
    load = np.bincount(answers.worker, minlength=answers.workers + 1)
    trace: list[float] = []
    converged = False
    for _ in range(iterations):
        model = np.log(sincerity)[answers.worker] + log_probability(answers.ranking, strength[answers.task])
        with np.errstate(divide="ignore"):
            chance = np.log1p(-sincerity)[answers.worker] + by_chance
        either = np.logaddexp(model, chance)
        own = sincerity[:-1]
        objective = float(
            either.sum()
            + (shape * np.log(strength) - strength).sum()
            + (SINCERE * np.log(own) + INSINCERE * np.log1p(-own)).sum()
        )
        converged = bool(trace) and abs(objective - trace[-1]) <= tolerance * len(answers.task)
        trace.append(objective)
        weight = np.exp(model - either)
        if converged:
            break
        strength = _hunter_step(answers, strength, weight, shape)
        total = np.bincount(answers.worker, weight, minlength=answers.workers + 1)
        sincerity = (total + SINCERE) / (load + SINCERE + INSINCERE)
        sincerity[-1] = 1.0
    precision = _precision(answers, strength, weight)
    evidence = (
        either.sum()
        + (shape * np.log(strength) - strength - gammaln(shape) + np.log(2 * np.pi) / 2).sum()
        - np.linalg.slogdet(precision)[1].sum() / 2
    )
    record = Convergence(converged, tolerance, np.array(trace))
    score = np.log(strength)
    return Model(
        score=score - score.mean(axis=1, keepdims=True),
        covariance=np.asarray(np.linalg.inv(precision), np.float64),
        sincerity=sincerity[:-1],
        reliability=_reliability(strength, sincerity[:-1]),
        evidence=float(evidence),
        convergence=record,
    )


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
    precision = np.zeros((answers.tasks, size, size))
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


def order_probability(ranking: Rankings, model: Model, points: int = 512) -> Floats:
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
