"""The entries: a report of a campaign, or of a plain table of labels without one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from earnest.chain.money import ETHER, Token
from earnest.chain.records import Record, Revealed
from earnest.chain.state import Campaign
from earnest.consensus.bias_noise import BiasNoise
from earnest.consensus.plackett_luce import PlackettLuce
from earnest.consensus.stack import Stack
from earnest.consensus.table import Floats, LabelTable, RatingTable
from earnest.experimenter import export
from earnest.export.dataset import Consensus
from earnest.export.files import write_csv, write_text
from earnest.manifest.manifest import Manifest
from earnest.manifest.question import RANK_SEPARATOR, Kind, Question
from earnest.report.books import Books, books
from earnest.report.labels import Labels, Table
from earnest.report.page import page
from earnest.report.sections import sections, tiles
from earnest.report.tables import labeler_rows, seat_rows, task_rows

REPORT: Final = "report.html"
MINUTE: Final = 60


def report_campaign(
    campaign: Campaign,
    manifest: Manifest,
    folder: Path,
    *,
    token: Token = ETHER,
    records: Iterable[Record] = (),
    truth: Mapping[str, str] | None = None,
) -> list[Path]:
    """Write `report.html`, `seats.csv`, `tasks.csv` and `labelers.csv` of a campaign whose labels are
    revealed; the files written.

    `records` of the chain tell when seats were revealed; `truth` has right answers by task id, written as
    labelers write them. The same arguments give the same bytes. Raises ExperimenterError when nothing is
    revealed, ManifestError for another campaign's manifest, ValueError for a truth that is no answer.
    """
    data = export.build(campaign, manifest)
    question = manifest.question
    ids = {task.id: index for index, task in enumerate(manifest.tasks)}
    labels = Labels(
        table=data.table,
        consensus=data.consensus,
        contents={task.id: content_text(task.content) for task in manifest.tasks},
        truth={task: _answer(question, answer) for task, answer in (truth or {}).items() if task in ids},
        names=question.options if question.kind is Kind.RANKING else (),
        gold=frozenset(manifest.tasks[task].id for task in data.gold),
    )
    found = books(campaign, manifest, token, reveal_times(records, campaign.number))
    place = {(manifest.tasks[answer.task].id, answer.labeler): answer for answer in reversed(data.answers)}
    table = data.table
    order = [
        place[task, labeler]
        for task, labeler in zip(
            table.tasks[table.task].tolist(), table.workers[table.worker].tolist(), strict=True
        )
    ]
    positions = np.array([answer.position + 1.0 for answer in order])
    notes = [
        f"Campaign 0x{campaign.number:064x} by {campaign.experimenter}.",
        f"Manifest (SHA-256) {manifest.digest().hex()}. {len(campaign.batches)}"
        f" batch{'' if len(campaign.batches) == 1 else 'es'} of"
        f" {campaign.terms.batch_size} positions, {campaign.terms.cohort} seats each.",
    ]
    times = _times(found, [answer.seat for answer in order])
    return _write(folder, question.text, notes, labels, found, positions, times)


def report_table(
    table: Table,
    folder: Path,
    *,
    title: str = "Crowd labels",
    consensus: Consensus | None = None,
    gold: Mapping[Any, Any] | None = None,
    truth: Mapping[Any, Any] | None = None,
    contents: Mapping[Any, str] | None = None,
    names: tuple[str, ...] = (),
) -> list[Path]:
    """Write `report.html`, `tasks.csv` and `labelers.csv` of a plain table; the files written.

    `consensus` of the table, or else the default for its kind, which knows the `gold` answers. `truth`,
    `contents` and `names` as for `Labels`. Raises ValueError for a consensus of another table.
    """
    result = _default(table, gold) if consensus is None else consensus
    labels = Labels(table, result, contents or {}, truth or {}, names, frozenset(gold or ()))
    return _write(folder, title, [], labels, None, None, None)


def reveal_times(records: Iterable[Record], campaign: int) -> dict[int, int]:
    """The unix time at which each seat of a campaign was revealed."""
    return {
        record.seat: record.place.timestamp
        for record in records
        if isinstance(record, Revealed) and record.campaign == campaign
    }


def content_text(content: Any) -> str:
    """What a task shows, as one text: of a preference both sides, of a ranking all items."""
    if isinstance(content, str):
        return content
    if isinstance(content, Mapping):
        wanted = [key for key in ("text", "image", "a", "b", "items") if key in content]
        marked = [f"{key}: " if key in ("a", "b") else "" for key in wanted]
        return " · ".join(m + content_text(content[key]) for m, key in zip(marked, wanted, strict=True))
    return " | ".join(f"{place}: {content_text(item)}" for place, item in enumerate(content, 1))


def _default(table: Table, gold: Mapping[Any, Any] | None) -> Consensus:
    if isinstance(table, LabelTable):
        return Stack().fit_predict(table, gold)
    if isinstance(table, RatingTable):
        return BiasNoise().fit_predict(table, gold)
    return PlackettLuce().fit_predict(table, gold)


def _answer(question: Question, answer: str) -> Any:
    """An answer as the table has it."""
    label = question.label(answer)
    if question.kind is Kind.RANKING:
        return [question.options.index(part.strip()) for part in answer.split(RANK_SEPARATOR)]
    if question.kind is Kind.RATING:
        try:
            return [float(option) for option in question.options][label]
        except ValueError:
            return float(label)
    return answer


def _times(found: Books, seats: list[int]) -> Floats | None:
    """Minutes from the first reveal, of each label; None unless all are known."""
    if not seats or not all(seat in found.revealed_at for seat in seats):
        return None
    times = np.array([found.revealed_at[seat] for seat in seats], np.float64)
    return np.asarray((times - times.min()) / MINUTE)


def _write(
    folder: Path,
    title: str,
    notes: list[str],
    labels: Labels,
    found: Books | None,
    positions: Floats | None,
    times: Floats | None,
) -> list[Path]:
    html = page(title, notes, tiles(labels, found), sections(labels, found, positions, times))
    tables = {"tasks.csv": task_rows(labels), "labelers.csv": labeler_rows(labels, found)}
    if found:
        tables |= {"seats.csv": seat_rows(found)}
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / REPORT, html)
    for name, rows in tables.items():
        write_csv(folder / name, rows)
    return [folder / REPORT, *(folder / name for name in tables)]
