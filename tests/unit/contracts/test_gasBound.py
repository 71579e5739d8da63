from random import Random

import pytest
from eth_utils.crypto import keccak

from earnest.protocol.audit import AuditRow, encipher, encode_row
from earnest.protocol.labels import label_count
from earnest.protocol.terms import Metric

MOST_GAS = 2**24
MOST_POSITIONS = 8_160
KEY = keccak(b"gas")
# What Earnest needs beside the referee in the same transaction: the draw of fifteen seats, their slots, the
# hashes of their labels, the fee.
EARNEST_GAS = 500_000


@pytest.mark.anvil
@pytest.mark.parametrize("cohort", [3, 15])
@pytest.mark.parametrize("audited", [False, True], ids=["plain", "audited"])
@pytest.mark.parametrize(
    ("metric", "classes"),
    [(Metric.NOMINAL, 2), (Metric.NOMINAL, 255), (Metric.INTERVAL, 255), (Metric.RANKING, 5)],
)
def test_given_the_largest_batch_that_terms_allow(chain, referee, metric, classes, audited, cohort):
    def bound(size):
        return referee.gasBound((metric, classes, size, audited, (1, 1, 1)), cohort)

    size, over = 2, MOST_POSITIONS + 1
    while over - size > 1:
        middle = (size + over) // 2
        size, over = (middle, over) if bound(middle) <= MOST_GAS else (size, middle)
    random, count = Random(1), label_count(metric, classes)
    labels = [bytes(random.randrange(1, count) for _ in range(size)) for _ in range(cohort)]
    row = _fullest_row(random, size, labels[0], count) if audited else b""
    call = referee.score.encode_input(
        (metric, classes, size, audited, (1, 1, 1)),
        [f"0x{lane + 1:040x}" for lane in range(cohort)],
        b"".join(labels),
        row,
        KEY,
        0,
    )
    # The node's own call: Ape would trace one that runs out of gas, step by step.
    gas = bound(size) - EARNEST_GAS
    request = {"to": referee.address, "data": "0x" + bytes(call).hex(), "gas": hex(gas)}
    answer = chain.provider.make_request("eth_call", [request, "latest"])
    assert len(answer) == 2 + 64


def _fullest_row(random, size, answers, label_count):
    """Everything shared, everything gold, and as many repeats as there can be."""
    row = AuditRow(
        shared=tuple(range(size)),
        gold=tuple((position, answers[position]) for position in range(size)),
        repeats=tuple((first, random.randrange(first + 1, size)) for first in range(size - 1)),
    )
    return encipher(encode_row(row, size, label_count), KEY, 0)
