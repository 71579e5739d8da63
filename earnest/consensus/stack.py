"""The default: three models of different make, weighed by how well they foretell answers, and tempered.

Why three: unrestricted confusion matrices (`DawidSkene`), pooled ones that hold with few answers
(`PooledDawidSkene`) and knowing or guessing (`MACE`) err on different data. Why tempered: all of them count
answers to one task as independent, and they are not; what makes a task hard is shared. The evidence of n
answers is counted as that of n^(1 − `discount`). The weights follow the idea of stacking predictive
distributions (Yao, Vehtari, Simpson and Gelman, 2018), in the closed form of a softmax of the held-out log
likelihood.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from earnest.consensus.copies import merged, originals
from earnest.consensus.dawid_skene import DawidSkene
from earnest.consensus.mace import MACE
from earnest.consensus.pooled import PooledDawidSkene
from earnest.consensus.predictive import ClassEstimator, held_out_likelihood
from earnest.consensus.result import ClassConsensus, Convergence
from earnest.consensus.table import UNKNOWN, Floats, Indices, LabelTable
from earnest.consensus.votes import TINY, softmax

MEMBERS: tuple[ClassEstimator, ...] = (
    DawidSkene(),
    PooledDawidSkene(),
    MACE(training="em", restarts=0),
)


@dataclass(frozen=True, eq=False)
class StackConsensus(ClassConsensus):
    """Consensus of a stack, and how it came about.

    `members` hold their own consensuses, `held_out` [M] their log likelihood of an answer not seen,
    `weights` [M] what follows from it; `original` [W] is whose copy each worker is, or the worker.
    """

    members: tuple[ClassConsensus, ...] = ()
    held_out: Floats | None = None
    weights: Floats | None = None
    original: Indices | None = None


@dataclass(frozen=True)
class Stack:
    """Weighted mean of the members' tempered probabilities; so are reliability, confusion and prior.

    A member that foretells each of n answers worse by `spread`/√n (natural logarithm) has a weight e times
    smaller: about the standard error of such a difference, so that weights are even where little is known.
    `discount` in [0, 1): 0 trusts answers to one task as independent. With `merge_copies` workers who answer
    word for word alike count as one. `folds` and `seed` are those of the held-out likelihood. Convergence is
    that of the member with the most weight, and of all members for `converged`.
    """

    members: tuple[ClassEstimator, ...] = MEMBERS
    spread: float = 0.5
    discount: float = 0.6
    merge_copies: bool = True
    folds: int = 5
    seed: int = 0

    def fit_predict(self, table: LabelTable, gold: Any = None) -> StackConsensus:
        """Consensus of a table; `gold` as for `LabelTable.gold`. ValueError on parameters out of range."""
        if not (self.members and self.spread > 0 and 0 <= self.discount < 1):
            raise ValueError(f"a stack needs members, spread > 0 and 0 ≤ discount < 1: {self}")
        known = table.gold(gold)
        original = originals(table) if self.merge_copies else np.arange(len(table.workers), dtype=np.int32)
        single = merged(table, original)
        fitted = tuple(member.fit_predict(single, known) for member in self.members)
        held_out = self._held_out(single, known)
        weights, _ = softmax(held_out[None, :] * (np.sqrt(len(single)) / self.spread))
        return self._combined(single, known, original, fitted, held_out, weights[0])

    def _held_out(self, table: LabelTable, gold: Indices) -> Floats:
        """Held-out log likelihood of each member, [M]; equal where there are fewer answers than folds."""
        if len(table) < self.folds or len(self.members) == 1:
            return np.zeros(len(self.members))
        return np.array([held_out_likelihood(m, table, gold, self.folds, self.seed) for m in self.members])

    def _combined(
        self,
        table: LabelTable,
        gold: Indices,
        original: Indices,
        fitted: tuple[ClassConsensus, ...],
        held_out: Floats,
        weights: Floats,
    ) -> StackConsensus:
        temper = np.where(gold == UNKNOWN, np.maximum(table.per_task, 1) ** -self.discount, 1.0)
        pairs = list(zip(weights, fitted, strict=True))
        probability = np.asarray(sum(w * tempered(each.probability, temper) for w, each in pairs))
        confusions = [w * each.confusion for w, each in pairs if each.confusion is not None]
        first = fitted[int(weights.argmax())].convergence
        return StackConsensus(
            method="stack",
            tasks=table.tasks,
            workers=table.workers,
            classes=table.classes,
            label=probability.argmax(axis=1).astype(np.int32),
            probability=probability,
            reliability=np.asarray(sum(w * each.reliability for w, each in pairs))[original],
            convergence=Convergence(
                all(f.convergence.converged for f in fitted), first.tolerance, first.trace
            ),
            prior=np.asarray(sum(w * each.prior for w, each in pairs)),
            confusion=np.asarray(sum(confusions))[original] if len(confusions) == len(fitted) else None,
            original=original,
            members=fitted,
            held_out=held_out,
            weights=weights,
        )


def tempered(probability: Floats, power: Floats) -> Floats:
    """Probabilities [T, C] raised to a power [T] and scaled to sum 1: odds become odds^power, the order
    stays.
    """
    return softmax(np.log(np.maximum(probability, TINY)) * power[:, None])[0]
