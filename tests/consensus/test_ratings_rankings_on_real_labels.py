"""Ratings, rankings and pairs on real labels: who beats whom, not by how much.

Two of the sets may not be shipped. They are read from the folder named by `EARNEST_SHARED_DATA` (else
`../shared/data` beside the project); without it their tests are skipped, and say so.
"""

import os
from pathlib import Path

import numpy as np
import pytest

from earnest.consensus import kendall
from earnest.consensus.bias_noise import BiasNoise
from earnest.consensus.borda import Borda
from earnest.consensus.bradley_terry import BradleyTerry
from earnest.consensus.kemeny import Kemeny
from earnest.consensus.mean import Mean
from earnest.consensus.median import Median
from earnest.consensus.plackett_luce import PlackettLuce
from earnest.consensus.table import LabelTable, RankingTable, RatingTable
from earnest.datasets import load_ratings


def shared(name):
    root = Path(__file__).parents[2]
    folder = Path(os.environ.get("EARNEST_SHARED_DATA", root.parent / "shared" / "data")) / name
    if not (folder / "labels.csv").is_file():
        pytest.skip(f"{name} may not be shipped: set EARNEST_SHARED_DATA to the folder that holds it")
    return folder / "labels.csv"


def thin(table, number, seed):
    order = np.lexsort((np.random.default_rng(seed).random(len(table)), table.task))
    kept = np.zeros(len(table), bool)
    kept[order] = np.arange(len(table)) - table.start[table.task[order]] < number
    return kept


@pytest.mark.parametrize("name", ["affect_valence", "affect_joy"])
def test_the_mean_of_the_crowd_goes_with_the_experts(name):
    data = load_ratings(name)
    truth = data.table.gold(data.truth)
    by_mean, by_median = Mean().fit_predict(data.table), Median().fit_predict(data.table)
    assert np.corrcoef(by_mean.value, truth)[0, 1] > 0.6
    assert np.corrcoef(by_mean.value, truth)[0, 1] > np.corrcoef(by_median.value, truth)[0, 1]


@pytest.mark.parametrize("name", ["nflx_public", "vqeg_525_line_high"])
def test_the_model_of_bias_and_noise_is_nearer_to_the_opinion_of_the_others_than_the_mean(name):
    table = load_ratings(name).table
    errors, held = {Mean: [], BiasNoise: []}, []
    for seed in range(3):
        kept = thin(table, 5, seed)
        others = np.bincount(table.task[~kept], table.rating[~kept]) / np.bincount(table.task[~kept])
        some = RatingTable.from_columns(table.task[kept], table.worker[kept], table.rating[kept])
        for method, found in errors.items():
            result = method().fit_predict(some)
            found.append(((result.value - others) ** 2).mean())
        held.append(((result.low <= others) & (others <= result.high)).mean())
    assert np.mean(errors[BiasNoise]) < 0.95 * np.mean(errors[Mean])
    assert np.mean(held) > 0.88


def test_five_rankings_foretell_those_of_fifty_others():
    table = RankingTable.from_csv(shared("spvoting_rank"))
    kept = thin(table, 5, 0)

    def part(rows):
        return RankingTable.from_columns(table.task[rows], table.worker[rows], table.ranking[rows])

    right = Kemeny().fit_predict(part(~kept)).ranking
    for method in (Borda, Kemeny, PlackettLuce):
        # Two rankings of four items at random differ in three pairs.
        assert kendall.distance(method().fit_predict(part(kept)).ranking, right).mean() < 2


def test_shared_items_help_where_answers_are_few():
    table = LabelTable.from_csv(shared("music_pref"))
    pairs = {}
    for task in table.tasks.tolist():
        query, one, other = task.split("|")
        pairs[task] = (f"{query}|{one}", f"{query}|{other}")
    loss = {"shares": [], "bradley_terry": []}
    for seed in range(3):
        kept = thin(table, 2, seed)
        some = LabelTable.from_columns(
            table.tasks[table.task[kept]],
            table.workers[table.worker[kept]],
            table.classes[table.label[kept]],
            classes=table.classes,
        )
        votes = np.zeros((len(table.tasks), 3))
        np.add.at(votes, (table.task[kept], table.label[kept]), 1)
        shares = (votes + votes.sum(axis=0) / votes.sum()) / 3
        fitted = BradleyTerry(pairs, first="a", second="b", tie="s").fit_predict(some).pairs
        task, label = table.task[~kept], table.label[~kept]
        # What a worker says: as a perfect one would, or the other way round (a, b, s becomes b, a, s).
        known = dict(zip(fitted.workers.tolist(), fitted.reliability.tolist(), strict=True))
        right = [known.get(worker, fitted.reliability.mean()) for worker in table.workers.tolist()]
        right = np.array(right)[table.worker[~kept]]
        turned = fitted.probability[task, np.array([1, 0, 2])[label]]
        said = right * fitted.probability[task, label] + (1 - right) * turned
        loss["bradley_terry"].append(-np.log(said).mean())
        loss["shares"].append(-np.log(shares[task, label]).mean())
    assert np.mean(loss["bradley_terry"]) < np.mean(loss["shares"])
