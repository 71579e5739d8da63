from __future__ import annotations

from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from earnest.protocol.errors import LabelError
from earnest.protocol.labels import (
    check_labels,
    decode_labels,
    dequantise,
    encode_labels,
    label_count,
    label_to_ranking,
    pair_bits,
    quantise,
    ranking_to_label,
    stack_labels,
)
from earnest.protocol.terms import Metric


def test_label_count() -> None:
    assert label_count(Metric.NOMINAL, 255) == 255
    assert label_count(Metric.INTERVAL, 2) == 2
    assert [label_count(Metric.RANKING, items) for items in range(2, 6)] == [2, 6, 24, 120]
    bad = [(Metric.NOMINAL, 1), (Metric.INTERVAL, 256), (Metric.RANKING, 6), (Metric.RANKING, 1)]
    for metric, classes in bad:
        with pytest.raises(LabelError, match=f"classes is {classes}; for {metric.name} it must be 2 to"):
            label_count(metric, classes)


@given(classes=st.integers(2, 255), data=st.data())
def test_labels_come_back_from_bytes(classes: int, data: st.DataObject) -> None:
    values = data.draw(st.lists(st.integers(0, classes - 1), min_size=2))
    encoded = encode_labels(values, Metric.NOMINAL, classes)
    assert decode_labels(encoded, Metric.NOMINAL, classes, len(values)) == values


@pytest.mark.parametrize(
    ("values", "metric", "classes", "message"),
    [
        ([0, 3], Metric.NOMINAL, 3, "Label 3 at position 1 is out of range; it must be 0 to 2"),
        ([-1, 0], Metric.INTERVAL, 3, "Label -1 at position 0"),
        ([24, 0], Metric.RANKING, 4, "it must be 0 to 23"),
        ([256, 0], Metric.NOMINAL, 255, "Label 256"),
    ],
)
def test_encoding_refuses_labels_out_of_range(
    values: list[int], metric: Metric, classes: int, message: str
) -> None:
    with pytest.raises(LabelError, match=message):
        encode_labels(values, metric, classes)


def test_checking_labels() -> None:
    check_labels(bytes([0, 119]), Metric.RANKING, 5, 2)
    with pytest.raises(LabelError, match="Label 120 at position 1"):
        check_labels(bytes([0, 120]), Metric.RANKING, 5, 2)
    with pytest.raises(LabelError, match="There are 3 labels; a seat of this campaign has 2"):
        check_labels(bytes(3), Metric.NOMINAL, 2, 2)
    with pytest.raises(LabelError, match="There are 0 labels"):
        decode_labels(b"", Metric.NOMINAL, 2, 2)


@given(
    levels=st.integers(2, 255),
    low=st.floats(-1e6, 1e6),
    extent=st.floats(1e-3, 1e6),
    data=st.data(),
)
def test_levels_come_back_from_the_scale(levels: int, low: float, extent: float, data: st.DataObject) -> None:
    labels = np.arange(levels, dtype=np.uint8)
    values = dequantise(labels, low, low + extent, levels)
    values = np.clip(values, low, low + extent)  # the last value may be off by the last bit
    assert (quantise(values, low, low + extent, levels) == labels).all()
    value = data.draw(st.floats(low, low + extent))
    nearest = dequantise(quantise(value, low, low + extent, levels), low, low + extent, levels)
    assert abs(nearest - value) <= extent / (levels - 1) / 2 * (1 + 1e-6) + 1e-9


def test_quantising_by_hand() -> None:
    # A scale of 0 to 10 in 5 levels has steps of 2.5; halves go up.
    assert quantise([0, 1.24, 1.25, 5, 8.76, 10], 0, 10, 5).tolist() == [0, 0, 1, 2, 4, 4]
    assert quantise([[0], [100]], 0, 100, 255).shape == (2, 1)
    assert dequantise([0, 1, 4], 0, 10, 5).tolist() == [0, 2.5, 10]


def test_scales_and_values_that_are_none() -> None:
    for low, high in [(1, 1), (2, 1), (0, float("inf")), (float("nan"), 1)]:
        with pytest.raises(LabelError, match="it must be finite and rise"):
            quantise([1], low, high, 5)
    with pytest.raises(LabelError, match="classes is 256"):
        quantise([1], 0, 1, 256)
    for value in (-0.1, 1.1, float("nan")):
        with pytest.raises(LabelError, match=f"Value {value} is not on the scale; it must be 0 to 1"):
            quantise([0.5, value], 0, 1, 5)
    with pytest.raises(LabelError, match="Level 5 is out of range; it must be 0 to 4"):
        dequantise([5], 0, 1, 5)


def test_lehmer_codes_by_hand() -> None:
    assert ranking_to_label((0, 1, 2)) == 0
    # c = (2, 0, 0): two items after the first are smaller; 2 · 2! = 4.
    assert ranking_to_label((2, 0, 1)) == 4
    # c = (1, 2, 0, 0): 1 · 3! + 2 · 2! = 10.
    assert ranking_to_label((1, 3, 0, 2)) == 10
    assert ranking_to_label((4, 3, 2, 1, 0)) == 119


@pytest.mark.parametrize("items", [2, 3, 4, 5])
def test_rankings_come_back_from_labels(items: int) -> None:
    rankings = list(permutations(range(items)))
    assert sorted(map(ranking_to_label, rankings)) == list(range(len(rankings)))
    for ranking in rankings:
        assert label_to_ranking(ranking_to_label(ranking), items) == ranking


def test_what_is_no_ranking() -> None:
    for ranking in [(0, 0, 1), (1, 2, 3), (0, 2)]:
        with pytest.raises(LabelError, match="is no ranking"):
            ranking_to_label(ranking)
    with pytest.raises(LabelError, match="classes is 6"):
        ranking_to_label(range(6))
    for label in (-1, 6):
        with pytest.raises(LabelError, match=f"Label {label} is out of range; it must be 0 to 5"):
            label_to_ranking(label, 3)


def test_pair_bits_by_hand() -> None:
    # The pairs of 3 items are (0,1), (0,2), (1,2). In (2, 0, 1), label 4, item 2 comes before 0 and before 1.
    assert pair_bits(3)[4] == 0b110
    # (1, 0, 2), label 2: only 1 comes before 0.
    assert pair_bits(3)[2] == 0b001
    assert pair_bits(3)[0] == 0
    assert pair_bits(5)[119] == 0b1111111111


@pytest.mark.parametrize("items", [2, 3, 4, 5])
def test_pair_bits_count_discordant_pairs(items: int) -> None:
    table = pair_bits(items)
    assert not table.flags.writeable
    for label, bits in enumerate(table.tolist()):
        for other, other_bits in enumerate(table.tolist()):
            first, second = label_to_ranking(label, items), label_to_ranking(other, items)
            discordant = sum(
                (first.index(a) - first.index(b)) * (second.index(a) - second.index(b)) < 0
                for a, b in combinations(range(items), 2)
            )
            assert (bits ^ other_bits).bit_count() == discordant


def test_stacking_labels() -> None:
    labels, revealed = stack_labels([[b"\0\1", b""], [b"\1\1", b"\1\0"]], Metric.NOMINAL, 2, 2)
    assert labels.tolist() == [[[0, 1], [0, 0]], [[1, 1], [1, 0]]]
    assert revealed.tolist() == [[True, False], [True, True]]
    assert stack_labels([], Metric.NOMINAL, 2, 2)[0].shape == (0, 0, 2)
    with pytest.raises(LabelError, match="Label 2 at position 0"):
        stack_labels([[b"\2\0"]], Metric.NOMINAL, 2, 2)
    with pytest.raises(LabelError, match="Batch 1 has 0 seats, not 1"):
        stack_labels([[b""], []], Metric.NOMINAL, 2, 2)
