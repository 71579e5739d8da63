"""Labeling in the terminal: one key for each answer, back, skip and return; saved after every answer.

What a task shows was written by strangers: control characters are made visible, never obeyed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from rich.console import Console
from rich.text import Text

from earnest.labeler.batch import Batch, Slot
from earnest.manifest.question import Kind, Question
from earnest.protocol.labels import label_to_ranking, ranking_to_label
from earnest.visible import visible

BACK: Final = frozenset({"\x1b[D", "\x7f", "\x08", "<", ","})
SKIP: Final = frozenset({"\x1b[C", " ", ">", "."})
QUIT: Final = frozenset({"\x1b", "\x03", "\x04"})
ENTER: Final = frozenset({"\r", "\n"})
KEYS: Final = "123456789abcdefghijklmnopqrstuvwxyz"
MOST_DIGITS: Final = 9  # more than any level has; a whole text may be pasted
HELP: Final = "← back   → skip   Esc stop (everything is saved)"

GetKey = Callable[[], str]
Save = Callable[[Slot, int], None]


def label(console: Console, batch: Batch, answers: dict[Slot, int], save: Save, key: GetKey) -> bool:
    """Ask for the answers that are missing, then offer to go through them again.

    `save` is called before an answer is shown as given; `answers` is kept up to date. False when the labeler
    stopped before all was answered.
    """
    missing = batch.missing(answers)
    position = missing[0] if missing else 0
    reviewing = not missing
    if batch.question.instructions:
        _print(console, batch.question.instructions, "dim")
    while True:
        _show(console, batch, answers, position)
        given = _ask(console, batch, position, key)
        if given in QUIT:
            return not batch.missing(answers)
        if given in BACK:
            position = max(0, position - 1)
            continue
        if isinstance(given, int):
            save(batch.slots[position], given)
            answers[batch.slots[position]] = given
        following = _next(batch, answers, position, reviewing)
        if following is None:
            return True
        position = following


def _next(batch: Batch, answers: Mapping[Slot, int], position: int, reviewing: bool) -> int | None:
    """Where to go on: the next position; at the end to what was skipped; None when all is done."""
    if reviewing:
        return position + 1 if position + 1 < len(batch.tasks) else None
    missing = batch.missing(answers)
    if not missing:
        return None
    later = [each for each in missing if each > position]
    return later[0] if later else missing[0]


def _show(console: Console, batch: Batch, answers: Mapping[Slot, int], position: int) -> None:
    task, question = batch.tasks[position], batch.question
    done = len(batch.tasks) - len(batch.missing(answers))
    console.rule(f"{position + 1} of {len(batch.tasks)} · {done} answered", align="left")
    _print(console, question.text, "bold")
    own = {name: value for name, value in task.content.items() if name in ("text", "image")}
    if own:
        _print(console, _content(own))
    for index, option in enumerate(batch.shown(position)):
        name = _key_name(index, question.classes)
        _print(console, f"  {name}  {_option(batch, task.content, option)}")
    slot = batch.slots[position]
    if slot in answers:
        _print(console, f"  your answer: {_in_words(batch, answers[slot], position)}", "dim")
    how = _how(question)
    _print(console, f"{how}   {HELP}" if how else HELP, "dim")


def _how(question: Question) -> str:
    """What takes more than one key; empty where one key answers."""
    if question.classes > len(KEYS):
        return f"1 to {question.classes}, then Enter"
    return "all keys, the best first" if question.kind is Kind.RANKING else ""


def _option(batch: Batch, shown: Mapping[str, Any], option: int) -> str:
    """An option as it is shown: its name, a side's or an item's content."""
    question = batch.question
    if question.kind is Kind.PREFERENCE and option < 2:
        return _content(shown[question.options[option]])
    if question.kind is Kind.RANKING:
        return _content(shown["items"][option])
    return question.options[option]


def _in_words(batch: Batch, answer: int, position: int) -> str:
    question, shown = batch.question, batch.shown(position)
    if question.kind is Kind.RANKING:
        places = [shown.index(item) for item in label_to_ranking(answer, question.classes)]
        return " ".join(_key_name(place, question.classes) for place in places)
    return _key_name(shown.index(answer), question.classes)


def _ask(console: Console, batch: Batch, position: int, key: GetKey) -> int | str:
    """A label, or a key of BACK, SKIP or QUIT."""
    question, shown = batch.question, batch.shown(position)
    typed: list[str] = []
    places: list[int] = []
    while True:
        pressed = key()
        if pressed in QUIT or (pressed in SKIP and not typed):
            return pressed
        if pressed in BACK:
            if not typed:
                return pressed
            typed.pop()
            places = places[:-1]
            _print(console, f"  so far: {' '.join(typed) or 'nothing'}", "dim")
            continue
        if question.classes > len(KEYS):
            if pressed in ENTER:
                number = int("".join(typed) or "0")
                if 1 <= number <= question.classes:
                    return shown[number - 1]
                _print(console, f"  {number} is none of 1 to {question.classes}.")
                typed = []
            elif pressed.isdecimal() and len(typed) < MOST_DIGITS:
                typed.append(pressed)
            continue
        place = KEYS.find(pressed.lower()) if len(pressed) == 1 else -1
        if not 0 <= place < question.classes:
            _print(console, f"  Press {KEYS[0]} to {KEYS[question.classes - 1]}.")
        elif question.kind is not Kind.RANKING:
            return shown[place]
        elif place in places:
            _print(console, f"  {pressed} has its place already: ← takes the last one back.")
        else:
            typed.append(pressed)
            places.append(place)
            if len(places) == question.classes:
                return ranking_to_label([shown[each] for each in places])
            _print(console, f"  so far: {' '.join(typed)}", "dim")


def _key_name(index: int, options: int) -> str:
    return KEYS[index] if options <= len(KEYS) else str(index + 1)


def _content(shown: Mapping[str, Any]) -> str:
    """A text, an image by its URL, or both."""
    return "\n".join(str(shown[name]) for name in ("text", "image") if name in shown)


def _print(console: Console, text: str, style: str = "") -> None:
    """Print what strangers wrote, or what is ours."""
    console.print(Text(visible(text), style=style), soft_wrap=True)
