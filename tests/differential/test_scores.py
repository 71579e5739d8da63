"""`Referee.score`, `agreement` and `checkLabels` against the Python copy, to the last bit."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest

from differential.cohorts import Cohort, cohort
from differential.runs import RUNS, Rejected, seeds
from earnest.protocol import reference, score
from earnest.protocol.audit import open_row
from earnest.protocol.errors import LabelError
from earnest.protocol.labels import check_labels, label_count
from earnest.protocol.settlement import pack
from earnest.protocol.terms import Metric

PLAIN = 1_500  # pairs of labels up to which the plain loops of `reference` are quick enough


def on_chain(referee, given: Cohort) -> int:
    labels = b"".join(given.labels)
    return referee("score", given.rubric, given.revealed, labels, given.row, given.key, given.batch)


def in_python(given: Cohort) -> list[int]:
    terms = given.terms
    row = None
    if terms.audited and any(given.key):
        size = label_count(terms.metric, terms.classes)
        row = open_row(given.row, given.key, given.batch, terms.batch_size, size)
    found = score.scores(terms, given.labels, given.labelers, row)
    if terms.cohort * terms.batch_size <= PLAIN // 10:
        assert found == reference.scores(terms, given.labels, given.labelers, row), f"seed {given.seed}"
    return found


@pytest.mark.parametrize("count", RUNS)
def test_scores(referee, count):
    kinds = set()
    for seed in seeds(count):
        given = cohort(seed)
        found = in_python(given)
        assert on_chain(referee, given) == pack(found), f"seed {seed}: {given.terms}"
        kinds.update(min(one, 0) if one in (score.ABSENT, score.UNSCORED) else 1 for one in found)
    assert kinds == {score.ABSENT, score.UNSCORED, 1}


@pytest.mark.anvil
@pytest.mark.parametrize("size", [2_048, 4_096, 8_129, 8_159, 8_160])
@pytest.mark.parametrize("metric", list(Metric))
def test_scores_of_the_largest_batches(referee, metric, size):
    """Counters that could spill would here."""
    found = [given for given in map(_large(size), range(40)) if given.terms.metric is metric][:4]
    assert found
    for given in found:
        assert on_chain(referee, given) == pack(in_python(given)), f"seed {given.seed}"


def _large(size):
    return lambda seed: cohort(seed, sizes=(size,))


@pytest.mark.parametrize("count", RUNS)
def test_agreements(referee, count):
    for seed in seeds(count):
        given = cohort(seed)
        metric, classes = given.terms.metric, given.terms.classes
        strings = [labels for labels in given.labels if labels][:2]
        if len(strings) < 2:
            continue
        u, v = (np.frombuffer(labels, dtype=np.uint8) for labels in strings)
        expected = int(score.agreement(metric, classes, u, v))
        assert referee("agreement", int(metric), classes, *strings) == expected, f"seed {seed}"


@pytest.mark.parametrize("length", [0, 1])
@pytest.mark.parametrize("metric", list(Metric))
def test_agreement_of_too_few_labels_is_none(referee, metric, length):
    assert referee("agreement", int(metric), 4, bytes(length), bytes(length)) == 0


@pytest.mark.parametrize("count", RUNS)
def test_labels_that_can_be_revealed(referee, count):
    accepted = 0
    for seed in seeds(count):
        random = Random(seed)
        metric = random.choice(list(Metric))
        classes = random.randint(2, 5 if metric is Metric.RANKING else 255)
        size = label_count(metric, classes)
        labels = bytearray(random.randrange(size) for _ in range(random.randint(0, 100)))
        if labels and random.random() < 0.5:
            labels[random.randrange(len(labels))] = random.choice([size - 1, min(size, 255), 127, 128, 255])
        valid = _is_valid(bytes(labels), metric, classes)
        accepted += valid
        assert _accepts(referee, metric, classes, bytes(labels)) == valid, f"seed {seed}"
    assert 0 < accepted < count


@pytest.mark.parametrize("size", [2, 3, 127, 128, 129, 254, 255])
def test_every_byte_as_a_label(referee, size):
    for at in (0, 31, 32, 40):
        for label in (0, 1, size - 1, size, 127, 128, 255):
            labels = bytes(at) + bytes([min(label, 255)]) + bytes(3)
            assert _accepts(referee, Metric.NOMINAL, size, labels) == (min(label, 255) < size)


def _is_valid(labels: bytes, metric: Metric, classes: int) -> bool:
    try:
        check_labels(labels, metric, classes, len(labels))
    except LabelError:
        return False
    return True


def _accepts(referee, metric: Metric, classes: int, labels: bytes) -> bool:
    try:
        referee("checkLabels", int(metric), classes, labels)
    except Rejected:
        return False
    return True
