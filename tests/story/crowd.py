"""Four campaigns' tasks, and what ten real people answered to each of them.

A block is the same ten people's answers to the same tasks, as a campaign needs: one batch, everybody's. Of
the largest blocks of a dataset that one is played in which the fewest people give one and the same answer to
everything; of several the first in the file. (Where half of them do, as in some blocks of `temp`, the upper
median of everybody's agreements is 0: nobody is paid or slashed, rightly, and there is little to see.)

Rankings are made of people's own ratings: who rated four headlines has ordered them. None of the datasets
here holds rankings, and what rankings of people's own there are elsewhere cannot serve: hardly ever have ten
of them ranked the same tasks.
"""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

DATASETS = Path(__file__).resolve().parents[2] / "earnest" / "datasets"
PEOPLE, ITEMS, LEVEL = 10, 4, 10
GOLD = ("133", "134", "325", "2139")  # of `rte`; which tasks are gold decides who is told apart


@dataclass(frozen=True)
class Campaign:
    """A campaign file without money and periods, its rows, and by person the answer to each task by id."""

    name: str
    document: dict[str, Any]
    rows: list[dict[str, str]]
    answers: list[dict[str, str]]


def campaigns() -> list[Campaign]:
    """One campaign of each kind."""
    rte, truth = block("rte")
    temp, _ = block("temp")
    valence, _ = block("affect_valence")
    ratings = [{task: level(float(answer)) for task, answer in person.items()} for person in valence]
    return [
        Campaign(
            "rte",
            {"question": "Does the second sentence follow?", "kind": "choice", "options": ["0", "1"]}
            | {"columns": {"gold": "truth"}, "audit": {"gold": len(GOLD)}, "positions": len(rte[0])},
            [{"id": t, "text": f"pair {t}", "truth": truth[t] if t in GOLD else ""} for t in rte[0]],
            rte,
        ),
        Campaign(
            "temp",
            {"question": "Which happened first?", "kind": "preference", "options": ["a", "b"]}
            | {"positions": len(temp[0])},
            [{"id": task, "a": f"{task}, left", "b": f"{task}, right"} for task in temp[0]],
            [{task: "ab"[int(answer) - 1] for task, answer in person.items()} for person in temp],
        ),
        Campaign(
            "affect_valence",
            {"question": "How does the headline feel?", "kind": "rating", "positions": len(valence[0])}
            | {"options": [str(value) for value in range(-100, 101, LEVEL)]},
            [{"id": task, "text": f"headline {task}"} for task in ratings[0]],
            ratings,
        ),
        rankings(valence),
    ]


def rankings(valence: list[dict[str, str]]) -> Campaign:
    """Four neighbouring headlines at a time, the best first; who rated two alike keeps their order."""
    tasks = list(valence[0])
    windows = {f"from {tasks[at]}": tasks[at : at + ITEMS] for at in range(len(tasks) - ITEMS + 1)}
    rows = [
        {"id": name, "items": json.dumps([f"headline {task}" for task in four])}
        for name, four in windows.items()
    ]
    answers = []
    for person in valence:
        orders = {}
        for name, four in windows.items():
            best = sorted(range(ITEMS), key=lambda item, four=four: -float(person[four[item]]))  # type: ignore[misc]
            orders[name] = ">".join(str(item + 1) for item in best)
        answers.append(orders)
    return Campaign(
        "ranking",
        {"question": "Order by how good they feel.", "kind": "ranking", "options": ITEMS}
        | {"positions": len(windows)},
        rows,
        answers,
    )


def block(name: str) -> tuple[list[dict[str, str]], dict[str, str]]:
    """What each person of the chosen block answered, and the truth."""
    given: defaultdict[str, dict[str, str]] = defaultdict(dict)
    with (DATASETS / name / "labels.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            given[row["task"]][row["worker"]] = row["label"]
    blocks: defaultdict[frozenset[str], list[str]] = defaultdict(list)
    for task, answers in given.items():
        blocks[frozenset(answers)].append(task)

    def constant(people: frozenset[str], tasks: list[str]) -> int:
        return sum(len({given[task][person] for task in tasks}) == 1 for person in people)

    people, tasks = max(
        ((people, tasks) for people, tasks in blocks.items() if len(people) == PEOPLE),
        key=lambda each: (len(each[1]), -constant(*each)),
    )
    with (DATASETS / name / "truth.csv").open(newline="") as file:
        truth = {row["task"]: row["label"] for row in csv.DictReader(file)}
    ordered = sorted(people, key=int)
    return [{task: given[task][person] for task in tasks} for person in ordered], truth


def level(value: float) -> str:
    """The level of a scale in tens that is nearest."""
    levels = range(-100, 101, LEVEL)
    assert all(after - before == LEVEL for before, after in pairwise(levels))
    return str(min(levels, key=lambda each: abs(each - value)))
