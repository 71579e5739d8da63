"""In which order a seat sees a task's options, sides or items (design, section 9).

Labels are always written in the task's own order. The order shown is drawn for each seat and position from
the draw's seed: who always picks the left one answers at random, and contradicts themselves on repeats.
"""

from __future__ import annotations

from eth_utils.crypto import keccak

from earnest.manifest.question import SIDES, Kind, Question


def order(seed: bytes, seat: int, position: int, size: int) -> tuple[int, ...]:
    """A permutation of `range(size)`, by the shuffle of Fisher and Yates (1938).

    The choices come from `keccak256("display" ‖ seed ‖ seat ‖ position ‖ step)`, each number in 32 bytes.
    """
    shown = list(range(size))
    prefix = b"display" + seed + seat.to_bytes(32, "big") + position.to_bytes(32, "big")
    for step in range(size - 1, 0, -1):
        pick = int.from_bytes(keccak(prefix + step.to_bytes(32, "big")), "big") % (step + 1)
        shown[step], shown[pick] = shown[pick], shown[step]
    return tuple(shown)


def shown_options(question: Question, seed: bytes, seat: int, position: int) -> tuple[int, ...]:
    """The labels of the options in the order to show them; of a ranking, the items.

    Levels of a rating keep their order, and so do the verdicts of a preference, after its two sides.
    """
    if question.kind is Kind.RATING:
        return tuple(range(question.classes))
    if question.kind is Kind.PREFERENCE:
        sides = order(seed, seat, position, len(SIDES))
        return (*sides, *range(len(SIDES), question.classes))
    return order(seed, seat, position, question.classes)
