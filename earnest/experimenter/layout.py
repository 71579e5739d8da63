"""Which task stands at which position of which batch, and what the audit checks there (design, section 6).

A batch's positions are of four kinds: *gold*, whose answer is known; *common*, one task for the whole cohort;
*single*, another task for each seat; and the second showings of *repeats*. Gold and most common positions are
marked as shared. Where there are single positions anyone can tell them from common ones by comparing the
seats' lists, so a few common ones, the *decoys*, are not marked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from random import Random
from typing import Final

from earnest.experimenter.errors import ExperimenterError
from earnest.experimenter.settings import DECOYS, USUAL_POSITIONS, AuditSettings
from earnest.protocol.audit import AuditRow

LEAST_DISTANCE: Final = 4  # a repeat comes at least a fourth of the batch later, where that can be
ATTEMPTS: Final = 200


@dataclass(frozen=True, kw_only=True)
class Shape:
    """How many positions of each kind a batch has. `common` does not count gold; decoys are some of them."""

    batches: int
    seats: int
    gold: int
    common: int
    single: int
    repeats: int
    audited: bool

    @property
    def positions(self) -> int:
        """B."""
        return self.gold + self.common + self.single + self.repeats

    @property
    def distinct(self) -> int:
        """Different tasks that one seat sees."""
        return self.gold + self.common + self.single

    @property
    def room(self) -> int:
        """Tasks that one batch takes besides gold."""
        return self.common + self.seats * self.single

    @property
    def decoys(self) -> int:
        """Common positions that are not marked as shared."""
        return min(self.common, max(1, round(DECOYS * self.common))) if self.single and self.common > 1 else 0

    @property
    def shared(self) -> int:
        """Positions on which the seats of a cohort are compared."""
        return self.gold + self.common - self.decoys if self.audited else self.positions


def choose_shape(
    tasks: int, known: int, seats: int, positions: int | None, audit: AuditSettings
) -> Shape:
    """The fewest batches that hold all tasks; `known` of the tasks have an answer that can serve as gold.

    Without `positions` batches are as small as that number of batches allows. Raises ExperimenterError when
    the tasks or the known answers do not suffice.
    """
    if audit.gold > known:
        raise ExperimenterError(
            f"audit.gold is {audit.gold}, but only {known} tasks have a known answer in the column of gold."
        )
    if positions is not None:
        return _fitted(tasks, known, seats, positions, audit)
    largest = min(USUAL_POSITIONS, tasks + audit.repeats)
    best = _fitted(tasks, known, seats, largest, audit)
    for smaller in range(largest - 1, 1, -1):
        try:
            shape = _fitted(tasks, known, seats, smaller, audit)
        except ExperimenterError:
            break
        if shape.batches > best.batches:
            break
        best = shape
    return best


def _fitted(tasks: int, known: int, seats: int, positions: int, audit: AuditSettings) -> Shape:
    if audit.repeats * LEAST_DISTANCE > positions:
        raise ExperimenterError(
            f"audit.repeats is {audit.repeats}; of {positions} positions"
            f" at most {positions // LEAST_DISTANCE} can be repeats."
        )
    body = positions - audit.repeats
    same = body if audit.shared == 1 else round(audit.shared * body)
    if audit.gold > same:
        raise ExperimenterError(
            f"audit.gold is {audit.gold}, but a batch of {positions} positions shares only {same};"
            " gold positions are shared."
        )
    if body > tasks:
        raise ExperimenterError(
            f"A batch of {positions} positions shows {body} different tasks, and there are {tasks}:"
            f" take positions of at most {tasks + audit.repeats}."
        )
    shape = Shape(
        batches=1,
        seats=seats,
        gold=audit.gold,
        common=same - audit.gold,
        single=body - same,
        repeats=audit.repeats,
        audited=audit.wanted,
    )
    if shape.room == 0:
        raise ExperimenterError(f"All {positions} positions of a batch are gold; some must be left for work.")
    batches = max(1, -(-(tasks - known) // shape.room))
    while batches * shape.room < tasks - min(known, batches * audit.gold):
        batches += 1
    return Shape(**{**vars(shape), "batches": batches})


@dataclass(frozen=True)
class Layout:
    """`batches[b][r]` are the tasks of lane `r` by index (one lane if all are equal), `rows` the audit."""

    batches: tuple[tuple[tuple[int, ...], ...], ...]
    rows: tuple[AuditRow, ...]


def arrange(shape: Shape, tasks: int, gold: Mapping[int, int], random: Random) -> Layout:
    """Deal `tasks` tasks into batches at random; `gold` are known answers (labels) by task index.

    Every task without a known answer stands somewhere; positions that are left over show tasks once more, in
    another batch or lane.
    """
    checks = _deal_gold(shape, gold, random)
    used = {task for batch in checks for task in batch}
    work = [task for task in range(tasks) if task not in used]
    random.shuffle(work)
    room = shape.batches * shape.room
    if len(work) > room:  # classes of gold are uneven: known answers that no batch needs are left out
        spare = set([task for task in work if task in gold][: len(work) - room])
        work = [task for task in work if task not in spare]
    decks = [_Deck(set(batch)) for batch in checks]
    _deal(decks, shape, work)
    _fill(decks, shape, random.sample(range(tasks), tasks))
    placed = [
        _place(shape, batch, deck, gold, random) for batch, deck in zip(checks, decks, strict=True)
    ]
    return Layout(
        tuple(lanes for lanes, _ in placed), tuple(row for _, row in placed) if shape.audited else ()
    )


class _Deck:
    """One batch being dealt: its common tasks, and those of each lane."""

    def __init__(self, gold: set[int]) -> None:
        self.everyone = set(gold)
        self.common: list[int] = []
        self.single: list[list[int]] = []


def _deal_gold(shape: Shape, gold: Mapping[int, int], random: Random) -> list[list[int]]:
    """Each batch's gold tasks: its classes as even as can be, each task as seldom as can be."""
    classes: dict[int, list[int]] = {}
    for task in random.sample(sorted(gold), len(gold)):
        classes.setdefault(gold[task], []).append(task)
    order = random.sample(sorted(classes), len(classes))
    turns = {label: cycle(listed) for label, listed in classes.items()}
    dealt: list[list[int]] = []
    labels = cycle(order)
    for _ in range(shape.batches):
        batch: list[int] = []
        left = {label: len(listed) for label, listed in classes.items()}
        while len(batch) < shape.gold:
            label = next(labels)
            if left[label]:
                left[label] -= 1
                batch.append(next(task for task in turns[label] if task not in batch))
        dealt.append(batch)
    return dealt


def _deal(decks: Sequence[_Deck], shape: Shape, work: Sequence[int]) -> None:
    """Each task once: common positions first, one batch after the other, then single ones."""
    todo = iter(work)
    for _ in range(shape.common):
        for deck in decks:
            task = next(todo, None)
            if task is not None:
                deck.common.append(task)
                deck.everyone.add(task)
    for deck in decks:
        deck.single = [[] for _ in range(shape.seats)]
    for _ in range(shape.single):
        for lane in range(shape.seats):
            for deck in decks:
                task = next(todo, None)
                if task is not None:
                    deck.single[lane].append(task)
                    deck.everyone.add(task)


def _fill(decks: Sequence[_Deck], shape: Shape, tasks: Sequence[int]) -> None:
    """What is left over: tasks that the batch does not have, or else that the lane does not have."""
    turn = cycle(tasks)
    for deck in decks:
        while len(deck.common) < shape.common:
            task = _another(turn, deck.everyone, len(tasks))
            assert task is not None  # no lane is dealt before all common positions are
            deck.common.append(task)
            deck.everyone.add(task)
        fixed = deck.everyone - {task for lane in deck.single for task in lane}
        for lane in deck.single:
            while len(lane) < shape.single:
                task = _another(turn, deck.everyone, len(tasks))
                if task is None:
                    task = _another(turn, fixed | set(lane), len(tasks))
                assert task is not None  # a seat sees at most as many as there are
                lane.append(task)
                deck.everyone.add(task)


def _another(turn: Iterator[int], without: set[int], most: int) -> int | None:
    for _ in range(most):
        task = next(turn)
        if task not in without:
            return task
    return None


def _place(
    shape: Shape, checks: Sequence[int], deck: _Deck, gold: Mapping[int, int], random: Random
) -> tuple[tuple[tuple[int, ...], ...], AuditRow]:
    """One batch's lanes and its audit row."""
    lanes_number = shape.seats if shape.single else 1
    slots = [[task] * lanes_number for task in (*checks, *deck.common)]
    slots += [[deck.single[lane][at] for lane in range(lanes_number)] for at in range(shape.single)]
    repeated = random.sample(range(shape.gold, len(slots)), shape.repeats)
    pairs = _pairs(shape.positions, shape.repeats, random)
    taken = {position for pair in pairs for position in pair}
    free = [position for position in range(shape.positions) if position not in taken]
    random.shuffle(free)
    place = dict(zip(repeated, (first for first, _ in pairs), strict=True))
    for slot in range(len(slots)):
        if slot not in place:
            place[slot] = free.pop()
    shown = {place[slot]: tasks for slot, tasks in enumerate(slots)}
    shown |= {second: slots[slot] for slot, (_, second) in zip(repeated, pairs, strict=True)}
    lanes = tuple(
        tuple(shown[position][lane] for position in range(shape.positions)) for lane in range(lanes_number)
    )
    common = list(range(shape.gold, shape.gold + shape.common))
    decoys = set(random.sample(common, shape.decoys))
    marked = [slot for slot in range(shape.gold + shape.common) if slot not in decoys]
    row = AuditRow(
        shared=tuple(sorted(place[slot] for slot in marked)),
        gold=tuple(sorted((place[slot], gold[task]) for slot, task in enumerate(checks))),
        repeats=tuple(sorted(pairs)),
    )
    return lanes, row


def _pairs(positions: int, number: int, random: Random) -> list[tuple[int, int]]:
    """First and second positions of repeats, well apart: the firsts in the first half, the seconds after."""
    half = positions // 2
    for _ in range(ATTEMPTS):
        firsts = sorted(random.sample(range(half), number))
        seconds = sorted(random.sample(range(half, positions), number))
        if all(b - a >= positions // LEAST_DISTANCE for a, b in zip(firsts, seconds, strict=True)):
            return list(zip(firsts, seconds, strict=True))
    return [(first, first + half) for first in random.sample(range(half), number)]
