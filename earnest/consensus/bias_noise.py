"""Ratings as truth + the worker's bias + the worker's noise, all estimated together.

The subject model of Li & Bampis (2017), Li et al. (2020) and ITU-T P.913: x = q_t + b_w + v_w·ε. There the
parameters are fitted by maximum likelihood; here each has a distribution over the tasks or the workers,
q ~ N(μ, τ²), b ~ N(β, σ²), 1/v² ~ Gamma, whose parameters are fitted too, so that a worker with few answers
is taken to be average and no noise can shrink to nothing. Truths and biases are normal given the noises,
and their joint posterior is exact; it alternates with that of the noises (variational EM).

Biases and truths are known only up to a common shift: the workers' mean bias is β = 0, unless gold answers
say otherwise. The interval covers the shift's uncertainty, that is, the truth is what all workers who might
have answered would say on average.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import brentq
from scipy.sparse import csr_array
from scipy.sparse.linalg import cg
from scipy.special import digamma
from scipy.stats import t as student

from earnest.consensus.result import Convergence, RatingConsensus
from earnest.consensus.table import Floats, RatingTable

MOST_DENSE = 20_000_000
"""Largest T·W whose biases' joint covariance is computed; above it, their correlations are left out."""

MOST_WORKERS = 3_000
"""Likewise the largest number of workers."""


@dataclass(frozen=True, eq=False)
class _Priors:
    """q ~ N(centre, signal), b ~ N(shift, bias), precision of a worker's noise ~ Gamma(shape, rate)."""

    centre: float
    signal: float
    shift: float
    bias: float
    shape: float
    rate: float


@dataclass(frozen=True, eq=False)
class _Posterior:
    """Means and variances of truths [T] and biases [W], E(x − q − b)² of each answer [n], log evidence."""

    value: Floats
    value_variance: Floats
    bias: Floats
    bias_variance: Floats
    squares: Floats
    evidence: float


@dataclass(frozen=True)
class BiasNoise:
    """The model's values, with an interval that holds the truth with probability `coverage`.

    It stops when no value changes by more than `tolerance`, in standard deviations of all ratings. The
    trace is the log likelihood of the ratings given the noises, with the rest integrated out.
    """

    coverage: float = 0.95
    tolerance: float = 1e-5
    iterations: int = 1000

    def fit_predict(
        self, table: RatingTable, gold: Mapping[Any, float] | ArrayLike | None = None
    ) -> RatingConsensus:
        """Consensus of a table; `gold` as for `RatingTable.gold`: a known value stands as it is."""
        if not 0 < self.coverage < 1:
            raise ValueError(f"coverage must lie between 0 and 1, not {self.coverage}")
        known = table.gold(gold)
        unit = float(table.rating.std()) or 1.0
        origin = float(table.rating.mean())
        ratings, truth = (table.rating - origin) / unit, (known - origin) / unit
        load = table.per_worker
        priors = _Priors(0.0, 0.5, 0.0, 0.1, 2.0, 1.0)
        precision: Floats = np.full(len(table.workers), priors.shape / priors.rate)
        before: Floats = np.full(len(table.tasks), np.inf)
        trace: list[float] = []
        converged = False
        for _ in range(self.iterations):
            found = _truths_and_biases(table, ratings, truth, precision, priors)
            trace.append(found.evidence - len(table) * np.log(unit))
            converged = bool(np.abs(found.value - before).max() < self.tolerance)
            if converged:
                break
            before = found.value
            shape = priors.shape + load / 2
            rate = priors.rate + np.bincount(table.worker, found.squares, minlength=len(load)) / 2
            precision = shape / rate
            priors = _update(priors, found, truth, shape, rate)
        shape = priors.shape + load / 2
        reach = _quantile(table, precision, shape, (1 + self.coverage) / 2) * np.sqrt(found.value_variance)
        value = found.value * unit + origin
        noise = np.sqrt(1 / precision)
        return RatingConsensus(
            method="bias_noise",
            tasks=table.tasks,
            workers=table.workers,
            value=np.where(np.isnan(known), value, known),
            low=np.where(np.isnan(known), value - reach * unit, known),
            high=np.where(np.isnan(known), value + reach * unit, known),
            coverage=self.coverage,
            bias=found.bias * unit,
            noise=noise * unit,
            reliability=priors.signal / (priors.signal + noise**2),
            convergence=Convergence(converged, self.tolerance, np.array(trace)),
        )


def _truths_and_biases(
    table: RatingTable, ratings: Floats, gold: Floats, precision: Floats, priors: _Priors
) -> _Posterior:
    """Joint posterior of truths and biases given the noises' precisions [W]; ratings in standard units."""
    tasks, workers = len(table.tasks), len(table.workers)
    known = ~np.isnan(gold)
    each = precision[table.worker]
    free = ~known[table.task]
    weight = np.where(free, each, 0.0)
    data = np.where(free, ratings, ratings - np.where(known, gold, 0.0)[table.task])
    coupling = csr_array((weight, table.worker, table.start), shape=(tasks, workers))
    truth_precision = 1 / priors.signal + np.bincount(table.task, weight, minlength=tasks)
    bias_precision = 1 / priors.bias + np.bincount(table.worker, each, minlength=workers)
    truth_pull = priors.centre / priors.signal + np.bincount(table.task, weight * data, minlength=tasks)
    bias_pull = priors.shift / priors.bias + np.bincount(table.worker, each * data, minlength=workers)
    scaled = coupling.multiply(1 / truth_precision[:, None]).tocsr()
    own = np.arange(workers)
    diagonal = csr_array((bias_precision, (own, own)), shape=(workers, workers))
    system = diagonal - coupling.T @ scaled
    pull = bias_pull - scaled.T @ truth_pull
    if workers <= MOST_WORKERS and tasks * workers <= MOST_DENSE:
        factor = cho_factor(system.toarray())
        bias = cho_solve(factor, pull)
        covariance = cho_solve(factor, np.eye(workers))
        bias_variance = covariance.diagonal()
        log_determinant = 2 * np.log(np.diagonal(factor[0])).sum()
        mixed = scaled @ covariance
        along = mixed[table.task, table.worker]
        extra = np.asarray((scaled * mixed).sum(axis=1)).ravel()
    else:
        bias, _ = cg(system, pull, rtol=1e-10)
        bias_variance = 1 / system.diagonal()
        log_determinant = np.log(system.diagonal()).sum()
        along = weight / truth_precision[table.task] * bias_variance[table.worker]
        extra = scaled.power(2) @ bias_variance
    value = (truth_pull - coupling @ bias) / truth_precision
    variance = 1 / truth_precision + extra
    value, variance = np.where(known, gold, value), np.where(known, 0.0, variance)
    residual = ratings - value[table.task] - bias[table.worker]
    squares = residual**2 + variance[table.task] + bias_variance[table.worker] - 2 * np.where(free, along, 0)
    fit = (
        (each * residual**2).sum()
        + ((value - priors.centre)[~known] ** 2).sum() / priors.signal
        + ((bias - priors.shift) ** 2).sum() / priors.bias
    )
    evidence = 0.5 * (
        np.log(each / (2 * np.pi)).sum()
        - np.log(truth_precision * priors.signal)[~known].sum()
        - log_determinant
        - workers * np.log(priors.bias)
        - fit
    )
    return _Posterior(value, variance, bias, bias_variance, squares, float(evidence))


def _update(priors: _Priors, found: _Posterior, gold: Floats, shape: Floats, rate: Floats) -> _Priors:
    """The priors' parameters that the posterior makes most likely."""
    truth, variance = found.value, found.value_variance
    centre = float(truth.mean())
    signal = float(((truth - centre) ** 2 + variance).mean())
    shift = float(found.bias.mean()) if not np.isnan(gold).all() else 0.0
    bias = float(((found.bias - shift) ** 2 + found.bias_variance).mean())
    mean = float((shape / rate).mean())
    gap = np.log(mean) - float((digamma(shape) - np.log(rate)).mean())
    strength = _gamma_shape(gap)
    return replace(
        priors,
        centre=centre,
        signal=max(signal, 1e-6),
        shift=shift,
        bias=max(bias, 1e-6),
        shape=strength,
        rate=strength / mean,
    )


def _gamma_shape(gap: float) -> float:
    """The k in [1, 100] with log k − ψ(k) = gap: the maximum likelihood shape of a Gamma distribution."""

    def excess(log_k: float) -> float:
        k = np.exp(log_k)
        return float(log_k - digamma(k) - gap)

    low, high = 0.0, np.log(100.0)
    if excess(low) <= 0:
        return 1.0
    if excess(high) >= 0:
        return 100.0
    return float(np.exp(brentq(excess, low, high)))


def _quantile(table: RatingTable, precision: Floats, shape: Floats, level: float) -> Floats:
    """Quantile of Student's t, [T], with the degrees of freedom that the uncertain precisions leave
    (Satterthwaite 1946).
    """
    each = precision[table.worker]
    total = np.bincount(table.task, each, minlength=len(table.tasks))
    spread = np.bincount(table.task, each**2 / shape[table.worker], minlength=len(table.tasks))
    freedom = np.divide(2 * total**2, spread, out=np.full(len(total), 1e6), where=spread > 0)
    return np.asarray(student.ppf(level, freedom))
