"""Which task stands at which position of which batch, and what the audit checks there (design, section 6).

A batch's positions are of four kinds: *gold*, whose answer is known; *common*, one task for the whole cohort;
*single*, another task for each seat; and the second showings of *repeats*. Gold and most common positions are
marked as shared. Where there are single positions anyone can tell them from common ones by comparing the
seats' lists, so a few common ones, the *decoys*, are not marked.

The manifest is public, and so must not tell gold from the rest: a task is gold in one batch only (one that
stood in several would show), and where single positions give the common ones away at least as many of those
are work as are gold.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import cycle, zip_longest
from math import ceil
from typing import Final, TypeVar

from earnest.experimenter.errors import ExperimenterError
from earnest.experimenter.settings import AuditSettings
from earnest.protocol.audit import AuditRow
from earnest.protocol.terms import MAX_BATCH_SIZE, MIN_BATCH_SIZE

T = TypeVar("T")

FAIR_SHARED: Final = 100  # positions to compare seats on, for fair slashing
USUAL_POSITIONS: Final = 100
LONGEST_CHOSEN: Final = 200  # positions; nobody who did not ask for it gets longer batches for fairness alone
DECOYS: Final = 0.1  # of the common positions
LEAST_DISTANCE: Final = 4  # a repeat comes at least a fourth of the batch later, where that can be
ATTEMPTS: Final = 200


class Deal:
    """Permutations that follow from the audit's key, and tell nothing about each other without it."""

    def __init__(self, key: bytes) -> None:
        """Deal by `key`, 32 bytes."""
        self._key = key

    def shuffled(self, items: Iterable[T], *purpose: object) -> list[T]:
        """The items in the order that the key gives them for one purpose, each purpose its own."""
        start = sha256(self._key + repr(("earnest layout", *purpose)).encode()).digest()
        listed = list(items)
        tags = [sha256(start + place.to_bytes(8, "big")).digest() for place in range(len(listed))]
        return [listed[place] for place in sorted(range(len(listed)), key=tags.__getitem__)]


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
    def tasks(self) -> int:
        """Different tasks that one batch takes."""
        return self.gold + self.common + self.seats * self.single

    @property
    def decoys(self) -> int:
        """Common positions that are not marked as shared."""
        return min(self.common, max(1, round(DECOYS * self.common))) if self.single and self.common > 1 else 0

    @property
    def shared(self) -> int:
        """Positions on which the seats of a cohort are compared."""
        return self.gold + self.common - self.decoys if self.audited else self.positions


def choose_shape(tasks: int, known: int, seats: int, positions: int | None, audit: AuditSettings) -> Shape:
    """The fewest batches that hold all tasks; `known` of the tasks have an answer that can serve as gold.

    Without `positions` there are as many batches as can share FAIR_SHARED positions, or else have
    USUAL_POSITIONS, and they are as small as that number of batches allows. Raises ExperimenterError when the
    tasks or the known answers do not suffice.
    """
    if tasks + audit.repeats < MIN_BATCH_SIZE:
        raise ExperimenterError(f"There is {tasks} task; there must be at least {MIN_BATCH_SIZE}.")
    shape = _batch(positions, seats, audit) if positions else _chosen(tasks, seats, audit)
    body = shape.positions - shape.repeats
    if body > tasks:
        raise ExperimenterError(
            f"A batch of {shape.positions} positions shows {body} different tasks, and there are {tasks}:"
            f" take positions of at most {tasks + audit.repeats}."
        )
    shape = replace(shape, batches=-(-tasks // shape.tasks))
    if shape.batches * shape.gold > known:
        raise ExperimenterError(
            f"audit.gold is {shape.gold} in each of {_batches(shape.batches)}, which takes"
            f" {shape.batches * shape.gold} known answers, and there are {known} in the column of gold:"
            " a task that were gold in several batches would show in the public manifest."
            f" Take gold of at most {known // shape.batches}, or more positions a batch."
        )
    return shape


def _batches(number: int) -> str:
    return "1 batch" if number == 1 else f"{number} batches"


def _chosen(tasks: int, seats: int, audit: AuditSettings) -> Shape:
    """One batch of a size that is chosen."""
    sizes = range(MIN_BATCH_SIZE, min(MAX_BATCH_SIZE, tasks + audit.repeats) + 1)
    found: list[Shape] = []
    fault: ExperimenterError | None = None
    for positions in sizes:
        try:
            found.append(_batch(positions, seats, audit))
        except ExperimenterError as error:
            fault = error
    if not found:
        assert fault is not None  # there is at least one size
        raise fault
    fair = [s for s in found if s.shared >= FAIR_SHARED and s.positions <= LONGEST_CHOSEN]
    usual = [shape for shape in found if shape.positions <= USUAL_POSITIONS]
    least = [*fair, *reversed(usual), *found][0]
    batches = max(1, tasks // least.tasks)
    return next((shape for shape in found if shape.tasks * batches >= tasks), found[-1])


def _batch(positions: int, seats: int, audit: AuditSettings) -> Shape:
    """One batch of so many positions. Raises ExperimenterError when the audit does not fit into it."""
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
    if audit.gold == body:
        raise ExperimenterError(f"All {positions} positions of a batch are gold; some must be left for work.")
    if same < body and same < 2 * audit.gold:
        least = min(100, ceil(200 * audit.gold / body))
        raise ExperimenterError(
            f"audit.gold is {audit.gold} of the {same} positions that a whole cohort shares: whoever compares"
            " the seats' lists could tell gold from work. Take less gold, or share at least"
            f" {least}% of the positions (audit.shared)."
        )
    return Shape(
        batches=1,
        seats=seats,
        gold=audit.gold,
        common=same - audit.gold,
        single=body - same,
        repeats=audit.repeats,
        audited=audit.wanted,
    )


@dataclass(frozen=True)
class Layout:
    """`batches[b][r]` are the tasks of lane `r` by index (one lane if all are equal), `rows` the audit."""

    batches: tuple[tuple[tuple[int, ...], ...], ...]
    rows: tuple[AuditRow, ...]


def arrange(shape: Shape, tasks: int, gold: Mapping[int, int], deal: Deal) -> Layout:
    """Deal `tasks` tasks into batches at random; `gold` are known answers (labels) by task index.

    Every task stands somewhere; positions that are left over show tasks once more, in another batch or lane.
    """
    checks = _deal_gold(shape, gold, deal)
    used = {task for batch in checks for task in batch}
    work = deal.shuffled((task for task in range(tasks) if task not in used), "work")
    decks = [_Deck(set(batch)) for batch in checks]
    _deal(decks, shape, work)
    _fill(decks, shape, deal.shuffled(range(tasks), "fill"))
    placed = [
        _place(shape, batch, checks[batch], deck, gold, deal) for batch, deck in enumerate(decks)
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


def gold_by_class(gold: Mapping[int, int], number: int, deal: Deal) -> list[list[int]]:
    """`number` of the tasks with a known answer by class, as even as can be, the largest class first."""
    classes: dict[int, list[int]] = {}
    for task in deal.shuffled(sorted(gold), "gold"):
        classes.setdefault(gold[task], []).append(task)
    listed = [classes[label] for label in deal.shuffled(sorted(classes), "classes")]
    in_turn = [task for turn in zip_longest(*listed) for task in turn if task is not None]
    chosen = set(in_turn[:number])
    return sorted(([task for task in some if task in chosen] for some in listed), key=len, reverse=True)


def _deal_gold(shape: Shape, gold: Mapping[int, int], deal: Deal) -> list[list[int]]:
    """Each batch's gold tasks, each task in one batch: the classes are dealt out one after another, so that
    every batch has two if the smaller ones suffice for it.
    """
    chosen = gold_by_class(gold, shape.batches * shape.gold, deal)
    cards = [task for some in chosen for task in some]
    return [cards[batch :: shape.batches] for batch in range(shape.batches)]


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
    shape: Shape, batch: int, checks: Sequence[int], deck: _Deck, gold: Mapping[int, int], deal: Deal
) -> tuple[tuple[tuple[int, ...], ...], AuditRow]:
    """One batch's lanes and its audit row."""
    lanes_number = shape.seats if shape.single else 1
    slots = [[task] * lanes_number for task in (*checks, *deck.common)]
    slots += [[deck.single[lane][at] for lane in range(lanes_number)] for at in range(shape.single)]
    repeated = deal.shuffled(range(shape.gold, len(slots)), "repeated", batch)[: shape.repeats]
    pairs = _pairs(shape.positions, shape.repeats, batch, deal)
    taken = {position for pair in pairs for position in pair}
    free = deal.shuffled((p for p in range(shape.positions) if p not in taken), "places", batch)
    place = dict(zip(repeated, (first for first, _ in pairs), strict=True))
    for slot in range(len(slots)):
        if slot not in place:
            place[slot] = free.pop()
    shown = {place[slot]: tasks for slot, tasks in enumerate(slots)}
    shown |= {second: slots[slot] for slot, (_, second) in zip(repeated, pairs, strict=True)}
    lanes = tuple(
        tuple(shown[position][lane] for position in range(shape.positions)) for lane in range(lanes_number)
    )
    common = range(shape.gold, shape.gold + shape.common)
    decoys = set(deal.shuffled(common, "decoys", batch)[: shape.decoys])
    marked = [slot for slot in range(shape.gold + shape.common) if slot not in decoys]
    row = AuditRow(
        shared=tuple(sorted(place[slot] for slot in marked)),
        gold=tuple(sorted((place[slot], gold[task]) for slot, task in enumerate(checks))),
        repeats=tuple(sorted(pairs)),
    )
    return lanes, row


def _pairs(positions: int, number: int, batch: int, deal: Deal) -> list[tuple[int, int]]:
    """First and second positions of repeats, well apart: the firsts in the first half, the seconds after."""
    half = positions // 2
    for attempt in range(ATTEMPTS):
        firsts = sorted(deal.shuffled(range(half), "firsts", batch, attempt)[:number])
        seconds = sorted(deal.shuffled(range(half, positions), "seconds", batch, attempt)[:number])
        if all(b - a >= positions // LEAST_DISTANCE for a, b in zip(firsts, seconds, strict=True)):
            return list(zip(firsts, seconds, strict=True))
    return [(first, first + half) for first in deal.shuffled(range(half), "firsts", batch)[:number]]
