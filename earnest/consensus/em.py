"""Expectation–maximisation for models in which an answer depends on the task's class and the worker alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from earnest.consensus.result import ClassConsensus, Convergence
from earnest.consensus.table import Floats, LabelTable
from earnest.consensus.votes import Votes, normalised


@dataclass(frozen=True, eq=False)
class Model:
    """What an M-step returns.

    `log_prior` [C] and `log_answer` [W, answer, truth] are what the next E-step adds up; `penalty` is what
    the objective has beside the log likelihood under them (log prior, or minus the divergence from it, and
    what `log_joint` leaves out); `prior` [C] and `confusion` [W, answer, truth] are the estimates to report.
    """

    log_prior: Floats
    log_answer: Floats
    penalty: float
    prior: Floats
    confusion: Floats


M = TypeVar("M", bound=Model)


def iterate(
    votes: Votes,
    step: Callable[[Floats, M | None], M],
    start: Floats,
    iterations: int,
    tolerance: float,
) -> tuple[Floats, M, Convergence]:
    """M-step and E-step in turn from probabilities `start` [T, C], until the objective gains < tolerance an
    answer.

    `step` gets the probabilities and the model before, None at first. ValueError if `iterations` < 1.
    """
    if iterations < 1:
        raise ValueError(f"iterations must be at least 1, not {iterations}")
    probability, trace, gain = start, list[float](), np.inf
    model = None
    while gain >= tolerance and len(trace) < iterations:
        model = step(probability, model)
        joint = votes.evidence(model.log_answer)
        joint += model.log_prior
        probability, likelihood = votes.posterior(joint)
        trace.append(likelihood + model.penalty)
        gain = abs(trace[-1] - trace[-2]) / max(votes.matrix.nnz, 1) if len(trace) > 1 else np.inf
    assert model is not None
    return probability, model, Convergence(gain < tolerance, tolerance, np.array(trace))


def consensus(
    method: str, table: LabelTable, probability: Floats, model: Model, convergence: Convergence
) -> ClassConsensus:
    """Result of a fitted model; reliability is the mean of the confusion's diagonal, weighted by the class
    prior.
    """
    confusion = np.ascontiguousarray(model.confusion.transpose(0, 2, 1))
    return ClassConsensus(
        method=method,
        tasks=table.tasks,
        workers=table.workers,
        classes=table.classes,
        label=probability.argmax(axis=1).astype(np.int32),
        probability=probability,
        reliability=np.clip(np.einsum("wcc,c->w", confusion, normalised(model.prior)), 0.0, 1.0),
        convergence=convergence,
        prior=model.prior,
        confusion=confusion,
    )
