"""Bradley–Terry for pairs that share items, with ties and with each worker's reliability.

An item of log strength s beats another by the logistic function of the difference (Bradley & Terry 1952); a
tie has the weight of the geometric mean of both, times ν (Davidson 1970). A worker answers so with
probability η and the other way round otherwise (CrowdBT: Chen et al. 2013); a tie is the same both ways.
The posterior is maximised by L-BFGS under normal strengths, whose variance is fitted too (by their Laplace
approximation), and a Beta prior on η. A known answer counts as one more answer, of a
worker who is always right: it tells which item is better, but not by how much.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_array, eye_array
from scipy.special import expit, logit

from earnest.consensus.result import ClassConsensus, Convergence, PreferenceConsensus
from earnest.consensus.table import UNKNOWN, Floats, LabelTable

RIGHT, WRONG = 4.0, 1.0
"""Answers that the prior on a worker's reliability is worth: a Beta distribution with mean 0.8."""

MOST_DENSE = 3_000
"""Largest number of items whose joint covariance is computed; above it, their correlations are left out."""

FIRST, SECOND, TIE = 0, 1, 2


@dataclass(frozen=True, eq=False)
class _Problem:
    """Answers [m] (FIRST, SECOND or TIE) to tasks [m] by workers [m], worker W standing for gold; `design`
    [T, M] has +1 for the first item of a task and −1 for the second.
    """

    design: csr_array
    task: NDArray[np.int64]
    worker: NDArray[np.int64]
    answer: NDArray[np.int64]
    workers: int
    ties: bool


@dataclass(frozen=True, eq=False)
class _Parameters:
    """Log strengths [M], log ν (−∞ without ties), reliabilities [W + 1], the last of them 1, for gold."""

    strength: Floats
    log_tie: float
    reliability: Floats


@dataclass(frozen=True)
class BradleyTerry:
    """Fit strengths of the items that `pairs` gives for each task, as (first, second).

    `first`, `second` and `tie` are the class ids that say which item wins; the probability of a class is
    that of a perfect worker answering so. `tolerance` is L-BFGS's on the log posterior, relative.
    """

    pairs: Mapping[Any, tuple[Any, Any]]
    first: Any
    second: Any
    tie: Any = None
    tolerance: float = 1e-8
    iterations: int = 500

    def fit_predict(
        self, table: LabelTable, gold: Mapping[Any, Any] | ArrayLike | None = None
    ) -> PreferenceConsensus:
        """Consensus of a table; `gold` as for `LabelTable.gold`. ValueError when a task has no pair, a pair
        has the same item twice, or there is another class.
        """
        code = _codes(table, self.first, self.second, self.tie)
        items, left, right = _items(table, self.pairs)
        known = table.gold(gold)
        problem = _problem(table, code, left, right, len(items), known)
        variance = 1.0
        start: Floats = np.zeros(0)
        trace: list[float] = []
        converged = False
        for _ in range(50):
            parameters, start, values, success = _maximise(
                problem, variance, start, self.iterations, self.tolerance
            )
            trace += values
            covariance = _covariance(problem, parameters, variance)
            spread = covariance if covariance.ndim == 1 else covariance.diagonal()
            better = max(float((parameters.strength**2 + spread).mean()), 1e-4)
            converged = success and abs(better - variance) <= 1e-3 * variance
            if converged:
                break
            variance = better
        probability = np.zeros((len(table.tasks), len(table.classes)))
        three = _predict(problem, parameters, covariance)
        for column, kind in enumerate(code):
            probability[:, column] = three[:, kind]
        fixed = known != UNKNOWN
        probability[fixed] = np.eye(len(table.classes))[known[fixed]]
        record = Convergence(converged, self.tolerance, np.array(trace))
        consensus = ClassConsensus(
            method="bradley_terry",
            tasks=table.tasks,
            workers=table.workers,
            classes=table.classes,
            label=np.round(probability, 9).argmax(axis=1).astype(np.int32),
            probability=probability,
            reliability=parameters.reliability[:-1],
            convergence=record,
            prior=probability.mean(axis=0),
        )
        return PreferenceConsensus(
            pairs=consensus,
            items=items,
            strength=parameters.strength,
            error=np.sqrt(spread),
            tie=float(np.exp(parameters.log_tie)),
        )


def answer_probabilities(gap: Floats, log_tie: float) -> Floats:
    """Davidson's probabilities of FIRST, SECOND and TIE, [..., 3], for differences of log strengths [...]."""
    logits = np.stack([gap / 2, -gap / 2, np.full(np.shape(gap), log_tie)], axis=-1)
    weight = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.asarray(weight / weight.sum(axis=-1, keepdims=True))


def _codes(table: LabelTable, first: Any, second: Any, tie: Any) -> NDArray[np.int64]:
    """What each class of the table means, [C]."""
    meaning = {first: FIRST, second: SECOND} | ({} if tie is None else {tie: TIE})
    if len(meaning) != (2 if tie is None else 3):
        given = f"{first!r}, {second!r}, {tie!r}"
        raise ValueError(f"first, second and tie must be different classes, not {given}")
    classes = table.classes.tolist()
    strange = [each for each in classes if each not in meaning]
    if strange:
        raise ValueError(f"class {strange[0]!r} is neither first, second nor tie, among {list(meaning)!r}")
    missing = [each for each in (first, second) if each not in classes]
    if missing:
        wanted = f"build the table with classes={list(meaning)!r}"
        raise ValueError(f"class {missing[0]!r} is not declared: {wanted}")
    return np.array([meaning[each] for each in classes])


def _items(
    table: LabelTable, pairs: Mapping[Any, tuple[Any, Any]]
) -> tuple[NDArray[Any], NDArray[np.int64], NDArray[np.int64]]:
    """Item ids [M] and the indices of each task's first and second item, [T]."""
    found = []
    for task in table.tasks.tolist():
        if task not in pairs:
            raise ValueError(f"task {task!r} has no pair of items")
        one, other = pairs[task]
        if one == other:
            raise ValueError(f"task {task!r} compares item {one!r} with itself")
        found.append((one, other))
    items, index = np.unique(np.array(found), return_inverse=True)
    index = index.reshape(-1, 2)
    return items, index[:, 0], index[:, 1]


def _problem(
    table: LabelTable,
    code: NDArray[np.int64],
    left: NDArray[np.int64],
    right: NDArray[np.int64],
    items: int,
    known: NDArray[np.int32],
) -> _Problem:
    tasks = len(table.tasks)
    row = np.arange(tasks)
    sign = np.concatenate([np.ones(tasks), -np.ones(tasks)])
    design = csr_array(
        (sign, (np.concatenate([row, row]), np.concatenate([left, right]))), shape=(tasks, items)
    )
    taught = np.flatnonzero(known != UNKNOWN)
    answer = np.concatenate([code[table.label], code[known[taught]]])
    return _Problem(
        design=design,
        task=np.concatenate([table.task, taught]),
        worker=np.concatenate([table.worker, np.full(len(taught), len(table.workers))]),
        answer=answer,
        workers=len(table.workers),
        ties=bool((answer == TIE).any()),
    )


def _unpack(problem: _Problem, vector: Floats) -> _Parameters:
    items = problem.design.shape[1]
    return _Parameters(
        strength=vector[:items],
        log_tie=float(vector[items]) if problem.ties else -np.inf,
        reliability=np.append(expit(vector[items + 1 :]), 1.0),
    )


def _maximise(
    problem: _Problem, variance: float, start: Floats, iterations: int, tolerance: float
) -> tuple[_Parameters, Floats, list[float], bool]:
    """Posterior mode of strengths, ν and reliabilities for strengths of this variance."""
    items = problem.design.shape[1]
    if not len(start):
        start = np.concatenate([np.zeros(items + 1), np.full(problem.workers, logit(0.8))])
    trace: list[float] = []

    def loss(vector: Floats) -> tuple[float, Floats]:
        parameters = _unpack(problem, vector)
        gap = (problem.design @ parameters.strength)[problem.task]
        value, by_gap, by_tie, by_reliability = _answer_terms(
            problem, gap, parameters.log_tie, parameters.reliability
        )
        own = parameters.reliability[:-1]
        per_task = np.bincount(problem.task, by_gap, minlength=problem.design.shape[0])
        strength = problem.design.T @ per_task - parameters.strength / variance
        per_worker = np.bincount(problem.worker, by_reliability, minlength=problem.workers + 1)[:-1]
        reliability = per_worker * own * (1 - own) + RIGHT * (1 - own) - WRONG * own
        # log ν ~ N(0, 3²): it matters only when ties are all or nothing.
        tie = float(by_tie.sum()) - vector[items] / 9
        total = (
            value.sum()
            - (parameters.strength**2).sum() / (2 * variance)
            - vector[items] ** 2 / 18
            - (RIGHT * np.logaddexp(0, -vector[items + 1 :])).sum()
            - (WRONG * np.logaddexp(0, vector[items + 1 :])).sum()
        )
        return -float(total), -np.concatenate([strength, [tie], reliability])

    def record(intermediate_result: Any) -> None:
        trace.append(-float(intermediate_result.fun))

    found = minimize(
        loss,
        start,
        jac=True,
        method="L-BFGS-B",
        callback=record,
        options={"maxiter": iterations, "ftol": tolerance, "gtol": 1e-6 * len(problem.task), "maxcor": 30},
    )
    return _unpack(problem, found.x), found.x, trace, bool(found.success)


def _answer_terms(
    problem: _Problem, gap: Floats, log_tie: float, reliability: Floats
) -> tuple[Floats, Floats, Floats, Floats]:
    """Log probability of each answer, and its derivatives by the gap, log ν and the reliability, [m] each."""
    three = answer_probabilities(gap, log_tie)
    eta = reliability[problem.worker]
    is_tie = problem.answer == TIE
    said = np.where(problem.answer == FIRST, three[:, FIRST], three[:, SECOND])
    other = np.where(problem.answer == FIRST, three[:, SECOND], three[:, FIRST])
    mixed = np.where(is_tie, three[:, TIE], eta * said + (1 - eta) * other)
    mixed = np.maximum(mixed, 1e-300)
    sign = np.where(problem.answer == FIRST, 1.0, -1.0)
    # d log D / d gap, with D the sum of the three weights.
    tilt = (three[:, FIRST] - three[:, SECOND]) / 2
    by_gap = np.where(is_tie, 0.0, sign * (eta * said - (1 - eta) * other) / mixed / 2) - tilt
    by_tie = is_tie - three[:, TIE]
    by_reliability = np.where(is_tie, 0.0, (said - other) / mixed)
    return np.log(mixed), by_gap, by_tie, by_reliability


def _covariance(problem: _Problem, parameters: _Parameters, variance: float) -> Floats:
    """Covariance of the strengths [M, M], or their variances [M] when there are too many."""
    gap = (problem.design @ parameters.strength)[problem.task]
    step = 1e-4
    slope = [
        _answer_terms(problem, gap + shift, parameters.log_tie, parameters.reliability)[1]
        for shift in (step, -step)
    ]
    # An answer that an unreliable worker may have reversed can bend the other way; it then tells nothing.
    curve = np.bincount(problem.task, (slope[1] - slope[0]) / (2 * step), minlength=problem.design.shape[0])
    scaled = problem.design.T.multiply(np.maximum(curve, 0.0)).tocsr()
    items = problem.design.shape[1]
    precision = scaled @ problem.design + eye_array(items) / variance
    if items <= MOST_DENSE:
        return np.asarray(np.linalg.inv(precision.toarray()))
    return np.asarray(1 / precision.diagonal())


def _predict(problem: _Problem, parameters: _Parameters, covariance: Floats) -> Floats:
    """A perfect worker's probabilities of FIRST, SECOND and TIE, [T, 3], over the uncertain strengths."""
    gap = problem.design @ parameters.strength
    if covariance.ndim == 1:
        variance = problem.design.power(2) @ covariance
    else:
        variance = np.asarray((problem.design @ covariance) * problem.design.toarray()).sum(axis=1)
    node, weight = np.polynomial.hermite_e.hermegauss(15)
    points = gap[:, None] + np.sqrt(np.maximum(variance, 0))[:, None] * node
    three = answer_probabilities(points, parameters.log_tie)
    return np.asarray(np.einsum("tkc,k->tc", three, weight / weight.sum()))
