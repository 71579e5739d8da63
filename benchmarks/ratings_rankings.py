"""Ratings, rankings and pairs, measured on real labels: `python benchmarks/ratings_rankings.py`.

Prints tables and writes them to `benchmarks/ratings_rankings.json`. Rankings and pairs are measured on two
sets that may not be shipped; they are read from the folder named by `EARNEST_SHARED_DATA` (else
`../shared/data` beside the project), and left out, with a line that says so, when it is not there.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import pearsonr, spearmanr

from earnest.consensus import kendall
from earnest.consensus.bias_noise import BiasNoise
from earnest.consensus.borda import Borda
from earnest.consensus.bradley_terry import BradleyTerry
from earnest.consensus.copeland import Copeland
from earnest.consensus.kemeny import Kemeny
from earnest.consensus.mallows import Mallows
from earnest.consensus.mean import Mean
from earnest.consensus.median import Median
from earnest.consensus.plackett_luce import PlackettLuce
from earnest.consensus.ranked_pairs import RankedPairs
from earnest.consensus.table import Answers, LabelTable, RankingTable, RatingTable, read_columns
from earnest.datasets import load_ratings
from earnest.export.files import write_json

ROOT = Path(__file__).parent.parent
OUTPUT = ROOT / "benchmarks" / "ratings_rankings.json"
SEEDS = range(10)

Row = dict[str, float]
RATINGS: Mapping[str, Any] = {"mean": Mean(), "median": Median(), "bias_noise": BiasNoise()}
RANKINGS: Mapping[str, Any] = {
    "borda": Borda(),
    "copeland": Copeland(),
    "ranked_pairs": RankedPairs(),
    "kemeny": Kemeny(),
    "mallows": Mallows(),
    "plackett_luce": PlackettLuce(),
}


def shared(name: str) -> Path | None:
    """Folder of a set that is not shipped, or None."""
    folder = Path(os.environ.get("EARNEST_SHARED_DATA", ROOT.parent / "shared" / "data")) / name
    return folder if (folder / "labels.csv").is_file() else None


def ratings_with_truth() -> dict[str, dict[str, Row]]:
    """All answers, against the experts' values."""
    result = {}
    for name in ("affect_valence", "affect_joy"):
        data = load_ratings(name)
        truth = data.table.gold(data.truth)
        everywhere = np.ones(len(truth), bool)
        result[name] = {
            k: rating_row(m.fit_predict(data.table), truth, everywhere) for k, m in RATINGS.items()
        }
    return result


def ratings_with_gold() -> dict[str, dict[str, Row]]:
    """The same with a random fifth of the values known, on the others, mean over the seeds."""
    result = {}
    for name in ("affect_valence", "affect_joy"):
        data = load_ratings(name)
        truth = data.table.gold(data.truth)
        rows: dict[str, list[Row]] = {k: [] for k in RATINGS}
        for seed in SEEDS:
            known = np.random.default_rng(seed).random(len(truth)) < 0.2
            gold = np.where(known, truth, np.nan)
            for k, method in RATINGS.items():
                rows[k].append(rating_row(method.fit_predict(data.table, gold), truth, ~known))
        result[name] = {k: mean_row(each) for k, each in rows.items()}
    return result


def ratings_without_truth() -> dict[str, dict[str, Row]]:
    """Some answers to each task, against the mean opinion of all other workers; mean over the seeds."""
    result = {}
    for name in ("nflx_public", "vqeg_525_line_high"):
        table = load_ratings(name).table
        for number in (3, 5, 10):
            rows: dict[str, list[Row]] = {k: [] for k in RATINGS}
            for seed in SEEDS:
                kept = thin(table, number, seed)
                left = np.bincount(table.task[~kept])
                truth = np.bincount(table.task[~kept], table.rating[~kept]) / left
                columns = (table.tasks[table.task], table.workers[table.worker], table.rating)
                some = RatingTable.from_columns(*(column[kept] for column in columns))
                for k, method in RATINGS.items():
                    rows[k].append(rating_row(method.fit_predict(some), truth, np.ones(len(truth), bool)))
            result[f"{name}, {number} answers"] = {k: mean_row(each) for k, each in rows.items()}
    return result


def ratings_simulated() -> dict[str, dict[str, Row]]:
    """Normal truths, biases and noises: whether intervals of 95% hold 95%."""
    result = {}
    for tasks, workers, each in ((100, 20, 5), (200, 40, 3), (50, 10, 10), (100, 200, 5)):
        rows: dict[str, list[Row]] = {k: [] for k in RATINGS}
        for seed in SEEDS:
            rng = np.random.default_rng(seed)
            truth, bias = rng.normal(3, 1, tasks), rng.normal(0, 0.5, workers)
            noise = np.sqrt(1 / rng.gamma(2, 1 / 0.8, workers))
            task = np.repeat(np.arange(tasks), each)
            worker = np.concatenate([rng.permutation(workers)[:each] for _ in range(tasks)])
            rating = truth[task] + bias[worker] + noise[worker] * rng.normal(size=len(task))
            table = RatingTable.from_columns(task, worker, rating)
            for k, method in RATINGS.items():
                rows[k].append(rating_row(method.fit_predict(table), truth, np.ones(tasks, bool)))
        result[f"{tasks} tasks × {each} of {workers} workers"] = {k: mean_row(r) for k, r in rows.items()}
    return result


def rating_row(found: Any, truth: NDArray[Any], of: NDArray[np.bool_]) -> Row:
    """Error, correlations and how often the interval holds the truth."""
    value, low, high, right = found.value[of], found.low[of], found.high[of], truth[of]
    return {
        "RMSE": float(np.sqrt(((value - right) ** 2).mean())),
        "Pearson": float(pearsonr(value, right)[0]),
        "Spearman": float(spearmanr(value, right)[0]),
        "held": float(((low <= right) & (right <= high)).mean()),
        "width": float((high - low).mean()),
    }


def rankings_shared(folder: Path) -> dict[str, dict[str, Row]]:
    """Four items to rank, about 58 workers a task: against the truth, and n answers against the others'
    Kemeny ranking. Items are numbered anew for every task and seed: in the file, the truth is always
    0-1-2-3.
    """
    task, worker, label = map(np.array, read_columns(folder / "labels.csv", "task", "worker", "label"))
    given = np.array([[int(item) for item in row.split("-")] for row in label])
    names, code = np.unique(task, return_inverse=True)
    result: dict[str, dict[str, list[Row]]] = {}
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        number = rng.permuted(np.tile(np.arange(4), (len(names), 1)), axis=1)
        ranking = np.take_along_axis(number[code], given, axis=1)
        everything = RankingTable.from_columns(task, worker, ranking)
        truth = {"all answers, against the truth": (everything, number)}
        for answers in (3, 5, 10):
            order = np.lexsort((rng.random(len(code)), code))
            place = np.empty(len(code), np.int64)
            place[order] = np.arange(len(code)) - np.searchsorted(code[order], code[order])
            kept = place < answers
            others = RankingTable.from_columns(task[~kept], worker[~kept], ranking[~kept])
            some = RankingTable.from_columns(task[kept], worker[kept], ranking[kept])
            truth[f"{answers} answers, against the others"] = (some, Kemeny().fit_predict(others).ranking)
        for name, (table, right) in truth.items():
            for k, method in RANKINGS.items():
                row = ranking_row(method.fit_predict(table), right)
                result.setdefault(name, {}).setdefault(k, []).append(row)
    return {name: {k: mean_row(r) for k, r in rows.items()} for name, rows in result.items()}


def rankings_simulated() -> dict[str, dict[str, Row]]:
    """Plackett–Luce and Mallows crowds of 30 workers, a fifth of them answering at random."""
    result = {}
    every = kendall.all_rankings(5)
    gap = kendall.distance(every[:, None], every[None])
    for law in ("Plackett–Luce", "Mallows"):
        for each in (3, 7):
            rows: dict[str, list[Row]] = {k: [] for k in RANKINGS}
            for seed in range(3):
                rng = np.random.default_rng(seed)
                tasks, workers = 300, 30
                task = np.repeat(np.arange(tasks), each)
                worker = np.concatenate([rng.permutation(workers)[:each] for _ in range(tasks)])
                sincere = worker < 24
                if law == "Plackett–Luce":
                    strength = rng.normal(0, 1.5, (tasks, 5))
                    seen = np.where(sincere[:, None], strength[task], 0) + rng.gumbel(size=(len(task), 5))
                    truth, ranking = np.argsort(-strength, axis=1), np.argsort(-seen, axis=1)
                else:
                    right = rng.integers(len(every), size=tasks)
                    weight = np.exp(-np.where(sincere, 0.5, 0.0)[:, None] * gap[right[task]])
                    edge = (weight / weight.sum(axis=1, keepdims=True)).cumsum(axis=1)
                    drawn = (rng.random((len(task), 1)) > edge).sum(axis=1).clip(max=len(every) - 1)
                    truth, ranking = every[right], every[drawn]
                table = RankingTable.from_columns(task, worker, ranking)
                for k, method in RANKINGS.items():
                    rows[k].append(ranking_row(method.fit_predict(table), truth))
            result[f"{law}, {each} answers of 5 items"] = {k: mean_row(r) for k, r in rows.items()}
    return result


def ranking_row(found: Any, truth: NDArray[Any]) -> Row:
    """Kendall distance, rankings wholly right and how sure of it; pairs: right, how sure, log loss
    (natural).
    """
    first, second = kendall.pairs(truth.shape[1])
    before = found.precedence[:, first, second]
    order = kendall.orders(truth)
    off = kendall.distance(found.ranking, truth)
    return {
        "distance": float(off.mean()),
        "whole right": float((off == 0).mean()),
        "said": float(found.probability.mean()),
        "pairs right": float(((before > 0.5) == order).mean()),
        "pairs said": float(np.maximum(before, 1 - before).mean()),
        "log loss": float(-np.log(np.where(order, before, 1 - before).clip(1e-9)).mean()),
        "tied": float(found.tied.mean()),
    }


def pairs_shared(folder: Path) -> dict[str, dict[str, Row]]:
    """Some answers to each pair of melodies: prediction of the other workers' answers and of their plurality.

    Beside Bradley–Terry, the shares of the pair's own answers, with one answer's worth of the overall
    shares.
    """
    table = LabelTable.from_csv(folder / "labels.csv")
    pairs = {}
    for task in table.tasks.tolist():
        query, one, other = task.split("|")
        pairs[task] = (f"{query}|{one}", f"{query}|{other}")
    result = {}
    for number in (2, 3, 5):
        rows: dict[str, list[Row]] = {"shares": [], "bradley_terry": []}
        for seed in SEEDS:
            kept = thin(table, number, seed)
            names = (table.tasks[table.task], table.workers[table.worker], table.classes[table.label])
            some = LabelTable.from_columns(*(column[kept] for column in names), classes=table.classes)
            votes = np.zeros((len(table.tasks), 3))
            np.add.at(votes, (table.task[kept], table.label[kept]), 1)
            shares = (votes + votes.sum(axis=0) / votes.sum()) / (votes.sum(axis=1, keepdims=True) + 1)
            fitted = BradleyTerry(pairs, first="a", second="b", tie="s").fit_predict(some)
            others = np.zeros_like(votes)
            np.add.at(others, (table.task[~kept], table.label[~kept]), 1)
            answered = answer_probability(fitted.pairs, some, table, kept)
            said = {"shares": shares[table.task, table.label][~kept], "bradley_terry": answered}
            label = {"shares": shares.argmax(axis=1), "bradley_terry": fitted.pairs.label}
            for k in rows:
                agrees = float((label[k] == others.argmax(axis=1)).mean())
                rows[k].append({"log loss": float(-np.log(said[k]).mean()), "plurality": agrees})
        result[f"{number} answers"] = {k: mean_row(each) for k, each in rows.items()}
    return result


def answer_probability(
    found: Any, some: LabelTable, table: LabelTable, kept: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Probability of each answer that was not kept: a worker says what a perfect one would with their
    reliability, else the other way round; a worker without an answer kept is an average one.
    """
    reliability = dict(zip(some.workers.tolist(), found.reliability.tolist(), strict=True))
    average = float(found.reliability.mean())
    each = np.array([reliability.get(worker, average) for worker in table.workers.tolist()])
    right, label = each[table.worker[~kept]], table.label[~kept]
    perfect = found.probability[table.task[~kept]]
    row = np.arange(len(label))
    # Classes are a, b and s, and the opposite of a tie is a tie.
    return right * perfect[row, label] + (1 - right) * perfect[row, np.array([1, 0, 2])[label]]


def speed() -> dict[str, dict[str, Row]]:
    """Seconds for 100,000 answers: 10,000 tasks × 10 of 500 workers."""
    rng = np.random.default_rng(0)
    task, worker = np.repeat(np.arange(10_000), 10), np.tile(np.arange(500), 200)
    ratings = RatingTable.from_columns(task, worker, rng.normal(size=100_000) + rng.normal(size=10_000)[task])
    seen = rng.normal(0, 1, (10_000, 5))[task] + rng.gumbel(size=(100_000, 5))
    rankings = RankingTable.from_columns(task, worker, np.argsort(-seen, axis=1))
    timed = {k: seconds(method.fit_predict, ratings) for k, method in RATINGS.items()}
    timed |= {k: seconds(method.fit_predict, rankings) for k, method in RANKINGS.items()}
    return {"100,000 answers": {k: {"seconds": value} for k, value in timed.items()}}


def seconds(run: Callable[[Any], Any], table: Any) -> float:
    """Wall time of one run."""
    began = time.perf_counter()
    run(table)
    return time.perf_counter() - began


def thin(table: Answers, number: int, seed: int) -> NDArray[np.bool_]:
    """Which answers are among `number` random ones of their task, [n]."""
    order = np.lexsort((np.random.default_rng(seed).random(len(table)), table.task))
    kept = np.zeros(len(table), bool)
    kept[order] = np.arange(len(table)) - table.start[table.task[order]] < number
    return kept


def mean_row(rows: list[Row]) -> Row:
    """Mean of each figure."""
    return {key: float(np.mean([row[key] for row in rows])) for key in rows[0]}


def show(title: str, tables: Mapping[str, Mapping[str, Row]]) -> None:
    """Print one table for each set."""
    print(f"\n## {title}")
    for name, rows in tables.items():
        keys = list(next(iter(rows.values())))
        print(f"\n{name}\n{'':16}" + "".join(f"{key:>13}" for key in keys))
        for method, row in rows.items():
            print(f"{method:16}" + "".join(f"{row[key]:13.3f}" for key in keys))


def main() -> None:
    """Measure, print, write."""
    parts: dict[str, Any] = {
        "ratings, known truth": ratings_with_truth(),
        "ratings, a fifth of the truth given as gold": ratings_with_gold(),
        "ratings, mean opinion of the others": ratings_without_truth(),
        "ratings, simulated": ratings_simulated(),
        "rankings, simulated": rankings_simulated(),
    }
    local = {"spvoting_rank": ("rankings, spvoting_rank", rankings_shared)}
    local |= {"music_pref": ("pairs, music_pref", pairs_shared)}
    for name, (title, measure) in local.items():
        folder = shared(name)
        if folder is None:
            print(
                f"{name} is not there: set EARNEST_SHARED_DATA to the folder that holds it to measure it too"
            )
        else:
            parts[title] = measure(folder)
    parts["speed"] = speed()
    for title, tables in parts.items():
        show(title, tables)
    write_json(OUTPUT, parts)
    print(f"\nwritten to {OUTPUT.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
