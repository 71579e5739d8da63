"""The default: weights from held-out answers, tempered confidence, copies counted once, its worth."""

import numpy as np
import plain_classes as plain
import pytest
from hypothesis import given
from hypothesis import strategies as st

from earnest.consensus.copies import merged, originals
from earnest.consensus.dawid_skene import DawidSkene
from earnest.consensus.majority import MajorityVote
from earnest.consensus.one_coin import OneCoin
from earnest.consensus.predictive import STRENGTH, held_out_likelihood
from earnest.consensus.stack import MEMBERS, Stack, tempered
from earnest.consensus.table import LabelTable
from earnest.datasets import CATEGORICAL, load_classes


def crowd(seed, accuracies, tasks=300, classes=2):
    """Answers [tasks, workers] of one-coin workers, and the truth."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, tasks)
    wrong = (truth[:, None] + rng.integers(1, classes, (tasks, len(accuracies)))) % classes
    return np.where(rng.random(wrong.shape) < accuracies, truth[:, None], wrong), truth


def build(matrix):
    tasks, workers = matrix.shape
    return LabelTable.from_columns(
        np.repeat(np.arange(tasks), workers), np.tile(np.arange(workers), tasks), matrix.ravel()
    )


def log_loss(probability, truth):
    return -np.log(probability[np.arange(len(truth)), truth]).mean()


def test_held_out_likelihood_is_the_plain_one():
    matrix, _ = crowd(1, [0.9, 0.8, 0.6], tasks=20)
    table = build(matrix)
    gold, estimator = table.gold(None), MajorityVote()
    fold = np.random.default_rng(3).permutation(np.arange(len(table)) % 4)
    total = 0.0
    for k in range(4):
        rows = list(zip(table.task, table.worker, table.label, fold, strict=True))
        seen = [row[:3] for row in rows if row[3] != k]
        held = [row[:3] for row in rows if row[3] == k]
        probability = plain.shares(seen, 20, 2, {})
        total += plain.held_out(seen, held, probability, 3, 2, STRENGTH)
    assert held_out_likelihood(estimator, table, gold, folds=4, seed=3) == pytest.approx(total / len(table))


def test_held_out_likelihood_needs_answers_for_its_folds():
    table = build(np.array([[0, 1]]))
    with pytest.raises(ValueError, match="folds must lie between 2"):
        held_out_likelihood(MajorityVote(), table, table.gold(None), folds=3)
    assert np.allclose(Stack().fit_predict(table).weights, 1 / len(MEMBERS))


def test_weights_follow_the_better_model():
    # Workers who turn the answer round half of the time are beyond a one-coin model, not beyond Dawid–Skene.
    rng = np.random.default_rng(2)
    truth = rng.integers(0, 2, 300)
    biased = [np.where(truth == 1, rng.random(300) < 0.95, rng.random(300) < 0.5) for _ in range(6)]
    found = Stack(members=(DawidSkene(), OneCoin())).fit_predict(build(np.array(biased, int).T))
    assert found.held_out[0] > found.held_out[1]
    assert found.weights[0] > 0.9
    assert found.weights.sum() == pytest.approx(1)


@given(st.floats(0.01, 0.99), st.integers(1, 50))
def test_tempering_raises_the_odds_to_a_power(chance, answers):
    power = answers**-0.6
    cool = tempered(np.array([[chance, 1 - chance]]), np.array([power]))[0]
    assert cool[0] / cool[1] == pytest.approx((chance / (1 - chance)) ** power)
    assert (cool[0] > cool[1]) == (chance > 1 - chance) or chance == 0.5


def test_a_stack_of_one_is_that_one_tempered():
    table = build(crowd(3, [0.8, 0.7, 0.6, 0.9])[0])
    alone = Stack(members=(OneCoin(),), discount=0.0).fit_predict(table)
    assert np.allclose(alone.probability, OneCoin().fit_predict(table).probability, atol=1e-9)
    cooler = Stack(members=(OneCoin(),)).fit_predict(table)
    assert np.array_equal(cooler.label, alone.label)
    assert (cooler.confidence <= alone.confidence + 1e-9).all()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("good", "copies", "skill", "copied"), [(6, 4, 0.85, 0.65), (8, 6, 0.8, 0.6)])
def test_copies_of_a_labeler_count_as_one(seed, good, copies, skill, copied):
    matrix, truth = crowd(seed, [skill] * good + [copied])
    many = build(np.hstack([matrix, *[matrix[:, -1:]] * (copies - 1)]))
    assert list(originals(many)) == [*range(good), *[good] * copies]
    alone, crowded = Stack().fit_predict(build(matrix)), Stack().fit_predict(many)
    assert np.array_equal(crowded.label, alone.label)
    assert np.allclose(crowded.probability, alone.probability)
    assert np.allclose(crowded.reliability[good:], alone.reliability[good])
    trusting = Stack(merge_copies=False).fit_predict(many)
    assert (trusting.label == truth).mean() < (crowded.label == truth).mean() - 0.1


@pytest.mark.parametrize("seed", range(5))
def test_agreeing_because_both_are_right_is_not_copying(seed):
    matrix, _ = crowd(seed, [0.97] * 6 + [0.65] * 6)
    assert list(originals(build(matrix))) == list(range(12))


def test_copies_on_different_tasks_are_joined():
    table = LabelTable.from_columns([0, 0, 1, 2], [0, 1, 1, 2], [0, 1, 1, 0])
    joined = merged(table, np.array([0, 0, 2], np.int32))
    assert list(zip(joined.task, joined.worker, joined.label, strict=True)) == [
        (0, 0, 0),
        (1, 0, 1),
        (2, 2, 0),
    ]


def test_on_real_labels_the_default_beats_its_members_and_the_majority():
    methods = {"stack": Stack(), "majority": MajorityVote(), **{repr(m): m for m in MEMBERS}}
    right, loss = {}, {}
    for name, method in methods.items():
        scores = []
        for each in CATEGORICAL:
            data = load_classes(each)
            found, truth = method.fit_predict(data.table), data.table.gold(data.truth)
            floor = np.maximum(found.probability, 1e-10)
            scores.append(((found.label == truth).mean(), log_loss(floor, truth)))
        right[name], loss[name] = np.mean(scores, axis=0)
    assert max(right, key=right.get) == "stack"
    assert loss["stack"] < 0.6 * min(value for name, value in loss.items() if name != "stack")
