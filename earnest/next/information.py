"""How open a task still is (entropy), and what one more label would tell about it (expected information
gain).

The gain is the mutual information between the truth and the label of a worker drawn at random from those
given (Lindley 1956; MacKay 1992), in bits like the entropy. Who will answer is not known, but their
reliability will be.
"""

from __future__ import annotations

import numpy as np
from scipy.special import entr
from scipy.stats import norm

from earnest.consensus.result import ClassConsensus, RankingConsensus, RatingConsensus
from earnest.consensus.table import Floats

MOST_WORKERS = 64
"""Workers that stand for all of them in the gain: evenly spaced by reliability."""


def entropy(probability: Floats) -> Floats:
    """Entropy in bits [T] of distributions [T, C]."""
    return np.asarray(entr(probability).sum(axis=1) / np.log(2))


def label_gain(probability: Floats, confusion: Floats) -> Floats:
    """Expected information gain in bits [T] of one more label, for beliefs [T, C] and workers' P(label |
    truth) [W, C, C], truth first.
    """
    if len(confusion) == 0:
        raise ValueError("the gain of a label needs at least one worker")
    tasks, classes = probability.shape
    noise = entr(confusion).sum(axis=2).mean(axis=0)
    gain = -(probability @ noise)
    spread = np.ascontiguousarray(confusion.transpose(1, 0, 2)).reshape(classes, -1)
    step = max(1, 2_000_000 // spread.shape[1])
    for start in range(0, tasks, step):
        part = slice(start, start + step)
        gain[part] += entr(probability[part] @ spread).sum(axis=1) / len(confusion)
    return np.asarray(np.maximum(gain, 0) / np.log(2))


def confusion_of(result: ClassConsensus) -> Floats:
    """P(label | truth) [w, C, C] of at most `MOST_WORKERS` workers who stand for all.

    A method that estimates no confusion matrices gives each worker's reliability, and errors are taken to
    fall on all other classes alike.
    """
    ranked = np.argsort(result.reliability, kind="stable")
    places = np.linspace(0, len(ranked) - 1, min(len(ranked), MOST_WORKERS)).round().astype(int)
    chosen = ranked[places]
    if result.confusion is not None:
        return np.asarray(result.confusion[chosen])
    classes = len(result.classes)
    right = result.reliability[chosen][:, None, None]
    wrong = (1 - right) / max(classes - 1, 1)
    return np.asarray(np.where(np.eye(classes, dtype=bool), right if classes > 1 else 1.0, wrong))


def class_information(result: ClassConsensus) -> tuple[Floats, Floats]:
    """Entropy and gain of a label, in bits [T] each."""
    return entropy(result.probability), label_gain(result.probability, confusion_of(result))


def rating_information(result: RatingConsensus) -> tuple[Floats, Floats]:
    """Width of the interval [T], in units of the rating, and gain of a rating in bits [T].

    Values and noise are taken to be normal: a rating of noise v on a value of standard error e tells
    ½·log₂(1 + e²/v²). Needs a method that estimates noise.
    """
    if np.isnan(result.noise).any():
        raise ValueError(f"{result.method} does not estimate the workers' noise; use bias_noise")
    width = result.high - result.low
    error = width / (2 * norm.ppf((1 + result.coverage) / 2))
    ranked = np.sort(result.noise)
    places = np.linspace(0, len(ranked) - 1, min(len(ranked), MOST_WORKERS)).round().astype(int)
    gain = np.log2(1 + (error[:, None] / ranked[places]) ** 2).mean(axis=1) / 2
    return width, np.asarray(gain)


def ranking_information(result: RankingConsensus) -> tuple[Floats, Floats]:
    """Entropy and gain of a ranking in bits [T] each, its pairs of items taken as so many binary questions.

    An upper bound on both: transitivity makes the answers to pairs depend on each other.
    """
    size = result.ranking.shape[1]
    first, second = np.triu_indices(size, 1)
    before = result.precedence[:, first, second]
    belief = np.stack([before, 1 - before], axis=-1)
    right = np.sort(result.reliability)
    places = np.linspace(0, len(right) - 1, min(len(right), MOST_WORKERS)).round().astype(int)
    right = right[places][:, None, None]
    confusion = np.where(np.eye(2, dtype=bool), right, 1 - right)
    flat = belief.reshape(-1, 2)
    shape = before.shape
    return (
        np.asarray(entropy(flat).reshape(shape).sum(axis=1)),
        np.asarray(label_gain(flat, confusion).reshape(shape).sum(axis=1)),
    )
