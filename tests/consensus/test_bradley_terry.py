"""Bradley–Terry: derivatives, simulated crowds with ties, symmetry, and what is refused."""

import numpy as np
import pytest
from scipy.optimize import check_grad

from earnest.consensus import bradley_terry
from earnest.consensus.bradley_terry import BradleyTerry
from earnest.consensus.table import LabelTable

KINDS = {"first": "a", "second": "b", "tie": "s"}


def simulate(seed, items=20, tasks=120, workers=15, each=8, tie=0.7, reliability=0.95, bad=3):
    rng = np.random.default_rng(seed)
    strength = rng.normal(0, 1.2, items)
    pairs = {task: tuple(rng.choice(items, 2, replace=False).tolist()) for task in range(tasks)}
    eta = np.where(np.arange(workers) < workers - bad, reliability, 0.1)
    log_tie = np.log(tie) if tie else -np.inf
    columns = ([], [], [])
    for task, (i, j) in pairs.items():
        for worker in rng.permutation(workers)[:each]:
            gap = strength[i] - strength[j]
            sign = 1 if rng.random() < eta[worker] else -1
            law = bradley_terry.answer_probabilities(np.array(sign * gap), log_tie)
            for column, value in zip(columns, (task, worker, "abs"[rng.choice(3, p=law)]), strict=True):
                column.append(value)
    return columns, pairs, strength, eta


def table_of(columns, classes=("a", "b", "s")):
    return LabelTable.from_columns(*columns, classes=list(classes))


def test_davidsons_probabilities():
    law = bradley_terry.answer_probabilities(np.log(np.array([4.0])), np.log(0.5))[0]
    # Strengths 4 and 1, ν = ½: weights 4, 1 and ½·√4 = 1.
    np.testing.assert_allclose(law, [4 / 6, 1 / 6, 1 / 6])


@pytest.mark.parametrize("tie", [0.0, 0.7])
def test_strengths_ties_and_unreliable_workers_are_found(tie):
    columns, pairs, strength, eta = simulate(0, tie=tie)
    table = table_of(columns)
    result = BradleyTerry(pairs, **KINDS).fit_predict(table)
    assert result.pairs.convergence.converged
    centred = strength[result.items] - strength[result.items].mean()
    assert np.corrcoef(result.strength, centred)[0, 1] > 0.95
    assert (np.abs(result.strength - centred) < 1.96 * result.error).mean() > 0.85
    assert result.tie == pytest.approx(tie, abs=0.25)
    assert result.pairs.reliability[eta < 0.5].max() < 0.4
    assert result.pairs.reliability[eta > 0.5].min() > 0.6


def test_probabilities_are_those_of_a_perfect_workers_answers():
    said, happened = [], []
    for seed in range(6):
        columns, pairs, strength, _ = simulate(seed, each=3)
        result = BradleyTerry(pairs, **KINDS).fit_predict(table_of(columns))
        gap = np.array([strength[i] - strength[j] for i, j in pairs.values()])
        said.append(result.pairs.probability)
        happened.append(bradley_terry.answer_probabilities(gap, np.log(0.7)))
    said, happened = np.concatenate(said), np.concatenate(happened)
    for low, high in ((0.0, 0.25), (0.25, 0.5), (0.5, 0.75), (0.75, 1.0)):
        inside = (said >= low) & (said < high)
        assert abs(said[inside].mean() - happened[inside].mean()) < 0.06


def test_items_share_what_is_known_of_them():
    # 0 against 2 was never asked, but 0 beats 1 and 1 beats 2.
    labels = [("x", w, "a") for w in range(5)] + [("y", w, "a") for w in range(5)]
    table = LabelTable.from_columns(*zip(*labels, strict=True), tasks=["x", "y", "z"], classes=["a", "b"])
    pairs = {"x": ("0", "1"), "y": ("1", "2"), "z": ("0", "2")}
    result = BradleyTerry(pairs, first="a", second="b").fit_predict(table)
    assert result.pairs.labels.tolist() == ["a", "a", "a"]
    assert result.strength[0] > result.strength[1] > result.strength[2]
    assert result.tie == 0


def test_swapping_the_sides_swaps_the_result():
    columns, pairs, _, _ = simulate(1)
    plain = BradleyTerry(pairs, **KINDS).fit_predict(table_of(columns))
    labels = [{"a": "b", "b": "a", "s": "s"}[x] for x in columns[2]]
    turned = {task: (j, i) for task, (i, j) in pairs.items()}
    swapped = BradleyTerry(turned, **KINDS).fit_predict(table_of((columns[0], columns[1], labels)))
    np.testing.assert_allclose(swapped.strength, plain.strength, atol=2e-2)
    np.testing.assert_allclose(swapped.pairs.probability[:, [1, 0, 2]], plain.pairs.probability, atol=1e-2)


def test_permuting_workers_and_tasks_permutes_the_result():
    columns, pairs, _, _ = simulate(2)
    rng = np.random.default_rng(0)
    task, worker, row = rng.permutation(120), rng.permutation(15), rng.permutation(len(columns[0]))
    plain = BradleyTerry(pairs, **KINDS).fit_predict(table_of(columns))
    moved = ([int(task[columns[0][k]]) for k in row], [int(worker[columns[1][k]]) for k in row])
    renamed = {int(task[t]): pair for t, pair in pairs.items()}
    other = BradleyTerry(renamed, **KINDS).fit_predict(table_of((*moved, [columns[2][k] for k in row])))
    np.testing.assert_allclose(other.strength, plain.strength, atol=2e-2)
    np.testing.assert_allclose(other.pairs.probability[task], plain.pairs.probability, atol=1e-2)
    np.testing.assert_allclose(other.pairs.reliability[worker], plain.pairs.reliability, atol=1e-2)


def test_gold_is_kept_and_teaches():
    columns, pairs, strength, _ = simulate(3, each=3)
    right = {t: "a" if strength[i] > strength[j] else "b" for t, (i, j) in pairs.items() if t < 60}
    free = BradleyTerry(pairs, **KINDS).fit_predict(table_of(columns))
    taught = BradleyTerry(pairs, **KINDS).fit_predict(table_of(columns), right)
    assert (taught.pairs.probability[:60].max(axis=1) == 1).all()
    assert taught.pairs.labels[:60].tolist() == [right[t] for t in range(60)]
    assert (
        np.corrcoef(taught.strength, strength[taught.items])[0, 1]
        > np.corrcoef(free.strength, strength[free.items])[0, 1]
    )


def test_the_gradient_is_that_of_the_log_posterior():
    columns, pairs, _, _ = simulate(4, items=6, tasks=15, workers=5, each=3, bad=1)
    table = table_of(columns)
    code = bradley_terry._codes(table, "a", "b", "s")
    items, left, right = bradley_terry._items(table, pairs)
    problem = bradley_terry._problem(table, code, left, right, len(items), table.gold({0: "a"}))
    rng = np.random.default_rng(0)
    gap, eta = rng.normal(size=len(problem.task)), np.append(rng.uniform(0.2, 0.9, 5), 1.0)
    for k in range(len(gap)):

        def value(x, k=k):
            moved = np.where(np.arange(len(gap)) == k, x[0], gap)
            return bradley_terry._answer_terms(problem, moved, x[1], eta)[0][k]

        def slope(x, k=k):
            moved = np.where(np.arange(len(gap)) == k, x[0], gap)
            _, by_gap, by_tie, _ = bradley_terry._answer_terms(problem, moved, x[1], eta)
            return np.array([by_gap[k], by_tie[k]])

        assert check_grad(value, slope, np.array([gap[k], 0.3])) < 1e-5


def test_what_is_refused():
    table = table_of((["x", "x"], [0, 1], ["a", "s"]))
    pair = {"x": ("0", "1")}
    for more, given, message in (
        ({"first": "a", "second": "b"}, pair, "class 's' is neither"),
        ({"first": "a", "second": "a", "tie": "s"}, pair, "different classes"),
        (KINDS, {}, "task 'x' has no pair"),
        (KINDS, {"x": ("0", "0")}, "compares item '0' with itself"),
    ):
        with pytest.raises(ValueError, match=message):
            BradleyTerry(given, **more).fit_predict(table)
    with pytest.raises(ValueError, match="class 'b' is not declared"):
        BradleyTerry(pair, first="a", second="b").fit_predict(table_of((["x"], [0], ["a"]), ["a"]))
