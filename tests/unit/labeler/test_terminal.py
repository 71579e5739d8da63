from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from earnest.labeler.batch import Slot
from earnest.labeler.terminal import label
from earnest.manifest.question import Kind, Question
from earnest.protocol.labels import ranking_to_label
from earnest.visible import visible

from .cases import QUESTION, batch

LEFT, RIGHT, ESCAPE = "\x1b[D", "\x1b[C", "\x1b"
RANKING = Question(text="Best first?", kind=Kind.RANKING, options=("1", "2", "3"))
SCALE = Question(text="How much?", kind=Kind.RATING, options=tuple(str(level) for level in range(101)))


def typed(asked, keys, answers=None):
    """What is answered, and saved, when these keys are pressed; and whether all is done."""
    answers, saved = dict(answers or {}), {}
    pressed = iter(keys)
    done = label(Console(file=io.StringIO()), asked, answers, saved.__setitem__, lambda: next(pressed))
    return done, answers, saved


def test_one_key_for_each_answer_in_the_order_shown():
    asked = batch()
    done, answers, saved = typed(asked, "121")
    assert done
    assert answers == saved
    keys = [asked.shown(position).index(answers[slot]) for position, slot in enumerate(asked.slots)]
    assert keys == [0, 1, 0]


def test_back_skip_and_return():
    asked = batch()
    done, answers, _ = typed(asked, ["1", RIGHT, "1", LEFT, LEFT, "2", "3"])
    assert done
    keys = [asked.shown(position).index(answers[slot]) for position, slot in enumerate(asked.slots)]
    assert keys == [1, 2, 0]


def test_stopping_keeps_what_is_there():
    done, answers, saved = typed(batch(), ["1", ESCAPE])
    assert not done
    assert len(answers) == len(saved) == 1


def test_a_ranking_is_typed_best_first():
    asked = batch(RANKING, ("a",))
    _, answers, _ = typed(asked, ["3", "3", "1", LEFT, "2", "1"])
    shown = asked.shown(0)
    assert answers[Slot("a")] == ranking_to_label([shown[2], shown[1], shown[0]])


def test_what_is_typed_of_a_ranking_is_shown():
    out, pressed = io.StringIO(), iter(["3", "3", LEFT, "1", "2", "3"])
    label(Console(file=out), batch(RANKING, ("a",)), {}, lambda *_: None, lambda: next(pressed))
    said = out.getvalue()
    assert "all keys, the best first" in said
    found = [line.strip() for line in said.splitlines() if "so far" in line or "already" in line]
    placed = "3 has its place already: ← takes the last one back."
    assert found == ["so far: 3", placed, "so far: nothing", "so far: 1", "so far: 1 2"]


def test_a_wide_scale_is_typed_as_a_number():
    _, answers, _ = typed(batch(SCALE, ("a",)), ["1", "0", "2", "\r", "4", "2", "\r"])
    assert answers == {Slot("a"): 41}


def test_digits_pasted_without_an_end():
    _, answers, _ = typed(batch(SCALE, ("a",)), ["7"] * 5_000 + ["\r", "4", "2", "\r"])
    assert answers == {Slot("a"): 41}


@pytest.mark.parametrize("text", ["\x1b[2Jgone", "a\x07b", "\u202eleft"])
def test_what_strangers_wrote_does_not_command_the_terminal(text):
    assert not {"\x1b", "\x07", "\u202e"} & set(visible(text))


def test_what_is_to_be_judged_is_shown_as_it_was_written():
    text = "if x:\n\treturn\nمی\u200cخواهم 👩\u200d👧"
    assert visible(text) == visible(text.replace("\n", "\r\n")) == text
    assert visible("a\rb\x85\u2066\u200e") == "a�b���"
    out = io.StringIO()
    asked = batch()
    asked = replace(asked, tasks=tuple(replace(task, content={"text": text}) for task in asked.tasks))
    label(Console(file=out), asked, {}, lambda *_: None, lambda: ESCAPE)
    for line in text.split("\n"):
        assert line.expandtabs() in out.getvalue()


def test_markup_is_shown_as_it_is():
    out = io.StringIO()
    asked = batch(Question(text="[red]Which?[/red]", kind=Kind.CHOICE, options=QUESTION.options))
    label(Console(file=out), asked, {}, lambda *_: None, lambda: ESCAPE)
    assert "[red]Which?[/red]" in out.getvalue()
