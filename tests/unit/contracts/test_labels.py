import pytest
from kit import reverts

from earnest.protocol.labels import label_count
from earnest.protocol.terms import Metric

NOMINAL, INTERVAL, RANKING = Metric
SIZES = [2, 3, 127, 128, 129, 200, 254, 255]
LENGTHS = [1, 31, 32, 33, 70]


@pytest.mark.parametrize(
    ("metric", "classes"),
    [(NOMINAL, 2), (NOMINAL, 255), (INTERVAL, 17), *[(RANKING, items) for items in range(2, 6)]],
)
def test_when_asked_for_the_size_of_a_metric(referee, metric, classes):
    assert referee.labelSize(metric, classes) == label_count(metric, classes)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("length", LENGTHS)
def test_when_every_label_is_in_range(referee, size, length):
    referee.checkLabels(NOMINAL, size, bytes(length))
    referee.checkLabels(INTERVAL, size, bytes([size - 1] * length))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("length", LENGTHS)
def test_when_a_label_is_out_of_range(referee, size, length):
    """Beside labels as large as they may be, which is where sums inside one word would spill."""
    for position in {0, length // 2, length - 1}:
        for label in {size, 255}:
            labels = bytearray([size - 1] * length)
            labels[position] = label
            labels[-1] = label
            with reverts(referee.LabelOutOfRange, position=position, label=label, size=size):
                referee.checkLabels(NOMINAL, size, bytes(labels))


@pytest.mark.parametrize("metric", Metric)
def test_when_there_are_no_labels(referee, metric):
    referee.checkLabels(metric, 3, b"")
