from itertools import permutations
from random import Random

import pytest
from kit import reverts

from earnest.protocol import reference
from earnest.protocol.labels import label_count
from earnest.protocol.terms import Metric

NOMINAL, INTERVAL, RANKING = Metric


@pytest.mark.parametrize(("u", "v"), [(b"\0", b""), (b"\0\1", b"\0"), (b"\0\1", b"\0\1\0")])
def test_when_the_strings_differ_in_length(referee, u, v):
    with reverts(referee.WrongLength, length=len(v), required=len(u)):
        referee.agreement(NOMINAL, 3, u, v)


def test_when_the_strings_are_longer_than_the_largest_batch(referee):
    long = bytes(8_161)
    with reverts(referee.WrongLength, length=8_161, required=8_160):
        referee.agreement(NOMINAL, 3, long, long)


@pytest.mark.parametrize(("u", "v"), [(b"\0\3", b"\0\0"), (b"\0\0", b"\0\3")])
def test_when_a_label_is_out_of_range(referee, u, v):
    with reverts(referee.LabelOutOfRange, position=1, label=3, size=3):
        referee.agreement(NOMINAL, 3, u, v)


@pytest.mark.parametrize("metric", Metric)
@pytest.mark.parametrize("labels", [b"", b"\1"])
def test_when_the_strings_are_shorter_than_two(referee, metric, labels):
    assert referee.agreement(metric, 3, labels, labels) == 0


@pytest.mark.parametrize("metric", Metric)
def test_when_there_is_nothing_to_disagree_about(referee, metric):
    assert referee.agreement(metric, 3, b"\1" * 40, b"\1" * 40) == 0
    assert referee.agreement(metric, 3, b"\0\1", b"\1\0") == 0  # where different tasks were answered alike


@pytest.mark.parametrize("metric", Metric)
@pytest.mark.parametrize("labels", [b"\0\1", b"\0\1\2" * 11, b"\0" * 31 + b"\1\1"])
def test_when_the_strings_are_equal(referee, metric, labels):
    assert referee.agreement(metric, 3, labels, labels) == 10_000


@pytest.mark.parametrize("metric", Metric)
def test_when_the_strings_are_opposite(referee, metric):
    """O = 3 and X = 2 distances: without the clamp it would be minus two."""
    most = label_count(metric, 3) - 1
    assert referee.agreement(metric, 3, bytes([0, most, most]), bytes([most, 0, 0])) == -10_000
    ten, turned = bytes([0, most] * 5), bytes([most, 0] * 5)
    found = referee.agreement(metric, 3, ten, turned)
    assert found == reference.agreement(metric, 3, ten, turned)
    assert -10_000 <= found < -7_000


@pytest.mark.parametrize("metric", Metric)
def test_when_one_string_is_constant(referee, metric):
    labels, constant = [0, 0, 1, 2], bytes([1] * 4)
    found = [referee.agreement(metric, 3, bytes(order), constant) for order in permutations(labels)]
    assert found == [0] * 24


@pytest.mark.parametrize("length", [2, 3, 31, 32, 33, 100])
@pytest.mark.parametrize(
    ("metric", "classes"), [(NOMINAL, 2), (NOMINAL, 255), (INTERVAL, 7), (INTERVAL, 255), (RANKING, 5)]
)
def test_when_the_strings_are_any(referee, metric, classes, length):
    random, size = Random(length), label_count(metric, classes)
    u, v = (bytes(random.randrange(size) for _ in range(length)) for _ in range(2))
    expected = reference.agreement(metric, classes, u, v)
    assert referee.agreement(metric, classes, u, v) == expected == referee.agreement(metric, classes, v, u)
