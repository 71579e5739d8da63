"""Real crowd labels, most of them with known truth: to try estimators on, and to measure them with.

`SOURCES.md` beside this file names where each set comes from and under which licence; `meta.json` in its
folder, the very commit and paths.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from earnest.consensus.table import LabelTable, RatingTable, read_columns

FOLDER = Path(__file__).parent

CATEGORICAL = ("bluebird", "dog", "face", "product", "rte", "sentiment", "temp", "wsd")
RATINGS = ("affect_joy", "affect_valence", "nflx_public", "vqeg_525_line_high")


@dataclass(frozen=True, eq=False)
class ClassDataset:
    """Answers that are classes, and the true class of each task by id."""

    name: str
    table: LabelTable
    truth: dict[str, str]
    meta: dict[str, Any]


@dataclass(frozen=True, eq=False)
class RatingDataset:
    """Answers that are numbers, and the true value of each task by id; empty where nobody knows it."""

    name: str
    table: RatingTable
    truth: dict[str, float]
    meta: dict[str, Any]


def load(name: str) -> ClassDataset | RatingDataset:
    """Load any of the sets; ValueError on any other name."""
    return load_ratings(name) if name in RATINGS else load_classes(name)


def load_classes(name: str) -> ClassDataset:
    """Load one of `CATEGORICAL`; ValueError on any other name. Ids are strings."""
    folder = _folder(name, CATEGORICAL)
    task, worker, label = read_columns(folder / "labels.csv", "task", "worker", "label")
    truth = dict(zip(*read_columns(folder / "truth.csv", "task", "label"), strict=True))
    classes = sorted({*label, *truth.values()})
    table = LabelTable.from_columns(task, worker, label, classes=classes)
    return ClassDataset(name, table, truth, _meta(folder))


def load_ratings(name: str) -> RatingDataset:
    """Load one of `RATINGS`; ValueError on any other name. Ids are strings."""
    folder = _folder(name, RATINGS)
    known = zip(*read_columns(folder / "truth.csv", "task", "label"), strict=True)
    truth = {task: float(value) for task, value in known}
    return RatingDataset(name, RatingTable.from_csv(folder / "labels.csv"), truth, _meta(folder))


def _folder(name: str, names: tuple[str, ...]) -> Path:
    if name not in names:
        raise ValueError(f"no such dataset: {name!r}; there are {', '.join(names)}")
    return FOLDER / name


def _meta(folder: Path) -> dict[str, Any]:
    meta: dict[str, Any] = json.loads((folder / "meta.json").read_text(encoding="utf-8"))
    return meta
