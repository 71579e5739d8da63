"""Rankings: known examples, slow references, and what must hold for any table."""

from itertools import combinations, permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from earnest.consensus import copeland, kemeny, kendall, mallows, plackett_luce, ranked_pairs
from earnest.consensus.ballots import counts
from earnest.consensus.borda import Borda
from earnest.consensus.copeland import Copeland
from earnest.consensus.kemeny import Kemeny
from earnest.consensus.mallows import Mallows
from earnest.consensus.plackett_luce import PlackettLuce
from earnest.consensus.ranked_pairs import RankedPairs
from earnest.consensus.table import RankingTable

RULES = [Borda, Copeland, RankedPairs, Kemeny]
METHODS = [*RULES, Mallows, PlackettLuce]


def name(method):
    return method.__name__


def profile(*groups):
    """One task from (number of workers, ranking) groups."""
    rankings = [ranking for number, ranking in groups for _ in range(number)]
    return RankingTable.from_columns(["task"] * len(rankings), range(len(rankings)), rankings)


def slow_distance(left, right):
    return sum(
        (left.index(i) < left.index(j)) != (right.index(i) < right.index(j))
        for i, j in combinations(range(len(left)), 2)
    )


@st.composite
def tables(draw, most_items=5, least_items=2):
    size = draw(st.integers(least_items, most_items))
    tasks = draw(st.integers(1, 4))
    rows = []
    for task in range(tasks):
        workers = draw(st.lists(st.integers(0, 5), min_size=1, max_size=6, unique=True))
        rows += [(task, worker, draw(st.permutations(range(size)))) for worker in workers]
    return rows


def build(rows):
    return RankingTable.from_columns(*map(list, zip(*rows, strict=True)))


@given(st.integers(1, 6).flatmap(lambda n: st.tuples(*[st.permutations(range(n))] * 2)))
def test_kendall_counts_discordant_pairs(both):
    left, right = map(list, both)
    assert kendall.distance(left, right) == slow_distance(left, right)
    assert kendall.distance(left, left) == 0
    assert kendall.distance(left, left[::-1]) == len(left) * (len(left) - 1) // 2


def test_all_rankings_stand_at_their_index():
    rankings = kendall.all_rankings(5)
    assert [tuple(row) for row in rankings.tolist()] == list(permutations(range(5)))
    assert kendall.index(rankings).tolist() == list(range(120))


def test_kendall_refuses_what_has_no_distance():
    with pytest.raises(ValueError, match="3 and of 4 items"):
        kendall.distance([0, 1, 2], [0, 1, 2, 3])
    with pytest.raises(ValueError, match="8 items cannot be enumerated"):
        kendall.all_rankings(8)


def test_known_elections():
    # The capital of Tennessee (0 Memphis, 1 Nashville, 2 Chattanooga, 3 Knoxville): the textbook example.
    table = profile((42, [0, 1, 2, 3]), (26, [1, 2, 3, 0]), (15, [2, 3, 1, 0]), (17, [3, 2, 1, 0]))
    result = Borda().fit_predict(table)
    assert result.score[0].tolist() == [126, 194, 173, 107]
    assert result.ranking[0].tolist() == [1, 2, 0, 3]
    for rule in (Copeland, RankedPairs, Kemeny):
        assert rule().fit_predict(table).ranking[0].tolist() == [1, 2, 3, 0]
    assert Copeland().fit_predict(table).score[0].tolist() == [0, 3, 2, 1]


def test_borda_can_pass_over_the_condorcet_winner():
    # Three of five put 0 first, so it beats everybody; Borda prefers 1.
    table = profile((3, [0, 1, 2]), (2, [1, 2, 0]))
    assert Borda().fit_predict(table).ranking[0, 0] == 1
    assert all(rule().fit_predict(table).ranking[0, 0] == 0 for rule in (Copeland, RankedPairs, Kemeny))


def test_ranked_pairs_opens_a_cycle_at_its_weakest_majority():
    # 1 beats 2 by 9, 0 beats 1 by 7, 2 beats 0 by 3 (of 19): the last one goes.
    table = profile((8, [0, 1, 2]), (6, [1, 2, 0]), (5, [2, 0, 1]))
    wins = counts(table)[0]
    assert [(wins - wins.T)[pair] for pair in ((1, 2), (0, 1), (2, 0))] == [9, 7, 3]
    assert RankedPairs().fit_predict(table).ranking[0].tolist() == [0, 1, 2]


def slow_ranked_pairs(rankings):
    """Tideman's rule pair by pair, where no two majorities are equal; None where some are."""
    size = len(rankings[0])
    margin = {
        (i, j): sum(r.index(i) < r.index(j) for r in rankings)
        - sum(r.index(j) < r.index(i) for r in rankings)
        for i, j in permutations(range(size), 2)
    }
    positive = sorted((m, pair) for pair, m in margin.items() if m > 0)
    values = [m for m, _ in positive]
    if len(set(values)) < len(values) or len(values) < size * (size - 1) // 2:
        return None
    locked = set()

    def reaches(start, goal):
        return start == goal or any(reaches(j, goal) for i, j in locked if i == start)

    for _, (i, j) in reversed(positive):
        if not reaches(j, i):
            locked.add((i, j))
    return sorted(range(size), key=lambda i: -sum(reaches(i, j) for j in range(size)))


@given(st.integers(2, 4).flatmap(lambda n: st.lists(st.permutations(range(n)), min_size=1, max_size=15)))
def test_ranked_pairs_is_tidemans_rule(rankings):
    rankings = [list(r) for r in rankings]
    expected = slow_ranked_pairs(rankings)
    if expected is not None:
        got = ranked_pairs.rule(counts(profile(*[(1, r) for r in rankings])))[0]
        assert got[0].tolist() == expected


@given(tables())
def test_kemeny_has_the_fewest_discordant_pairs(rows):
    table = build(rows)
    ranking = kemeny.rule(counts(table))[0]
    for task in range(len(table.tasks)):
        answers = [list(r) for t, _, r in rows if t == table.tasks[task]]
        cost = {
            p: sum(slow_distance(list(p), r) for r in answers) for p in permutations(range(len(answers[0])))
        }
        assert cost[tuple(ranking[task].tolist())] == min(cost.values())


@given(tables())
def test_condorcet_winner_comes_first_and_loser_last(rows):
    wins = counts(build(rows))
    size = wins.shape[1]
    beats = wins > wins.swapaxes(1, 2)
    for rule in (copeland, ranked_pairs, kemeny):
        ranking = rule.rule(wins)[0]
        for task in range(len(wins)):
            for item in range(size):
                if beats[task, item].sum() == size - 1:
                    assert ranking[task, 0] == item
                if beats[task, :, item].sum() == size - 1:
                    assert ranking[task, -1] == item


@pytest.mark.parametrize("method", METHODS, ids=name)
@settings(max_examples=15, deadline=None)
@given(rows=tables(most_items=4), data=st.data())
def test_permuting_workers_tasks_and_items_permutes_the_result(method, rows, data):
    size = len(rows[0][2])
    item = data.draw(st.permutations(range(size)))
    task = data.draw(st.permutations(range(4)))
    worker = data.draw(st.permutations(range(6)))
    shuffled = data.draw(st.permutations(rows))
    plain = method().fit_predict(build(rows))
    other = method().fit_predict(build([(task[t], worker[w], [item[i] for i in r]) for t, w, r in shuffled]))
    at = [other.tasks.tolist().index(task[t]) for t in plain.tasks]
    who = [other.workers.tolist().index(worker[w]) for w in plain.workers]
    item = np.array(item)
    np.testing.assert_allclose(other.reliability[who], plain.reliability, atol=1e-5)
    np.testing.assert_allclose(other.precedence[at][:, item][:, :, item], plain.precedence, atol=1e-4)
    assert (other.tied[at] == plain.tied).all()
    clear = ~plain.tied
    assert (other.ranking[at][clear] == item[plain.ranking[clear]]).all()
    np.testing.assert_allclose(other.probability[at][clear], plain.probability[clear], atol=1e-4)


@pytest.mark.parametrize("method", METHODS, ids=name)
def test_result_is_well_formed_and_unanimity_wins(method):
    table = profile((6, [2, 0, 1, 3]))
    result = method().fit_predict(table)
    assert result.ranking[0].tolist() == [2, 0, 1, 3]
    assert not result.tied[0]
    assert 0 < result.probability[0] <= 1
    np.testing.assert_allclose(result.precedence + result.precedence.swapaxes(1, 2), 1, atol=1e-9)
    assert ((result.reliability >= 0.5) & (result.reliability <= 1)).all()
    assert result.convergence.converged


@pytest.mark.parametrize("method", METHODS, ids=name)
def test_ties_are_told(method):
    assert method().fit_predict(profile((2, [0, 1, 2]), (2, [2, 1, 0]))).tied[0]


@pytest.mark.parametrize("method", METHODS, ids=name)
def test_one_item_one_answer_and_no_answer_are_defined(method):
    single = RankingTable.from_columns(["a"], ["w"], [[0]])
    assert method().fit_predict(single).ranking.tolist() == [[0]]
    table = RankingTable.from_columns(["a"], ["w"], [[1, 0, 2]], tasks=["a", "b"])
    result = method().fit_predict(table)
    assert result.ranking[0].tolist() == [1, 0, 2]
    assert result.tied[1]
    np.testing.assert_allclose(result.precedence[1], 0.5, atol=1e-6)
    assert np.isfinite(result.probability).all()


@pytest.mark.parametrize("method", METHODS, ids=name)
def test_gold_is_kept_and_teaches_who_is_reliable(method):
    rng = np.random.default_rng(3)
    rows = []
    for task in range(40):
        rows += [(task, 0, [0, 1, 2, 3]), (task, 1, rng.permutation(4)), (task, 2, rng.permutation(4))]
    known = {task: [0, 1, 2, 3] for task in range(20)}
    result = method().fit_predict(build(rows), known)
    assert (result.ranking[:20] == [0, 1, 2, 3]).all()
    assert (result.probability[:20] == 1).all()
    assert (result.precedence[:20, 0, 1] == 1).all()
    assert not result.tied[:20].any()
    assert result.reliability[0] > result.reliability[1:].max() + 0.2
    # Somebody who is always wrong on gold is not believed elsewhere.
    wrong = method().fit_predict(build(rows), {task: [3, 2, 1, 0] for task in range(20)})
    assert wrong.reliability[0] < result.reliability[0] - 0.2


@pytest.mark.parametrize("rule", RULES, ids=name)
def test_weights_count_as_copies_of_a_worker(rule):
    rankings = [[0, 1, 2], [1, 2, 0], [2, 1, 0]]
    weighted = rule(weights=[3, 1, 1]).fit_predict(profile(*[(1, r) for r in rankings]))
    copied = rule().fit_predict(profile(*zip([3, 1, 1], rankings, strict=True)))
    assert (weighted.ranking == copied.ranking).all()
    with pytest.raises(ValueError, match="weight -1"):
        rule(weights=[1, -1]).fit_predict(profile((2, [0, 1])))
    with pytest.raises(ValueError, match="2 numbers"):
        rule(weights=[1]).fit_predict(profile((2, [0, 1])))


def test_too_many_items_are_refused_where_rankings_are_enumerated():
    table = profile((2, list(range(8))))
    for method in (Kemeny, Mallows):
        with pytest.raises(ValueError, match="8 items cannot be enumerated: 1 to 7"):
            method().fit_predict(table)
    for method in (Borda, Copeland, RankedPairs, PlackettLuce):
        assert method().fit_predict(table).ranking[0].tolist() == list(range(8))


def slow_mallows_posterior(rows, spread, size):
    weight = dict.fromkeys(permutations(range(size)), 1.0)
    for worker, ranking in rows:
        for p in weight:
            weight[p] *= np.exp(-spread[worker] * slow_distance(list(p), list(ranking)))
    total = sum(weight.values())
    return [weight[p] / total for p in permutations(range(size))]


def test_mallows_posterior_is_bayes_rule():
    rng = np.random.default_rng(0)
    rows = [(t, w, rng.permutation(4).tolist()) for t in range(5) for w in range(4)]
    result = Mallows().fit_predict(build(rows))
    for task in range(5):
        expected = slow_mallows_posterior([(w, r) for t, w, r in rows if t == task], result.spread, 4)
        np.testing.assert_allclose(result.posterior[task], expected, atol=1e-6)
    trace = result.convergence.trace
    assert (np.diff(trace) > -1e-9 * np.abs(trace[1:])).all()


def test_mallows_normaliser_is_the_sum_over_all_rankings():
    mean, log_z = mallows._moments(4)
    at = np.searchsorted(mallows._GRID, 0.7)
    distance = kendall.distance(kendall.all_rankings(4), np.arange(4))
    weight = np.exp(-mallows._GRID[at] * distance)
    assert log_z[at] == pytest.approx(np.log(weight.sum()))
    assert mean[at] == pytest.approx((weight * distance).sum() / weight.sum())


def test_mallows_confusion_rows_are_distributions():
    confusion = mallows.confusion(np.array([0.0, 1.0]), 3)
    np.testing.assert_allclose(confusion.sum(axis=2), 1)
    np.testing.assert_allclose(confusion[0], 1 / 6)
    assert (confusion[1].argmax(axis=1) == np.arange(6)).all()


def simulate(rng, strength, workers, each, sincerity):
    """Plackett–Luce rankings by log strength [T, R]; the insincere answer at random."""
    tasks, size = strength.shape
    rows = []
    for task in range(tasks):
        for worker in rng.permutation(workers)[:each]:
            noise = rng.gumbel(size=size)
            seen = strength[task] + noise if rng.random() < sincerity[worker] else noise
            rows.append((task, worker, np.argsort(-seen)))
    return build(rows)


def test_plackett_luce_finds_strengths_sincerity_and_honest_probabilities():
    rng = np.random.default_rng(1)
    sincerity = np.where(np.arange(30) < 24, 0.95, 0.05)
    strength = np.log(rng.gamma(1.0, size=(400, 4)))
    table = simulate(rng, strength, 30, 8, sincerity)
    result = PlackettLuce().fit_predict(table)
    right = (result.ranking == np.argsort(-strength, axis=1)).all(axis=1)
    assert abs(right.mean() - result.probability.mean()) < 0.06
    assert np.corrcoef(result.score.ravel(), (strength - strength.mean(1, keepdims=True)).ravel())[0, 1] > 0.8
    assert result.reliability[24:].max() < result.reliability[:24].min()
    # Among pairs called with 80 to 90%, about that many are right.
    first, second = kendall.pairs(4)
    said = result.precedence[:, first, second]
    truth = strength[:, first] > strength[:, second]
    for low, high in ((0.5, 0.7), (0.7, 0.9), (0.9, 1.0)):
        called = np.maximum(said, 1 - said)
        inside = (called >= low) & (called < high)
        assert abs((truth == (said > 0.5))[inside].mean() - called[inside].mean()) < 0.05
    trace = result.convergence.trace
    assert (np.diff(trace) > -1e-7).all()


@pytest.mark.parametrize("each", [3, 8])
def test_plackett_luce_is_cautious_where_strengths_are_not_of_its_kind(each):
    rng = np.random.default_rng(4)
    strength = rng.normal(0, 1.5, (400, 4))
    result = PlackettLuce().fit_predict(simulate(rng, strength, 30, each, np.full(30, 0.9)))
    right = (result.ranking == np.argsort(-strength, axis=1)).all(axis=1)
    assert -0.03 < right.mean() - result.probability.mean() < 0.12


def test_mallows_probabilities_are_honest_on_mallows_rankings():
    rng = np.random.default_rng(2)
    every = kendall.all_rankings(4)
    spread = rng.choice([0.1, 0.6, 1.2], 30)
    law = mallows.confusion(spread, 4)
    truth = rng.integers(24, size=400)
    rows = [
        (task, worker, every[rng.choice(24, p=law[worker, truth[task]])])
        for task in range(400)
        for worker in rng.permutation(30)[:5]
    ]
    result = Mallows().fit_predict(build(rows))
    right = (result.ranking == every[truth]).all(axis=1)
    assert abs(right.mean() - result.probability.mean()) < 0.05
    assert np.corrcoef(result.spread, spread)[0, 1] > 0.9


def test_plackett_luce_probability_of_a_ranking_is_luces_product():
    strength = np.array([3.0, 2.0, 1.0])
    got = np.exp(plackett_luce.log_probability(np.array([1, 0, 2]), strength))
    assert got == pytest.approx(2 / 6 * 3 / 4)


def test_order_probability_agrees_with_sampling():
    rng = np.random.default_rng(5)
    table = simulate(rng, rng.normal(0, 1, (6, 4)), 5, 4, np.ones(5))
    model = plackett_luce.fit(table, {})
    ranking = np.argsort(-model.score, axis=1).astype(np.int8)
    for task in range(6):
        drawn = rng.multivariate_normal(model.score[task], model.covariance[task], 40_000)
        share = (np.argsort(-drawn, axis=1) == ranking[task]).all(axis=1).mean()
        assert plackett_luce.order_probability(ranking, model, {})[task] == pytest.approx(share, abs=0.012)
