"""The tasks file of a next campaign: open tasks to ask again, and gold tasks with their answers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from earnest.consensus.result import ClassConsensus, RankingConsensus, RatingConsensus
from earnest.export.dataset import positions
from earnest.export.files import Row, clean, write_rows
from earnest.next.gold import GoldSet
from earnest.next.selection import Selection


def next_tasks(
    tasks: Sequence[Row],
    result: ClassConsensus | RatingConsensus | RankingConsensus,
    selection: Selection,
    gold: GoldSet | None = None,
    *,
    most: int | None = None,
) -> list[dict[str, Any]]:
    """The rows of the tasks to ask next: the open ones, most informative first and no more than `most`,
    then the gold ones.

    Rows are the tasks' own, with a field `gold`: the known answer, None where it is asked for. Tasks that
    the result knows but `tasks` does not have are left out. A set of gold tasks that was refused is an
    error.
    """
    if gold is not None and gold.refused:
        raise ValueError(f"these gold tasks were refused: {gold.refused}")
    if most is not None and most < 0:
        raise ValueError(f"most must not be negative, not {most}")
    clash = next((task for task in tasks if "gold" in task and task["gold"] is not None), None)
    if clash is not None:
        raise ValueError(f"task {clash['id']!r} has a field 'gold' already: rename it")
    row = dict(zip(positions(tasks, result), tasks, strict=True))
    known: dict[int, Any] = {}
    if gold is not None and isinstance(result, ClassConsensus):
        known = dict(zip(clean(gold.tasks), clean(result.classes[gold.answers]), strict=True))
    ask = [at for at in clean(selection.open) if at in row and at not in known][:most]
    rows = [{**clean(row[at]), "gold": None} for at in ask]
    return rows + [{**clean(row[at]), "gold": answer} for at, answer in known.items() if at in row]


def write_next_tasks(path: str | Path, rows: Sequence[Row]) -> None:
    """Write the rows as the path's suffix says: `.jsonl`, `.csv` or `.parquet`, whole or not at all."""
    if not rows:
        raise ValueError(f"{path}: no task is left to ask")
    write_rows(path, rows)
