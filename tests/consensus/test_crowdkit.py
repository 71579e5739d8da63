"""Beside crowd-kit: the same labels on real answers, but for ties and where a search ends."""

import numpy as np
import pandas as pd
import pytest
from crowdkit.aggregation import GLAD as TheirGLAD
from crowdkit.aggregation import MACE as TheirMACE
from crowdkit.aggregation import DawidSkene as TheirDawidSkene
from crowdkit.aggregation import MajorityVote as TheirMajority
from crowdkit.aggregation import OneCoinDawidSkene as TheirOneCoin

from earnest.consensus.dawid_skene import DawidSkene
from earnest.consensus.glad import GLAD
from earnest.consensus.mace import MACE
from earnest.consensus.majority import MajorityVote
from earnest.consensus.one_coin import OneCoin
from earnest.datasets import load_classes

PAIRS = {
    "majority": (MajorityVote(), TheirMajority, ["bluebird", "dog", "face", "product", "rte", "temp", "wsd"]),
    "Dawid–Skene": (DawidSkene(), TheirDawidSkene, ["bluebird", "dog", "face", "rte", "sentiment", "temp"]),
    "one-coin": (OneCoin(), TheirOneCoin, ["bluebird", "dog", "face", "rte", "sentiment", "temp"]),
    "GLAD": (GLAD(), lambda: TheirGLAD(silent=True), ["temp", "wsd"]),
    "MACE": (MACE(), lambda: TheirMACE(n_restarts=1), ["dog", "face", "temp"]),
}
CASES = [(method, name) for method, (_, _, names) in PAIRS.items() for name in names]


@pytest.mark.parametrize(("method", "name"), CASES)
def test_labels_are_as_right_as_crowdkits(method, name):
    ours, make_theirs, _ = PAIRS[method]
    data = load_classes(name)
    table, truth = data.table, data.table.gold(data.truth)
    # Numbered in order of appearance: its MACE computes something else otherwise.
    worker, label = pd.factorize(table.worker)[0], pd.factorize(table.label)[0]
    classes = pd.unique(pd.Series(table.label))
    theirs = make_theirs().fit_predict(pd.DataFrame({"task": table.task, "worker": worker, "label": label}))
    their_label = classes[theirs.sort_index().to_numpy().astype(int)]
    found = ours.fit_predict(table)
    assert (found.label == truth).mean() >= (their_label == truth).mean() - 0.005
    if method in ("Dawid–Skene", "one-coin"):
        assert (found.label == their_label).mean() >= 0.97


def test_dawid_skene_has_crowdkits_probabilities():
    table = load_classes("dog").table
    theirs = TheirDawidSkene(n_iter=10, tol=-np.inf).fit_predict_proba(
        pd.DataFrame({"task": table.task, "worker": table.worker, "label": table.label})
    )
    ours = DawidSkene(iterations=10, tolerance=-np.inf).fit_predict(table).probability
    assert np.abs(ours - theirs.sort_index().sort_index(axis=1).to_numpy()).max() < 1e-5
