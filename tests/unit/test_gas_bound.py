"""`Referee.gasBound` is a bound, and no wild one, of what refereeing a batch of the worst kind needs."""

import pytest
from figures import gas

from earnest.protocol.terms import Metric

NOMINAL, INTERVAL, RANKING = Metric

# Metric, classes, K and B. The worst of each kind: everybody reveals, a posting is void, accounts are new.
SMALL = [
    (NOMINAL, 2, 3, 2),
    (NOMINAL, 16, 7, 32),
    (NOMINAL, 255, 5, 33),
    (INTERVAL, 255, 7, 100),
    (RANKING, 5, 4, 64),
]
LARGE = [
    (NOMINAL, 255, 7, 512),
    (INTERVAL, 255, 15, 256),
    (RANKING, 5, 15, 128),
    (NOMINAL, 2, 3, 2_048),
]
ADMITTED = [
    (NOMINAL, 255, 15, 512),
    (INTERVAL, 255, 15, 512),
    (RANKING, 5, 15, 512),
    (NOMINAL, 255, 7, 2_048),
    (INTERVAL, 255, 7, 2_048),
    (NOMINAL, 16, 5, 4_096),
    (INTERVAL, 255, 5, 4_096),
]
LARGEST = [(NOMINAL, 16, 15), (NOMINAL, 255, 3), (INTERVAL, 255, 7), (RANKING, 5, 5)]


@pytest.fixture(scope="module")
def node():
    with gas.Node() as node:
        yield node


@pytest.mark.anvil
@pytest.mark.parametrize("audited", [False, True], ids=["plain", "audited"])
@pytest.mark.parametrize(("metric", "classes", "cohort", "size"), SMALL + LARGE)
def test_bounds_the_worst_case_and_at_most_doubles_it(node, metric, classes, cohort, size, audited):
    shape = gas.Shape(metric, classes, cohort, size, audited=audited)
    needed, bound = gas.refereeing(node, shape)
    assert needed <= bound <= 2 * needed, f"{shape}: {needed:,} needed, {bound:,} the bound"


@pytest.mark.anvil
@pytest.mark.parametrize(("metric", "classes", "cohort", "size"), ADMITTED)
def test_admits_batches_as_large_as_anyone_wants(node, metric, classes, cohort, size):
    shape = gas.Shape(metric, classes, cohort, size, audited=True)
    assert node.referee.functions.gasBound(shape.rubric, cohort).call() <= gas.MOST_GAS


@pytest.mark.anvil
@pytest.mark.parametrize(("metric", "classes", "cohort"), LARGEST)
def test_the_largest_batch_that_is_admitted_can_be_refereed(node, metric, classes, cohort):
    def admitted(size):
        rubric = gas.Shape(metric, classes, cohort, size, audited=True).rubric
        return node.referee.functions.gasBound(rubric, cohort).call() <= gas.MOST_GAS

    low, high = 2, 8_160
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if admitted(middle) else (low, middle - 1)
    needed, bound = gas.refereeing(node, gas.Shape(metric, classes, cohort, low, audited=True))
    assert needed <= bound <= min(gas.MOST_GAS, 2 * needed)
