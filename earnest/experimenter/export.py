"""The dataset, from the chain's records and the manifest alone: the same bytes for whoever rebuilds it.

====================  =================================================================================
`dataset.*`           a row for each labelled task: the consensus and its confidence (JSONL, CSV, Parquet)
`labels.jsonl`        every revealed label: task, labeler, seat, answer, and the seat's score
`labelers.jsonl`      every labeler's estimated reliability
`preferences.jsonl`   `prompt`, `chosen`, `rejected`, of preferences and rankings
`label_studio.json`   tasks, annotations and predictions for Label Studio
`summary.json`        the campaign, its manifest's digest, how it was made, and what is missing
====================  =================================================================================
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np

from earnest.chain.state import Campaign
from earnest.consensus.bias_noise import BiasNoise
from earnest.consensus.plackett_luce import PlackettLuce
from earnest.consensus.result import ClassConsensus, RankingConsensus
from earnest.consensus.stack import Stack
from earnest.consensus.table import LabelTable, RankingTable, RatingTable
from earnest.experimenter.errors import ExperimenterError
from earnest.export.dataset import Consensus, dataset_rows
from earnest.export.files import to_json, write_json, write_jsonl, write_rows
from earnest.export.label_studio import label_studio_tasks
from earnest.export.preferences import pair_preferences, ranking_preferences
from earnest.manifest.manifest import Manifest, Task
from earnest.manifest.question import SIDES, Kind, Question
from earnest.protocol import audit
from earnest.protocol.labels import label_count, label_to_ranking
from earnest.protocol.score import ABSENT, UNSCORED, void

FORMATS: Final = ("jsonl", "csv", "parquet")

Table = LabelTable | RatingTable | RankingTable


@dataclass(frozen=True)
class Answer:
    """One revealed label."""

    task: int
    labeler: str
    seat: int
    position: int
    label: int


@dataclass(frozen=True)
class Dataset:
    """What a campaign gave. `tasks` are those with a label, by index; `gold` known answers, disclosed."""

    question: Question
    tasks: tuple[int, ...]
    answers: tuple[Answer, ...]
    gold: Mapping[int, int]
    table: Table
    consensus: Consensus


def revealed_answers(campaign: Campaign, manifest: Manifest) -> list[Answer]:
    """All revealed labels, by batch, lane and position; of a task shown twice to a seat, the first.

    Raises ManifestError when the manifest is not that of the campaign's terms.
    """
    manifest.check_terms(campaign.terms)
    found: list[Answer] = []
    for batch in range(len(campaign.batches)):
        for lane, number in enumerate(campaign.cohorts[batch].tolist()):
            seat = campaign.seats[number]
            if not seat.revealed:
                continue
            seen: set[int] = set()
            for position, task in enumerate(manifest.positions(batch, lane)):
                if task not in seen:
                    seen.add(task)
                    found.append(Answer(task, seat.labeler, number, position, seat.labels[position]))
    return found


def disclosed_gold(campaign: Campaign, manifest: Manifest) -> dict[int, int]:
    """The known answers by task, once the audit is disclosed; without those that are void in some batch."""
    if campaign.audit_key is None:
        return {}
    terms = campaign.terms
    size = label_count(terms.metric, terms.classes)
    rows = audit.open_rows(manifest.audit_rows, campaign.audit_key, terms.batch_size, size)
    gold: dict[int, int] = {}
    left_out: set[int] = set()
    for batch, row in enumerate(rows[: len(campaign.batches)]):
        if row is None or not row.gold:
            continue
        positions, known = (list(each) for each in zip(*row.gold, strict=True))
        tasks = [manifest.positions(batch, 0)[position] for position in positions]
        gold |= dict(zip(tasks, known, strict=True))
        voided = _void(campaign, batch, positions, known)
        left_out |= {task for task, is_void in zip(tasks, voided, strict=True) if is_void}
    return {task: label for task, label in sorted(gold.items()) if task not in left_out}


def _void(campaign: Campaign, batch: int, positions: list[int], known: list[int]) -> list[bool]:
    """Which known answers say more about their task than about the labelers."""
    revealed = [seat.labels for seat in campaign.cohort(batch) if seat.revealed]
    if not revealed:
        return [False] * len(known)
    answers = np.array([list(labels) for labels in revealed], dtype=np.uint8)[None, :, positions]
    there = np.ones((1, len(revealed)), dtype=np.bool_)
    found: list[bool] = void(campaign.terms, answers, np.array([[known]], dtype=np.uint8), there)[0].tolist()
    return found


def build(campaign: Campaign, manifest: Manifest) -> Dataset:
    """The consensus over everything revealed. Raises ExperimenterError when nothing is."""
    answers = revealed_answers(campaign, manifest)
    if not answers:
        raise ExperimenterError("No label is revealed: there is no dataset.")
    gold = disclosed_gold(campaign, manifest)
    tasks = tuple(sorted({answer.task for answer in answers}))
    table = _table(manifest, answers)
    known = {manifest.tasks[task].id: _value(manifest.question, gold[task]) for task in tasks if task in gold}
    consensus = _estimate(table, known)
    return Dataset(manifest.question, tasks, tuple(answers), gold, table, consensus)


def export(
    campaign: Campaign, manifest: Manifest, folder: Path, formats: Sequence[str] = FORMATS
) -> list[Path]:
    """Write the dataset into a folder; the files written. Raises ExperimenterError when it cannot be."""
    data = build(campaign, manifest)
    rows = [_flat(manifest.question, manifest.tasks[task]) for task in data.tasks]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        return _write(campaign, manifest, data, rows, folder, formats)
    except ValueError as error:
        raise ExperimenterError(f"The dataset cannot be written: {error}.") from error


def _write(
    campaign: Campaign,
    manifest: Manifest,
    data: Dataset,
    rows: list[dict[str, Any]],
    folder: Path,
    formats: Sequence[str],
) -> list[Path]:
    written: list[Path] = []

    def at(name: str) -> Path:
        written.append(folder / name)
        return folder / name

    known = {manifest.tasks[task].id: manifest.question.answer(label) for task, label in data.gold.items()}
    whole = [
        row | {"gold": known[row["id"]]} if row["id"] in known else row
        for row in _named(manifest.question, dataset_rows(rows, data.consensus, data.table))
    ]
    for suffix in formats:
        flat = whole if suffix == "jsonl" else [_columns(row) for row in whole]
        write_rows(at(f"dataset.{suffix}"), flat)
    write_jsonl(at("labels.jsonl"), _label_rows(campaign, manifest, data))
    write_jsonl(at("labelers.jsonl"), _labeler_rows(data))
    preferences = _preferences(manifest.question, rows, data)
    if preferences is not None:
        write_jsonl(at("preferences.jsonl"), preferences)
    write_json(at("label_studio.json"), label_studio_tasks(rows, data.consensus, data.table))
    write_json(at("summary.json"), _summary(campaign, manifest, data))
    return written


def _table(manifest: Manifest, answers: Sequence[Answer]) -> Table:
    question = manifest.question
    task = [manifest.tasks[answer.task].id for answer in answers]
    labeler = [answer.labeler for answer in answers]
    values = [_value(question, answer.label) for answer in answers]
    if question.kind is Kind.RANKING:
        return RankingTable.from_columns(task, labeler, np.array(values), repeats="first")
    if question.kind is Kind.RATING:
        return RatingTable.from_columns(task, labeler, values, repeats="first")
    return LabelTable.from_columns(task, labeler, values, classes=list(question.options), repeats="first")


def _estimate(table: Table, known: Mapping[str, Any]) -> Consensus:
    if isinstance(table, LabelTable):
        return Stack().fit_predict(table, known)
    if isinstance(table, RatingTable):
        return BiasNoise().fit_predict(table, known)
    return PlackettLuce().fit_predict(table, known)


def _value(question: Question, label: int) -> Any:
    """A label as the estimators take it: an option, a number, or items best first."""
    if question.kind is Kind.RANKING:
        return label_to_ranking(label, question.classes)
    if question.kind is Kind.RATING:
        return _levels(question)[label]
    return question.options[label]


def _levels(question: Question) -> list[float]:
    """The numbers that a rating's options are, where they ascend, or else their places from 0."""
    places = [float(level) for level in range(question.classes)]
    try:
        numbers = [float(option) for option in question.options]
    except ValueError:
        return places
    ascend = all(low < high for low, high in pairwise(numbers))
    return numbers if ascend and all(map(math.isfinite, numbers)) else places


def _flat(question: Question, task: Task) -> dict[str, Any]:
    """A task as a row: what it shows as plain texts (an image by its URL)."""
    content = task.content
    row: dict[str, Any] = {"id": task.id}
    if question.kind in (Kind.PREFERENCE, Kind.RANKING):
        row["prompt"] = content.get("text", "")
        if "image" in content:
            row["image"] = content["image"]
        if question.kind is Kind.PREFERENCE:
            return row | {side: _shown(content[side]) for side in SIDES}
        return row | {"items": [_shown(item) for item in content["items"]]}
    return row | {name: content[name] for name in ("text", "image") if name in content}


def _shown(part: Mapping[str, str]) -> str:
    return "\n".join(part[name] for name in ("text", "image") if name in part)


def _named(question: Question, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """A ranking by the names of its items' places, as labelers write it."""
    if question.kind is not Kind.RANKING:
        return rows
    return [row | {"ranking": [question.options[item] for item in row["ranking"]]} for row in rows]


def _columns(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row for tables: the probabilities of all classes as one JSON text."""
    return {name: to_json(value) if isinstance(value, Mapping) else value for name, value in row.items()}


def _label_rows(campaign: Campaign, manifest: Manifest, data: Dataset) -> list[dict[str, Any]]:
    scores: dict[int, int | None] = {}
    for batch in range(len(campaign.batches)):
        found = campaign.scores(batch)
        for lane, seat in enumerate(campaign.cohorts[batch].tolist()):
            score = None if found is None else found[lane]
            scores[seat] = None if score in (ABSENT, UNSCORED) else score
    return [
        {
            "task": manifest.tasks[answer.task].id,
            "labeler": answer.labeler,
            "seat": answer.seat,
            "position": answer.position,
            "label": manifest.question.answer(answer.label),
            "score": scores[answer.seat],
        }
        for answer in data.answers
    ]


def _labeler_rows(data: Dataset) -> list[dict[str, Any]]:
    workers = [str(worker) for worker in data.consensus.workers]
    return [
        {"labeler": worker, "reliability": reliability}
        for worker, reliability in zip(workers, data.consensus.reliability.tolist(), strict=True)
    ]


def _preferences(
    question: Question, rows: Sequence[Mapping[str, Any]], data: Dataset
) -> list[dict[str, Any]] | None:
    if question.kind is Kind.PREFERENCE and isinstance(data.consensus, ClassConsensus):
        return pair_preferences(rows, data.consensus, winners={side: side for side in SIDES})
    if question.kind is Kind.RANKING and isinstance(data.consensus, RankingConsensus):
        return ranking_preferences(rows, data.consensus)
    return None


def _summary(campaign: Campaign, manifest: Manifest, data: Dataset) -> dict[str, Any]:
    labelled = set(data.tasks)
    return {
        "campaign": f"0x{campaign.number:064x}",
        "manifest": manifest.digest().hex(),
        "question": manifest.question.to_json(),
        "method": data.consensus.method,
        "converged": data.consensus.convergence.converged,
        "labels": len(data.answers),
        "labelers": len(data.consensus.workers),
        "tasks": len(data.tasks),
        "without_label": [
            task.id for index, task in enumerate(manifest.tasks) if index not in labelled
        ],
    }
