"""Workers who answer nearly word for word alike: copies of one labeler, to be counted as one.

Agreement above chance between two workers who err independently is the product of their skills. Skills are
therefore read off their agreement with all others (medians, so that a minority of copies cannot raise them),
and a pair is called copies when they agree far more than the product says: two excellent workers also agree
with each other, but so they do with everybody else. The thought is that of Dong, Berti-Équille and
Srivastava, "Integrating Conflicting Data: The Role of Source Dependence" (2009); the factorisation that of
one-coin models.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

from earnest.consensus.table import Floats, Indices, LabelTable

SHARED = 20
"""Fewest tasks in common for a pair to be judged, or to say anything about skills."""
OTHERS = 3
"""Fewest workers to compare with for a skill."""
EXCESS = 0.9
"""Share of the possible agreement above the expected one that only copies reach."""
DEVIATIONS = 5.0
"""The same excess in standard deviations, so that it is no accident of few tasks."""
ROUNDS = 20


def originals(table: LabelTable) -> Indices:
    """The first worker, in the table's order, of each worker's group of copies: [W]; themselves without
    copies.
    """
    workers = len(table.workers)
    first, second, shared, agreement = _pairs(table)
    chance = float(((np.bincount(table.label) / len(table)) ** 2).sum())
    if not len(first) or chance >= 1.0:
        return np.arange(workers, dtype=np.int32)
    kappa = (agreement - chance) / (1.0 - chance)
    skill = _skills(workers, first, second, kappa)
    expected = chance + (1.0 - chance) * np.clip(skill[first] * skill[second], 0.0, 1.0)
    spread = np.sqrt(np.maximum(expected * (1.0 - expected), 1e-12) / shared)
    excess = agreement - expected
    alike = (excess >= EXCESS * (1.0 - expected)) & (
        excess >= DEVIATIONS * spread
    )  # false for unknown skills
    graph = coo_array((np.ones(alike.sum()), (first[alike], second[alike])), shape=(workers, workers))
    count, group = connected_components(graph, directed=False)
    least = np.full(count, workers, np.int32)
    np.minimum.at(least, group, np.arange(workers, dtype=np.int32))
    return least[group]


def merged(table: LabelTable, original: Indices) -> LabelTable:
    """The table with each group's answers given to its original: of several to one task, that of the first
    worker.
    """
    worker = original[table.worker]
    order = np.lexsort((table.worker, worker, table.task))
    key = table.task[order].astype(np.int64) * len(table.workers) + worker[order]
    kept = np.zeros(len(table), bool)
    kept[order[np.r_[True, key[1:] != key[:-1]]]] = True
    return replace(table, worker=worker).select(kept)


def _pairs(table: LabelTable) -> tuple[NDArray[np.intp], NDArray[np.intp], Floats, Floats]:
    """Pairs of workers with enough tasks in common: both indices, how many, and the share answered alike."""
    shape = (len(table.workers), len(table.tasks))
    common = _common(np.ones(len(table), bool), table, shape).tocoo()
    kept = (common.row < common.col) & (common.data >= SHARED)
    first, second = common.row[kept].astype(np.intp), common.col[kept].astype(np.intp)
    count = np.asarray(common.data[kept], np.float64)
    alike = np.zeros(len(count))
    for c in range(len(table.classes) if len(count) else 0):
        same = _common(table.label == c, table, shape)
        alike += np.asarray(same[first, second], np.float64).ravel()
    return first, second, count, alike / np.maximum(count, 1.0)


def _common(which: NDArray[np.bool_], table: LabelTable, shape: tuple[int, int]) -> csr_array:
    """Number of tasks that two workers have in common among the answers picked, [W, W]."""
    place = (table.worker[which], table.task[which])
    incidence = csr_array((np.ones(int(which.sum())), place), shape=shape)
    return csr_array(incidence @ incidence.T)


def _skills(workers: int, first: NDArray[np.intp], second: NDArray[np.intp], kappa: Floats) -> Floats:
    """Skills whose products fit the agreement of most pairs, [W]; NaN with too few others to compare with."""
    own, other = np.concatenate([first, second]), np.concatenate([second, first])
    both = np.concatenate([kappa, kappa])
    order = np.argsort(own, kind="stable")
    own, other, both = own[order], other[order], both[order]
    count = np.bincount(own, minlength=workers)
    start = np.concatenate([[0], np.cumsum(count)[:-1]])
    skill = np.full(workers, np.sqrt(max(float(np.median(kappa)), 0.01)))
    for _ in range(ROUNDS):
        ratio = np.clip(both / np.maximum(skill[other], 0.05), 0.0, 1.0)
        ranked = ratio[np.lexsort((ratio, own))]
        middle = start + np.minimum(count // 2, np.maximum(count - 1, 0))
        fresh = np.where(count > 0, ranked[np.minimum(middle, len(ranked) - 1)], np.nan)
        skill = np.where(np.isnan(fresh), skill, 0.5 * (skill + fresh))
    return np.where(count >= OTHERS, skill, np.nan)
