"""Preference records, `prompt`, `chosen` and `rejected`, as preference trainers read them.

This is the "preference" dataset with an explicit prompt of the TRL library (DPO, ORPO, CPO, reward models).
Prompts and responses are strings, or lists of messages `{"role": …, "content": …}`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from earnest.consensus.result import ClassConsensus, RankingConsensus
from earnest.export.dataset import positions
from earnest.export.files import Row, clean


@dataclass(frozen=True)
class Preferences:
    """The records, and the numbers of pairs left out: `no_preference` (a tie, both bad, can't tell), and
    `unsure` (below the least confidence).
    """

    records: list[dict[str, Any]]
    no_preference: int
    unsure: int


def pair_preferences(
    tasks: Sequence[Row],
    result: ClassConsensus,
    *,
    winners: Mapping[Any, str],
    prompt: str = "prompt",
    responses: tuple[str, str] = ("a", "b"),
    least: float = 0.5,
) -> Preferences:
    """One record for each task whose label prefers one of two responses.

    `prompt` and `responses` name the tasks' fields; `winners` maps a class id to the response field that it
    prefers. Every other class prefers none: ties and "both bad" are left out and counted, as is a preference
    with a confidence below `least`.
    """
    _check(least)
    strange = [name for name in winners.values() if name not in responses]
    if strange or len(set(winners.values())) != 2:
        raise ValueError(f"winners must name both of {responses}, not {list(winners.values())}")
    missing = [each for each in winners if each not in clean(result.classes)]
    if missing:
        raise ValueError(f"class {missing[0]!r} is not among the classes {clean(result.classes)}")
    records, ties, unsure = [], 0, 0
    for task, at in zip(tasks, positions(tasks, result), strict=True):
        label = clean(result.classes[result.label[at]])
        if label not in winners:
            ties += 1
        elif result.probability[at, result.label[at]] < least:
            unsure += 1
        else:
            chosen = winners[label]
            rejected = responses[1] if chosen == responses[0] else responses[0]
            records.append(_record(task, _field(task, prompt), _field(task, chosen), _field(task, rejected)))
    return Preferences(records, ties, unsure)


def ranking_preferences(
    tasks: Sequence[Row],
    result: RankingConsensus,
    *,
    prompt: str = "prompt",
    responses: str = "items",
    least: float = 0.5,
) -> Preferences:
    """One record for each pair of a task's ranked responses, a list in the field `responses`.

    A pair is left out as unsure when the probability of its order is below `least`.
    """
    _check(least)
    records, unsure = [], 0
    size = result.ranking.shape[1]
    for task, at in zip(tasks, positions(tasks, result), strict=True):
        items = _field(task, responses)
        if not isinstance(items, Sequence) or isinstance(items, str) or len(items) != size:
            raise ValueError(f"task {task['id']!r}: {responses!r} must list the {size} ranked responses")
        order = clean(result.ranking[at])
        for rank, better in enumerate(order):
            for worse in order[rank + 1 :]:
                if result.precedence[at, better, worse] < least:
                    unsure += 1
                else:
                    records.append(_record(task, _field(task, prompt), items[better], items[worse]))
    return Preferences(records, 0, unsure)


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


def _check(least: float) -> None:
    if not 0 <= least <= 1:
        raise ValueError(f"the least confidence must lie between 0 and 1, not {least}")
