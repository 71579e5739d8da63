"""The consensus beside its tasks: one row for each task, one for each label.

A task is a mapping with a unique `id`; its other fields are copied. The columns that are added are `label`
(or `value`, `ranking`), its confidence, and `labels`, the number of answers that it rests on. A task may have
such a field already; then the export refuses, rather than hide either.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from earnest.consensus.result import ClassConsensus, RankingConsensus, RatingConsensus
from earnest.consensus.table import Answers, LabelTable, RankingTable, RatingTable
from earnest.export.files import Row, clean

Consensus: TypeAlias = ClassConsensus | RatingConsensus | RankingConsensus


def dataset_rows(tasks: Sequence[Row], result: Consensus, table: Answers) -> list[dict[str, Any]]:
    """Rows of the labelled dataset, in the order of the tasks; every task must have a consensus."""
    place = positions(tasks, result)
    number = dict(zip(clean(table.tasks), clean(table.per_task), strict=True))
    rows = []
    for task, at in zip(tasks, place, strict=True):
        added = {**_answer(result, at), "labels": number.get(task["id"], 0)}
        clash = added.keys() & task.keys()
        if clash:
            raise ValueError(f"task {task['id']!r} has a field {min(clash)!r} already: rename it to export")
        rows.append({**clean(task), **clean(added)})
    return rows


def label_rows(table: LabelTable | RatingTable | RankingTable) -> list[dict[str, Any]]:
    """Every single answer: `task`, `worker` and `label`."""
    if isinstance(table, LabelTable):
        answers = clean(table.classes[table.label])
    elif isinstance(table, RatingTable):
        answers = clean(table.rating)
    else:
        answers = clean(table.ranking)
    who = zip(clean(table.tasks[table.task]), clean(table.workers[table.worker]), answers, strict=True)
    return [{"task": task, "worker": worker, "label": label} for task, worker, label in who]


def positions(tasks: Sequence[Row], result: Consensus) -> list[int]:
    """Index of each task in the result; `ValueError` names one without id, repeated, or not in the result."""
    index = {task: at for at, task in enumerate(clean(result.tasks))}
    seen: set[Any] = set()
    places = []
    for row, task in enumerate(tasks):
        if "id" not in task:
            raise ValueError(f"task {row} has no 'id', among {sorted(task)}")
        if task["id"] not in index:
            known = clean(result.tasks[0])
            raise ValueError(f"task {task['id']!r} has no consensus; the result has ids such as {known!r}")
        if task["id"] in seen:
            raise ValueError(f"task id {task['id']!r} stands twice among the tasks")
        seen.add(task["id"])
        places.append(index[task["id"]])
    return places


def _answer(result: Consensus, at: int) -> Mapping[str, Any]:
    if isinstance(result, ClassConsensus):
        probability = dict(zip(clean(result.classes), clean(result.probability[at]), strict=True))
        return {
            "label": result.classes[result.label[at]],
            "confidence": result.probability[at, result.label[at]],
            "probability": probability,
        }
    if isinstance(result, RatingConsensus):
        return {"value": result.value[at], "low": result.low[at], "high": result.high[at]}
    return {
        "ranking": result.ranking[at],
        "confidence": result.probability[at],
        "tied": result.tied[at],
    }
