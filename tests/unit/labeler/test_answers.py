from __future__ import annotations

import csv
from dataclasses import replace

import pytest

from earnest import files
from earnest.labeler.answers import read_answers, write_batch
from earnest.labeler.batch import Slot
from earnest.labeler.errors import LabelerError
from earnest.manifest.question import Kind, Question

from .cases import batch


@pytest.fixture
def file(tmp_path):
    def write(*rows: str, head: str = "task,answer"):
        path = tmp_path / "labels.csv"
        path.write_text("\n".join([head, *rows]) + "\n")
        return path

    return write


def test_all_answers_in_any_order(file):
    answers = read_answers(file("b,blue", "a,red", "a,green"), batch())
    assert answers == {Slot("b"): 2, Slot("a"): 0, Slot("a", 1): 1}
    assert batch().labels(answers) == bytes([0, 2, 1])


def test_a_batch_as_a_file_and_back(tmp_path):
    answers = {Slot("b"): 2, Slot("a"): 0, Slot("a", 1): 1}
    path = tmp_path / "labels.csv"
    path.write_text(write_batch(batch(), answers))
    assert read_answers(path, batch()) == answers


def test_no_spreadsheet_takes_a_strangers_text_for_a_formula(tmp_path):
    """Tasks and options are the experimenter's words, and the file is made to be opened in one."""
    link = '=HYPERLINK("https://attacker")'
    question = Question(text="?", kind=Kind.CHOICE, options=("-1", link, "'-1"))
    asked = batch(question, ("=a", "@b", "'=a"))
    asked = replace(asked, tasks=tuple(replace(task, content={"text": link}) for task in asked.tasks))
    answers = {Slot("=a"): 1, Slot("@b"): 0, Slot("'=a"): 2}
    path = tmp_path / "labels.csv"
    path.write_text(write_batch(asked, answers))
    with path.open(newline="") as file:
        assert not [cell for row in csv.reader(file) for cell in row if cell.startswith(("=", "@", "-", "+"))]
    assert read_answers(path, asked) == answers


IDS = (("a\rb", "b"), ("a\r\nb", "a b"), ("a\0b", "b"), (" a", "a", "b "), ("\t=a", "\r=a"), ("'a", "a"))


@pytest.mark.parametrize("ids", IDS)
def test_whatever_strangers_call_their_tasks_comes_back(tmp_path, ids):
    question = Question(text="?", kind=Kind.CHOICE, options=(" yes", "no ", "per\r\nhaps"))
    asked = batch(question, (*ids, ids[0]))
    answers = {slot: index % 3 for index, slot in enumerate(asked.slots)}
    path = tmp_path / "labels.csv"
    path.write_text(write_batch(asked, answers), newline="")
    assert read_answers(path, asked) == answers


def test_white_space_that_a_spreadsheet_drops_or_a_hand_adds(file):
    asked = batch(Question(text="?", kind=Kind.CHOICE, options=(" yes", "no ")), (" a", "b"))
    assert read_answers(file("a,yes", "b  , no"), asked) == {Slot(" a"): 0, Slot("b"): 1}


def test_which_of_two_tasks_is_meant_is_not_guessed(file):
    asked = batch(tasks=(" a", "a "))
    with pytest.raises(LabelerError, match=r"Row 2 of .* answers task 'a', which is not in the batch"):
        read_answers(file("a,red", "a,blue"), asked)


def test_a_ranking_of_items_whose_names_have_outer_spaces(tmp_path):
    asked = batch(Question(text="?", kind=Kind.RANKING, options=(" =1", "2 ", "3")), ("a",))
    path = tmp_path / "labels.csv"
    for answer in range(6):
        path.write_text(write_batch(asked, {Slot("a"): answer}))
        assert read_answers(path, asked) == {Slot("a"): answer}


def test_a_long_text(tmp_path):
    long = {"text": "x" * (csv.field_size_limit() + 1)}
    asked = batch()
    asked = replace(asked, tasks=tuple(replace(task, content=long) for task in asked.tasks))
    answers = dict.fromkeys(asked.slots, 1)
    path = tmp_path / "labels.csv"
    path.write_text(write_batch(asked, answers))
    usual = csv.field_size_limit()
    assert read_answers(path, asked) == answers
    assert csv.field_size_limit() == usual


def test_no_csv(file, monkeypatch):
    monkeypatch.setattr(files, "LONGEST_FIELD", 3)  # longer than any field, usually
    with pytest.raises(LabelerError, match=r"is no CSV: field larger than field limit \(3\)\.$"):
        read_answers(file("b,blue"), batch())


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        (
            ("b,blue", "a,pink"),
            r"Row 3 of .*, task 'a': 'pink' is no option; it must be one of red, green, blue",
        ),
        (("b,blue", "c,red"), r"Row 3 of .* answers task 'c', which is not in the batch"),
        (("b,blue", "b,red"), r"Row 3 of .* answers task 'b' once more; the batch asks it once"),
        (("b,blue", "a,"), r"Row 3 of .* has no answer to task 'a'"),
        (("b,blue", "a,red"), r"lacks 1 of 3 answers, the first for task 'a', which the batch asks 2 times"),
    ],
)
def test_the_first_wrong_row_is_named(file, rows, sentence):
    with pytest.raises(LabelerError, match=sentence):
        read_answers(file(*rows), batch())


def test_missing_columns(file):
    with pytest.raises(LabelerError, match="must have the columns task and answer; it has task, label"):
        read_answers(file(head="task,label"), batch())
