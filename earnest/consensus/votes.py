"""The sums that all estimators of classes are made of, over all answers at once.

Row `t` of the matrix has a one in column `worker · C + answer` for each answer to task `t`. Times a table of
one row for each (worker, answer) it adds up what the answers say about each task; transposed, times a table
of one row for each task, it counts what each worker answered where. With K columns either costs O(n·K) and no
temporary of size n.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from earnest.consensus.table import UNKNOWN, Floats, Indices, LabelTable

TINY = 1e-10
"""Floor of a probability before its logarithm is taken."""

NONE = 1e-300
"""The floor for frequencies of classes: no answers may make up for a class that does not occur."""


@dataclass(frozen=True, eq=False)
class Votes:
    """Answers of T tasks by W workers in C classes: a sparse matrix [T, W·C], and gold [T].

    `spot` [n] is task · C + answer, in the order of the matrix's entries.
    """

    matrix: csr_array
    spot: Indices
    workers: int
    classes: int
    gold: Indices

    @classmethod
    def of(cls, table: LabelTable, gold: Indices) -> Votes:
        """Arrange the answers of a table; `gold` as from `table.gold`."""
        workers, classes = len(table.workers), len(table.classes)
        column = table.worker * np.int32(classes) + table.label
        spot = table.task * np.int32(classes) + table.label
        shape = (len(table.tasks), workers * classes)
        matrix = csr_array((np.ones(len(table)), column, table.start.astype(np.int32)), shape=shape)
        return cls(matrix, spot, workers, classes, gold)

    @property
    def tasks(self) -> int:
        """Number of tasks."""
        return int(self.matrix.shape[0])

    def evidence(self, weight: Floats) -> Floats:
        """Sum of `weight` [W, C, K], indexed by worker and answer, over the answers to each task: [T, K]."""
        return np.asarray(self.matrix @ weight.reshape(self.workers * self.classes, -1))

    def tally(self, value: Floats) -> Floats:
        """Sum of `value` [T, K] over the tasks to which each worker gave each answer: [W, C, K]."""
        return np.asarray(self.matrix.T @ value).reshape(self.workers, self.classes, -1)

    def support(self, weight: Floats) -> Floats:
        """Sum of `weight` [W, C] over the answers that name each class, [T, C]."""
        total = np.bincount(self.spot, weight.ravel()[self.matrix.indices], self.tasks * self.classes)
        return np.asarray(total, np.float64).reshape(self.tasks, self.classes)

    def hits(self, value: Floats) -> Floats:
        """Sum of `value` [T, C], of the class that is named, over each worker's answers in each class: [W,
        C].
        """
        total = np.bincount(self.matrix.indices, value.ravel()[self.spot], self.workers * self.classes)
        return np.asarray(total, np.float64).reshape(self.workers, self.classes)

    def shares(self) -> Floats:
        """Share of the answers to each task that each class has, [T, C]; gold where known, uniform without
        answers.
        """
        return self.clamped(normalised(self.support(np.ones((self.workers, self.classes)))))

    def clamped(self, probability: Floats) -> Floats:
        """The probabilities [T, C] with certainty where gold is known; changes and returns its argument."""
        known = self.gold != UNKNOWN
        probability[known] = 0.0
        probability[known, self.gold[known]] = 1.0
        return probability

    def posterior(self, log_joint: Floats) -> tuple[Floats, float]:
        """Probabilities [T, C] and total log likelihood from log P(class, answers) [T, C], which is
        overwritten.

        Of a task with a gold answer only that class counts.
        """
        known = self.gold != UNKNOWN
        if known.any():
            right = log_joint[known, self.gold[known]]
            log_joint[known] = -np.inf
            log_joint[known, self.gold[known]] = right
        return softmax(log_joint)


def softmax(log: Floats) -> tuple[Floats, float]:
    """exp(log) [T, K] scaled to sum 1 in each row, and the sum of the logarithms of the scales; overwrites
    `log`.
    """
    top = row_max(log)
    log -= top[:, None]
    np.exp(log, out=log)
    total = log @ np.ones(log.shape[1])
    log /= total[:, None]
    return log, float(top.sum() + np.log(total).sum())


def row_max(values: Floats) -> Floats:
    """Maximum of each row; column by column, which for a few columns is much faster than a reduction along
    rows.
    """
    top = values[:, 0].copy()
    for column in range(1, values.shape[1]):
        np.maximum(top, values[:, column], out=top)
    return top


def normalised(count: Floats) -> Floats:
    """Counts scaled to sum 1 along the last axis; uniform where there are none."""
    total = count.sum(axis=-1, keepdims=True)
    uniform = 1.0 / count.shape[-1]
    return np.asarray(np.divide(count, total, out=np.full_like(count, uniform), where=total > 0))


def log_floor(probability: Floats, floor: float = TINY) -> Floats:
    """Logarithm of a probability, floored."""
    return np.asarray(np.log(np.maximum(probability, floor)))
