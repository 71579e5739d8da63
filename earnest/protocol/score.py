"""Scores of whole campaigns at once (design, section 4); `reference` has the same in plain loops.

All three metrics are squared distances: δ(x, y) = ‖φ(x) − φ(y)‖², where φ is the level itself for
`Interval`, the pair bits for `Ranking`, and the class's unit vector, over √2, for `Nominal`. So with `Q =
Σ_t ‖φ(u_t)‖²` and `S = Σ_t φ(u_t)` of each of the two strings, `Σ_{t,t'} δ(u_t, v_t') = n·(Q_u + Q_v) −
2·S_u·S_v`, of which `observed` is the part with t = t' and `crossed` the rest. For `Nominal` everything is
taken twice, so that it stays whole; the agreement is a ratio and does not see it.

Everything is exact in int64: `crossed` and `(n − 1)·observed` are at most n²·254² < 2^48 for the largest
batch (n ≤ 65,535), neither is negative, so that their difference is no larger, and 10,000 times that is
below 2^62.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from math import prod
from typing import Final

import numpy as np
from numpy.typing import NDArray

from earnest.protocol.audit import AuditRow, check_row
from earnest.protocol.errors import ScoreError
from earnest.protocol.labels import MAX_PAIRS, label_count, pair_bits, stack_labels
from earnest.protocol.terms import BPS, Metric, Terms

UNSCORED: Final = -32_768
ABSENT: Final = -32_767
NO_SIGNAL: Final = -32_768

# How many array elements a chunk of batches may take; small enough to stay in the processor's cache.
_CHUNK: Final = 1 << 20

# How many pair bits are set in each word of them.
_BIT_COUNTS: Final = np.array([word.bit_count() for word in range(1 << MAX_PAIRS)], dtype=np.uint8)

Labels = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Int64s = NDArray[np.int64]


@dataclass(frozen=True)
class Signals:
    """What a seat's score is made of, each of shape (batches, K), in bps; NO_SIGNAL where there is none."""

    peers: Int64s
    gold: Int64s
    repeats: Int64s


def scores(
    terms: Terms, labels: Sequence[bytes], labelers: Sequence[Hashable], row: AuditRow | None = None
) -> list[int]:
    """The scores of one batch by lane, in bps, or UNSCORED, or ABSENT.

    `labels` and `labelers` by lane, empty bytes for a seat that did not reveal. `row` is the batch's audit
    row in the clear; in a campaign with an audit None means that it does not parse or that the key was not
    disclosed. Raises LabelError, AuditError or ScoreError for what does not fit the terms.
    """
    stacked, revealed = stack_labels([labels], terms.metric, terms.classes, terms.batch_size)
    names = list(dict.fromkeys(labelers))
    ids = np.array([[names.index(labeler) for labeler in labelers]], dtype=np.int64)
    rows = [row] if terms.audited or row is not None else None
    found: list[int] = score_campaign(terms, stacked, revealed, ids, rows)[0].tolist()
    return found


def score_campaign(
    terms: Terms,
    labels: Labels,
    revealed: Mask,
    labelers: NDArray[np.generic],
    rows: Sequence[AuditRow | None] | None = None,
) -> NDArray[np.int16]:
    """The scores of all batches by lane, in bps, or UNSCORED, or ABSENT; shape (batches, K).

    `labels` (batches, K, B) uint8, `revealed` (batches, K), `labelers` (batches, K) of anything that
    compares; what stands in `labels` for a seat that did not reveal makes no difference. `rows` are the
    audit rows in the clear: None for one that does not parse, None for all of them when the key was not
    disclosed. Raises LabelError, AuditError or ScoreError for what does not fit the terms.
    """
    found = signals(terms, labels, revealed, labelers, rows)
    return combine(terms, found, revealed)


def combine(terms: Terms, found: Signals, revealed: Mask) -> NDArray[np.int16]:
    """Scores from signals: their weighted mean toward zero, UNSCORED or ABSENT; shape (batches, K)."""
    total = np.zeros(revealed.shape, dtype=np.int64)
    weight = np.zeros(revealed.shape, dtype=np.int64)
    weighted = (
        (terms.weights.peers, found.peers),
        (terms.weights.gold, found.gold),
        (terms.weights.repeats, found.repeats),
    )
    for share, signal in weighted:
        there = signal != NO_SIGNAL
        total += np.where(there, share * signal, 0)
        weight += np.where(there, share, 0)
    score = np.where(weight > 0, _trunc(total, np.maximum(weight, 1)), UNSCORED)
    return np.where(revealed, score, ABSENT).astype(np.int16)


def signals(
    terms: Terms,
    labels: Labels,
    revealed: Mask,
    labelers: NDArray[np.generic],
    rows: Sequence[AuditRow | None] | None = None,
) -> Signals:
    """The three signals of all seats; arguments and errors as `score_campaign`."""
    _check(terms, labels, revealed, labelers, rows)
    batches = len(labels)
    peers, gold, repeats = (np.full((batches, terms.cohort), NO_SIGNAL, dtype=np.int64) for _ in range(3))
    for part in _chunks(terms, batches):
        there = revealed[part]
        given = np.where(there[:, :, None], labels[part], np.uint8(0))
        checks = _checks(terms, len(given), rows[part] if rows is not None else None)
        peers[part] = _peers(terms, given, there, labelers[part], checks.shared)
        if terms.audited:
            gold[part] = _gold(terms, given, there, checks.gold)
            repeats[part] = _repeats(terms, given, there, checks.repeats)
    return Signals(peers, gold, repeats)


def agreement(metric: Metric, classes: int, u: Labels, v: Labels) -> Int64s:
    """The agreement of aligned label strings along the last axis, in bps; the other axes broadcast.

    Labels must be in range and strings must have 2 labels or more: ScoreError otherwise.
    """
    length = u.shape[-1]
    if length < 2 or v.shape[-1] != length:
        raise ScoreError(f"The strings have {length} and {v.shape[-1]} labels; it must be one number ≥ 2.")
    size = label_count(metric, classes)
    if max(u.max(initial=0), v.max(initial=0)) >= size:
        raise ScoreError(f"A label is {max(u.max(), v.max())}; it must be 0 to {size - 1}.")
    every = np.ones(length, dtype=np.bool_)
    a, b = (_side(metric, classes, labels, every) for labels in (u, v))
    return _agreement(metric, a, b, np.int64(length))


def void(terms: Terms, u: Labels, v: Labels, revealed: Mask) -> Mask:
    """Which checks are void, (batches, width): more than three quarters of the revealed seats fail them.

    `u` and `v`, (batches, K, width) or 1 for K, are the answers compared, `revealed` is (batches, K).
    """
    failed = _fails(terms.metric, terms.classes, u, v) & revealed[:, :, None]
    found: Mask = 4 * failed.sum(axis=1) > 3 * revealed.sum(axis=1)[:, None]
    return found


@dataclass(frozen=True)
class _Side:
    """Label strings made ready to be compared, any shape before the last axis."""

    codes: NDArray[np.uint8 | np.uint16]  # (…, n): equal on both sides where masked, so that they add nothing
    squares: Int64s  # (…): Q
    sums: Int64s  # (…, features): S

    def __getitem__(self, lanes: NDArray[np.intp]) -> _Side:
        return _Side(self.codes[:, lanes], self.squares[:, lanes], self.sums[:, lanes])


@dataclass(frozen=True)
class _Pairs:
    """Two numbers a check, a row of checks a batch, filled up to one width: shapes (batches, width)."""

    left: Int64s
    right: Int64s
    there: Mask


@dataclass(frozen=True)
class _Checks:
    """The audit rows of some batches as arrays. A row that was not opened shares and checks nothing."""

    shared: Mask  # (batches, B)
    gold: _Pairs  # position, label
    repeats: _Pairs  # first, second


def _peers(
    terms: Terms, labels: Labels, revealed: Mask, labelers: NDArray[np.generic], shared: Mask
) -> Int64s:
    lanes = terms.cohort
    i, j = np.triu_indices(lanes, 1)
    n = shared.sum(axis=-1)
    side = _side(terms.metric, terms.classes, labels, shared[:, None, :])
    between = np.zeros((len(labels), lanes, lanes), dtype=np.int64)
    between[:, i, j] = _agreement(terms.metric, side[i], side[j], n[:, None])
    between += between.swapaxes(1, 2)
    peer = revealed[:, :, None] & revealed[:, None, :] & (labelers[:, :, None] != labelers[:, None, :])
    found = peer.sum(axis=-1)
    ranked = np.sort(np.where(peer, between, NO_SIGNAL), axis=-1)
    index = lanes - 1 - np.maximum(found - 1, 0) // 2
    median = np.take_along_axis(ranked, index[..., None], axis=-1)[..., 0]
    return np.where((found >= 2) & (n >= 2)[:, None], median, NO_SIGNAL)


def _gold(terms: Terms, labels: Labels, revealed: Mask, gold: _Pairs) -> Int64s:
    answers = np.take_along_axis(labels, gold.left[:, None, :], axis=2)
    known = gold.right[:, None, :].astype(np.uint8)
    return _checked(terms, answers, known, revealed, gold.there)


def _repeats(terms: Terms, labels: Labels, revealed: Mask, repeats: _Pairs) -> Int64s:
    firsts = np.take_along_axis(labels, repeats.left[:, None, :], axis=2)
    seconds = np.take_along_axis(labels, repeats.right[:, None, :], axis=2)
    return _checked(terms, firsts, seconds, revealed, repeats.there)


def _checked(terms: Terms, u: Labels, v: Labels, revealed: Mask, there: Mask) -> Int64s:
    """The agreement of each seat's u with its v, (batches, K, width) or 1 for K, over the checks not void."""
    valid = there & ~void(terms, u, v, revealed)
    n = valid.sum(axis=-1)[:, None]
    a, b = (_side(terms.metric, terms.classes, labels, valid[:, None, :]) for labels in (u, v))
    return np.where(revealed & (n >= 2), _agreement(terms.metric, a, b, n), NO_SIGNAL)


def _fails(metric: Metric, classes: int, u: Labels, v: Labels) -> Mask:
    if metric is Metric.NOMINAL:
        failed: Mask = u != v
    elif metric is Metric.INTERVAL:
        failed = 4 * np.abs(np.subtract(u, v, dtype=np.int64)) > classes - 1
    else:
        bits = pair_bits(classes)
        failed = 2 * _BIT_COUNTS[bits[u] ^ bits[v]] > classes * (classes - 1) // 2
    return failed


def _side(metric: Metric, classes: int, labels: Labels, mask: Mask) -> _Side:
    if metric is Metric.NOMINAL:
        codes = np.where(mask, labels, np.uint8(classes))
        counts = _counts(codes, classes + 1)[..., :classes]
        return _Side(codes, counts.sum(axis=-1), counts)
    if metric is Metric.INTERVAL:
        levels = np.where(mask, labels, np.uint8(0))
        squares = np.square(levels, dtype=np.int32).sum(axis=-1, dtype=np.int64)
        return _Side(levels, squares, levels.sum(axis=-1, dtype=np.int64, keepdims=True))
    bits = np.where(mask, pair_bits(classes)[labels], np.uint16(0))
    pairs = range(classes * (classes - 1) // 2)
    ones = np.stack([(bits >> pair & 1).sum(axis=-1, dtype=np.int64) for pair in pairs], axis=-1)
    return _Side(bits, ones.sum(axis=-1), ones)


def _counts(codes: NDArray[np.uint8], size: int) -> Int64s:
    """How often each of `size` codes stands along the last axis; shape (…, size)."""
    shape = codes.shape[:-1]
    strings = prod(shape)
    offsets = np.arange(strings, dtype=np.int64).reshape(*shape, 1) * size
    return np.bincount((codes + offsets).ravel(), minlength=strings * size).reshape(*shape, size)


def _agreement(metric: Metric, a: _Side, b: _Side, n: Int64s | np.int64) -> Int64s:
    observed = _observed(metric, a, b)
    crossed = n * (a.squares + b.squares) - 2 * np.einsum("...f,...f->...", a.sums, b.sums) - observed
    ratio = _trunc(BPS * (crossed - (n - 1) * observed), np.maximum(crossed, 1))
    return np.where(crossed > 0, np.clip(ratio, -BPS, BPS), 0)


def _observed(metric: Metric, a: _Side, b: _Side) -> Int64s:
    if metric is Metric.NOMINAL:
        apart = a.codes != b.codes
    elif metric is Metric.INTERVAL:
        apart = np.square(np.subtract(a.codes, b.codes, dtype=np.int32))
    else:
        apart = _BIT_COUNTS[a.codes ^ b.codes]
    total: Int64s = apart.sum(axis=-1, dtype=np.int64)
    return 2 * total if metric is Metric.NOMINAL else total


def _trunc(numerator: Int64s, denominator: Int64s) -> Int64s:
    """Division toward zero by a positive denominator; NumPy's own rounds down."""
    quotient: Int64s = np.sign(numerator) * (np.abs(numerator) // denominator)
    return quotient


def _checks(terms: Terms, batches: int, rows: Sequence[AuditRow | None] | None) -> _Checks:
    opened = list(rows) if rows is not None else [None] * batches
    shared = np.full((batches, terms.batch_size), not terms.audited)
    for batch, row in enumerate(opened):
        if row is not None:
            shared[batch, list(row.shared)] = True
    return _Checks(
        shared,
        _pairs([row.gold if row is not None else () for row in opened]),
        _pairs([row.repeats if row is not None else () for row in opened]),
    )


def _pairs(listed: Sequence[tuple[tuple[int, int], ...]]) -> _Pairs:
    lengths = np.array([len(pairs) for pairs in listed], dtype=np.int64)
    there = np.arange(lengths.max(initial=0)) < lengths[:, None]
    filled = np.zeros((*there.shape, 2), dtype=np.int64)
    filled[there] = np.array(list(chain.from_iterable(listed)), dtype=np.int64).reshape(-1, 2)
    return _Pairs(filled[..., 0], filled[..., 1], there)


def _chunks(terms: Terms, batches: int) -> Iterator[slice]:
    size = terms.cohort**2 * max(terms.batch_size, label_count(terms.metric, terms.classes) + 1)
    step = max(1, _CHUNK // size)
    return (slice(start, start + step) for start in range(0, batches, step))


def _check(
    terms: Terms,
    labels: Labels,
    revealed: Mask,
    labelers: NDArray[np.generic],
    rows: Sequence[AuditRow | None] | None,
) -> None:
    size = label_count(terms.metric, terms.classes)
    seats = (len(labels), terms.cohort)
    if labels.dtype != np.uint8 or labels.shape != (*seats, terms.batch_size):
        raise ScoreError(
            f"labels are {labels.dtype} of shape {labels.shape}; they must be uint8 of shape "
            f"(batches, {terms.cohort}, {terms.batch_size})."
        )
    if revealed.dtype != np.bool_ or revealed.shape != seats:
        raise ScoreError(f"revealed is {revealed.dtype} of {revealed.shape}; it must be bool of {seats}.")
    if labelers.shape != seats:
        raise ScoreError(f"labelers are of shape {labelers.shape}; it must be {seats}.")
    wrong = (labels >= size) & revealed[..., None]
    if wrong.any():
        batch, lane, position = np.argwhere(wrong)[0]
        raise ScoreError(
            f"Label {labels[batch, lane, position]} in batch {batch}, lane {lane}, position {position} "
            f"is out of range; it must be 0 to {size - 1}."
        )
    if rows is None:
        return
    if not terms.audited:
        raise ScoreError("There are audit rows; the terms have no audit.")
    if len(rows) != len(labels):
        raise ScoreError(f"There are {len(rows)} audit rows; it must be {len(labels)}, one for each batch.")
    for row in rows:
        if row is not None:
            check_row(row, terms.batch_size, size)
