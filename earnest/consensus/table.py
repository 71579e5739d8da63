"""Plain tables of crowd labels, as arrays: classes, ratings or rankings, one row for each answer.

A table holds ids once (`tasks`, `workers`, and `classes` or `items`) and refers to them by `int32` index,
rows sorted by task, then worker, so that the answers to task `t` are the rows `start[t]:start[t + 1]`. Ids
are sorted as well: the same answers in any order give the same table.

What a table refuses, with `ValueError`: no answers at all, columns of different lengths, an id or a rating
that is missing, an answer outside the declared classes, and two answers of one worker to one task. The last
are not independent observations; say `repeats="first"` or `repeats="last"` to keep one of them.

What it accepts: tasks and classes that nobody used, when they are declared (`tasks=`, `classes=`). One
worker, one task or one class is a table like any other.
"""

from __future__ import annotations

import csv
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import EllipsisType
from typing import Any, Literal, Self, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Ids: TypeAlias = NDArray[Any]
Indices: TypeAlias = NDArray[np.int32]
Floats: TypeAlias = NDArray[np.float64]
Repeats: TypeAlias = Literal["refuse", "first", "last"]

UNKNOWN = -1
"""Index that stands for "no gold answer"."""


@dataclass(frozen=True, eq=False)
class Answers:
    """Who answered what: the part that all tables share.

    `tasks` [T] and `workers` [W] are ids; `task` [n] and `worker` [n] index them; `start` [T + 1] delimits
    the rows of each task.
    """

    tasks: Ids
    workers: Ids
    task: Indices
    worker: Indices
    start: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.task)

    @property
    def per_task(self) -> NDArray[np.int64]:
        """Number of answers to each task, [T]."""
        return np.diff(self.start)

    @property
    def per_worker(self) -> NDArray[np.int64]:
        """Number of answers by each worker, [W]."""
        return np.bincount(self.worker, minlength=len(self.workers))


@dataclass(frozen=True, eq=False)
class LabelTable(Answers):
    """Answers that are classes: `label` [n] indexes `classes` [C]."""

    classes: Ids
    label: Indices

    @classmethod
    def from_columns(
        cls,
        task: ArrayLike,
        worker: ArrayLike,
        label: ArrayLike,
        *,
        tasks: ArrayLike | None = None,
        classes: ArrayLike | None = None,
        repeats: Repeats = "refuse",
    ) -> Self:
        """Build a table from three columns of equal length; `tasks` and `classes` declare ids that may be
        unused.
        """
        labels = _column(label, "label")
        answers, rows = _answers(task, worker, labels, tasks, repeats)
        class_ids, codes = _encode(labels, classes, "label", "classes")
        return cls(**vars(answers), classes=class_ids, label=codes[rows])

    @classmethod
    def from_csv(cls, path: str | Path, *, repeats: Repeats = "refuse") -> Self:
        """Read a CSV file with the columns `task`, `worker` and `label`; every id is a string."""
        return cls.from_columns(*read_columns(path, "task", "worker", "label"), repeats=repeats)

    def select(self, rows: ArrayLike) -> Self:
        """The table of the rows that a boolean mask [n] picks, over the same tasks, workers and classes."""
        mask = np.asarray(rows, bool)
        start = np.concatenate([[0], np.cumsum(mask)])[self.start]
        return replace(
            self, task=self.task[mask], worker=self.worker[mask], label=self.label[mask], start=start
        )

    def gold(self, known: Mapping[Any, Any] | ArrayLike | None) -> Indices:
        """Known answers as class indices [T], `UNKNOWN` where there is none.

        `known` maps task ids to class ids, or is already such an array.
        """
        size, count = len(self.tasks), len(self.classes)
        if isinstance(known, Mapping):
            gold = np.full(size, UNKNOWN, np.int32)
            gold[_lookup(self.tasks, known.keys(), "task")] = _lookup(self.classes, known.values(), "class")
            return gold
        if known is None:
            return np.full(size, UNKNOWN, np.int32)
        given = np.asarray(known)
        if given.shape != (size,) or given.dtype.kind not in "iu":
            raise ValueError(f"gold must be {size} class indices, one a task, not {given.dtype}{given.shape}")
        wrong = (given < UNKNOWN) | (given >= count)
        if wrong.any():
            raise ValueError(f"gold class index {given[wrong][0]} must lie in [{UNKNOWN}, {count - 1}]")
        return given.astype(np.int32)


@dataclass(frozen=True, eq=False)
class RatingTable(Answers):
    """Answers that are numbers: `rating` [n], finite."""

    rating: Floats

    @classmethod
    def from_columns(
        cls,
        task: ArrayLike,
        worker: ArrayLike,
        rating: ArrayLike,
        *,
        tasks: ArrayLike | None = None,
        repeats: Repeats = "refuse",
    ) -> Self:
        """Build a table from three columns of equal length; `tasks` declares ids that may be unused."""
        ratings = _floats(rating)
        answers, rows = _answers(task, worker, ratings, tasks, repeats)
        return cls(**vars(answers), rating=ratings[rows])

    @classmethod
    def from_csv(cls, path: str | Path, *, repeats: Repeats = "refuse") -> Self:
        """Read a CSV file with the columns `task`, `worker` and `label`, where `label` is a number."""
        return cls.from_columns(*read_columns(path, "task", "worker", "label"), repeats=repeats)

    def gold(self, known: Mapping[Any, float] | ArrayLike | None) -> Floats:
        """Known values [T], NaN where there is none; `known` maps task ids to values, or is already such an
        array.
        """
        size = len(self.tasks)
        if isinstance(known, Mapping):
            gold = np.full(size, np.nan)
            gold[_lookup(self.tasks, known.keys(), "task")] = _floats(list(known.values()))
            return gold
        if known is None:
            return np.full(size, np.nan)
        given = np.asarray(known, np.float64)
        if given.shape != (size,):
            raise ValueError(f"gold must be {size} values, one for each task, not of shape {given.shape}")
        if np.isinf(given).any():
            raise ValueError("gold values must be finite, or NaN where unknown")
        return given.copy()


@dataclass(frozen=True, eq=False)
class RankingTable(Answers):
    """Answers that are full rankings: `ranking` [n, R] lists item numbers 0 … R−1, best first."""

    ranking: NDArray[np.int8]

    @classmethod
    def from_columns(
        cls,
        task: ArrayLike,
        worker: ArrayLike,
        ranking: ArrayLike,
        *,
        tasks: ArrayLike | None = None,
        repeats: Repeats = "refuse",
    ) -> Self:
        """Build a table from task and worker columns [n] and rankings [n, R], each row a permutation of 0 …
        R−1.
        """
        rankings = np.asarray(ranking)
        if rankings.ndim != 2 or not 1 <= rankings.shape[1] <= 127:
            raise ValueError(f"rankings must be rows of 1 to 127 items each, not of shape {rankings.shape}")
        wrong = (np.sort(rankings, axis=1) != np.arange(rankings.shape[1])).any(axis=1)
        if wrong.any():
            row = int(wrong.argmax())
            last = rankings.shape[1] - 1
            raise ValueError(f"ranking {rankings[row].tolist()} in row {row} must list 0 … {last} once each")
        answers, rows = _answers(task, worker, rankings, tasks, repeats)
        return cls(**vars(answers), ranking=rankings[rows].astype(np.int8))

    @classmethod
    def from_csv(cls, path: str | Path, *, repeats: Repeats = "refuse") -> Self:
        """Read a CSV file with the columns `task`, `worker` and `label`; a label such as `2-0-1` puts item 2
        first.
        """
        task, worker, label = read_columns(path, "task", "worker", "label")
        try:
            ranking = np.array([[int(item) for item in row.split("-")] for row in label])
        except ValueError as error:
            message = f"{path}: every label must be item numbers joined by '-', all of one length"
            raise ValueError(message) from error
        return cls.from_columns(task, worker, ranking, repeats=repeats)

    def gold(self, known: Mapping[Any, Sequence[int]] | None) -> dict[int, NDArray[np.int8]]:
        """Known rankings by task index; `known` maps task ids to item numbers, best first."""
        if not known:
            return {}
        size = self.ranking.shape[1]
        for task, ranking in known.items():
            if sorted(ranking) != list(range(size)):
                raise ValueError(
                    f"gold ranking {list(ranking)} of task {task!r} must list 0 … {size - 1} once each"
                )
        index = _lookup(self.tasks, known.keys(), "task")
        return {int(t): np.array(ranking, np.int8) for t, ranking in zip(index, known.values(), strict=True)}


def read_columns(path: str | Path, *names: str) -> list[list[str]]:
    """Read the named columns of a CSV file with a header; `ValueError` names a column or a field that is
    missing.
    """
    with open(path, newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file)
        missing = [name for name in names if name not in (rows.fieldnames or ())]
        if missing:
            raise ValueError(f"{path}: column {missing[0]!r} is missing; found {list(rows.fieldnames or ())}")
        columns: list[list[str]] = [[] for _ in names]
        for row in rows:
            for column, name in zip(columns, names, strict=True):
                if row[name] is None or row[name] == "":
                    raise ValueError(f"{path}, line {rows.line_num}: {name} is empty")
                column.append(row[name])
    return columns


def _answers(
    task: ArrayLike, worker: ArrayLike, answer: NDArray[Any], tasks: ArrayLike | None, repeats: Repeats
) -> tuple[Answers, NDArray[np.int64] | EllipsisType]:
    """Index and sort the rows; also the numbers that they had in the input, or `...` for all in order."""
    if repeats not in ("refuse", "first", "last"):
        raise ValueError(f"repeats must be 'refuse', 'first' or 'last', not {repeats!r}")
    task_column, worker_column = _column(task, "task"), _column(worker, "worker")
    if not len(task_column) == len(worker_column) == len(answer):
        raise ValueError(
            f"columns must have one length, not {len(task_column)} tasks, {len(worker_column)} workers, "
            f"{len(answer)} answers"
        )
    if not len(answer):
        raise ValueError("a table needs at least one answer")
    task_ids, task_codes = _encode(task_column, tasks, "task", "tasks")
    worker_ids, worker_codes = _encode(worker_column, None, "worker", "workers")
    key = task_codes.astype(np.int64) * len(worker_ids) + worker_codes
    if (key[1:] > key[:-1]).all():
        return Answers(task_ids, worker_ids, task_codes, worker_codes, _starts(task_codes, task_ids)), ...
    rows = np.argsort(key, kind="stable")
    same = np.diff(key[rows]) == 0
    if same.any():
        if repeats == "refuse":
            row = int(rows[same.argmax()])
            raise ValueError(
                f"worker {worker_ids[worker_codes[row]]} answered task {task_ids[task_codes[row]]} more than "
                "once; drop the repeats, or choose one with repeats='first' or 'last'"
            )
        kept = np.ones(len(rows), bool)
        kept[1 if repeats == "first" else 0 : None if repeats == "first" else -1] = ~same
        rows = rows[kept]
    task_codes, worker_codes = task_codes[rows], worker_codes[rows]
    return Answers(task_ids, worker_ids, task_codes, worker_codes, _starts(task_codes, task_ids)), rows


def _starts(task_codes: Indices, task_ids: Ids) -> NDArray[np.int64]:
    """First row of each task and, at the end, the number of rows."""
    start = np.zeros(len(task_ids) + 1, np.int64)
    np.cumsum(np.bincount(task_codes, minlength=len(task_ids)), out=start[1:])
    return start


def _column(values: ArrayLike, name: str) -> Ids:
    """One column of ids: all strings or all whole numbers."""
    column = np.asarray(values)
    if column.ndim != 1:
        raise ValueError(f"{name} must be one column, not of shape {column.shape}")
    if column.dtype.kind == "O":
        if not all(isinstance(value, str) for value in column):
            wrong = next(value for value in column if not isinstance(value, str))
            raise ValueError(f"{name} ids must be all strings or all whole numbers, not {wrong!r}")
        column = column.astype(str)
    if len(column) and column.dtype.kind not in "iubU":
        raise ValueError(f"{name} ids must be strings or whole numbers, not {column.dtype}")
    if column.dtype.kind == "U" and (column == "").any():
        raise ValueError(f"{name} is empty in row {int((column == '').argmax())}")
    return column


def _floats(values: ArrayLike) -> Floats:
    try:
        ratings = np.asarray(values, np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"ratings must be numbers: {error}") from error
    if ratings.ndim != 1:
        raise ValueError(f"ratings must be one column, not of shape {ratings.shape}")
    if not np.isfinite(ratings).all():
        row = int((~np.isfinite(ratings)).argmax())
        raise ValueError(f"rating {ratings[row]} in row {row} must be finite")
    return ratings


def _encode(column: Ids, declared: ArrayLike | None, name: str, declaration: str) -> tuple[Ids, Indices]:
    """Sorted ids of a column, or the declared ones, and the column as indices into them."""
    if declared is None:
        if column.dtype.kind in "iu" and int(column.max()) - int(column.min()) < 4 * len(column):
            return _encode_dense(column)
        ids, codes = np.unique(column, return_inverse=True)
        return ids, codes.astype(np.int32)
    given = _column(declared, declaration)
    ids = np.unique(given)
    if len(ids) != len(given):
        raise ValueError(f"{declaration} must be declared once each")
    return ids, _lookup(ids, column, name)


def _encode_dense(column: Ids) -> tuple[Ids, Indices]:
    """The same for whole numbers that lie close together: by counting, without a sort."""
    least = column.min()
    offset = column - least if least else column
    used = np.bincount(offset) > 0
    ids = np.flatnonzero(used).astype(column.dtype) + least
    if used.all():
        return ids, offset.astype(np.int32)
    code = np.cumsum(used, dtype=np.int32) - np.int32(1)
    return ids, code[offset]


def _lookup(ids: Ids, wanted: Any, name: str) -> Indices:
    """Indices of the wanted ids in a sorted id array; `ValueError` names the first one that is not there."""
    values = wanted if isinstance(wanted, np.ndarray) else np.asarray(list(wanted))
    if not len(values):
        return np.zeros(0, np.int32)
    if (values.dtype.kind == "U") != (ids.dtype.kind == "U"):
        wrong, right = values[0].item(), ids[0].item()
        raise ValueError(f"{name} {wrong!r} is of another type than the ids, such as {right!r}")
    codes = np.searchsorted(ids, values)
    found = ids[np.minimum(codes, len(ids) - 1)] == values
    if not found.all():
        wrong = values[found.argmin()].item()
        raise ValueError(f"{name} {wrong!r} is not among the {len(ids)} known: {_some(ids)}")
    return codes.astype(np.int32)


def _some(ids: Sequence[Hashable] | Ids) -> str:
    return ", ".join(str(each) for each in ids[:5]) + (", …" if len(ids) > 5 else "")
