"""Estimators of classes: slow references, and what must hold for any table."""

import dataclasses

import numpy as np
import plain_classes as plain
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from earnest.consensus.dawid_skene import DawidSkene
from earnest.consensus.ebcc import EBCC
from earnest.consensus.glad import GLAD
from earnest.consensus.ibcc import IBCC
from earnest.consensus.mace import MACE
from earnest.consensus.majority import MajorityVote
from earnest.consensus.one_coin import OneCoin
from earnest.consensus.pooled import PooledDawidSkene
from earnest.consensus.stack import Stack
from earnest.consensus.table import LabelTable
from earnest.consensus.wawa import Wawa
from earnest.consensus.zero_based_skill import ZeroBasedSkill

ALL = [
    MajorityVote(),
    Wawa(),
    ZeroBasedSkill(),
    DawidSkene(),
    DawidSkene.maximum_a_posteriori(),
    PooledDawidSkene(),
    OneCoin(),
    OneCoin(right=2, wrong=1),
    IBCC(),
    EBCC(),
    GLAD(),
    MACE(),
    MACE(training="em"),
    Stack(),
]
# EBCC, MACE's restarts and the folds of the stack draw random numbers in the order of the ids.
EQUIVARIANT = [
    *(e for e in ALL if not isinstance(e, EBCC | MACE | Stack)),
    MACE(restarts=0),
    MACE(training="em", restarts=0),
]
RISING = [
    DawidSkene(tolerance=0),
    DawidSkene(right=4, wrong=1, classes=1, tolerance=0),
    OneCoin(tolerance=0),
    OneCoin(right=2, wrong=1, tolerance=0),
    IBCC(tolerance=0),
    EBCC(tolerance=0),
    GLAD(tolerance=0),
    MACE(tolerance=0, restarts=0),
    MACE(training="em", tolerance=0, restarts=0),
]
WITH_CONFUSION = [e for e in ALL if not isinstance(e, MajorityVote | Wawa | ZeroBasedSkill | GLAD)]

FEW = 25
"""Examples of tests that every estimator has to pass."""


def name(estimator):
    return repr(estimator)[:40]


@st.composite
def answers(draw, max_tasks=8, max_workers=6, max_classes=4):
    """Rows (task, worker, answer) with 0 … T−1, 0 … W−1, 0 … C−1 all in use but for some classes; and C."""
    classes = draw(st.integers(2, max_classes))
    workers = draw(st.integers(1, max_workers))
    rows = []
    for task in range(draw(st.integers(1, max_tasks))):
        who = draw(st.lists(st.integers(0, workers - 1), min_size=1, unique=True))
        rows += [(task, worker, draw(st.integers(0, classes - 1))) for worker in sorted(who)]
    seen = sorted({worker for _, worker, _ in rows})
    return [(task, seen.index(worker), answer) for task, worker, answer in rows], classes


def build(rows, classes=None, **more):
    declared = None if classes is None else np.arange(classes)
    return LabelTable.from_columns(*map(list, zip(*rows, strict=True)), classes=declared, **more)


def simulate(seed, tasks=200, workers=12, each=6, classes=3, accuracy=(0.5, 0.95)):
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, tasks)
    skill = rng.uniform(*accuracy, workers)
    rows = []
    for task in range(tasks):
        for worker in rng.permutation(workers)[:each]:
            right = rng.random() < skill[worker]
            answer = truth[task] if right else (truth[task] + rng.integers(1, classes)) % classes
            rows.append((task, int(worker), int(answer)))
    return build(rows, classes), truth, skill


@pytest.mark.parametrize("estimator", ALL, ids=name)
@settings(max_examples=FEW)
@given(answers())
def test_results_have_shapes_and_ranges(estimator, given_rows):
    rows, classes = given_rows
    table = build(rows, classes)
    found = estimator.fit_predict(table)
    assert found.probability.shape == (len(table.tasks), classes)
    assert np.allclose(found.probability.sum(axis=1), 1)
    assert (found.probability >= 0).all()
    assert found.label.shape == (len(table.tasks),)
    assert (found.probability[np.arange(len(table.tasks)), found.label] >= found.confidence - 1e-12).all()
    assert found.reliability.shape == (len(table.workers),)
    assert ((found.reliability >= 0) & (found.reliability <= 1)).all()
    assert np.isclose(found.prior.sum(), 1)
    assert found.convergence.iterations == len(found.convergence.trace)


@pytest.mark.parametrize("estimator", WITH_CONFUSION, ids=name)
def test_confusion_matrices_have_rows_of_sum_one(estimator):
    table, _, skill = simulate(1)
    found = estimator.fit_predict(table)
    assert found.confusion.shape == (len(skill), 3, 3)
    assert np.allclose(found.confusion.sum(axis=2), 1)


@pytest.mark.parametrize("estimator", EQUIVARIANT, ids=name)
@settings(max_examples=FEW)
@given(answers(), st.randoms(use_true_random=False))
def test_permuting_names_permutes_the_result(estimator, given_rows, random):
    # Few iterations: a table without any signal is a saddle, where rounding alone decides which way to fall.
    if hasattr(estimator, "iterations"):
        estimator = dataclasses.replace(estimator, iterations=3)
    rows, classes = given_rows
    tasks, workers = len({r[0] for r in rows}), len({r[1] for r in rows})
    new_task, new_worker, new_class = (random.sample(range(n), n) for n in (tasks, workers, classes))
    renamed = [(new_task[t], new_worker[w], new_class[a]) for t, w, a in rows]
    random.shuffle(renamed)
    before, after = (
        estimator.fit_predict(build(rows, classes)),
        estimator.fit_predict(build(renamed, classes)),
    )
    assert np.allclose(after.probability[np.ix_(new_task, new_class)], before.probability, atol=1e-6)
    assert np.allclose(after.reliability[new_worker], before.reliability, atol=1e-6)


def test_the_stack_hardly_depends_on_names():
    table, _, _ = simulate(2)
    turned = LabelTable.from_columns(-table.task, -table.worker, -table.label)
    before, after = Stack().fit_predict(table), Stack().fit_predict(turned)
    assert np.allclose(after.probability[::-1, ::-1], before.probability, atol=0.05)


@given(answers())
def test_the_order_of_rows_does_not_matter(given_rows):
    rows, classes = given_rows
    found, again = Stack().fit_predict(build(rows, classes)), Stack().fit_predict(build(rows[::-1], classes))
    assert np.array_equal(found.probability, again.probability)


@pytest.mark.parametrize("estimator", ALL, ids=name)
@pytest.mark.parametrize("gold", [None, {0: 0}])
def test_one_worker_one_task_one_class(estimator, gold):
    for rows in [[(0, 0, 0)], [(0, 0, 0), (1, 0, 0)], [(0, 0, 0), (0, 1, 0)]]:
        found = estimator.fit_predict(build(rows), gold)
        assert np.array_equal(found.label, np.zeros(len(found.tasks)))
        assert np.allclose(found.probability, 1)


@pytest.mark.parametrize("estimator", ALL, ids=name)
def test_one_worker_is_followed(estimator):
    rows = [(task, 0, task % 2) for task in range(6)]
    assert np.array_equal(estimator.fit_predict(build(rows)).label, [0, 1, 0, 1, 0, 1])


@pytest.mark.parametrize("estimator", ALL, ids=name)
def test_a_task_without_answers_is_left_open(estimator):
    table, _, _ = simulate(3, tasks=40)
    table = LabelTable.from_columns(table.task, table.worker, table.label, tasks=np.arange(41))
    found = estimator.fit_predict(table)
    assert np.isfinite(found.probability).all()
    assert found.probability[40].max() < 0.6


@pytest.mark.parametrize("estimator", ALL, ids=name)
def test_an_unused_class_stays_improbable(estimator):
    table, truth, _ = simulate(4, classes=3)
    table = LabelTable.from_columns(table.task, table.worker, table.label, classes=np.arange(4))
    found = estimator.fit_predict(table)
    assert found.probability[:, 3].max() < 0.2
    assert (found.label == truth).mean() > 0.85


@pytest.mark.parametrize("estimator", ALL, ids=name)
@settings(max_examples=FEW)
@given(answers(), st.data())
def test_gold_answers_are_certain(estimator, given_rows, data):
    rows, classes = given_rows
    table = build(rows, classes)
    gold = data.draw(st.dictionaries(st.sampled_from(list(table.tasks)), st.integers(0, classes - 1)))
    found = estimator.fit_predict(table, gold)
    for task, right in gold.items():
        assert found.label[task] == right
        assert found.probability[task, right] == pytest.approx(1)


@pytest.mark.parametrize("estimator", [e for e in ALL if not isinstance(e, MajorityVote)], ids=name)
def test_gold_answers_teach_whom_to_trust(estimator):
    # Two of three workers agree on the wrong class; gold on half the tasks tells who is right.
    rng = np.random.default_rng(5)
    truth = rng.integers(0, 2, 120)
    rows = []
    for task, right in enumerate(truth):
        wrong = 1 - right if rng.random() < 0.8 else right
        rows += [(task, 0, int(right)), (task, 1, int(wrong)), (task, 2, int(wrong))]
    gold = {task: int(truth[task]) for task in range(60)}
    found = estimator.fit_predict(build(rows), gold)
    assert found.reliability[0] > found.reliability[1]
    if not isinstance(
        estimator, Wawa | ZeroBasedSkill | GLAD | MACE
    ):  # none of these can turn an answer round
        assert (found.label[60:] == truth[60:]).mean() > 0.8


@pytest.mark.parametrize("estimator", [e for e in ALL if not isinstance(e, MajorityVote)], ids=name)
def test_reliability_follows_skill(estimator):
    table, truth, skill = simulate(6, tasks=400)
    found = estimator.fit_predict(table)
    assert np.corrcoef(found.reliability, skill)[0, 1] > 0.9
    assert (found.label == truth).mean() > 0.9


@pytest.mark.parametrize("estimator", RISING, ids=name)
@settings(max_examples=FEW)
@given(answers())
def test_the_objective_never_falls(estimator, given_rows):
    trace = estimator.fit_predict(build(*given_rows)).convergence.trace
    assert (np.diff(trace) >= -1e-7 * (1 + np.abs(trace[:-1]))).all()


@given(answers(), st.integers(1, 4), st.sampled_from([(0, 0, 0), (4, 1, 1), (0.5, 0.5, 0)]), st.data())
def test_dawid_skene_is_the_plain_one(given_rows, iterations, pseudo, data):
    rows, classes = given_rows
    table = build(rows, classes)
    gold = data.draw(st.dictionaries(st.sampled_from(list(table.tasks)), st.integers(0, classes - 1)))
    found = DawidSkene(*pseudo, iterations=iterations, tolerance=-1).fit_predict(table, gold)
    expected, likelihood = plain.dawid_skene(
        rows, len(table.tasks), len(table.workers), classes, iterations, *pseudo, gold=gold
    )
    assert np.allclose(found.probability, expected, atol=1e-9)
    if pseudo == (0, 0, 0):
        assert found.convergence.objective == pytest.approx(likelihood)


@given(answers(), st.integers(1, 4))
def test_one_coin_is_the_plain_one(given_rows, iterations):
    rows, classes = given_rows
    table = build(rows, classes)
    found = OneCoin(iterations=iterations, tolerance=-1).fit_predict(table)
    expected, likelihood = plain.one_coin(rows, len(table.tasks), len(table.workers), classes, iterations)
    assert np.allclose(found.probability, expected, atol=1e-9)
    assert found.convergence.objective == pytest.approx(likelihood)


@given(answers(), st.integers(1, 4))
def test_ibcc_is_the_plain_one(given_rows, iterations):
    rows, classes = given_rows
    table = build(rows, classes)
    found = IBCC(right=3, wrong=1, classes=2, iterations=iterations, tolerance=-1).fit_predict(table)
    expected = plain.ibcc(rows, len(table.tasks), len(table.workers), classes, iterations, 3, 1, 2)
    assert np.allclose(found.probability, expected, atol=1e-9)


@given(answers())
def test_ebcc_with_one_subtype_is_ibcc(given_rows):
    table = build(*given_rows)
    one = EBCC(subtypes=1, restarts=1, right=3, wrong=1, iterations=20, tolerance=-1).fit_predict(table)
    other = IBCC(right=3, wrong=1, iterations=20, tolerance=-1).fit_predict(table)
    assert np.allclose(one.probability, other.probability, atol=1e-9)
    assert one.convergence.objective == pytest.approx(other.convergence.objective)


@given(answers(max_tasks=4, max_workers=4, max_classes=3), st.integers(0, 20))
def test_mace_reports_the_likelihood_of_knowing_or_guessing(given_rows, iterations):
    rows, classes = given_rows
    table = build(rows, classes)
    fit = MACE(
        training="em", restarts=0, smoothing=1e-9, iterations=iterations + 1, tolerance=-1
    ).fit_predict(table)
    wrong = fit.confusion.min(axis=1)  # [W, answer]: what a guess alone gives
    guesses = wrong.sum(axis=1)
    guess = np.divide(
        wrong, guesses[:, None], out=np.full_like(wrong, 1 / classes), where=guesses[:, None] > 0
    )
    expected = plain.mace_likelihood(rows, len(table.tasks), classes, 1 - guesses, guess)
    assert fit.convergence.objective == pytest.approx(expected, abs=1e-3)


@given(answers(max_tasks=4, max_workers=4, max_classes=3))
def test_glad_starts_from_its_log_posterior_and_reaches_a_maximum(given_rows):
    rows, classes = given_rows
    table = build(rows, classes)
    tasks, workers = len(table.tasks), len(table.workers)

    def lost(x):
        return -plain.glad_posterior(rows, tasks, classes, x[:workers], x[workers:])

    trace = GLAD(iterations=2_000, tolerance=1e-12).fit_predict(table).convergence.trace
    start = np.ones(workers + tasks)
    assert trace[0] == pytest.approx(-lost(start))
    assert trace[-1] >= -minimize(lost, start, method="BFGS").fun - 1e-3


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (DawidSkene(right=-1), "pseudo-answers"),
        (DawidSkene(iterations=0), "iterations"),
        (OneCoin(wrong=-1), "pseudo-answers"),
        (PooledDawidSkene(strength=0), "strength"),
        (IBCC(right=0), "Dirichlet"),
        (EBCC(subtypes=0), "positive"),
        (GLAD(iterations=0), "iterations"),
        (MACE(training="sgd"), "training"),
        (MACE(guess=0), "positive"),
        (ZeroBasedSkill(rate=0), "rate"),
        (Stack(members=()), "members"),
        (Stack(discount=1), "discount"),
        (MajorityVote(weights=[1.0]), "weights"),
        (MajorityVote(weights=[1.0, -1.0]), "weights"),
    ],
)
def test_bad_parameters_are_refused(estimator, message):
    with pytest.raises(ValueError, match=message):
        estimator.fit_predict(build([(0, 0, 0), (0, 1, 1)]))


def test_weights_of_a_majority():
    table = build([(0, 0, 0), (0, 1, 1), (0, 2, 1), (1, 0, 0), (1, 1, 1)])
    found = MajorityVote(weights=[3.0, 1.0, 1.0]).fit_predict(table)
    assert np.allclose(found.probability, [[0.6, 0.4], [0.75, 0.25]])
    silent = MajorityVote(weights=[0.0, 0.0, 0.0]).fit_predict(table)
    assert np.allclose(silent.probability, [[1 / 3, 2 / 3], [0.5, 0.5]])
