"""Shortcuts: features of a task that give the gold answer away, such as "the longest option is always
right".

A feature is one of three kinds:

* a number for each task: compared between the answers by Kruskal & Wallis' H (1952);
* a category for each task: compared by Pearson's χ² (1900);
* a number for each option of each task, [n, C]: the rank of the right option among the task's options must
  be as good as drawn at random, which Pearson's χ² tests against equal frequencies.

The null distribution is that of random permutations of the gold answers (of the options, for the last
kind), which holds for few items and for ties; p-values of several features are corrected by Holm (1979).
The strength is how much better than chance the feature alone predicts the answer: 0 not at all, 1 always.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

Codes: TypeAlias = NDArray[np.int64]

GROUPS = 4
"""Groups of like size into which a numeric feature is cut, to predict from it and to balance by it."""


@dataclass(frozen=True)
class Shortcut:
    """What was found about a feature: `p` corrected for the number of features, `strength` in [0, 1], and
    whether it counts as a shortcut.
    """

    feature: str
    kind: str
    p: float
    strength: float
    is_shortcut: bool


def find_shortcuts(
    answer: ArrayLike,
    features: Mapping[str, ArrayLike],
    *,
    classes: int,
    level: float = 0.05,
    strength: float = 0.1,
    permutations: int = 2000,
    seed: int = 0,
) -> list[Shortcut]:
    """Test every feature against the gold answers [n] (class indices below `classes`).

    A feature is a shortcut when its corrected p is at most `level` and its strength at least `strength`.
    """
    gold = np.asarray(answer, np.int64)
    if len(gold) and not ((gold >= 0) & (gold < classes)).all():
        raise ValueError(f"gold answers must be class indices from 0 to {classes - 1}")
    if permutations * level < 1:
        raise ValueError(f"{permutations} permutations cannot show a p of {level}")
    raw = []
    for name, values in features.items():
        kind, column = _kind(name, values, len(gold), classes)
        rng = np.random.default_rng(seed)
        p, power = _test(kind, column, gold, classes, permutations, rng) if len(gold) > 1 else (1.0, 0.0)
        raw.append((name, kind, p, power))
    corrected = _holm(np.array([p for _, _, p, _ in raw]))
    return [
        Shortcut(name, kind, float(p), power, bool(p <= level and power >= strength))
        for (name, kind, _, power), p in zip(raw, corrected, strict=True)
    ]


def strata(name: str, values: ArrayLike, answer: Codes, classes: int) -> Codes:
    """Group of each item [n] in which the feature says nothing more about the answer: its category, its
    quarter, or the rank of the right option.
    """
    kind, column = _kind(name, values, len(answer), classes)
    if kind == "option":
        return np.rint(2 * _right_rank(column, answer)).astype(np.int64)
    return _groups(column) if kind == "number" else np.asarray(column, np.int64)


def _kind(name: str, values: ArrayLike, size: int, classes: int) -> tuple[str, NDArray[Any]]:
    column = np.asarray(values)
    if column.dtype.kind == "O":
        column = column.astype(str)
    if len(column) != size or column.ndim not in (1, 2):
        raise ValueError(
            f"feature {name!r} must have {size} values, or {size} × {classes}, not {column.shape}"
        )
    if column.ndim == 2 and column.shape[1] != classes:
        raise ValueError(f"feature {name!r} must have a value for each of the {classes} options")
    if column.dtype.kind in "iuf":
        numbers = column.astype(np.float64)
        if not np.isfinite(numbers).all():
            raise ValueError(f"feature {name!r} must have finite values")
        return ("number" if column.ndim == 1 else "option"), numbers
    if column.ndim == 2:
        raise ValueError(f"feature {name!r} must give a number for each option")
    return "category", np.unique(column, return_inverse=True)[1]


def _test(
    kind: str, column: NDArray[Any], gold: Codes, classes: int, permutations: int, rng: np.random.Generator
) -> tuple[float, float]:
    """The p-value by permutation, and the strength."""
    if kind == "option":
        ranks = rankdata(column, axis=1)
        every = rng.integers(classes, size=(permutations, len(gold)))
        drawn = ranks[np.arange(len(gold)), every]
        null = np.array([_rank_statistic(row, ranks) for row in drawn])
        right = ranks[np.arange(len(gold)), gold]
        seen = _rank_statistic(right, ranks)
        # Always taking the option of the likeliest rank.
        best = max((right == rank).mean() - 1 / classes for rank in np.unique(ranks))
        return _p(seen, null), max(0.0, float(best / (1 - 1 / classes))) if classes > 1 else 0.0
    shuffled = rng.permuted(np.broadcast_to(gold, (permutations, len(gold))), axis=1)
    if kind == "number":
        ranks = rankdata(column)
        seen, null = _between(ranks, gold, classes), np.array([_between(ranks, g, classes) for g in shuffled])
        group = _groups(column)
    else:
        group = np.asarray(column, np.int64)
        seen, null = _chi2(group, gold, classes), np.array([_chi2(group, g, classes) for g in shuffled])
    hits = _guessed(group, gold, classes)
    base = np.mean([_guessed(group, each, classes) for each in shuffled[:200]])
    return _p(seen, null), max(0.0, float((hits - base) / (1 - base))) if base < 1 else 0.0


def _p(seen: float, null: NDArray[np.float64]) -> float:
    return float((1 + (null >= seen - 1e-9).sum()) / (1 + len(null)))


def _between(ranks: NDArray[np.float64], gold: Codes, classes: int) -> float:
    """Sum of squares of ranks between the classes: H up to a factor that permutations share."""
    size = np.bincount(gold, minlength=classes)
    total = np.bincount(gold, ranks - ranks.mean(), minlength=classes)
    return float((total[size > 0] ** 2 / size[size > 0]).sum())


def _counts(group: Codes, gold: Codes, classes: int) -> NDArray[np.int64]:
    table = np.bincount(group * classes + gold, minlength=(int(group.max()) + 1) * classes)
    return table.reshape(-1, classes)


def _chi2(group: Codes, gold: Codes, classes: int) -> float:
    table = _counts(group, gold, classes)
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / len(gold)
    used = expected > 0
    return float(((table - expected)[used] ** 2 / expected[used]).sum())


def _guessed(group: Codes, gold: Codes, classes: int) -> float:
    """Share of right guesses of who knows the likeliest answer of each group."""
    return float(_counts(group, gold, classes).max(axis=1).sum() / len(gold))


def _rank_statistic(right: NDArray[np.float64], ranks: NDArray[np.float64]) -> float:
    """χ² of the right options' ranks against the frequencies of all options' ranks."""
    levels = np.unique(ranks)
    expected = np.array([(ranks == level).sum() for level in levels]) / ranks.shape[1]
    seen = np.array([(right == level).sum() for level in levels])
    return float(((seen - expected) ** 2 / expected).sum())


def _right_rank(column: NDArray[np.float64], answer: Codes) -> NDArray[np.float64]:
    return np.asarray(rankdata(column, axis=1)[np.arange(len(answer)), answer])


def _groups(column: NDArray[np.float64]) -> Codes:
    """Cut by quantiles; equal values stay together."""
    edges = np.unique(np.quantile(column, np.arange(1, GROUPS) / GROUPS)) if len(column) else np.zeros(0)
    return np.searchsorted(edges, column, side="left").astype(np.int64)


def _holm(p: NDArray[np.float64]) -> NDArray[np.float64]:
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)) if len(p) else p
    corrected = np.empty(len(p))
    corrected[order] = np.minimum(stepped, 1)
    return corrected
