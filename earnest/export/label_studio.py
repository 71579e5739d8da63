"""Label Studio's JSON: tasks with the single answers as annotations and the consensus as a prediction.

Written for a labeling configuration with one control tag: `Choices` for classes, `Number` for ratings,
`Ranker` for rankings, whose names are CONTROL and OBJECT.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from earnest.consensus.result import ClassConsensus, RankingConsensus
from earnest.consensus.table import LabelTable, RankingTable, RatingTable
from earnest.export.dataset import Consensus, label_rows, positions
from earnest.export.files import Row, clean

CONTROL = "answer"
"""Name of the control tag (`from_name`)."""

OBJECT = "task"
"""Name of the object tag (`to_name`)."""


def label_studio_tasks(
    tasks: Sequence[Row],
    result: Consensus,
    table: LabelTable | RatingTable | RankingTable,
    *,
    items: str = "items",
) -> list[dict[str, Any]]:
    """Tasks for import, in the order given, numbered from 1.

    A prediction's `score` is the consensus' confidence (none for ratings, whose interval goes into the data
    as `low` and `high`); an annotation's `completed_by` is the worker's number, from 1, in the order of
    `result.workers`. For rankings, `items` names the field that lists what was ranked; it becomes a list of
    objects whose `id` is the item's number, as the tag `List` wants it.
    """
    number = {worker: at for at, worker in enumerate(clean(result.workers), start=1)}
    answers: dict[Any, list[tuple[int, Any]]] = {}
    for row in label_rows(table):
        answers.setdefault(row["task"], []).append((number[row["worker"]], row["label"]))
    exported = []
    annotation = 0
    for at, (task, place) in enumerate(zip(tasks, positions(tasks, result), strict=True), start=1):
        annotations = []
        for worker, label in answers.get(task["id"], []):
            annotation += 1
            annotations.append(
                {
                    "id": annotation,
                    "completed_by": worker,
                    "was_cancelled": False,
                    "ground_truth": False,
                    "result": [_region(f"{at}-{worker}", result, label)],
                }
            )
        answer, score = _consensus(result, place)
        prediction: dict[str, Any] = {"model_version": result.method}
        if score is not None:
            prediction["score"] = score
        prediction["result"] = [_region(f"{at}-consensus", result, answer)] if answer is not None else []
        exported.append(
            {
                "id": at,
                "data": {**clean(task), **_shown(task, result, place, items)},
                "annotations": annotations,
                "predictions": [prediction],
            }
        )
    return exported


def _region(name: str, result: Consensus, answer: Any) -> dict[str, Any]:
    value: dict[str, Any]
    if isinstance(result, ClassConsensus):
        kind, value = "choices", {"choices": [str(answer)]}
    elif isinstance(result, RankingConsensus):
        kind, value = "ranker", {"ranker": {CONTROL: [str(item) for item in answer]}}
    else:
        kind, value = "number", {"number": answer}
    return {"id": name, "from_name": CONTROL, "to_name": OBJECT, "type": kind, "value": value}


def _consensus(result: Consensus, at: int) -> tuple[Any, float | None]:
    if isinstance(result, ClassConsensus):
        label = result.label[at]
        return clean(result.classes[label]), float(result.probability[at, label])
    if isinstance(result, RankingConsensus):
        return clean(result.ranking[at]), float(result.probability[at])
    return clean(result.value[at]), None


def _shown(task: Row, result: Consensus, at: int, items: str) -> dict[str, Any]:
    """Fields of the data that are not the task's own."""
    if isinstance(result, ClassConsensus):
        return {}
    if isinstance(result, RankingConsensus):
        size = result.ranking.shape[1]
        if len(task.get(items, ())) != size or isinstance(task[items], str):
            raise ValueError(f"task {task['id']!r}: {items!r} must list the {size} ranked items")
        return {items: [{"id": str(k), "title": str(item)} for k, item in enumerate(task[items])]}
    return {"low": clean(result.low[at]), "high": clean(result.high[at])}
