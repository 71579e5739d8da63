"""Accuracy, log loss and calibration of every estimator, beside crowd-kit's own, on real labels with known
truth.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from earnest.consensus.dawid_skene import DawidSkene
from earnest.consensus.ebcc import EBCC
from earnest.consensus.glad import GLAD
from earnest.consensus.ibcc import IBCC
from earnest.consensus.mace import MACE
from earnest.consensus.majority import MajorityVote
from earnest.consensus.one_coin import OneCoin
from earnest.consensus.pooled import PooledDawidSkene
from earnest.consensus.predictive import ClassEstimator
from earnest.consensus.stack import Stack, tempered
from earnest.consensus.table import UNKNOWN, LabelTable
from earnest.consensus.votes import softmax
from earnest.consensus.wawa import Wawa
from earnest.consensus.zero_based_skill import ZeroBasedSkill
from earnest.datasets import CATEGORICAL, load_classes

DEFAULT = "stack (the default)"
ESTIMATORS: dict[str, ClassEstimator] = {
    DEFAULT: Stack(),
    "majority": MajorityVote(),
    "Wawa": Wawa(),
    "zero-based skill": ZeroBasedSkill(),
    "Dawid–Skene": DawidSkene(),
    "Dawid–Skene MAP": DawidSkene.maximum_a_posteriori(),
    "pooled Dawid–Skene": PooledDawidSkene(),
    "one-coin": OneCoin(),
    "IBCC": IBCC(),
    "EBCC": EBCC(),
    "GLAD": GLAD(),
    "MACE (vb)": MACE(),
    "MACE (em)": MACE(training="em"),
}
SPREADS = (0.1, 0.3, 0.5, 1.0)
DISCOUNTS = (0.0, 0.4, 0.5, 0.6, 0.7, 0.8)
REDUNDANCIES = (3, 5, 7)
REPLICATES = 3
BINS = 10

Row = dict[str, float]


def scores(label: np.ndarray, probability: np.ndarray, truth: np.ndarray) -> Row:
    """Accuracy in percent; log loss, natural logarithm, probabilities floored at 1e-10; calibration error
    (ECE).
    """
    known = truth != UNKNOWN
    label, probability, truth = label[known], probability[known], truth[known]
    right = probability[np.arange(len(truth)), truth]
    return {
        "accuracy": 100.0 * float((label == truth).mean()),
        "log_loss": -float(np.log(np.maximum(right, 1e-10)).mean()),
        "ece": calibration_error(probability.max(axis=1), label == truth),
    }


def calibration_error(confidence: np.ndarray, right: np.ndarray) -> float:
    """Expected calibration error over ten equal bins of confidence."""
    which = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = [abs(confidence[which == b].sum() - right[which == b].sum()) for b in range(BINS)]
    return float(sum(gaps) / len(right))


def ours() -> dict[str, dict[str, Row]]:
    """Scores by estimator and set, with the seconds that it took."""
    result: dict[str, dict[str, Row]] = {}
    for name, estimator in ESTIMATORS.items():
        result[name] = {}
        for each in CATEGORICAL:
            data = load_classes(each)
            began = time.perf_counter()
            found = estimator.fit_predict(data.table)
            seconds = time.perf_counter() - began
            row = scores(found.label, found.probability, data.table.gold(data.truth))
            result[name][each] = {**row, "seconds": seconds}
    return result


def theirs() -> dict[str, dict[str, Row | str]]:
    """The same for crowd-kit's estimators at their defaults; a sentence where one refuses a set.

    MACE does one restart: crowd-kit draws all ten from one seed, so that they are the same.
    Workers and classes are numbered in order of appearance, as its MACE takes for granted.
    """
    from crowdkit.aggregation import classification as kit

    methods: dict[str, Callable[[], Any]] = {
        "majority": kit.MajorityVote,
        "Wawa": kit.Wawa,
        "zero-based skill": kit.ZeroBasedSkill,
        "Dawid–Skene": kit.DawidSkene,
        "one-coin": kit.OneCoinDawidSkene,
        "GLAD": lambda: kit.GLAD(silent=True),
        "MACE (vb)": lambda: kit.MACE(n_restarts=1),
        "MACE (em)": lambda: kit.MACE(n_restarts=1, method="em"),
        "M-MSR": kit.MMSR,
        "KOS": kit.KOS,
    }
    return {name: {each: _their_row(make, each) for each in CATEGORICAL} for name, make in methods.items()}


def _their_row(make: Callable[[], Any], name: str) -> Row | str:
    import pandas as pd

    data = load_classes(name)
    table = data.table
    worker, _ = pd.factorize(table.worker)
    label, classes = pd.factorize(table.label)
    frame = pd.DataFrame({"task": table.task, "worker": worker, "label": label})
    began = time.perf_counter()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            method = make()
            found = method.fit_predict(frame)
            shares = getattr(method, "probas_", None)
            if shares is None and hasattr(method, "fit_predict_proba"):
                shares = method.fit_predict_proba(frame)
    except (
        ValueError,
        AttributeError,
    ) as error:  # KOS: two classes only; Wawa: not with scikit-learn from 1.7
        return str(error)
    seconds = time.perf_counter() - began
    tasks = range(len(table.tasks))
    chosen = classes[found.reindex(tasks).to_numpy().astype(int)]
    probability = np.eye(len(table.classes))[chosen]
    if shares is not None:
        probability = np.zeros((len(tasks), len(table.classes)))
        probability[:, classes] = shares.reindex(index=tasks, columns=range(len(classes))).fillna(0.0)
    return {**scores(chosen, probability, table.gold(data.truth)), "seconds": seconds}


def thinned(table: LabelTable, answers: int, seed: int) -> LabelTable:
    """The table with at most so many answers to each task, drawn at random."""
    order = np.lexsort((np.random.default_rng(seed).random(len(table)), table.task))
    kept = np.zeros(len(table), bool)
    kept[order[np.arange(len(table)) - table.start[table.task[order]] < answers]] = True
    return table.select(kept)


def redundancy() -> dict[str, dict[str, dict[str, Row]]]:
    """Mean scores of our estimators by answers a task and set, over random draws of the answers."""
    result: dict[str, dict[str, dict[str, Row]]] = {name: {} for name in ESTIMATORS}
    for answers in REDUNDANCIES:
        for each in CATEGORICAL:
            data = load_classes(each)
            if np.median(data.table.per_task) <= answers:
                continue
            truth = data.table.gold(data.truth)
            draws = [thinned(data.table, answers, seed) for seed in range(REPLICATES)]
            for name, estimator in ESTIMATORS.items():
                found = [estimator.fit_predict(draw) for draw in draws]
                rows = [scores(f.label, f.probability, truth) for f in found]
                mean = {key: float(np.mean([row[key] for row in rows])) for key in rows[0]}
                result[name].setdefault(str(answers), {})[each] = mean
    return result


def constants() -> dict[str, Any]:
    """The default's two constants, chosen for each set by the log loss on the other sets alone.

    Full tables and one draw of each redundancy count alike. Gives, for each set left out, what was chosen and
    its scores on the full table; and the mean log loss of the whole grid.
    """
    grid = [(spread, discount) for spread in SPREADS for discount in DISCOUNTS]
    full: dict[str, dict[tuple[float, float], Row]] = {}
    loss: dict[str, np.ndarray] = {}
    for each in CATEGORICAL:
        data = load_classes(each)
        truth = data.table.gold(data.truth)
        thin = [thinned(data.table, n, 0) for n in REDUNDANCIES if np.median(data.table.per_task) > n]
        by_table = [_grid_scores(table, truth, grid) for table in (data.table, *thin)]
        full[each] = by_table[0]
        loss[each] = np.array([np.mean([rows[pair]["log_loss"] for rows in by_table]) for pair in grid])
    chosen = {}
    for each in CATEGORICAL:
        pair = grid[int(np.argmin(sum(loss[other] for other in CATEGORICAL if other != each)))]
        chosen[each] = {"spread": pair[0], "discount": pair[1], **full[each][pair]}
    means = np.mean(list(loss.values()), axis=0)
    return {
        "left out": chosen,
        "grid": [
            {"spread": pair[0], "discount": pair[1], "log_loss": float(mean)}
            for pair, mean in zip(grid, means, strict=True)
        ],
    }


def _grid_scores(
    table: LabelTable, truth: np.ndarray, grid: list[tuple[float, float]]
) -> dict[tuple[float, float], Row]:
    """Scores of the default under each pair of constants, from one fit of its members."""
    found = Stack().fit_predict(table)
    result = {}
    for spread, discount in grid:
        weights, _ = softmax(found.held_out[None, :] * (np.sqrt(len(table)) / spread))
        power = np.maximum(table.per_task, 1) ** -discount
        members = zip(weights[0], found.members, strict=True)
        probability = sum(weight * tempered(member.probability, power) for weight, member in members)
        result[spread, discount] = scores(probability.argmax(axis=1), probability, truth)
    return result
