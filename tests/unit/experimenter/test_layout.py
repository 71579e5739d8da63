from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from earnest.experimenter.errors import ExperimenterError
from earnest.experimenter.layout import arrange, choose_shape
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
    layout = arrange(shape, number, answers, random)

    assert positions in (None, shape.positions)
    assert len(layout.batches) == shape.batches
    assert len(layout.rows) == (shape.batches if audit.wanted else 0)
    stands = {task for batch in layout.batches for lane in batch for task in lane}
    assert {task for task in range(number) if task not in answers} <= stands
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
            assert len(set(first)) == len(first) == shape.distinct
            assert all(lane[a] == lane[b] for a, b in pairs.items())
            if row is not None:
                assert all(answers[lane[position]] == label for position, label in row.gold)
                assert all(lane[position] == lanes[0][position] for position in row.shared)


def test_gold_is_spread_over_classes_and_tasks():
    answers = {task: int(task >= 30) for task in range(40)}  # 30 of one class, 10 of the other
    audit = AuditSettings(gold=6)
    shape = choose_shape(300, 40, 5, 46, audit)
    layout = arrange(shape, 300, answers, Random(1))
    for row in layout.rows:
        assert sorted(Counter(label for _, label in row.gold).values()) == [3, 3]
    used = Counter(
        lanes[0][position]
        for lanes, row in zip(layout.batches, layout.rows, strict=True)
        for position, _ in row.gold
    )
    assert max(used[task] for task in range(30)) == 1


def test_repeats_stand_well_apart():
    shape = choose_shape(200, 0, 5, 100, AuditSettings(repeats=15))
    for row in arrange(shape, 200, {}, Random(2)).rows:
        assert min(second - first for first, second in row.repeats) >= 25


def test_a_few_common_positions_are_decoys_only_beside_single_ones():
    assert choose_shape(200, 0, 5, 100, AuditSettings(shared=0.5)).decoys == 5
    assert choose_shape(200, 0, 5, 100, AuditSettings(repeats=5)).decoys == 0


def test_batches_are_as_small_as_their_number_allows():
    shape = choose_shape(120, 0, 5, None, AuditSettings())
    assert (shape.batches, shape.positions) == (2, 60)
    assert choose_shape(30, 0, 5, None, AuditSettings()).positions == 30


def test_single_positions_make_labels_go_further():
    whole = choose_shape(1_000, 0, 5, 100, AuditSettings())
    mixed = choose_shape(1_000, 0, 5, 100, AuditSettings(shared=0.2))
    assert (whole.batches, mixed.batches) == (10, 3)


@pytest.mark.parametrize(
    ("positions", "audit", "wrong"),
    [
        (20, AuditSettings(gold=5), "only 4 tasks have a known answer"),
        (60, AuditSettings(), "shows 60 different tasks, and there are 50: take positions of at most 50"),
        (20, AuditSettings(repeats=6), "of 20 positions at most 5 can be repeats"),
        (20, AuditSettings(gold=4, shared=0.1), "shares only 2"),
        (4, AuditSettings(gold=4), "some must be left for work"),
    ],
)
def test_refuses(positions, audit, wrong):
    with pytest.raises(ExperimenterError, match=wrong):
        choose_shape(50, 4, 5, positions, audit)
