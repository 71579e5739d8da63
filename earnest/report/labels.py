"""What was answered and what came out: agreement by task and over time, confusion, confidence.

One measure of agreement for all three metrics (design, section 4): `1 − observed / expected disagreement`,
with observed the mean distance of two labels of one task and expected that of any two labels. 1 is full
agreement, 0 what chance alone would give (Krippendorff 1970). Distances are squared ones of vectors: a class
is its unit vector over √2, a rating its number, a ranking its pair orders.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from earnest.consensus import kendall
from earnest.consensus.result import ClassConsensus, RankingConsensus, RatingConsensus
from earnest.consensus.table import Floats, LabelTable, RankingTable, RatingTable
from earnest.export.dataset import Consensus

Table: TypeAlias = LabelTable | RatingTable | RankingTable


@dataclass(frozen=True, eq=False)
class Labels:
    """A table of labels and its consensus, which must be of the same tasks and workers.

    `contents` tells what a task shows, by id; `truth` its right answer as the table has answers (a class, a
    number, item numbers best first); `names` are the items of a ranking; `gold` are the tasks whose answer
    the consensus was told, which say nothing of how good it is.
    """

    table: Table
    consensus: Consensus
    contents: Mapping[Any, str] = field(default_factory=dict)
    truth: Mapping[Any, Any] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    gold: frozenset[Any] = frozenset()

    def __post_init__(self) -> None:
        kinds = {LabelTable: ClassConsensus, RatingTable: RatingConsensus, RankingTable: RankingConsensus}
        if not isinstance(self.consensus, kinds[type(self.table)]):
            raise ValueError(
                f"The consensus {self.consensus.method} is no {kinds[type(self.table)].__name__}, as a"
                f" {type(self.table).__name__} needs."
            )
        for name in ("tasks", "workers"):
            if not np.array_equal(getattr(self.table, name), getattr(self.consensus, name)):
                raise ValueError(f"The consensus and the table must be of the same {name}.")

    @property
    def answers(self) -> list[str]:
        """The consensus of each task, as text, [T]."""
        result = self.consensus
        if isinstance(result, ClassConsensus):
            return [str(each) for each in result.labels]
        if isinstance(result, RatingConsensus):
            return [f"{value:.4g}" for value in result.value]
        return [self.ranking_text(row) for row in result.ranking]

    def ranking_text(self, items: Any) -> str:
        """A ranking, best first."""
        return " > ".join(self.names[item] if self.names else str(item) for item in np.asarray(items))

    @property
    def confidence(self) -> Floats:
        """Probability of each answer, [T]; of ratings the width of the interval instead."""
        result = self.consensus
        if isinstance(result, ClassConsensus):
            return np.asarray(result.confidence)
        if isinstance(result, RatingConsensus):
            return np.asarray(result.high - result.low)
        return np.asarray(result.probability)

    @cached_property
    def inferred(self) -> NDArray[np.bool_]:
        """Which tasks' answers the consensus was not told, [T]."""
        return np.array([task not in self.gold for task in self.table.tasks.tolist()], dtype=np.bool_)

    @property
    def sure(self) -> Floats:
        """Confidence of the tasks whose answers it was not told; of all when it was told all of them."""
        chosen = self.inferred if self.inferred.any() else np.ones_like(self.inferred)
        values = self.confidence[chosen]
        return np.asarray(values[np.isfinite(values)])

    @property
    def least_sure(self) -> NDArray[np.int64]:
        """Task indices, the least sure first."""
        doubt = self.confidence if isinstance(self.consensus, RatingConsensus) else -self.confidence
        order: NDArray[np.int64] = np.argsort(-np.nan_to_num(doubt, nan=np.inf), kind="stable")
        return order

    @cached_property
    def vectors(self) -> Floats:
        """Labels as vectors whose squared distance is the metric's, [n, features]."""
        if isinstance(self.table, LabelTable):
            unit = np.eye(len(self.table.classes)) / np.sqrt(2)
            return np.asarray(unit[self.table.label])
        if isinstance(self.table, RatingTable):
            return np.asarray(self.table.rating[:, None] - self.table.rating.mean())
        return np.asarray(kendall.orders(self.table.ranking), np.float64)

    @cached_property
    def expected(self) -> float:
        """Mean distance of any two labels."""
        n, vectors = len(self.table), self.vectors
        if n < 2:
            return 0.0
        return float(2 * ((vectors**2).sum() - (vectors.sum(axis=0) ** 2).sum() / n) / (n - 1))

    @cached_property
    def disagreement(self) -> Floats:
        """Mean distance of each label to the others of its task, [n]; NaN where it is alone."""
        table, vectors = self.table, self.vectors
        squares = (vectors**2).sum(axis=1)
        tasks = len(table.tasks)
        sums = np.stack([np.bincount(table.task, each, minlength=tasks) for each in vectors.T], axis=1)
        total = np.bincount(table.task, squares, minlength=len(table.tasks))
        n = table.per_task[table.task]
        apart = n * squares + total[table.task] - 2 * (vectors * sums[table.task]).sum(axis=1)
        alone = np.full(len(table), np.nan)
        return np.asarray(np.divide(np.maximum(apart, 0), n - 1, out=alone, where=n > 1))

    @cached_property
    def agreement(self) -> Floats:
        """Agreement of each label with the others of its task, [n]; NaN where there is nothing to compare."""
        if self.expected <= 0:
            return np.full(len(self.table), np.nan)
        return 1 - self.disagreement / self.expected

    @property
    def task_agreement(self) -> Floats:
        """Mean agreement of each task's labels, [T]; NaN with fewer than two."""
        return mean_by(self.agreement, self.table.task, len(self.table.tasks))

    @property
    def worker_agreement(self) -> Floats:
        """Mean agreement of each worker with the others, [W]."""
        return mean_by(self.agreement, self.table.worker, len(self.table.workers))

    @property
    def overall(self) -> float:
        """Mean agreement over all labels that can be compared; NaN when none can."""
        return float(np.nanmean(self.agreement)) if np.isfinite(self.agreement).any() else float("nan")

    @cached_property
    def right(self) -> Floats:
        """How right each consensus is by the truth, [T]; NaN where that is not known, or was told.

        1 or 0 for classes, the error for ratings, the share of pairs rightly ordered for rankings.
        """
        found = np.full(len(self.table.tasks), np.nan)
        for place, task in enumerate(self.table.tasks.tolist()):
            if task in self.truth and task not in self.gold:
                found[place] = self._right(place, self.truth[task])
        return found

    def _right(self, place: int, truth: Any) -> float:
        result = self.consensus
        if isinstance(result, ClassConsensus):
            return float(result.classes[result.label[place]] == truth)
        if isinstance(result, RatingConsensus):
            return float(result.value[place] - float(truth))
        size = result.ranking.shape[1]
        apart = kendall.distance(result.ranking[place], np.asarray(truth, np.int8))
        return float(1 - float(apart) / (size * (size - 1) / 2))


def mean_by(values: Floats, group: NDArray[np.integer[Any]], size: int) -> Floats:
    """Mean of the values of each of `size` groups, [size]; those that are NaN do not count."""
    there = np.isfinite(values)
    count = np.bincount(group[there], minlength=size)
    total = np.bincount(group[there], values[there], minlength=size)
    return np.asarray(np.divide(total, count, out=np.full(size, np.nan), where=count > 0))


def class_confusion(table: LabelTable, result: ClassConsensus) -> Floats:
    """How often a worker gave which class, by what the task is, [W, C, C], true class first.

    A task counts for each class with its probability.
    """
    classes = len(table.classes)
    workers = len(table.workers)
    cell = table.worker.astype(np.int64) * classes + table.label
    found = [
        np.bincount(cell, share[table.task], minlength=workers * classes).reshape(workers, classes)
        for share in result.probability.T
    ]
    return np.stack(found, axis=1)


def pair_orders(table: RankingTable, result: RankingConsensus) -> tuple[Floats, Floats]:
    """Of each worker, [W, R, R]: how often the item of the first place (by consensus) was put before that of
    the second; and how many rankings that is of, [W].
    """
    size = table.ranking.shape[1]
    place_in = np.argsort(table.ranking, axis=1)  # of item i in the answer
    consensus = result.ranking[table.task].astype(np.int64)
    places = np.take_along_axis(place_in, consensus, axis=1)  # of the item of consensus place k
    before = (places[:, :, None] < places[:, None, :]).astype(np.float64)
    found = np.zeros((len(table.workers), size, size))
    np.add.at(found, table.worker, before)
    return found, table.per_worker.astype(np.float64)
