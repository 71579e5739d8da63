"""What to ask next: information by plain loops, the three lists, gold without shortcuts."""

import json
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from earnest.consensus.bias_noise import BiasNoise
from earnest.consensus.dawid_skene import DawidSkene
from earnest.consensus.majority import MajorityVote
from earnest.consensus.mean import Mean
from earnest.consensus.plackett_luce import PlackettLuce
from earnest.consensus.result import ClassConsensus, Convergence
from earnest.consensus.table import LabelTable, RankingTable, RatingTable
from earnest.next import information
from earnest.next.campaign import next_tasks, write_next_tasks
from earnest.next.gold import choose_gold
from earnest.next.selection import select
from earnest.next.shortcuts import find_shortcuts


def consensus(probability, reliability):
    probability = np.asarray(probability, float)
    tasks, classes = probability.shape
    return ClassConsensus(
        method="given",
        tasks=np.arange(tasks),
        workers=np.arange(len(reliability)),
        classes=np.array([f"c{k}" for k in range(classes)]),
        label=probability.argmax(axis=1).astype(np.int32),
        probability=probability,
        reliability=np.asarray(reliability, float),
        convergence=Convergence.closed_form(),
        prior=probability.mean(axis=0),
    )


def crowd(seed=0, tasks=300, workers=12, each=7, classes=3, right=0.95):
    rng = np.random.default_rng(seed)
    truth = rng.integers(classes, size=tasks)
    skill = np.where(np.arange(workers) < workers - 3, right, 1 / classes)
    rows = []
    for task in range(tasks):
        for worker in rng.permutation(workers)[:each]:
            label = truth[task] if rng.random() < skill[worker] else rng.integers(classes)
            rows.append((task, worker, f"c{label}"))
    names = [f"c{k}" for k in range(classes)]
    return LabelTable.from_columns(*map(list, zip(*rows, strict=True)), classes=names), truth


def slow_gain(belief, confusions):
    """H(truth) − E[H(truth | label)], label by label, by Bayes' rule."""
    total = 0.0
    for confusion in confusions:
        before = -sum(p * np.log2(p) for p in belief if p > 0)
        after = 0.0
        for label in range(len(belief)):
            joint = [p * confusion[truth][label] for truth, p in enumerate(belief)]
            if sum(joint) > 0:
                after -= sum(j * np.log2(j / sum(joint)) for j in joint if j > 0)
        total += before - after
    return total / len(confusions)


@given(st.integers(2, 4), st.integers(1, 3), st.integers(0, 10**6))
def test_gain_is_the_expected_fall_of_entropy(classes, workers, seed):
    rng = np.random.default_rng(seed)
    belief, confusion = (
        rng.dirichlet(np.ones(classes), 3),
        rng.dirichlet(np.ones(classes), (workers, classes)),
    )
    expected = [slow_gain(row, confusion) for row in belief]
    np.testing.assert_allclose(information.label_gain(belief, confusion), expected, atol=1e-9)


def test_known_information():
    result = consensus([[0.5, 0.5], [1, 0], [0.9, 0.1]], [1.0])
    entropy, gain = information.class_information(result)
    np.testing.assert_allclose(entropy, [1, 0, 0.4689956], atol=1e-6)
    # A perfect worker takes all doubt away; one who guesses, none.
    np.testing.assert_allclose(gain, entropy, atol=1e-12)
    guess = consensus([[0.5, 0.5]], [0.5])
    np.testing.assert_allclose(information.class_information(guess)[1], 0, atol=1e-12)


def test_information_of_ratings_and_rankings():
    rng = np.random.default_rng(0)
    rows = [(t, w, t + rng.normal()) for t in range(20) for w in range(2 if t < 10 else 6)]
    ratings = BiasNoise().fit_predict(RatingTable.from_columns(*map(list, zip(*rows, strict=True))))
    width, gain = information.rating_information(ratings)
    assert width[:10].min() > width[10:].max()
    assert gain[:10].min() > gain[10:].max() > 0
    with pytest.raises(ValueError, match="mean does not estimate"):
        information.rating_information(Mean().fit_predict(RatingTable.from_columns([0], [0], [1.0])))
    table = RankingTable.from_columns(
        [0] * 4 + [1] * 4, [*range(4)] * 2, [[0, 1, 2]] * 4 + [[0, 1, 2], [2, 1, 0]] * 2
    )
    entropy, gain = information.ranking_information(PlackettLuce().fit_predict(table))
    assert entropy[1] > entropy[0]
    assert gain[1] > gain[0] > 0


def test_every_task_is_in_exactly_one_list():
    table, _ = crowd(each=3)
    result = DawidSkene.maximum_a_posteriori().fit_predict(table)
    selection = select(result, table, enough=0.97, least_labels=2, most_labels=3)
    everything = np.concatenate([selection.open, selection.retired, selection.disputed])
    assert sorted(everything) == list(range(300))
    assert len(selection.open) == 0
    assert (result.confidence[selection.retired] >= 0.97).all()
    assert (result.confidence[selection.disputed] < 0.97).all()
    assert (np.diff(selection.uncertainty[selection.disputed]) <= 1e-12).all()
    again = select(result, table, enough=0.97, most_labels=4)
    assert sorted(again.open) == sorted(selection.disputed)
    assert (np.diff(again.gain[again.open]) <= 1e-12).all()


def test_too_few_answers_keep_a_task_open():
    table = LabelTable.from_columns([0, 1, 1], [0, 0, 1], ["a", "b", "b"], classes=["a", "b"])
    result = consensus([[0.99, 0.01], [0.01, 0.99]], [0.9, 0.9])
    selection = select(result, table)
    assert (selection.open.tolist(), selection.retired.tolist()) == ([0], [1])
    for more, message in (
        ({"enough": 1.5}, "not 1.5"),
        ({"least_labels": 9, "most_labels": 3}, "not 9 and 3"),
    ):
        with pytest.raises(ValueError, match=message):
            select(result, table, **more)


def test_asking_the_most_informative_tasks_pays():
    """The same number of further labels gains more accuracy on open tasks than anywhere."""
    gained = {"open": [], "any": []}
    for seed in range(10):
        rng = np.random.default_rng(seed)
        table, truth = crowd(seed, tasks=400, each=3, classes=2, right=0.7)
        before = MajorityVote().fit_predict(table)
        selection = select(before, table, enough=0.999, most_labels=9)
        ways = {"open": selection.open[:100], "any": rng.permutation(400)[:100]}
        for way, chosen in ways.items():
            rows = [
                (int(t), int(w), str(x))
                for t, w, x in zip(table.task, table.worker, table.classes[table.label], strict=True)
            ]
            for task, extra in product(chosen.tolist(), range(4)):
                label = truth[task] if rng.random() < 0.8 else 1 - truth[task]
                rows.append((task, 100 + extra, f"c{label}"))
            more = LabelTable.from_columns(*map(list, zip(*rows, strict=True)))
            after = MajorityVote().fit_predict(more)
            gained[way].append((after.label == truth).mean() - (before.label == truth).mean())
    assert np.mean(gained["open"]) > 1.5 * np.mean(gained["any"])


def options(rng, truth, bias):
    """Length of each of 3 options; with probability `bias` the right one is the longest."""
    lengths = rng.permuted(np.tile([10.0, 20.0, 30.0], (len(truth), 1)), axis=1)
    for row in np.flatnonzero(rng.random(len(truth)) < bias):
        longest = lengths[row].argmax()
        lengths[row, [truth[row], longest]] = lengths[row, [longest, truth[row]]]
    return lengths


def test_shortcuts_are_found_and_only_those():
    rng = np.random.default_rng(0)
    truth = rng.integers(3, size=150)
    found = find_shortcuts(
        truth,
        {
            "number": truth * 2 + rng.normal(size=150),
            "chance": rng.normal(size=150),
            "category": np.where(rng.random(150) < 0.7, truth, 0).astype(str),
            "colour": rng.choice(["red", "blue"], 150),
            "length": options(rng, truth, 0.5),
            "fair": options(rng, truth, 0.0),
        },
        classes=3,
    )
    assert {each.feature for each in found if each.is_shortcut} == {"number", "category", "length"}
    assert [each.kind for each in found] == ["number", "number", "category", "category", "option", "option"]


def test_false_alarms_are_as_rare_as_they_should_be():
    rng = np.random.default_rng(1)
    alarms = [
        find_shortcuts(
            rng.integers(3, size=40),
            {"x": rng.normal(size=40), "y": rng.choice(list("pqr"), 40), "z": rng.normal(size=(40, 3))},
            classes=3,
            permutations=200,
            strength=0.0,
            seed=trial,
        )
        for trial in range(120)
    ]
    # Holm keeps the chance of any alarm at 5%.
    assert np.mean([any(each.is_shortcut for each in found) for found in alarms]) < 0.11


def test_always_the_longest_is_a_perfect_shortcut():
    truth = np.arange(30) % 3
    (found,) = find_shortcuts(truth, {"length": np.eye(3)[truth]}, classes=3)
    assert found.is_shortcut
    assert found.strength == pytest.approx(1)


def test_shortcut_features_are_checked():
    for feature, message in (
        ([1, 2], "must have 3 values"),
        ([1.0, np.nan, 2.0], "finite"),
        (np.ones((3, 4)), "each of the 2 options"),
        (np.full((3, 2), "x"), "a number for each option"),
    ):
        with pytest.raises(ValueError, match=message):
            find_shortcuts([0, 1, 0], {"f": feature}, classes=2)
    with pytest.raises(ValueError, match="class indices from 0 to 1"):
        find_shortcuts([0, 5], {}, classes=2)


def test_gold_is_right_and_balanced():
    table, truth = crowd()
    result = DawidSkene.maximum_a_posteriori().fit_predict(table)
    gold = choose_gold(result, table)
    assert gold.refused is None
    assert len(set(np.bincount(gold.answers, minlength=3))) == 1
    assert len(gold.tasks) >= 150
    assert (truth[gold.tasks] == gold.answers).mean() > 0.99
    assert len(choose_gold(result, table, per_class=4).tasks) == 12
    short = choose_gold(result, table, per_class=10_000)
    assert "fewer than the 10000 wanted" in short.refused
    assert len(short.tasks) == 0


def test_a_shortcut_is_balanced_out():
    table, truth = crowd()
    result = DawidSkene.maximum_a_posteriori().fit_predict(table)
    rng = np.random.default_rng(0)
    features = {
        "length": options(rng, truth, 0.4),
        "source": np.where(rng.random(300) < 0.5, truth, rng.integers(3, size=300)).astype(str),
    }
    gold = choose_gold(result, table, features)
    assert {each.feature for each in gold.shortcuts if each.is_shortcut} == {"length", "source"}
    assert gold.refused is None
    assert not any(each.is_shortcut for each in gold.remaining)
    assert len(gold.tasks) >= 15
    assert len(set(np.bincount(gold.answers, minlength=3))) == 1


def test_a_shortcut_that_cannot_be_balanced_refuses_the_set():
    table, truth = crowd()
    result = DawidSkene.maximum_a_posteriori().fit_predict(table)
    for features in ({"longest": np.eye(3)[truth]}, {"source": truth.astype(str)}):
        gold = choose_gold(result, table, features)
        assert gold.refused
        assert len(gold.tasks) == 0


def test_the_next_tasks_file(tmp_path):
    table, _ = crowd(each=4)
    result = DawidSkene.maximum_a_posteriori().fit_predict(table)
    tasks = [{"id": k, "text": f"task {k}"} for k in range(300)]
    gold = choose_gold(result, table, per_class=2)
    selection = select(result, table, enough=0.999)
    rows = next_tasks(tasks, result, selection, gold, most=5)
    assert len(rows) == 5 + 6
    asked = [row["id"] for row in rows if row["gold"] is None]
    assert asked == [k for k in selection.open.tolist() if k not in gold.tasks][:5]
    for suffix in ("jsonl", "csv", "parquet"):
        write_next_tasks(tmp_path / f"next.{suffix}", rows)
    lines = (tmp_path / "next.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == rows
    with pytest.raises(ValueError, match="no task is left"):
        write_next_tasks(tmp_path / "none.jsonl", [])
    refused = choose_gold(result, table, per_class=10_000)
    with pytest.raises(ValueError, match="refused"):
        next_tasks(tasks, result, selection, refused)
    with pytest.raises(ValueError, match="field 'gold' already"):
        next_tasks([{"id": 0, "gold": "c1"}], result, selection)
