"""Rows into the manifest's tasks: which column is shown where, and which answers are known."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from earnest.json_text import parse_json
from earnest.manifest.errors import ManifestError
from earnest.manifest.manifest import Task
from earnest.manifest.question import Kind, Question
from earnest.tasks.errors import TaskError
from earnest.tasks.rows import Row, read_rows

MOST_TOLD: Final = 10

# What is shown together, in one column or in two: above the rest, on either side of a preference, as items.
PROMPT: Final = ("text", "image")
GROUPS: Final[Mapping[Kind, tuple[tuple[str, ...], ...]]] = {
    Kind.CHOICE: (PROMPT,),
    Kind.RATING: (PROMPT,),
    Kind.PREFERENCE: (PROMPT, ("a", "a_image"), ("b", "b_image")),
    Kind.RANKING: (PROMPT, ("items",)),
}


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Names of columns; those that a kind of question does not need are left out.

    `a` and `b` are the sides of a preference; `items`, of a ranking, is one column that holds a list (in CSV:
    its JSON), or one column for each item. `a_image`, `b_image` and `items_are_images` show images by URL.
    `gold` is the known answer where there is one, empty elsewhere.
    """

    id: str = "id"
    text: str | None = None
    image: str | None = None
    a: str | None = None
    b: str | None = None
    a_image: str | None = None
    b_image: str | None = None
    items: str | tuple[str, ...] | None = None
    items_are_images: bool = False
    gold: str | None = None


@dataclass(frozen=True)
class TaskFile:
    """The tasks of a file in its order, and the known answers as labels by task index."""

    tasks: tuple[Task, ...]
    gold: Mapping[int, int] = field(default_factory=dict)


def read_tasks(path: Path, question: Question, columns: Columns) -> TaskFile:
    """The tasks of a file. Raises TaskError with up to ten sentences, one for each row that is wrong."""
    named = {columns.id, columns.text, columns.image, columns.gold, *_content_columns(columns)}
    wanted = {*filter(None, named), *(member for group in GROUPS[question.kind] for member in group)}
    return tasks_of(read_rows(path, wanted), question, columns, str(path))


def tasks_of(rows: Sequence[Row], question: Question, columns: Columns, name: str = "tasks") -> TaskFile:
    """As `read_tasks`, from rows; `name` is how errors call them."""
    there = list(dict.fromkeys(column for row in rows for column in row.values))
    columns = _with_defaults(columns, question, there)
    _check_columns(columns, question, there, name)
    faults: list[str] = []
    tasks: list[Task] = []
    gold: dict[int, int] = {}
    seen: dict[str, int] = {}
    for row in rows:
        try:
            task = _task(row, question, columns)
            if task.id in seen:
                raise TaskError(f"has the id {task.id!r}, as row {seen[task.id]} has; ids must differ.")
            answer = _text(row.values.get(columns.gold)).strip() if columns.gold else ""
            if answer:
                gold[len(tasks)] = question.label(answer)
        except (TaskError, ManifestError) as error:
            faults.append(f"{name}, row {row.number}: {error}")
            continue
        seen[task.id] = row.number
        tasks.append(task)
    if faults:
        more = [f"… and {len(faults) - MOST_TOLD} more rows."] if len(faults) > MOST_TOLD else []
        raise TaskError("\n".join(faults[:MOST_TOLD] + more))
    return TaskFile(tuple(tasks), gold)


def _with_defaults(columns: Columns, question: Question, there: Sequence[str]) -> Columns:
    """What is shown of which no column is named is taken to be called what it is."""
    changes = {
        member: member
        for group in GROUPS[question.kind]
        if not any(getattr(columns, each) for each in group)
        for member in group
        if member in there
    }
    return replace(columns, **changes)  # type: ignore[arg-type]


def _check_columns(columns: Columns, question: Question, there: Sequence[str], name: str) -> None:
    named = [columns.id, columns.text, columns.image, columns.gold, *_content_columns(columns)]
    has = f"it has {', '.join(map(repr, there))}"
    for column in named:
        if column is not None and column not in there:
            raise TaskError(f"{name} has no column {column!r}; {has}.")
    if question.kind is Kind.PREFERENCE:
        for side in ("a", "b"):
            if not (getattr(columns, side) or getattr(columns, f"{side}_image")):
                raise TaskError(f"{name}: columns.{side} is missing, and {has}; a preference has two sides.")
    elif question.kind is Kind.RANKING:
        if columns.items is None:
            raise TaskError(f"{name}: columns.items is missing, and {has}; a ranking shows items.")
    elif not (columns.text or columns.image):
        raise TaskError(
            f"{name}: columns.text and columns.image are both missing, and {has}; a task shows something."
        )


def _content_columns(columns: Columns) -> list[str | None]:
    items = columns.items if isinstance(columns.items, tuple) else (columns.items,)
    return [columns.a, columns.b, columns.a_image, columns.b_image, *items]


def _task(row: Row, question: Question, columns: Columns) -> Task:
    values = row.values
    name = _text(values.get(columns.id)).strip()
    if not name:
        raise TaskError(f"{columns.id} is empty; every task has an id.")
    content: dict[str, Any] = _part(values, columns.text, columns.image)
    if question.kind is Kind.PREFERENCE:
        content["a"] = _part(values, columns.a, columns.a_image, needed=True)
        content["b"] = _part(values, columns.b, columns.b_image, needed=True)
    elif question.kind is Kind.RANKING:
        content["items"] = _items(values, columns, question.classes)
    elif not content:
        shown = columns.text or columns.image
        raise TaskError(f"{shown} is empty; every task shows something.")
    return Task(name, content)


def _part(
    values: Mapping[str, Any], text: str | None, image: str | None, needed: bool = False
) -> dict[str, Any]:
    shown = {"text": text, "image": image}
    found = {member: _text(values.get(column)) for member, column in shown.items() if column}
    found = {member: value for member, value in found.items() if value.strip()}
    if needed and not found:
        raise TaskError(f"{text or image} is empty; both sides show something.")
    return found


def _items(values: Mapping[str, Any], columns: Columns, number: int) -> list[dict[str, str]]:
    if isinstance(columns.items, tuple):
        listed: Any = [values.get(column) for column in columns.items]
        name = ", ".join(columns.items)
    else:
        assert columns.items is not None
        name, listed = columns.items, values.get(columns.items)
        if isinstance(listed, str):
            try:
                listed = parse_json(listed)
            except ValueError:
                raise TaskError(f"{name} is {listed!r}; it must be a JSON list of {number} items.") from None
    items = [_text(item) for item in listed] if isinstance(listed, list) else []
    if len(items) != number or not all(item.strip() for item in items):
        raise TaskError(f"{name} is {listed!r}; it must have {number} items, none of them empty.")
    kind = "image" if columns.items_are_images else "text"
    return [{kind: item} for item in items]


def _text(value: Any) -> str:
    """A cell as text, spaces included; a whole number that a table stored as a float without its `.0`, true
    and false as JSON writes them.

    Raises TaskError for what is no text: bytes, and halves of characters, which JSON and tables can hold.
    """
    if value is None:
        return ""
    if isinstance(value, float):
        return "" if value != value else str(int(value)) if value.is_integer() else str(value)
    if isinstance(value, bytes):
        raise TaskError(f"{value[:20]!r} are bytes; a task shows text, or an image by its URL.")
    if isinstance(value, list | dict | bool):
        value = json.dumps(value, ensure_ascii=False, default=str)
    text = str(value)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        half = text[error.start : error.end]
        raise TaskError(f"{half!r} is half a character; the text must be valid Unicode.") from error
    return text
