"""What a seat is asked, and its labels from the answers given; free of any chain.

Answers are kept by `Slot`, a task's id and which showing of it is meant (a repeat shows it a second time),
not by position: should a reorganisation change the draw, every answer that still fits stays.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from earnest.chain.state import Campaign
from earnest.labeler.errors import LabelerError
from earnest.manifest.display import shown_options
from earnest.manifest.manifest import Manifest, Task
from earnest.manifest.question import Question


class Slot(NamedTuple):
    """One showing of a task: 0 the first time that it stands in a batch, 1 the second."""

    task: str
    showing: int = 0


Answers = Mapping[Slot, int]


@dataclass(frozen=True)
class Batch:
    """A seat's tasks by position, and the seed by which their options are shown."""

    seat: int
    number: int
    lane: int
    seed: bytes
    question: Question
    tasks: tuple[Task, ...]

    @cached_property
    def slots(self) -> tuple[Slot, ...]:
        """Which showing of which task stands at each position."""
        seen: Counter[str] = Counter()
        slots = []
        for task in self.tasks:
            slots.append(Slot(task.id, seen[task.id]))
            seen[task.id] += 1
        return tuple(slots)

    def shown(self, position: int) -> tuple[int, ...]:
        """The labels of the options at a position, or the items to rank, in the order to show them."""
        return shown_options(self.question, self.seed, self.seat, position)

    def missing(self, answers: Answers) -> list[int]:
        """The positions without an answer."""
        return [position for position, slot in enumerate(self.slots) if slot not in answers]

    def labels(self, answers: Answers) -> bytes | None:
        """The labels to commit to; None while an answer is missing."""
        return None if self.missing(answers) else bytes(answers[slot] for slot in self.slots)


def batch_of(campaign: Campaign, manifest: Manifest, seat: int) -> Batch:
    """What a seat is asked. Raises LabelerError before the draw and for a benched seat."""
    if campaign.seed is None:
        raise LabelerError("The campaign is not drawn yet: nobody knows which batch the seat will have.")
    number = campaign.batch_of(seat)
    if number is None:
        raise LabelerError(f"Seat {seat} was benched by the draw: it has nothing to do, its stake is back.")
    lane = campaign.cohorts[number].tolist().index(seat)
    tasks = tuple(manifest.tasks[task] for task in manifest.positions(number, lane))
    return Batch(seat, number, lane, campaign.seed, manifest.question, tasks)
