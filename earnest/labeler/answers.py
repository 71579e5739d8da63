"""Answers from a CSV file with the columns `task` and `answer`, and a batch as such a file.

A task that the batch shows twice stands twice, in the order of its showings. Other columns are passed over.
What strangers wrote and a spreadsheet would take for a formula is written behind an apostrophe.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from earnest.files import FileError, long_fields, read_text
from earnest.labeler.batch import Answers, Batch, Slot
from earnest.labeler.errors import LabelerError
from earnest.manifest.errors import ManifestError

TASK: Final = "task"
ANSWER: Final = "answer"
FORMULAS: Final = ("=", "+", "-", "@", "\t", "\n")


def read_answers(path: Path, batch: Batch) -> dict[Slot, int]:
    """The answers to all of a batch. Raises LabelerError, with the row, for the first thing that is wrong.

    The row is the line in the file; the head of the columns is row 1.
    """
    columns, rows = _rows(path)
    if TASK not in columns or ANSWER not in columns:
        there = ", ".join(columns) or "none"
        raise LabelerError(f"{path} must have the columns {TASK} and {ANSWER}; it has {there}.")
    asked = Counter(task.id for task in batch.tasks)
    tasks, options = _cells(asked), _cells(batch.question.options)
    given: Counter[str] = Counter()
    answers: dict[Slot, int] = {}
    for row, record in rows:
        task, answer = _meant(record[TASK] or "", tasks), _meant(record[ANSWER] or "", options)
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


def _rows(path: Path) -> tuple[list[str], list[tuple[int, dict[str, str | None]]]]:
    """The columns of a file, and its rows with the lines where they end."""
    try:
        reader = csv.DictReader(io.StringIO(read_text(path), newline=""))
        with long_fields():
            return list(reader.fieldnames or ()), [(reader.line_num, record) for record in reader]
    except FileError as error:
        raise LabelerError(str(error)) from error
    except csv.Error as error:
        raise LabelerError(f"{path} is no CSV: {error}.") from error


def _lines(text: str) -> str:
    """A text with the line ends that spreadsheets leave in a cell."""
    return re.sub("\r\n?", "\n", text)


def _harmless(text: str) -> str:
    text = _lines(text)
    return f"'{text}" if text.lstrip("'").startswith(FORMULAS) else text


def _cells(texts: Iterable[str]) -> dict[str, str]:
    """Texts by what may stand for them in a cell: what `write_batch` writes, else the text itself, else one
    of these without outer white space; only where it is that of one text.
    """
    cells: dict[str, str] = {}
    for trimmed in (str, str.strip):
        for form in (_harmless, _lines):
            written = [(trimmed(form(text)), text) for text in texts]
            counts = Counter(cell for cell, _ in written)
            cells = {cell: text for cell, text in written if counts[cell] == 1} | cells
    return cells


def _meant(cell: str, cells: Mapping[str, str]) -> str:
    """The text that a cell stands for; where it is none of them itself, without `_harmless`'s apostrophe."""
    cell = _lines(cell)
    found = cells.get(cell) or cells.get(cell.strip())
    if found is not None:
        return found
    behind = cell.strip().removeprefix("'")
    return behind if behind.lstrip("'").startswith(FORMULAS) else cell.strip()


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
