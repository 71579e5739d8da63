from __future__ import annotations

from collections import Counter
from hashlib import sha256
from random import Random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from earnest.experimenter.errors import ExperimenterError
from earnest.experimenter.layout import Deal, arrange, choose_shape
from earnest.experimenter.settings import AuditSettings
from earnest.protocol.audit import check_row


@given(
    number=st.integers(2, 150),
    known=st.integers(0, 40),
    classes=st.integers(1, 4),
    seats=st.integers(3, 7),
    positions=st.one_of(st.none(), st.integers(2, 60)),
    shared=st.floats(0, 1),
    gold=st.integers(0, 8),
    repeats=st.integers(0, 6),
    seed=st.integers(0, 2**64),
)
def test_every_layout_keeps_the_rules(number, known, classes, seats, positions, shared, gold, repeats, seed):
    random = Random(seed)
    answers = {task: random.randrange(classes) for task in range(min(known, number))}
    audit = AuditSettings(shared=shared, gold=gold, repeats=repeats)
    try:
        shape = choose_shape(number, len(answers), seats, positions, audit)
    except ExperimenterError:
        assume(False)
    layout = arrange(shape, number, answers, deal(seed))

    assert positions in (None, shape.positions)
    assert len(layout.batches) == shape.batches
    assert len(layout.rows) == (shape.batches if audit.wanted else 0)
    stands = {task for batch in layout.batches for lane in batch for task in lane}
    assert stands == set(range(number))
    golden = [task for batch in gold_of(layout) for task in batch] if layout.rows else []
    assert len(set(golden)) == len(golden)
    for batch, lanes in enumerate(layout.batches):
        assert len(lanes) == (seats if shape.single else 1)
        row = layout.rows[batch] if layout.rows else None
        pairs = dict(row.repeats) if row else {}
        if row is not None:
            check_row(row, shape.positions, classes + 1)
            assert len(row.repeats) == repeats
            assert len(row.gold) == gold
            assert len(row.shared) == shape.shared
            assert not set(pairs.values()) & (set(row.shared) | set(pairs))
        for lane in lanes:
            assert len(lane) == shape.positions
            first = [task for position, task in enumerate(lane) if position not in pairs.values()]
            assert len(set(first)) == len(first) == shape.positions - repeats
            assert all(lane[a] == lane[b] for a, b in pairs.items())
            if row is not None:
                assert all(answers[lane[position]] == label for position, label in row.gold)
                assert all(lane[position] == lanes[0][position] for position in row.shared)


def deal(seed):
    return Deal(sha256(str(seed).encode()).digest())


def gold_of(layout):
    """The gold tasks of each batch."""
    both = zip(layout.batches, layout.rows, strict=True)
    return [[lanes[0][position] for position, _ in row.gold] for lanes, row in both]


def test_gold_is_spread_over_classes():
    answers = {task: int(task >= 40) for task in range(60)}  # 40 of one class, 20 of the other
    shape = choose_shape(300, 60, 5, 50, AuditSettings(gold=6))
    for row in arrange(shape, 300, answers, deal(1)).rows:
        assert sorted(Counter(label for _, label in row.gold).values()) == [3, 3]


def test_a_rare_class_is_in_every_batch_that_it_suffices_for():
    answers = {task: int(task < 3) for task in range(24)}
    for seed in range(20):
        layout = arrange(choose_shape(60, 24, 3, 20, AuditSettings(gold=6)), 60, answers, deal(seed))
        assert [sum(task < 3 for task in batch) for batch in gold_of(layout)] == [1, 1, 1]


def test_how_often_a_task_stands_does_not_tell_gold():
    """One that were gold in several batches would stand out in the public manifest."""
    answers = {task: task % 2 for task in range(60)}
    layout = arrange(choose_shape(1_000, 60, 3, 20, AuditSettings(gold=1)), 1_000, answers, deal(1))
    batches = [{task for lane in batch for task in lane} for batch in layout.batches]
    times = Counter(task for batch in batches for task in batch)
    gold = {task for batch in gold_of(layout) for task in batch}
    assert {times[task] for task in gold} == {1}
    with pytest.raises(ExperimenterError, match="takes 500 known answers, and there are 60"):
        choose_shape(1_000, 60, 3, 20, AuditSettings(gold=10))


def test_every_task_stands_somewhere_however_uneven_the_gold():
    answers = {task: int(task < 3) for task in range(24)}
    shape = choose_shape(40, 24, 3, 20, AuditSettings(gold=6))
    layout = arrange(shape, 40, answers, deal(1))
    assert {task for batch in layout.batches for lane in batch for task in lane} == set(range(40))


def test_a_key_deals_the_same_again_and_its_purposes_tell_nothing_of_each_other():
    one, again, other = Deal(bytes(32)), Deal(bytes(32)), Deal(b"\x01" + bytes(31))
    assert one.shuffled(range(50), "work") == again.shuffled(range(50), "work")
    purposes = (("work",), ("a", 1), ("a", 11))
    orders = [tuple(each.shuffled(range(50), *purpose)) for each in (one, other) for purpose in purposes]
    assert len(set(orders)) == len(orders)
    assert all(sorted(order) == list(range(50)) for order in orders)


def test_a_deal_is_even():
    firsts = Counter(deal(seed).shuffled(range(4), "work")[0] for seed in range(2_000))
    assert all(abs(firsts[task] - 500) < 100 for task in range(4))


def test_repeats_stand_well_apart():
    shape = choose_shape(200, 0, 5, 100, AuditSettings(repeats=15))
    for row in arrange(shape, 200, {}, deal(2)).rows:
        assert min(second - first for first, second in row.repeats) >= 25


def test_a_few_common_positions_are_decoys_only_beside_single_ones():
    assert choose_shape(200, 0, 5, 100, AuditSettings(shared=0.5)).decoys == 5
    assert choose_shape(200, 0, 5, 100, AuditSettings(repeats=5)).decoys == 0


@pytest.mark.parametrize(
    ("tasks", "batches", "positions"),
    [(30, 1, 30), (101, 1, 101), (150, 1, 150), (201, 2, 101), (1_000, 10, 100), (1_090, 10, 109)],
)
def test_batches_are_large_enough_for_fair_slashing_and_no_larger(tasks, batches, positions):
    shape = choose_shape(tasks, 0, 5, None, AuditSettings())
    assert (shape.batches, shape.positions) == (batches, positions)


def test_with_single_positions_the_shared_ones_count():
    shape = choose_shape(2_000, 0, 5, None, AuditSettings(shared=0.8))
    assert shape.shared >= 100
    assert choose_shape(2_000, 0, 5, None, AuditSettings(shared=0.1)).positions <= 110


def test_single_positions_make_labels_go_further():
    whole = choose_shape(1_000, 0, 5, 100, AuditSettings())
    mixed = choose_shape(1_000, 0, 5, 100, AuditSettings(shared=0.2))
    assert (whole.batches, mixed.batches) == (10, 3)


@pytest.mark.parametrize(
    ("positions", "audit", "wrong"),
    [
        (20, AuditSettings(gold=5), "takes 15 known answers, and there are 4 .* gold of at most 1"),
        (20, AuditSettings(gold=4, shared=0.3), "gold is 4 of the 6 positions .* share at least 40%"),
        (60, AuditSettings(), "shows 60 different tasks, and there are 50: take positions of at most 50"),
        (20, AuditSettings(repeats=6), "of 20 positions at most 5 can be repeats"),
        (20, AuditSettings(gold=4, shared=0.1), "shares only 2"),
        (4, AuditSettings(gold=4), "some must be left for work"),
    ],
)
def test_refuses(positions, audit, wrong):
    with pytest.raises(ExperimenterError, match=wrong):
        choose_shape(50, 4, 5, positions, audit)


def test_one_task_is_no_batch():
    with pytest.raises(ExperimenterError, match="There is 1 task; there must be at least 2"):
        choose_shape(1, 0, 5, None, AuditSettings())
