from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import permutations, product
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from earnest.protocol import reference, score
from earnest.protocol.audit import AuditRow
from earnest.protocol.errors import AuditError, LabelError, ScoreError
from earnest.protocol.labels import label_count, stack_labels
from earnest.protocol.score import ABSENT, NO_SIGNAL, UNSCORED
from earnest.protocol.terms import Metric, Terms, Weights

from .campaigns import METRICS, Batch, audited, batches, terms

PEERS = ("a", "b", "c", "d", "e")


def fast_agreement(metric: Metric, classes: int, u: Sequence[int], v: Sequence[int]) -> int:
    return int(score.agreement(metric, classes, np.array(u, dtype=np.uint8), np.array(v, dtype=np.uint8)))


def both(
    made: Terms, labels: Sequence[bytes], labelers: Sequence[str], row: AuditRow | None = None
) -> list[int]:
    """The scores, once it is certain that the reference and the fast copy agree on them."""
    found = reference.scores(made, labels, labelers, row)
    assert score.scores(made, labels, labelers, row) == found
    return found


# Agreement, by hand.

HAND = [
    # O = 1. Histograms (2, 2) and (1, 3): of 16 pairs 2·1 + 2·3 = 8 are equal, 8 differ, X = 8 − 1 = 7.
    # 10,000 · (7 − 3·1) / 7 = 5714.3
    (Metric.NOMINAL, 2, [0, 0, 1, 1], [0, 1, 1, 1], 5_714),
    # The same answers: O = 0.
    (Metric.NOMINAL, 4, [0, 3, 1], [0, 3, 1], 10_000),
    # All opposite: O = 4, X = 8 − 4; (4 − 12) / 4 = −2, clamped.
    (Metric.NOMINAL, 2, [0, 0, 1, 1], [1, 1, 0, 0], -10_000),
    # O = 2, X = 25 − (16 + 1) − 2 = 6: (6 − 8) / 6 = −3333.3, and toward zero, not down.
    (Metric.NOMINAL, 2, [0, 0, 0, 0, 1], [0, 0, 0, 1, 0], -3_333),
    # Always the same against always the same: X = 0.
    (Metric.NOMINAL, 2, [1, 1, 1], [1, 1, 1], 0),
    # Always 0 against always 1: O = 3, X = 6: (6 − 2·3) / 6 = 0.
    (Metric.NOMINAL, 2, [0, 0, 0], [1, 1, 1], 0),
    # n = 2, exchanged: O = 2 but X = 0.
    (Metric.NOMINAL, 2, [0, 1], [1, 0], 0),
    # O = 1. All pairs: 3·(5 + 10) − 2·3·4 = 21, X = 20: (20 − 2) / 20.
    (Metric.INTERVAL, 5, [0, 1, 2], [0, 1, 3], 9_000),
    # Far apart but in step: O = 3·100² = 30,000; all: 3·(5 + 30,605) − 2·3·303 = 90,012, X = 60,012;
    # 10,000 · (60,012 − 60,000) / 60,012 = 1.9996
    (Metric.INTERVAL, 255, [0, 1, 2], [100, 101, 102], 1),
    # The best and its reverse, both times right: O = 0.
    (Metric.RANKING, 3, [0, 5], [0, 5], 10_000),
    # Label 1 is (0, 2, 1), 5 is (2, 1, 0). O = δ(0, 0) + δ(1, 5) = 0 + 2; X = δ(0, 5) + δ(1, 0) = 3 + 1:
    # (4 − 2) / 4.
    (Metric.RANKING, 3, [0, 1], [0, 5], 5_000),
]


@pytest.mark.parametrize(("metric", "classes", "u", "v", "expected"), HAND)
def test_agreement_by_hand(metric: Metric, classes: int, u: list[int], v: list[int], expected: int) -> None:
    assert reference.agreement(metric, classes, u, v) == expected
    assert fast_agreement(metric, classes, u, v) == expected
    assert fast_agreement(metric, classes, v, u) == expected


@given(METRICS, st.data())
def test_agreement_fast_and_plain(kind: tuple[Metric, int], data: st.DataObject) -> None:
    metric, classes = kind
    label = st.integers(0, label_count(metric, classes) - 1)
    pairs = data.draw(st.lists(st.tuples(label, label), min_size=2, max_size=30))
    u, v = [x for x, _ in pairs], [y for _, y in pairs]
    found = reference.agreement(metric, classes, u, v)
    assert -10_000 <= found <= 10_000
    assert fast_agreement(metric, classes, u, v) == found
    assert reference.agreement(metric, classes, v, u) == found


def test_agreement_of_many_strings_at_once() -> None:
    rng = np.random.default_rng(0)
    u, v = (rng.integers(24, size=(3, 4, 9), dtype=np.uint8) for _ in range(2))
    found = score.agreement(Metric.RANKING, 4, u, v[:, :1])
    assert found.shape == (3, 4)
    for batch, lane in product(range(3), range(4)):
        plain = reference.agreement(Metric.RANKING, 4, u[batch, lane].tolist(), v[batch, 0].tolist())
        assert found[batch, lane] == plain


def test_agreement_of_what_cannot_be_compared() -> None:
    with pytest.raises(ScoreError, match="have 1 and 1 labels"):
        fast_agreement(Metric.NOMINAL, 2, [0], [0])
    with pytest.raises(ScoreError, match="have 2 and 3 labels"):
        fast_agreement(Metric.NOMINAL, 2, [0, 1], [0, 1, 0])
    with pytest.raises(ScoreError, match="A label is 2; it must be 0 to 1"):
        fast_agreement(Metric.NOMINAL, 2, [0, 1], [0, 2])


def exactly(metric: Metric, classes: int, u: np.ndarray, v: np.ndarray) -> int:
    """The agreement of long strings in Python's unbounded integers, from how often each label stands."""

    def apart(pairs: Counter[tuple[int, int]]) -> int:
        return sum(times * reference.distance(metric, classes, x, y) for (x, y), times in pairs.items())

    n = len(u)
    observed = apart(Counter(zip(u.tolist(), v.tolist(), strict=True)))
    counts, others = Counter(u.tolist()), Counter(v.tolist())
    every = apart(Counter({(x, y): counts[x] * others[y] for x in counts for y in others}))
    crossed = every - observed
    if crossed == 0:
        return 0
    ratio = reference.trunc_div(10_000 * (crossed - (n - 1) * observed), crossed)
    return max(-10_000, min(10_000, ratio))


@pytest.mark.parametrize(
    ("metric", "classes"), [(Metric.NOMINAL, 255), (Metric.INTERVAL, 255), (Metric.RANKING, 5)]
)
def test_no_overflow_at_the_largest_batch(metric: Metric, classes: int) -> None:
    size, top = 65_535, label_count(metric, classes) - 1
    rng = np.random.default_rng(0)
    ends = np.tile(np.array([0, top], dtype=np.uint8), size)[:size]
    cases = [
        (ends, top - ends),  # as far apart as can be: −(n−1)·O at its largest
        (ends, ends),  # X at its largest
        (np.zeros(size, dtype=np.uint8), np.full(size, top, dtype=np.uint8)),
        (rng.integers(top + 1, size=size, dtype=np.uint8), ends),
    ]
    for u, v in cases:
        assert int(score.agreement(metric, classes, u, v)) == exactly(metric, classes, u, v)


# What random answers are worth: nothing.


def numerator(metric: Metric, classes: int, u: Sequence[int], v: Sequence[int]) -> int:
    crossed = reference.crossed(metric, classes, u, v)
    return crossed - (len(u) - 1) * reference.observed(metric, classes, u, v)


@pytest.mark.parametrize(
    ("metric", "classes", "v"),
    [
        (Metric.NOMINAL, 2, [0, 0, 0, 0, 1]),
        (Metric.NOMINAL, 3, [0, 1, 2, 0]),
        (Metric.INTERVAL, 3, [0, 0, 2, 1]),
        (Metric.RANKING, 3, [0, 5, 0]),
    ],
)
def test_chance_is_counted_without_bias(metric: Metric, classes: int, v: list[int]) -> None:
    labels = range(label_count(metric, classes))
    # Any labels in an order that knows nothing of the tasks: the mean over all orders is exactly 0.
    for chosen in ([0] * len(v), [0] * (len(v) - 1) + [labels[-1]], list(v)):
        assert sum(numerator(metric, classes, u, v) for u in permutations(chosen)) == 0
    # Independent random answers, all equally likely: the same.
    assert sum(numerator(metric, classes, u, v) for u in product(labels, repeat=len(v))) == 0


def test_the_mean_agreement_of_random_answers_is_nearly_zero() -> None:
    # A ratio's mean is not the ratio of the means: at eleven positions what is left is below 1%, while plain
    # agreement would give a guesser by the class frequencies 60%.
    v = [0] * 8 + [1] * 3
    strings = np.array(list(product(range(2), repeat=len(v))), dtype=np.uint8)
    chance = np.prod(np.where(strings == 0, 8 / 11, 3 / 11), axis=1)
    found = score.agreement(Metric.NOMINAL, 2, strings, np.array(v, dtype=np.uint8))
    assert abs((chance * found).sum()) < 100
    assert abs(found.mean()) < 200


# A cohort, by hand.


def test_peers_by_hand() -> None:
    # Agreements of 4 positions, 2 classes: a–b 5,714 (above); c is the opposite of a; d never reveals.
    a, b, c = bytes([0, 0, 1, 1]), bytes([0, 1, 1, 1]), bytes([1, 1, 0, 0])
    # b–c: O = 3; histograms (1, 3), (2, 2): X = 8 − 3 = 5: (5 − 9) / 5 = −8,000. a–c −10,000.
    # Of two values sorted from the largest the upper median is the first.
    made = terms(batch_size=4, cohort=4, classes=2)
    assert both(made, [a, b, c, b""], PEERS[:4]) == [5_714, 5_714, -8_000, ABSENT]


def test_upper_median() -> None:
    cases = ([1], [1, 2], [3, 1, 2], [4, 3, 2, 1])
    assert [reference.upper_median(values) for values in cases] == [1, 2, 2, 3]


def test_two_seats_of_one_address_are_no_peers() -> None:
    made = terms(batch_size=4, cohort=4, classes=2)
    one, other, third = bytes([0, 0, 1, 1]), bytes([0, 1, 1, 1]), bytes([1, 1, 0, 0])
    # Lanes 0 and 1 are one labeler's: each is left with 5,714 and −10,000; lane 2 counts both copies: 5,714,
    # 5,714, −8,000; lane 3 as well: −8,000, −10,000, −10,000.
    assert both(made, [one, one, other, third], ["a", "a", "b", "c"]) == [5_714, 5_714, 5_714, -10_000]


def test_fewer_than_two_peers_is_no_signal() -> None:
    made = terms(batch_size=2, cohort=3, classes=2)
    seat = b"\0\1"
    assert both(made, [seat, seat, b""], PEERS[:3]) == [UNSCORED, UNSCORED, ABSENT]
    assert both(made, [seat, seat, seat], ["a", "a", "b"]) == [UNSCORED, UNSCORED, 10_000]
    assert both(made, [b"", b"", b""], PEERS[:3]) == [ABSENT] * 3
    assert both(made, [seat, b"", b""], PEERS[:3]) == [UNSCORED, ABSENT, ABSENT]


def test_all_the_same_is_worth_nothing() -> None:
    made = terms(batch_size=6, cohort=5)
    assert both(made, [bytes(6)] * 5, PEERS) == [0] * 5


def test_fewer_than_two_shared_positions_is_no_signal() -> None:
    made = audited(batch_size=3, cohort=3, weights=Weights(peers=1, gold=0, repeats=0))
    seats = [b"\0\1\2"] * 3
    assert both(made, seats, PEERS[:3], AuditRow((1,))) == [UNSCORED] * 3
    assert both(made, seats, PEERS[:3], AuditRow((1, 2))) == [10_000] * 3


def test_only_shared_positions_count_among_peers() -> None:
    made = audited(batch_size=5, cohort=3, weights=Weights(peers=1, gold=0, repeats=0))
    seats = [b"\0\1\2\0\3", b"\0\3\2\1\3", b"\0\2\2\2\3"]
    assert both(made, seats, PEERS[:3], AuditRow((0, 2, 4))) == [10_000] * 3


def test_gold_by_hand() -> None:
    made = audited(batch_size=4, cohort=3, classes=2, weights=Weights(peers=0, gold=1, repeats=0))
    row = AuditRow((0, 1, 2, 3), gold=((0, 0), (1, 1), (2, 1), (3, 1)))
    # Known 0 1 1 1: agreement with 0 0 1 1 is 5,714 and with 1 1 0 0 −8,000 (above). At most two of three
    # seats fail an item, and 4·2 > 3·3 does not hold.
    labels = [b"\0\0\1\1", b"\1\1\0\0", b"\0\1\1\1"]
    assert both(made, labels, PEERS[:3], row) == [5_714, -8_000, 10_000]


def test_gold_that_most_fail_is_void() -> None:
    made = audited(batch_size=3, cohort=4, classes=2, weights=Weights(peers=0, gold=1, repeats=0))
    row = AuditRow((0, 1, 2), gold=((0, 0), (1, 1), (2, 0)))
    # Position 2: three of four fail it, 4·3 > 3·4 does not hold: it counts. 0 1 0 against 0 1 1:
    # O = 1, X = 9 − (2·1 + 1·2) − 1 = 4: (4 − 2) / 4.
    labels = [b"\0\1\1", b"\0\1\1", b"\0\1\1", b"\0\1\0"]
    assert both(made, labels, PEERS[:4], row) == [5_000, 5_000, 5_000, 10_000]
    # All four fail it: it is void.
    assert both(made, [b"\0\1\1"] * 4, PEERS[:4], row) == [10_000] * 4
    # Three of three that revealed, too; what is void for one is void for all.
    assert both(made, [*labels[:3], b""], PEERS[:4], row) == [10_000, 10_000, 10_000, ABSENT]
    # With one of the other two void as well, fewer than two are left.
    assert both(made, [b"\0\0\1"] * 4, PEERS[:4], row) == [UNSCORED] * 4


def test_only_seats_that_revealed_say_what_is_void() -> None:
    made = audited(batch_size=3, cohort=4, classes=2, weights=Weights(peers=0, gold=1, repeats=0))
    row = AuditRow((0, 1, 2), gold=((0, 0), (1, 1), (2, 1)))
    right, wrong = b"\0\1\1", b"\0\1\0"
    # One of two fails position 2: not void. 0 1 0 against 0 1 1: 5,000 (above).
    assert both(made, [wrong, right, b"", b""], PEERS[:4], row) == [5_000, 10_000, ABSENT, ABSENT]
    # Two of two fail it: void, although two of four would not be enough.
    assert both(made, [wrong, wrong, b"", b""], PEERS[:4], row) == [10_000, 10_000, ABSENT, ABSENT]


@pytest.mark.parametrize(
    ("metric", "classes", "known", "answer", "failed"),
    [
        (Metric.NOMINAL, 3, 0, 1, True),
        (Metric.NOMINAL, 3, 1, 1, False),
        # A quarter of the scale of 5 levels is 1 level: 4·1 > 4 does not hold, 4·2 > 4 does.
        (Metric.INTERVAL, 5, 2, 3, False),
        (Metric.INTERVAL, 5, 4, 2, True),
        # Of 254: 4·63 = 252 is within, 4·64 = 256 is not.
        (Metric.INTERVAL, 255, 0, 63, False),
        (Metric.INTERVAL, 255, 254, 190, True),
        # 4 items have 6 pairs: 3 discordant ones are half, 4 are more. Label 18 = (3, 0, 1, 2) is 3 away from
        # 0, and 21 = (3, 1, 2, 0) is 5.
        (Metric.RANKING, 4, 0, 18, False),
        (Metric.RANKING, 4, 0, 21, True),
    ],
)
def test_what_it_is_to_fail(metric: Metric, classes: int, known: int, answer: int, failed: bool) -> None:
    assert reference.fails(metric, classes, answer, known) == failed
    assert reference.fails(metric, classes, known, answer) == failed
    # An item that everybody fails is void; with two others right the score tells whether it was.
    other = label_count(metric, classes) - 1 if known == 0 else 0
    only_gold = Weights(peers=0, gold=1, repeats=0)
    made = audited(batch_size=3, cohort=3, metric=metric, classes=classes, weights=only_gold)
    row = AuditRow((0, 1, 2), gold=((0, known), (1, other), (2, known)))
    found = both(made, [bytes([known, other, answer])] * 3, PEERS[:3], row)
    expected = (
        [10_000] * 3
        if failed or known == answer
        else [reference.agreement(metric, classes, [known, other, answer], [known, other, known])] * 3
    )
    assert found == expected


def test_repeats_by_hand() -> None:
    made = audited(batch_size=8, cohort=3, classes=2, weights=Weights(peers=0, gold=0, repeats=1))
    row = AuditRow((), repeats=((0, 4), (1, 5), (2, 6), (3, 7)))
    first, same, near, far = b"\0\0\1\1", b"\0\0\1\1", b"\0\1\1\1", b"\1\1\0\0"
    assert both(made, [first + same, first + near, first + far], PEERS[:3], row) == [10_000, 5_714, -10_000]
    # All contradict themselves on pairs 0 and 1, which are void; on the others they do not.
    assert both(made, [b"\0\0\0\1\1\1\0\1"] * 3, PEERS[:3], row) == [10_000] * 3
    assert both(made, [first + far] * 3, PEERS[:3], row) == [UNSCORED] * 3


def test_a_score_is_the_weighted_mean_of_the_signals_there_are() -> None:
    row = AuditRow((0, 1, 2, 3), gold=((0, 0), (1, 1), (2, 1), (3, 1)), repeats=((0, 2), (1, 3)))
    seats = [b"\0\0\1\1", b"\0\1\1\1", b"\1\1\0\0"]
    made = audited(batch_size=4, cohort=3, classes=2)
    labels, revealed = stack_labels([seats], made.metric, made.classes, made.batch_size)
    ids = np.array([[0, 1, 2]])
    found = score.signals(made, labels, revealed, ids, [row])
    assert found.peers.tolist() == [[5_714, 5_714, -8_000]]
    assert found.gold.tolist() == [[5_714, 10_000, -8_000]]
    # Pair (0, 2) is void, which leaves one.
    assert found.repeats.tolist() == [[NO_SIGNAL] * 3]
    # (2·5,714 + 3·10,000) / 5 = 8,285.6; (2·5,714 + 3·5,714) / 5 = 5,714.
    weighted = replace(made, weights=Weights(peers=2, gold=3, repeats=9))
    assert both(weighted, seats, PEERS[:3], row) == [5_714, 8_285, -8_000]
    only_repeats = replace(made, weights=Weights(peers=0, gold=0, repeats=1))
    assert both(only_repeats, seats, PEERS[:3], row) == [UNSCORED] * 3


def test_a_seat_that_did_not_reveal_has_no_signals() -> None:
    made = audited(batch_size=4, cohort=4, classes=2)
    row = AuditRow((0, 1, 2, 3), gold=((0, 0), (1, 1), (2, 1)), repeats=((0, 1), (2, 3)))
    labels, revealed = stack_labels([[b"\0\1\1\1"] * 3 + [b""]], made.metric, made.classes, made.batch_size)
    found = score.signals(made, labels, revealed, np.array([[0, 1, 2, 3]]), [row])
    assert found.gold.tolist() == [[10_000] * 3 + [NO_SIGNAL]]
    for signal in (found.peers, found.gold, found.repeats):
        assert signal[0, 3] == NO_SIGNAL


def test_the_mean_is_taken_toward_zero() -> None:
    made = terms()
    found = score.Signals(*(np.array([[value]], dtype=np.int64) for value in (-1, -2, -2)))
    there = np.array([[True]])
    weights = Weights(peers=1, gold=1, repeats=1)
    assert score.combine(replace(made, weights=weights), found, there).tolist() == [[-1]]


def test_an_audit_that_was_not_opened_scores_nobody() -> None:
    made = audited(batch_size=4, cohort=3, classes=2)
    seats = [b"\0\0\1\1", b"\0\1\1\1", b""]
    assert both(made, seats, PEERS[:3], None) == [UNSCORED, UNSCORED, ABSENT]
    labels, revealed = stack_labels([seats] * 2, made.metric, made.classes, made.batch_size)
    ids = np.array([[0, 1, 2]] * 2)
    assert score.score_campaign(made, labels, revealed, ids).tolist() == [[UNSCORED, UNSCORED, ABSENT]] * 2


# The fast copy against the reference.

FULL = (bytes([0, 1, 2, 3] * 5), bytes(20), bytes([3] * 20), b"")


@settings(max_examples=600)
@given(batches())
@example(Batch(terms(cohort=15, batch_size=20), tuple(FULL[i % 4] for i in range(15)), PEERS * 3, None))
def test_fast_and_plain(batch: Batch) -> None:
    both(batch.terms, batch.labels, batch.labelers, batch.row)


@settings(max_examples=60)
@given(batches(), st.integers(1, 5), st.integers(0, 2**32))
def test_a_campaign_is_its_batches(batch: Batch, number: int, seed: int) -> None:
    """Batches with rows of different lengths, over many chunks, and rubbish where nothing was revealed."""
    made, rng = batch.terms, np.random.default_rng(seed)
    size = label_count(made.metric, made.classes)
    labels = rng.integers(size, size=(number, made.cohort, made.batch_size), dtype=np.uint8)
    revealed = rng.random((number, made.cohort)) < 0.8
    ids = rng.integers(made.cohort, size=revealed.shape)
    some_rows = [batch.row if rng.random() < 0.5 else AuditRow((0, 1)) for _ in range(number)]
    rows = some_rows if made.audited else None
    expected = [
        reference.scores(
            made,
            [labels[at, lane].tobytes() if revealed[at, lane] else b"" for lane in range(made.cohort)],
            ids[at].tolist(),
            rows[at] if rows is not None else None,
        )
        for at in range(number)
    ]
    labels[~revealed] = 255
    assert score.score_campaign(made, labels, revealed, ids, rows).tolist() == expected
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(score, "_CHUNK", 1)
        assert score.score_campaign(made, labels, revealed, ids.astype(str), rows).tolist() == expected


def test_a_campaign_without_batches() -> None:
    made = terms()
    labels = np.zeros((0, made.cohort, made.batch_size), dtype=np.uint8)
    none = np.zeros((0, made.cohort), dtype=np.bool_)
    assert score.score_campaign(made, labels, none, none).shape == (0, made.cohort)


# What does not fit.


def arrays(made: Terms, **changes: Any) -> Iterator[Any]:
    given = {
        "labels": np.zeros((2, made.cohort, made.batch_size), dtype=np.uint8),
        "revealed": np.ones((2, made.cohort), dtype=np.bool_),
        "labelers": np.zeros((2, made.cohort), dtype=np.int64),
        "rows": None,
    }
    return iter((given | changes).values())


@pytest.mark.parametrize(
    ("made", "changes", "message"),
    [
        (terms(), {"labels": np.zeros((2, 5, 8), dtype=np.int64)}, "labels are int64 of shape"),
        (terms(), {"labels": np.zeros((2, 5, 7), dtype=np.uint8)}, "must be uint8 of shape (batches, 5, 8)"),
        (terms(), {"labels": np.full((2, 5, 8), 4, dtype=np.uint8)}, "Label 4 in batch 0, lane 0, position"),
        (terms(), {"revealed": np.ones((2, 4), dtype=np.bool_)}, "revealed is bool of (2, 4)"),
        (terms(), {"revealed": np.ones((2, 5), dtype=np.int64)}, "revealed is int64"),
        (terms(), {"labelers": np.ones((2, 4))}, "labelers are of shape (2, 4); it must be (2, 5)"),
        (terms(), {"rows": [None, None]}, "the terms have no audit"),
        (audited(), {"rows": [None]}, "There are 1 audit rows; it must be 2"),
    ],
)
def test_arrays_that_do_not_fit(made: Terms, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ScoreError) as caught:
        score.score_campaign(made, *arrays(made, **changes))
    assert message in str(caught.value)


def test_rows_that_do_not_fit() -> None:
    with pytest.raises(AuditError, match="Shared positions"):
        score.score_campaign(audited(), *arrays(audited(), rows=[None, AuditRow((8,))]))
    with pytest.raises(AuditError, match="Gold label 4"):
        score.score_campaign(audited(), *arrays(audited(), rows=[None, AuditRow((0,), gold=((0, 4),))]))


@pytest.mark.parametrize("module", [score, reference])
def test_a_batch_that_does_not_fit(module: Any) -> None:
    made = terms(cohort=3, batch_size=2)
    seat = b"\0\1"
    with pytest.raises(LabelError, match="There are 3 labels"):
        module.scores(made, [seat, seat, b"\0\0\0"], PEERS[:3])
    with pytest.raises(LabelError, match="Label 4 at position 0"):
        module.scores(made, [seat, seat, b"\4\0"], PEERS[:3])
    with pytest.raises(ScoreError):
        module.scores(made, [seat, seat], PEERS[:2])
    with pytest.raises(ScoreError):
        module.scores(made, [seat, seat, seat], PEERS[:2])
    with pytest.raises(ScoreError, match="the terms have no audit"):
        module.scores(made, [seat, seat, seat], PEERS[:3], AuditRow((0, 1)))
    with pytest.raises(AuditError, match="Shared positions"):
        module.scores(audited(cohort=3, batch_size=2), [seat] * 3, PEERS[:3], AuditRow((2,)))
