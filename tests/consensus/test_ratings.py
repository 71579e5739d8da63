"""Ratings: slow references, honest intervals, and what must hold for any table."""

import statistics

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from earnest.consensus import bias_noise, median, ratings
from earnest.consensus.bias_noise import BiasNoise
from earnest.consensus.mean import Mean
from earnest.consensus.median import Median
from earnest.consensus.table import RatingTable

METHODS = [Mean, Median, BiasNoise]


def name(method):
    return method.__name__


@st.composite
def tables(draw):
    rows = []
    for task in range(draw(st.integers(1, 5))):
        for worker in draw(st.lists(st.integers(0, 5), min_size=1, max_size=6, unique=True)):
            rows.append((task, worker, float(draw(st.integers(-5, 5)))))
    return rows


def build(rows, **more):
    return RatingTable.from_columns(*map(list, zip(*rows, strict=True)), **more)


def simulate(seed, tasks=100, workers=20, each=5, bias=0.5):
    rng = np.random.default_rng(seed)
    truth = rng.normal(3, 1, tasks)
    biases = rng.normal(0, bias, workers)
    noise = np.sqrt(1 / rng.gamma(2, 1 / 0.8, workers))
    rows = [
        (task, worker, truth[task] + biases[worker] + noise[worker] * rng.normal())
        for task in range(tasks)
        for worker in rng.permutation(workers)[:each]
    ]
    return build(rows), truth, biases, noise


@given(tables())
def test_mean_and_median_are_the_plain_ones(rows):
    table = build(rows)
    for task, got_mean, got_median in zip(
        table.tasks, Mean().fit_predict(table).value, Median().fit_predict(table).value, strict=True
    ):
        answers = [x for t, _, x in rows if t == task]
        assert got_mean == pytest.approx(statistics.fmean(answers))
        assert got_median == statistics.median(answers)


@given(tables())
def test_median_without_each_answer(rows):
    table = build(rows)
    order = np.lexsort((table.rating, table.task))
    got = median._without_each(table.rating[order], table)
    for row, value in zip(order, got, strict=True):
        others = [x for k, x in enumerate(table.rating) if table.task[k] == table.task[row] and k != row]
        assert np.isnan(value) if not others else value == statistics.median(others)


@pytest.mark.parametrize("number", [1, 2, 3, 5, 8, 15])
def test_variance_of_a_median_of_normals(number):
    rng = np.random.default_rng(0)
    measured = np.median(rng.normal(size=(200_000, number)), axis=1).var()
    # The formula is for odd numbers; for small even ones it errs on the safe side.
    assert measured * 0.97 < median._factor(np.array([number]))[0] < measured * 1.13


@pytest.mark.parametrize("method", METHODS, ids=name)
@settings(max_examples=10, deadline=None)
@given(rows=tables(), data=st.data())
def test_permuting_workers_and_tasks_permutes_the_result(method, rows, data):
    task, worker = data.draw(st.permutations(range(5))), data.draw(st.permutations(range(6)))
    plain = method().fit_predict(build(rows))
    other = method().fit_predict(
        build([(task[t], worker[w], x) for t, w, x in data.draw(st.permutations(rows))])
    )
    at = [other.tasks.tolist().index(task[t]) for t in plain.tasks]
    who = [other.workers.tolist().index(worker[w]) for w in plain.workers]
    np.testing.assert_allclose(other.value[at], plain.value, atol=1e-3)
    np.testing.assert_allclose(other.low[at], plain.low, atol=1e-2)
    np.testing.assert_allclose(other.reliability[who], plain.reliability, atol=1e-3)


@pytest.mark.parametrize("method", METHODS, ids=name)
@settings(max_examples=10, deadline=None)
@given(rows=tables(), factor=st.sampled_from([0.5, 4.0, 100.0]), shift=st.sampled_from([-7.0, 0.0, 50.0]))
def test_another_unit_and_origin_change_nothing_else(method, rows, factor, shift):
    plain = method().fit_predict(build(rows))
    other = method().fit_predict(build([(t, w, factor * x + shift) for t, w, x in rows]))
    np.testing.assert_allclose(other.value, factor * plain.value + shift, atol=1e-3 * factor, rtol=1e-4)
    np.testing.assert_allclose(other.reliability, plain.reliability, atol=1e-3)


@pytest.mark.parametrize(
    ("method", "least", "most"), [(Mean, 0.93, 0.985), (Median, 0.93, 0.99), (BiasNoise, 0.92, 0.975)]
)
def test_intervals_hold_the_truth_as_often_as_they_say(method, least, most):
    held = []
    for seed in range(8):
        table, truth, _, _ = simulate(seed)
        result = method().fit_predict(table)
        held.append(((result.low <= truth) & (truth <= result.high)).mean())
    assert least <= np.mean(held) <= most


@pytest.mark.parametrize("method", METHODS, ids=name)
def test_a_lower_coverage_gives_narrower_intervals(method):
    table, truth, _, _ = simulate(0)
    wide, narrow = method().fit_predict(table), method(coverage=0.5).fit_predict(table)
    assert (narrow.high - narrow.low < wide.high - wide.low).all()
    assert ((narrow.low <= truth) & (truth <= narrow.high)).mean() == pytest.approx(0.5, abs=0.15)
    with pytest.raises(ValueError, match="coverage must lie between 0 and 1, not 1"):
        method(coverage=1).fit_predict(table)


def test_the_model_finds_biases_and_noises_and_beats_the_mean():
    errors = {"mean": [], "bias_noise": []}
    for seed in range(5):
        table, truth, biases, noise = simulate(seed, tasks=200)
        result = BiasNoise().fit_predict(table)
        assert result.convergence.converged
        assert np.corrcoef(result.bias, biases)[0, 1] > 0.9
        assert np.corrcoef(np.log(result.noise), np.log(noise))[0, 1] > 0.9
        assert np.corrcoef(result.reliability, -noise)[0, 1] > 0.8
        errors["bias_noise"].append(((result.value - truth) ** 2).mean())
        errors["mean"].append(((Mean().fit_predict(table).value - truth) ** 2).mean())
    assert np.mean(errors["bias_noise"]) < 0.8 * np.mean(errors["mean"])


def test_the_precisions_make_a_good_weighted_mean():
    table, truth, _, _ = simulate(3, bias=0.0)
    weights = BiasNoise().fit_predict(table).noise ** -2.0
    weighted = Mean(weights=weights).fit_predict(table).value
    assert ((weighted - truth) ** 2).mean() < ((Mean().fit_predict(table).value - truth) ** 2).mean()


def slow_posterior(table, known, precision, priors):
    """The joint normal posterior by one dense matrix over truths and biases."""
    tasks, workers = len(table.tasks), len(table.workers)
    matrix, pull = np.zeros((tasks + workers,) * 2), np.zeros(tasks + workers)
    for t in range(tasks):
        fixed = not np.isnan(known[t])
        weight = 1e12 if fixed else 1 / priors.signal
        matrix[t, t] += weight
        pull[t] += weight * (known[t] if fixed else priors.centre)
    for w in range(workers):
        matrix[tasks + w, tasks + w] += 1 / priors.bias
        pull[tasks + w] += priors.shift / priors.bias
    for t, w, x in zip(table.task, table.worker, table.rating, strict=True):
        both = [t, tasks + w]
        matrix[np.ix_(both, both)] += precision[w]
        pull[both] += precision[w] * x
    covariance = np.linalg.inv(matrix)
    return covariance @ pull, covariance


def test_truths_and_biases_have_the_exact_joint_posterior(monkeypatch):
    rng = np.random.default_rng(4)
    rows = [(t, w, rng.normal()) for t in range(6) for w in rng.permutation(4)[:3]]
    table, known = build(rows), np.array([np.nan, 0.3, np.nan, np.nan, -1.0, np.nan])
    priors = bias_noise._Priors(0.1, 0.7, 0.05, 0.2, 2.0, 1.0)
    precision = rng.gamma(2, 1, 4)
    found = bias_noise._truths_and_biases(table, table.rating, known, precision, priors)
    centre, covariance = slow_posterior(table, known, precision, priors)
    np.testing.assert_allclose(np.append(found.value, found.bias), centre, atol=1e-6)
    variance = covariance.diagonal()
    np.testing.assert_allclose(np.append(found.value_variance, found.bias_variance), variance, atol=1e-6)
    for row, (t, w, x) in enumerate(zip(table.task, table.worker, table.rating, strict=True)):
        direction = np.zeros(10)
        direction[[t, 6 + w]] = 1
        expected = (x - direction @ centre) ** 2 + direction @ covariance @ direction
        assert found.squares[row] == pytest.approx(expected, abs=1e-6)
    monkeypatch.setattr(bias_noise, "MOST_WORKERS", 1)
    sparse = bias_noise._truths_and_biases(table, table.rating, known, precision, priors)
    np.testing.assert_allclose(sparse.value, found.value, atol=1e-6)
    assert (sparse.value_variance <= found.value_variance + 1e-12).all()


@pytest.mark.parametrize("method", METHODS, ids=name)
def test_gold_is_kept_and_teaches_who_is_reliable(method):
    table, truth, biases, noise = simulate(5)
    result = method().fit_predict(table, {task: truth[task] for task in range(30)})
    assert (result.value[:30] == truth[:30]).all()
    assert (result.low[:30] == truth[:30]).all()
    error = noise if method is BiasNoise else np.hypot(biases, noise)
    assert np.corrcoef(result.reliability, np.log(error))[0, 1] < -0.6


def test_gold_shows_a_bias_that_all_share():
    table, truth, _, _ = simulate(6)
    shifted = RatingTable.from_columns(table.task, table.worker, table.rating + 2)
    known = {task: truth[task] for task in range(30)}
    free, taught = BiasNoise().fit_predict(shifted), BiasNoise().fit_predict(shifted, known)
    assert (free.value - truth)[30:].mean() == pytest.approx(2, abs=0.4)
    assert (taught.value - truth)[30:].mean() == pytest.approx(0, abs=0.2)


@pytest.mark.parametrize("method", METHODS, ids=name)
def test_degenerate_tables_are_defined(method):
    same = build([(t, w, 4.0) for t in range(3) for w in range(3)])
    np.testing.assert_allclose(method().fit_predict(same).value, 4.0)
    lonely = method().fit_predict(build([(0, 0, 4.0)]))
    assert lonely.value[0] == pytest.approx(4.0)
    assert lonely.low[0] < 4.0 < lonely.high[0]
    with_empty = method().fit_predict(build([(0, 0, 1.0), (0, 1, 3.0)], tasks=[0, 1]))
    assert with_empty.high[1] - with_empty.low[1] > with_empty.high[0] - with_empty.low[0]


def test_weights_are_checked():
    table = build([(0, 0, 1.0), (0, 1, 3.0)])
    assert Mean(weights=[3, 1]).fit_predict(table).value[0] == pytest.approx(1.5)
    for weights, message in (([1], "2 numbers"), ([1, -2], "weight -2"), ([0, 0], "not all be 0")):
        with pytest.raises(ValueError, match=message):
            Mean(weights=weights).fit_predict(table)


def test_variances_are_shrunk_between_their_own_and_the_common_one():
    own = np.array([0.1, 1.0, 4.0])
    shrunk = ratings.variances(own * 4, np.full(3, 4.0)).variance
    common = own.mean()
    assert (np.abs(shrunk - common) <= np.abs(own - common) + 1e-9).all()
