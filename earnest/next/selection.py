"""Which tasks to ask again, which to retire, and which are in dispute."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from earnest.consensus.result import ClassConsensus, RankingConsensus, RatingConsensus
from earnest.consensus.table import Answers, Floats
from earnest.next.information import class_information, ranking_information, rating_information


@dataclass(frozen=True, eq=False)
class Selection:
    """Every task is in exactly one of three lists of task indices.

    `open`: worth another label, the most informative one first. `retired`: sure enough. `disputed`: asked
    `most_labels` times and still not sure, so that the fault may be the task's; the least sure first.
    `uncertainty` [T] (bits; for ratings the interval's width) and `gain` [T] (bits) are what they rest on.
    """

    open: NDArray[np.int64]
    retired: NDArray[np.int64]
    disputed: NDArray[np.int64]
    uncertainty: Floats
    gain: Floats


def select(
    result: ClassConsensus | RatingConsensus | RankingConsensus,
    table: Answers,
    *,
    enough: float = 0.95,
    least_labels: int = 2,
    most_labels: int = 20,
) -> Selection:
    """Sort the tasks by whether to ask again.

    A task is sure with a confidence of at least `enough` (for ratings: an interval no wider than `enough`,
    in units of the rating) and at least `least_labels` answers.
    """
    if not np.array_equal(result.tasks, table.tasks):
        raise ValueError("the result and the table must be of the same tasks")
    if not 0 <= least_labels <= most_labels:
        raise ValueError(f"0 <= least_labels <= most_labels must hold, not {least_labels} and {most_labels}")
    if isinstance(result, RatingConsensus):
        uncertainty, gain = rating_information(result)
        sure = uncertainty <= enough
    else:
        if not 0 < enough <= 1:
            raise ValueError(f"enough must be a probability, in (0, 1], not {enough}")
        if isinstance(result, ClassConsensus):
            uncertainty, gain = class_information(result)
            sure = result.confidence >= enough
        else:
            uncertainty, gain = ranking_information(result)
            sure = result.probability >= enough
    answered = table.per_task
    retired = sure & (answered >= least_labels)
    disputed = ~retired & (answered >= most_labels)
    ask = np.flatnonzero(~retired & ~disputed)
    doubt = np.flatnonzero(disputed)
    return Selection(
        open=ask[np.lexsort((ask, -gain[ask]))],
        retired=np.flatnonzero(retired),
        disputed=doubt[np.lexsort((doubt, -uncertainty[doubt]))],
        uncertainty=uncertainty,
        gain=gain,
    )
