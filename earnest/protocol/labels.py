"""Labels as bytes (design, section 3): one byte a label, for three metrics."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from itertools import combinations, permutations
from math import factorial
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from earnest.protocol.errors import LabelError
from earnest.protocol.terms import MAX_CLASSES, MAX_ITEMS, MIN_CLASSES, Metric

MAX_PAIRS: Final = MAX_ITEMS * (MAX_ITEMS - 1) // 2


def label_count(metric: Metric, classes: int) -> int:
    """How many different labels there are: `classes`, for rankings `classes!`.

    Raises LabelError when the metric does not go with so many classes, levels or items.
    """
    most = MAX_ITEMS if metric is Metric.RANKING else MAX_CLASSES
    if not MIN_CLASSES <= classes <= most:
        raise LabelError(f"classes is {classes}; for {metric.name} it must be {MIN_CLASSES} to {most}.")
    return factorial(classes) if metric is Metric.RANKING else classes


def encode_labels(values: Iterable[int], metric: Metric, classes: int) -> bytes:
    """Class indexes, levels, or Lehmer codes as a seat's label bytes.

    Raises LabelError when one is out of range.
    """
    size = label_count(metric, classes)
    listed = list(values)
    for position, value in enumerate(listed):
        if not 0 <= value < size:
            raise _out_of_range(value, position, size)
    return bytes(listed)


def decode_labels(labels: bytes, metric: Metric, classes: int, batch_size: int) -> list[int]:
    """A seat's label bytes as class indexes, levels, or Lehmer codes; raises LabelError as `check_labels`."""
    check_labels(labels, metric, classes, batch_size)
    return list(labels)


def check_labels(labels: bytes, metric: Metric, classes: int, batch_size: int) -> None:
    """Raise LabelError unless the bytes can be revealed: `batch_size` of them, each in range."""
    size = label_count(metric, classes)
    if len(labels) != batch_size:
        raise LabelError(f"There are {len(labels)} labels; a seat of this campaign has {batch_size}.")
    if max(labels, default=0) >= size:
        position = next(at for at, label in enumerate(labels) if label >= size)
        raise _out_of_range(labels[position], position, size)


def quantise(values: ArrayLike, low: float, high: float, levels: int) -> NDArray[np.uint8]:
    """Values of a numeric scale as the nearest of `levels` evenly spaced levels, `low` as 0; halves go up.

    Any shape in, the same shape out. Raises LabelError for a scale without extent, a number of levels outside
    2 … 255, and values that are not on the scale (NaN included).
    """
    _check_scale(low, high, levels)
    given = np.asarray(values, dtype=np.float64)
    outside = ~((given >= low) & (given <= high))
    if outside.any():
        raise LabelError(f"Value {given[outside].flat[0]} is not on the scale; it must be {low} to {high}.")
    nearest: NDArray[np.float64] = np.floor((given - low) / (high - low) * (levels - 1) + 0.5)
    return nearest.astype(np.uint8)


def dequantise(labels: ArrayLike, low: float, high: float, levels: int) -> NDArray[np.float64]:
    """The scale's value for each level (the reverse of `quantise`); any shape in, the same shape out.

    Raises LabelError for a scale as `quantise` does, and for levels out of range.
    """
    _check_scale(low, high, levels)
    given = np.asarray(labels)
    outside = (given < 0) | (given >= levels)
    if outside.any():
        raise LabelError(f"Level {given[outside].flat[0]} is out of range; it must be 0 to {levels - 1}.")
    return low + given.astype(np.float64) * ((high - low) / (levels - 1))


def ranking_to_label(ranking: Sequence[int]) -> int:
    """The Lehmer code of a ranking (item indexes, best first); raises LabelError for no permutation."""
    items = len(ranking)
    label_count(Metric.RANKING, items)
    if sorted(ranking) != list(range(items)):
        raise LabelError(f"{list(ranking)} is no ranking; it must hold each of 0 to {items - 1} once.")
    return sum(
        sum(after < item for after in ranking[place + 1 :]) * factorial(items - 1 - place)
        for place, item in enumerate(ranking)
    )


def label_to_ranking(label: int, items: int) -> tuple[int, ...]:
    """The ranking (item indexes, best first) of a Lehmer code. Raises LabelError when it is out of range."""
    size = label_count(Metric.RANKING, items)
    if not 0 <= label < size:
        raise LabelError(f"Label {label} is out of range; it must be 0 to {size - 1}.")
    left = list(range(items))
    ranking = []
    for place in range(items):
        smaller, label = divmod(label, factorial(items - 1 - place))
        ranking.append(left.pop(smaller))
    return tuple(ranking)


@cache
def pair_bits(items: int) -> NDArray[np.uint16]:
    """For each label of a ranking of `items` its pair bits, shape (items!,), read-only.

    Bit `q` belongs to the `q`-th pair `a < b` in the order (0,1), (0,2), …, (1,2), … and is 1 when `b` is
    ranked before `a`; the distance of two rankings is the number of bits in which they differ.
    """
    label_count(Metric.RANKING, items)
    # permutations() goes in lexicographic order, which is the order of the Lehmer codes.
    table = np.array([_pair_word(ranking) for ranking in permutations(range(items))], dtype=np.uint16)
    table.flags.writeable = False
    return table


def stack_labels(
    labels: Sequence[Sequence[bytes]], metric: Metric, classes: int, batch_size: int
) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """Label bytes, by batch and lane, as arrays: labels (batches, K, B) and whether revealed (batches, K).

    Empty bytes are a seat that did not reveal. Raises LabelError as `check_labels`, and when the cohorts are
    not all of one size.
    """
    cohort = len(labels[0]) if labels else 0
    stacked = np.zeros((len(labels), cohort, batch_size), dtype=np.uint8)
    revealed = np.zeros((len(labels), cohort), dtype=np.bool_)
    for batch, seats in enumerate(labels):
        if len(seats) != cohort:
            raise LabelError(f"Batch {batch} has {len(seats)} seats, not {cohort} as batch 0 has.")
        for lane, given in enumerate(seats):
            if given:
                check_labels(given, metric, classes, batch_size)
                stacked[batch, lane] = np.frombuffer(given, dtype=np.uint8)
                revealed[batch, lane] = True
    return stacked, revealed


def _out_of_range(label: int, position: int, size: int) -> LabelError:
    return LabelError(f"Label {label} at position {position} is out of range; it must be 0 to {size - 1}.")


def _check_scale(low: float, high: float, levels: int) -> None:
    if not (np.isfinite(low) and np.isfinite(high) and low < high):
        raise LabelError(f"The scale is {low} to {high}; it must be finite and rise.")
    label_count(Metric.INTERVAL, levels)


def _pair_word(ranking: tuple[int, ...]) -> int:
    pairs = combinations(range(len(ranking)), 2)
    return sum((ranking.index(b) < ranking.index(a)) << q for q, (a, b) in enumerate(pairs))
