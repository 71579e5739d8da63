"""The score of one batch (design, section 4) in plain loops, to be read and to be compared with.

Slow: `crossed` goes through all pairs of positions. `score` computes the same for whole campaigns.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from itertools import combinations

from earnest.protocol.audit import AuditRow, check_row
from earnest.protocol.errors import ScoreError
from earnest.protocol.labels import check_labels, label_count, label_to_ranking
from earnest.protocol.score import ABSENT, UNSCORED
from earnest.protocol.terms import BPS, Metric, Terms


def scores(
    terms: Terms, labels: Sequence[bytes], labelers: Sequence[Hashable], row: AuditRow | None = None
) -> list[int]:
    """The scores of one batch by lane, in bps, UNSCORED or ABSENT; arguments and errors as `score.scores`."""
    _check(terms, labels, labelers, row)
    found = []
    for lane, given in enumerate(labels):
        if not given:
            found.append(ABSENT)
        elif terms.audited and row is None:
            found.append(UNSCORED)
        else:
            found.append(_weighted_mean(terms, _signals(terms, labels, labelers, row, lane)))
    return found


def distance(metric: Metric, classes: int, x: int, y: int) -> int:
    """δ: how far apart two labels are."""
    if metric is Metric.NOMINAL:
        return int(x != y)
    if metric is Metric.INTERVAL:
        return (x - y) ** 2
    first, second = label_to_ranking(x, classes), label_to_ranking(y, classes)
    return sum(
        (first.index(a) < first.index(b)) != (second.index(a) < second.index(b))
        for a, b in combinations(range(classes), 2)
    )


def observed(metric: Metric, classes: int, u: Sequence[int], v: Sequence[int]) -> int:
    """O: the disagreement of two answers to the same task, summed over the tasks."""
    return sum(distance(metric, classes, x, y) for x, y in zip(u, v, strict=True))


def crossed(metric: Metric, classes: int, u: Sequence[int], v: Sequence[int]) -> int:
    """X: the disagreement of answers to different tasks, summed over all ordered pairs of tasks."""
    return sum(
        distance(metric, classes, x, y) for t, x in enumerate(u) for other, y in enumerate(v) if t != other
    )


def agreement(metric: Metric, classes: int, u: Sequence[int], v: Sequence[int]) -> int:
    """The agreement of two aligned strings of n ≥ 2 labels, in bps."""
    n = len(u)
    chance = crossed(metric, classes, u, v)
    if chance == 0:
        return 0
    ratio = trunc_div(BPS * (chance - (n - 1) * observed(metric, classes, u, v)), chance)
    return max(-BPS, min(BPS, ratio))


def peers(
    terms: Terms, labels: Sequence[bytes], labelers: Sequence[Hashable], shared: Sequence[int], lane: int
) -> int | None:
    """The upper median of a seat's agreements with its peers; None with fewer than 2 peers or positions."""
    if len(shared) < 2:
        return None
    own = _at(labels[lane], shared)
    agreements = [
        agreement(terms.metric, terms.classes, own, _at(given, shared))
        for other, given in enumerate(labels)
        if given and labelers[other] != labelers[lane]
    ]
    return upper_median(agreements) if len(agreements) >= 2 else None


def gold(terms: Terms, labels: Sequence[bytes], row: AuditRow, lane: int) -> int | None:
    """A seat's agreement with the known answers that are not void; None with fewer than 2 of them."""
    valid = [
        (position, known)
        for position, known in row.gold
        if not _void(terms, [(given[position], known) for given in labels if given])
    ]
    return _agreement_of_pairs(terms, [(labels[lane][position], known) for position, known in valid])


def repeats(terms: Terms, labels: Sequence[bytes], row: AuditRow, lane: int) -> int | None:
    """A seat's agreement with itself over the repeated pairs that are not void; None with fewer than 2."""
    valid = [
        (first, second)
        for first, second in row.repeats
        if not _void(terms, [(given[first], given[second]) for given in labels if given])
    ]
    own = labels[lane]
    return _agreement_of_pairs(terms, [(own[first], own[second]) for first, second in valid])


def fails(metric: Metric, classes: int, x: int, y: int) -> bool:
    """Whether a seat that answers x where y is known, or was its other answer, fails that check."""
    if metric is Metric.NOMINAL:
        return x != y
    if metric is Metric.INTERVAL:
        return 4 * abs(x - y) > classes - 1
    return 2 * distance(metric, classes, x, y) > classes * (classes - 1) // 2


def upper_median(values: Sequence[int]) -> int:
    """Of m values sorted from the largest the one at index ⌊(m − 1) / 2⌋."""
    return sorted(values, reverse=True)[(len(values) - 1) // 2]


def trunc_div(numerator: int, denominator: int) -> int:
    """Division toward zero by a positive denominator."""
    quotient = abs(numerator) // denominator
    return quotient if numerator >= 0 else -quotient


def _signals(
    terms: Terms, labels: Sequence[bytes], labelers: Sequence[Hashable], row: AuditRow | None, lane: int
) -> list[tuple[int, int | None]]:
    """Each signal's weight, and the signal."""
    if row is None:
        return [(terms.weights.peers, peers(terms, labels, labelers, range(terms.batch_size), lane))]
    return [
        (terms.weights.peers, peers(terms, labels, labelers, row.shared, lane)),
        (terms.weights.gold, gold(terms, labels, row, lane)),
        (terms.weights.repeats, repeats(terms, labels, row, lane)),
    ]


def _weighted_mean(terms: Terms, weighted: Sequence[tuple[int, int | None]]) -> int:
    there = [(weight, signal) for weight, signal in weighted if signal is not None and weight > 0]
    if not there:
        return UNSCORED
    return trunc_div(sum(weight * signal for weight, signal in there), sum(weight for weight, _ in there))


def _void(terms: Terms, answers: Sequence[tuple[int, int]]) -> bool:
    failed = sum(fails(terms.metric, terms.classes, x, y) for x, y in answers)
    return 4 * failed > 3 * len(answers)


def _agreement_of_pairs(terms: Terms, pairs: Sequence[tuple[int, int]]) -> int | None:
    if len(pairs) < 2:
        return None
    return agreement(terms.metric, terms.classes, [x for x, _ in pairs], [y for _, y in pairs])


def _at(labels: bytes, positions: Sequence[int]) -> list[int]:
    return [labels[position] for position in positions]


def _check(terms: Terms, labels: Sequence[bytes], labelers: Sequence[Hashable], row: AuditRow | None) -> None:
    if not len(labels) == len(labelers) == terms.cohort:
        raise ScoreError(f"{len(labels)} seats and {len(labelers)} labelers; both must be {terms.cohort}.")
    for given in labels:
        if given:
            check_labels(given, terms.metric, terms.classes, terms.batch_size)
    if row is not None:
        if not terms.audited:
            raise ScoreError("There is an audit row; the terms have no audit.")
        check_row(row, terms.batch_size, label_count(terms.metric, terms.classes))
