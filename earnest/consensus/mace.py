"""MACE: Hovy, Berg-Kirkpatrick, Vaswani and Hovy, "Learning Whom to Trust with MACE" (2013).

A worker either knows, and gives the right answer, or guesses from a distribution of their own. Given the
posterior of the classes, both M-steps need the counts of answers only, so the E-step is that of any confusion
matrix.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np

from earnest.consensus.em import Model, consensus, iterate
from earnest.consensus.ibcc import divergence, expected_log
from earnest.consensus.result import ClassConsensus
from earnest.consensus.table import Floats, LabelTable
from earnest.consensus.votes import Votes, log_floor, normalised


@dataclass(frozen=True)
class MACE:
    """Knowing and guessing, by variational Bayes (`training="vb"`) or smoothed EM (`training="em"`).

    `knows` is the Beta parameter of both outcomes, `guess` the Dirichlet parameter of each class (vb),
    `smoothing` the pseudo-answers (em). The first start is the vote shares, `restarts` more are these mixed
    with noise from `seed`; the best objective wins. The trace is the evidence lower bound (vb) or the
    penalised log likelihood (em).
    """

    training: Literal["vb", "em"] = "vb"
    knows: float = 0.5
    guess: float = 10.0
    smoothing: float = 0.01
    restarts: int = 9
    seed: int = 0
    iterations: int = 200
    tolerance: float = 1e-6

    def fit_predict(self, table: LabelTable, gold: Any = None) -> ClassConsensus:
        """Consensus of a table; `gold` as for `LabelTable.gold`. ValueError on an unknown training or a bad
        prior.
        """
        if self.training not in ("vb", "em"):
            raise ValueError(f"training must be 'vb' or 'em', not {self.training!r}")
        if min(self.knows, self.guess, self.smoothing) <= 0:
            raise ValueError(f"priors and smoothing must be positive: {self}")
        votes = Votes.of(table, table.gold(gold))
        starts = _starts(votes, self.restarts, np.random.default_rng(self.seed))
        step = partial(self._maximise, votes)
        runs = (iterate(votes, step, start, self.iterations, self.tolerance) for start in starts)
        best = max(runs, key=lambda run: run[2].objective)
        return consensus("mace" if self.training == "vb" else "mace_em", table, *best)

    def _maximise(self, votes: Votes, probability: Floats, before: _Spamming | None) -> _Spamming:
        tally = votes.tally(probability)
        right, given = np.einsum("wcc->wc", tally), tally.sum(axis=2)
        knows, guess = (before.knows, before.guess) if before else _even(votes)
        known = right * (knows[:, :1] / (knows[:, :1] + knows[:, 1:] * guess))
        total = known.sum(axis=1)
        outcome = np.stack([total, given.sum(axis=1) - total], axis=1)
        knows, guess, penalty = self._update(outcome, given - known)
        return _Spamming.of(knows, guess, penalty)

    def _update(self, outcome: Floats, guessed: Floats) -> tuple[Floats, Floats, float]:
        """Weights of knowing or guessing [W, 2] and of each guess [W, C], with their penalty, from expected
        counts.
        """
        if self.training == "em":
            knows, guess = normalised(outcome + self.smoothing), normalised(guessed + self.smoothing)
            return knows, guess, self.smoothing * float(np.log(knows).sum() + np.log(guess).sum())
        posterior, strategy = outcome + self.knows, guessed + self.guess
        apart = divergence(posterior, np.array([self.knows])) + divergence(strategy, np.array([self.guess]))
        return np.exp(expected_log(posterior)), np.exp(expected_log(strategy)), -apart


@dataclass(frozen=True, eq=False)
class _Spamming(Model):
    """`knows` [W, 2] weighs knowing and guessing, `guess` [W, C] the answers of a guess; sub-normalised for
    vb.
    """

    knows: Floats
    guess: Floats

    @classmethod
    def of(cls, knows: Floats, guess: Floats, penalty: float) -> _Spamming:
        classes = guess.shape[1]
        guessed = knows[:, 1:] * guess
        answer = np.repeat(guessed[:, :, None], classes, axis=2)
        answer[:, range(classes), range(classes)] += knows[:, :1]
        prior = np.full(classes, 1.0 / classes)
        confusion = normalised(answer.transpose(0, 2, 1)).transpose(0, 2, 1)
        return cls(np.log(prior), log_floor(answer), penalty, prior, confusion, knows, guess)


def _even(votes: Votes) -> tuple[Floats, Floats]:
    """Half known, half guessed with all classes alike: the weights before the first M-step."""
    return np.full((votes.workers, 2), 0.5), np.full((votes.workers, votes.classes), 1.0 / votes.classes)


def _starts(votes: Votes, restarts: int, rng: np.random.Generator) -> Iterator[Floats]:
    """The vote shares, then the same mixed half and half with random distributions."""
    shares = votes.shares()
    yield shares
    for _ in range(restarts):
        noise = rng.standard_exponential(shares.shape)
        yield votes.clamped(0.5 * shares + 0.5 * normalised(noise))
