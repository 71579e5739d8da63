"""Preference records, `prompt`, `chosen` and `rejected`, as preference trainers read them.

This is the "preference" dataset with an explicit prompt of the TRL library (DPO, ORPO, CPO, reward models).
Prompts and responses are strings, or lists of messages `{"role": …, "content": …}`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from earnest.consensus.result import ClassConsensus, RankingConsensus
from earnest.export.dataset import positions
from earnest.export.files import Row, clean

LEAST: Final = 0.5  # of a preference's probability; what is less sure prefers nothing


def pair_preferences(
    tasks: Sequence[Row],
    result: ClassConsensus,
    *,
    winners: Mapping[Any, str],
    prompt: str = "prompt",
    responses: tuple[str, str] = ("a", "b"),
) -> list[dict[str, Any]]:
    """One record for each task whose label prefers one of two responses, with a confidence of LEAST or more.

    `prompt` and `responses` name the tasks' fields; `winners` maps a class id to the response field that it
    prefers. Every other class prefers none: a tie, or "both bad".
    """
    strange = [name for name in winners.values() if name not in responses]
    if strange or len(set(winners.values())) != 2:
        raise ValueError(f"winners must name both of {responses}, not {list(winners.values())}")
    missing = [each for each in winners if each not in clean(result.classes)]
    if missing:
        raise ValueError(f"class {missing[0]!r} is not among the classes {clean(result.classes)}")
    records = []
    for task, at in zip(tasks, positions(tasks, result), strict=True):
        label = clean(result.classes[result.label[at]])
        if label in winners and result.probability[at, result.label[at]] >= LEAST:
            chosen = winners[label]
            rejected = responses[1] if chosen == responses[0] else responses[0]
            records.append(_record(task, _field(task, prompt), _field(task, chosen), _field(task, rejected)))
    return records


def ranking_preferences(
    tasks: Sequence[Row],
    result: RankingConsensus,
    *,
    prompt: str = "prompt",
    responses: str = "items",
) -> list[dict[str, Any]]:
    """One record for each pair of a task's ranked responses, a list in the field `responses`, whose order has
    a probability of LEAST or more.
    """
    records = []
    size = result.ranking.shape[1]
    for task, at in zip(tasks, positions(tasks, result), strict=True):
        items = _field(task, responses)
        if not isinstance(items, Sequence) or isinstance(items, str) or len(items) != size:
            raise ValueError(f"task {task['id']!r}: {responses!r} must list the {size} ranked responses")
        order = clean(result.ranking[at])
        for rank, better in enumerate(order):
            for worse in order[rank + 1 :]:
                if result.precedence[at, better, worse] >= LEAST:
                    records.append(_record(task, _field(task, prompt), items[better], items[worse]))
    return records


def _record(task: Row, prompt: Any, chosen: Any, rejected: Any) -> dict[str, Any]:
    kinds = {isinstance(part, str) for part in (prompt, chosen, rejected)}
    if len(kinds) != 1:
        raise ValueError(
            f"task {task['id']!r}: prompt and responses must all be strings or all be lists of messages"
        )
    if not kinds.pop() and not all(_is_conversation(part) for part in (prompt, chosen, rejected)):
        raise ValueError(f"task {task['id']!r}: a message must have 'role' and 'content', both strings")
    return {"prompt": clean(prompt), "chosen": clean(chosen), "rejected": clean(rejected)}


def _is_conversation(part: Any) -> bool:
    return (
        isinstance(part, Sequence)
        and len(part) > 0
        and all(
            isinstance(message, Mapping)
            and all(isinstance(message.get(key), str) for key in ("role", "content"))
            for message in part
        )
    )


def _field(task: Row, name: str) -> Any:
    if name not in task:
        raise ValueError(f"task {task['id']!r} has no field {name!r}, among {sorted(task)}")
    return task[name]
