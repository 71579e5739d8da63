"""A campaign's manifest: question, tasks, each seat's batch and the enciphered audit (design, section 9).

It is one file, JSON in one form only (UTF-8, members sorted, no white space), so that equal manifests have
equal digests.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any, Final

from earnest.json_text import parse_json
from earnest.manifest.errors import ManifestError
from earnest.manifest.question import Kind, Question
from earnest.protocol import audit, merkle
from earnest.protocol.terms import ZERO_WORD, Terms

VERSION: Final = 1
CONTENT: Final = ("text", "image")  # what a task, a side or an item may show; an image by its URL


@dataclass(frozen=True)
class Task:
    """One item: `content` has `text` or `image`; a preference's has `a` and `b`, a ranking's `items`."""

    id: str
    content: Mapping[str, Any]


@dataclass(frozen=True)
class Manifest:
    """What a campaign publishes.

    `batches[b][r]` lists the tasks of the seat of lane `r` in batch `b`, by index, one for each position;
    when a batch has one list only, every seat has it. `audit_rows` are enciphered, one a batch, or none.
    """

    question: Question
    tasks: tuple[Task, ...]
    batches: tuple[tuple[tuple[int, ...], ...], ...]
    audit_rows: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        _check_tasks(self.question, self.tasks)
        _check_batches(self.batches, len(self.tasks))
        if self.audit_rows and len(self.audit_rows) != len(self.batches):
            raise ManifestError(
                f"There are {len(self.audit_rows)} audit rows for {len(self.batches)} batches;"
                " each batch needs one."
            )

    @property
    def batch_size(self) -> int:
        """Positions of a batch."""
        return len(self.batches[0][0])

    def positions(self, batch: int, lane: int) -> tuple[int, ...]:
        """The tasks, by index, of one seat. Raises ManifestError when there is no such batch or lane."""
        if not 0 <= batch < len(self.batches):
            raise ManifestError(f"Batch {batch} is not in the manifest; it has 0 to {len(self.batches) - 1}.")
        lanes = self.batches[batch]
        if len(lanes) == 1:
            return lanes[0]
        if not 0 <= lane < len(lanes):
            raise ManifestError(f"Batch {batch} has no lane {lane}; it has 0 to {len(lanes) - 1}.")
        return lanes[lane]

    @cached_property
    def audit_root(self) -> bytes:
        """The root of the audit rows' tree; zero without an audit."""
        return merkle.tree(self.audit_rows)[0] if self.audit_rows else ZERO_WORD

    def to_bytes(self) -> bytes:
        """The file."""
        members = {
            "version": VERSION,
            "question": self.question.to_json(),
            "tasks": [{"id": task.id, **task.content} for task in self.tasks],
            "batches": self.batches,
            "audit": ["0x" + row.hex() for row in self.audit_rows],
        }
        text = json.dumps(members, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
        return text.encode()

    def digest(self) -> bytes:
        """The SHA-256 of the file: what the campaign's terms hold as `manifest`."""
        return sha256(self.to_bytes()).digest()

    @classmethod
    def from_bytes(cls, data: bytes) -> Manifest:
        """The manifest in a file. Raises ManifestError when it is none, or not in its one form."""
        try:
            members = parse_json(data.decode())
        except ValueError as error:
            raise ManifestError(f"The manifest is no JSON: {error}.") from error
        if not isinstance(members, dict) or members.get("version") != VERSION:
            raise ManifestError(f"The manifest's version is not {VERSION}.")
        try:
            manifest = cls(
                question=Question.from_json(members["question"]),
                tasks=tuple(
                    Task(task["id"], {name: value for name, value in task.items() if name != "id"})
                    for task in members["tasks"]
                ),
                batches=tuple(tuple(tuple(lane) for lane in batch) for batch in members["batches"]),
                audit_rows=tuple(bytes.fromhex(row.removeprefix("0x")) for row in members["audit"]),
            )
            again = manifest.to_bytes()
        except ManifestError:
            raise
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ManifestError(f"The manifest lacks or garbles a member: {error!r}.") from error
        if again != data:
            raise ManifestError(
                "The manifest is not in its one form: members sorted, no white space, none unknown."
            )
        return manifest

    def check_terms(self, terms: Terms) -> None:
        """Raise ManifestError unless a campaign under `terms` can be carried through with this manifest.

        A row that is missing, too long or not under the root would be a batch that nobody could referee, so a
        labeler looks at this before staking.
        """
        _match("manifest digest", self.digest().hex(), terms.manifest.hex())
        _match("metric", self.question.metric.name, terms.metric.name)
        _match("number of classes", self.question.classes, terms.classes)
        _match("number of batches", len(self.batches), terms.batches)
        _match("batch size", self.batch_size, terms.batch_size)
        for batch, lanes in enumerate(self.batches):
            if len(lanes) not in (1, terms.cohort):
                raise ManifestError(
                    f"Batch {batch} has {len(lanes)} lanes; it must have 1 or {terms.cohort}."
                )
        _match("audit root", self.audit_root.hex(), terms.audit_root.hex())
        longest = max((len(row) for row in self.audit_rows), default=0)
        if longest > audit.max_row(terms.batch_size):
            raise ManifestError(
                f"An audit row has {longest} bytes; with {terms.batch_size} positions it may have"
                f" {audit.max_row(terms.batch_size)}."
            )


def _match(what: str, found: object, agreed: object) -> None:
    if found != agreed:
        raise ManifestError(f"The {what} is {found}, but the campaign's terms say {agreed}.")


def _check_tasks(question: Question, tasks: Sequence[Task]) -> None:
    seen: set[str] = set()
    if not tasks:
        raise ManifestError("There are no tasks; there must be at least one.")
    for task in tasks:
        named: object = task.id
        if not isinstance(named, str) or not named:
            raise ManifestError(f"A task's id is {named!r}; it must be a text that is not empty.")
        if task.id in seen:
            raise ManifestError(f"The task id {task.id!r} stands twice; each must be different.")
        seen.add(task.id)
        for part in _parts(question, task):
            if not isinstance(part, Mapping) or not part or not set(part) <= set(CONTENT):
                raise ManifestError(f"Task {task.id!r} shows {part!r}; it must have {' or '.join(CONTENT)}.")
            if not all(isinstance(value, str) and value for value in part.values()):
                raise ManifestError(f"Task {task.id!r} has an empty text or image.")


def _parts(question: Question, task: Task) -> list[Any]:
    """Everything that a task shows, one mapping each."""
    own = {name: value for name, value in task.content.items() if name in CONTENT}
    rest = {name: value for name, value in task.content.items() if name not in CONTENT}
    expected: dict[Kind, set[str]] = {Kind.PREFERENCE: {"a", "b"}, Kind.RANKING: {"items"}}
    wanted = expected.get(question.kind, set())
    if set(rest) != wanted:
        raise ManifestError(
            f"Task {task.id!r} has the members {sorted(task.content)}; a {question.kind} needs"
            f" {sorted(wanted) if wanted else 'text or image'}."
        )
    if question.kind is Kind.PREFERENCE:
        return [rest["a"], rest["b"], *([own] if own else [])]
    if question.kind is Kind.RANKING:
        items = rest["items"]
        if not isinstance(items, list) or len(items) != question.classes:
            raise ManifestError(f"Task {task.id!r} must list {question.classes} items.")
        return [*items, *([own] if own else [])]
    return [own]


def _check_batches(batches: Sequence[Sequence[Sequence[int]]], tasks: int) -> None:
    if not batches or not all(batches):
        raise ManifestError("A manifest needs at least one batch, and each batch at least one list of tasks.")
    size = len(batches[0][0])
    for batch, lanes in enumerate(batches):
        for lane in lanes:
            if len(lane) != size:
                raise ManifestError(f"Batch {batch} has {len(lane)} positions; the first has {size}.")
            for task in lane:
                if type(task) is not int or not 0 <= task < tasks:
                    raise ManifestError(f"Batch {batch} names task {task!r}; tasks are 0 to {tasks - 1}.")
