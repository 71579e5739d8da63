from __future__ import annotations

import pytest

from earnest.chain.life import Phase
from earnest.labeler.steps import Action, Notes, Step, due, reveals_now
from earnest.protocol.opening import DENOUNCED, revealed_record

from .cases import CLOSED_AT, DRAWN_AT, LABELS, ME, OPENING, RECORD, sight

WHOLE = Notes(labels={0: LABELS})
KEPT = Notes(labels={0: LABELS}, openings={(0, RECORD): OPENING})
CHANGED = Notes(labels={0: bytes([2, 2, 2])}, openings={(0, RECORD): OPENING})
LOST_ANSWERS = Notes(openings={(0, RECORD): OPENING})
EDITING = Notes(labels={0: LABELS}, editing=frozenset({0}))


@pytest.mark.parametrize(
    ("record", "notes", "steps"),
    [
        (0, Notes(), []),
        (0, WHOLE, [Step.COMMIT]),
        (0, EDITING, []),
        (0, KEPT, [Step.COMMIT]),  # sent once, and the chain does not have it
        (RECORD, KEPT, []),
        (RECORD, CHANGED, [Step.COMMIT]),
        (RECORD, WHOLE, [Step.RECOGNISE]),  # made on another device
        (RECORD, Notes(), []),
        (DENOUNCED, WHOLE, []),
    ],
)
def test_committing(record, notes, steps):
    found = due(sight(Phase.COMMITTING, DRAWN_AT + 1, record), ME, notes, 0)
    assert found == [Action(step, 0) for step in steps]


@pytest.mark.parametrize(
    ("record", "notes", "steps"),
    [
        (0, KEPT, []),
        (RECORD, KEPT, [Step.REVEAL]),
        (RECORD, CHANGED, [Step.REVEAL]),  # what the chain holds, whatever the answers are now
        (RECORD, LOST_ANSWERS, [Step.REVEAL]),
        (RECORD, WHOLE, [Step.RECOGNISE]),
        (RECORD, Notes(), []),
        (revealed_record(LABELS), KEPT, []),
        (DENOUNCED, KEPT, []),
    ],
)
def test_revealing(record, notes, steps):
    settled = sight(Phase.REVEALING, CLOSED_AT + 60, record, closed_in=10, confirmed=12)
    assert due(settled, ME, notes, 0) == [Action(step, 0) for step in steps]


@pytest.mark.parametrize("phase", [each for each in Phase if each not in (Phase.REVEALING, Phase.COMMITTING)])
def test_no_other_phase_shows_or_fixes_labels(phase):
    assert due(sight(phase, CLOSED_AT, RECORD, 1, 100), ME, KEPT, 0) == []


def test_an_early_end_must_be_settled():
    def early(now, confirmed):
        return sight(Phase.REVEALING, now, RECORD, closed_in=10, confirmed=confirmed)

    assert not reveals_now(early(CLOSED_AT + 60, 9))
    assert due(early(CLOSED_AT + 60, 9), ME, KEPT, 0) == []
    assert reveals_now(early(CLOSED_AT + 60, 10))
    assert not reveals_now(early(DRAWN_AT + 7_200 - 7_000, 9))
    assert reveals_now(early(DRAWN_AT + 7_200, 9)), "the full time is over"


def test_when_little_time_is_left_not_revealing_is_the_greater_danger():
    deadline = CLOSED_AT + 7_200
    assert not reveals_now(sight(Phase.REVEALING, deadline - 1_801, RECORD, 10, 0))
    assert reveals_now(sight(Phase.REVEALING, deadline - 1_800, RECORD, 10, 0))


def test_never_before_the_chain_says_so():
    assert not reveals_now(sight(Phase.COMMITTING, DRAWN_AT + 7_199, RECORD, 10, 100))


def test_collecting_a_cancelled_campaign():
    cancelled = sight(Phase.CANCELLED, CLOSED_AT)
    assert due(cancelled, ME, Notes(), 5) == []
    assert due(cancelled, ME, Notes(), 5, collect=True) == [Action(Step.REFUND, 0)]


@pytest.mark.parametrize("phase", [Phase.ENROLLING, Phase.DRAWING])
def test_what_is_free_stays_before_the_draw(phase):
    assert due(sight(phase, now=-1), ME, Notes(), 5, collect=True) == []  # before the deadline


def test_what_is_free_is_not_withdrawn_by_who_has_no_seat():
    stranger = "0x" + "33" * 20
    for phase in Phase:
        assert due(sight(phase, CLOSED_AT), stranger, Notes(), 5, collect=True) == []
