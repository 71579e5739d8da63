"""Answers from a CSV file with the columns `task` and `answer`, and a batch as such a file.

A task that the batch shows twice stands twice, in the order of its showings. Other columns are passed over.
What strangers wrote and a spreadsheet would take for a formula is written behind an apostrophe.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Container
from pathlib import Path
from typing import Final

from earnest.files import FileError, read_text
from earnest.labeler.batch import Answers, Batch, Slot
from earnest.labeler.errors import LabelerError
from earnest.manifest.errors import ManifestError

TASK: Final = "task"
ANSWER: Final = "answer"
FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r")


def read_answers(path: Path, batch: Batch) -> dict[Slot, int]:
    """The answers to all of a batch. Raises LabelerError, with the row, for the first thing that is wrong.

    The row is the line in the file; the head of the columns is row 1.
    """
    try:
        text = read_text(path)
    except FileError as error:
        raise LabelerError(str(error)) from error
    reader = csv.DictReader(io.StringIO(text, newline=""))
    columns = reader.fieldnames or []
    if TASK not in columns or ANSWER not in columns:
        there = ", ".join(columns) or "none"
        raise LabelerError(f"{path} must have the columns {TASK} and {ANSWER}; it has {there}.")
    asked = Counter(task.id for task in batch.tasks)
    given: Counter[str] = Counter()
    answers: dict[Slot, int] = {}
    for record in reader:
        row, task, answer = reader.line_num, record[TASK] or "", (record[ANSWER] or "").strip()
        task, answer = _meant(task, asked), _meant(answer, batch.question.options)
        if task not in asked:
            raise LabelerError(f"Row {row} of {path} answers task {task!r}, which is not in the batch.")
        if given[task] == asked[task]:
            raise LabelerError(
                f"Row {row} of {path} answers task {task!r} once more;"
                f" the batch asks it {_times(asked[task])}."
            )
        if not answer:
            raise LabelerError(f"Row {row} of {path} has no answer to task {task!r}.")
        try:
            answers[Slot(task, given[task])] = batch.question.label(answer)
        except ManifestError as error:
            raise LabelerError(f"Row {row} of {path}, task {task!r}: {error}") from error
        given[task] += 1
    missing = batch.missing(answers)
    if missing:
        first = batch.slots[missing[0]]
        raise LabelerError(
            f"{path} lacks {len(missing)} of {len(batch.tasks)} answers, the first for task {first.task!r},"
            f" which the batch asks {_times(asked[first.task])}."
        )
    return answers


def write_batch(batch: Batch, answers: Answers) -> str:
    """The batch as CSV: position, task, what it shows, and the answer where there is one."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["position", TASK, "shows", ANSWER])
    for position, (task, slot) in enumerate(zip(batch.tasks, batch.slots, strict=True)):
        content = dict(task.content)
        shows = content["text"] if set(content) == {"text"} else json.dumps(content, ensure_ascii=False)
        answer = batch.question.answer(answers[slot]) if slot in answers else ""
        writer.writerow([position, *map(_harmless, (task.id, shows, answer))])
    return out.getvalue()


def _harmless(text: str) -> str:
    return f"'{text}" if text.lstrip("'").startswith(FORMULAS) else text


def _meant(text: str, known: Container[str]) -> str:
    """The text behind an apostrophe of `_harmless`; as it stands where only that is known."""
    behind = text.removeprefix("'")
    if not behind.lstrip("'").startswith(FORMULAS) or (text in known and behind not in known):
        return text
    return behind


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
