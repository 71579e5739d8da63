"""Tasks that can serve as gold: reliable workers agree on them, no class is more frequent than another, and
no feature of the task gives the answer away.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from earnest.consensus.result import ClassConsensus
from earnest.consensus.table import LabelTable
from earnest.next.shortcuts import Codes, Shortcut, find_shortcuts, strata


@dataclass(frozen=True, eq=False)
class GoldSet:
    """`tasks`, indices of the chosen tasks, as many of each class, and their `answers`, class indices.

    `shortcuts` is what was found in the candidates, `remaining` in the chosen ones. When a shortcut
    remains, the set is refused: `tasks` is empty and `refused` says why. `candidates` [C] counts them by
    class.
    """

    tasks: NDArray[np.int64]
    answers: Codes
    candidates: Codes
    shortcuts: list[Shortcut]
    remaining: list[Shortcut]
    refused: str | None


def choose_gold(
    result: ClassConsensus,
    table: LabelTable,
    features: Mapping[str, ArrayLike] | None = None,
    *,
    per_class: int | None = None,
    confidence: float = 0.98,
    reliable: float = 0.7,
    agree: int = 3,
    agreement: float = 0.9,
    **test: Any,
) -> GoldSet:
    """Choose gold tasks, `per_class` of each class or as many as the rarest class has.

    A candidate has a consensus of at least `confidence`; at least `agree` workers of reliability `reliable`
    or more gave that answer, and they are a share of at least `agreement` of all such workers who answered.
    With a shortcut in an option's rank, ranks are made equally frequent, which rounds `per_class` down to a
    multiple of their number. `features` have one row for each of the table's tasks (`shortcuts` says which
    kinds there are); a feature that gives the answer away is balanced out, and when it cannot be, the set
    is refused. `test` goes to `find_shortcuts`.
    """
    if not np.array_equal(result.tasks, table.tasks) or not np.array_equal(result.classes, table.classes):
        raise ValueError("the result and the table must be of the same tasks and classes")
    if per_class is not None and per_class < 1:
        raise ValueError(f"per_class must be at least 1, not {per_class}")
    classes = len(result.classes)
    columns = {name: np.asarray(values) for name, values in (features or {}).items()}
    for name, column in columns.items():
        if len(column) != len(table.tasks):
            raise ValueError(
                f"feature {name!r} must have {len(table.tasks)} rows, one a task, not {len(column)}"
            )
    pool = candidates(
        result, table, confidence=confidence, reliable=reliable, agree=agree, agreement=agreement
    )
    answer = result.label[pool].astype(np.int64)
    number = np.bincount(answer, minlength=classes)

    def found(at: NDArray[np.int64]) -> list[Shortcut]:
        chosen = {name: column[pool[at]] for name, column in columns.items()}
        return find_shortcuts(answer[at], chosen, classes=classes, **test)

    shortcuts = found(np.arange(len(pool)))
    wanted = int(number.min()) if per_class is None else per_class
    if number.min() < wanted or wanted == 0:
        short = int(number.argmin())
        name = result.classes[short].item()
        lack = f"class {name!r} has {number[short]} candidates, fewer than the {max(wanted, 1)} wanted"
        return GoldSet(pool[:0], answer[:0], number, shortcuts, [], lack)
    # The surest first; what is equally sure in the order of the tasks.
    ranked = np.lexsort((pool, -result.confidence[pool]))
    everywhere = np.zeros(len(pool), np.int64)
    kept = _balanced(ranked, answer, everywhere, everywhere, classes, wanted)
    remaining = found(kept)
    guilty = [each for each in shortcuts if each.is_shortcut]
    guilty += [
        each for each in remaining if each.is_shortcut and each.feature not in {g.feature for g in guilty}
    ]
    if guilty:
        cell, level = _strata(guilty, columns, pool, answer, classes)
        wanted -= wanted % (int(level.max()) + 1)
        kept = _balanced(ranked, answer, cell, level, classes, wanted)
        remaining = found(kept)
    left = [each.feature for each in remaining if each.is_shortcut]
    why: str | None = None
    if len(kept) == 0 or (per_class is not None and len(kept) < classes * wanted):
        names = ", ".join(each.feature for each in guilty)
        why = f"only {len(kept) // classes} tasks of each class are left once {names} is balanced"
    elif left:
        why = f"the answer can still be told from {', '.join(left)}"
    if why:
        return GoldSet(pool[:0], answer[:0], number, shortcuts, remaining, why)
    kept = kept[np.argsort(pool[kept])]
    return GoldSet(pool[kept], answer[kept], number, shortcuts, remaining, None)


def candidates(
    result: ClassConsensus,
    table: LabelTable,
    *,
    confidence: float,
    reliable: float,
    agree: int,
    agreement: float,
) -> NDArray[np.int64]:
    """Indices of the tasks on which reliable workers agree."""
    trusted = result.reliability[table.worker] >= reliable
    size = len(table.tasks)
    heard = np.bincount(table.task, trusted, minlength=size)
    same = np.bincount(table.task, trusted & (table.label == result.label[table.task]), minlength=size)
    good = (result.confidence >= confidence) & (same >= agree) & (same >= agreement * heard)
    return np.flatnonzero(good)


def _strata(
    guilty: list[Shortcut],
    columns: Mapping[str, NDArray[Any]],
    pool: NDArray[np.int64],
    answer: Codes,
    classes: int,
) -> tuple[Codes, Codes]:
    """Cell of each candidate, the combination of all its strata; and its level, that of its right options'
    ranks alone.
    """

    def combination(kinds: set[str]) -> Codes:
        parts = [
            strata(each.feature, columns[each.feature][pool], answer, classes)
            for each in guilty
            if each.kind in kinds
        ]
        if not parts:
            return np.zeros(len(pool), np.int64)
        return np.unique(np.stack(parts), axis=1, return_inverse=True)[1].reshape(-1).astype(np.int64)

    return combination({"number", "category", "option"}), combination({"option"})


def _balanced(
    ranked: NDArray[np.int64], answer: Codes, cell: Codes, level: Codes, classes: int, wanted: int
) -> NDArray[np.int64]:
    """The first candidates, as many of every class within a cell and as many in all of every level; at most
    `wanted` of each class.
    """
    cells = int(cell.max()) + 1
    table = np.bincount(cell * classes + answer, minlength=cells * classes).reshape(cells, classes)
    level_of = np.zeros(cells, np.int64)
    level_of[cell] = level
    # A turn takes one candidate of each class from a cell; cells of a level take turns.
    cell_turn = np.repeat(np.arange(cells), table.min(axis=1))
    cell_turn = cell_turn[np.lexsort((cell_turn, _running(cell_turn)))]
    levels = int(level.max()) + 1
    room = int(np.bincount(level_of[cell_turn], minlength=levels).min())
    taken = cell_turn[_running(level_of[cell_turn]) < min(room, wanted // levels)]
    quota = np.bincount(taken, minlength=cells)
    key = cell[ranked] * classes + answer[ranked]
    return np.asarray(ranked[_running(key) < quota[cell[ranked]]])


def _running(key: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many equal keys stand before each one."""
    order = np.argsort(key, kind="stable")
    rank = np.empty(len(key), np.int64)
    rank[order] = np.arange(len(key)) - np.searchsorted(key[order], key[order])
    return rank
