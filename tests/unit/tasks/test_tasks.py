from __future__ import annotations

import json
from datetime import date
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from earnest.manifest.manifest import Manifest, Task
from earnest.manifest.question import Kind, Question
from earnest.tasks.columns import Columns, read_tasks
from earnest.tasks.errors import TaskError
from earnest.tasks.rows import read_rows

CHOICE = Question(text="?", kind=Kind.CHOICE, options=("cat", "dog"))
ROWS = [{"id": "t1", "text": "meow", "truth": "cat"}, {"id": "t2", "text": "wau, wau", "truth": ""}]


def jsonl(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@pytest.fixture(params=["jsonl", "csv", "parquet"])
def file(request, tmp_path):
    path = tmp_path / f"tasks.{request.param}"
    if request.param == "jsonl":
        return jsonl(path, ROWS)
    if request.param == "csv":
        path.write_text('id,text,truth\nt1,meow,cat\nt2,"wau, wau",\n', encoding="utf-8")
    else:
        pq.write_table(pa.Table.from_pylist(ROWS), path)
    return path


class TestFormats:
    def test_all_give_the_same_tasks(self, file):
        found = read_tasks(file, CHOICE, Columns(gold="truth"))
        shown = [(task.id, task.content["text"]) for task in found.tasks]
        assert shown == [("t1", "meow"), ("t2", "wau, wau")]
        assert found.gold == {0: 0}

    def test_numbers_are_ids_too(self, tmp_path):
        path = tmp_path / "tasks.parquet"
        pq.write_table(pa.Table.from_pylist([{"id": 7.0, "text": "x"}, {"id": 8.0, "text": "y"}]), path)
        assert [task.id for task in read_tasks(path, CHOICE, Columns()).tasks] == ["7", "8"]

    def test_times_and_decimals_are_text_and_bytes_are_not(self, tmp_path):
        path = tmp_path / "tasks.parquet"
        pq.write_table(pa.table({"id": [Decimal("1.50")], "text": [date(2024, 1, 2)], "b": [b"\xff"]}), path)
        task = read_tasks(path, CHOICE, Columns()).tasks[0]
        assert (task.id, task.content["text"]) == ("1.50", "2024-01-02")
        with pytest.raises(TaskError, match=r"row 1: .* are bytes"):
            read_tasks(path, CHOICE, Columns(text="b"))

    @pytest.mark.parametrize(
        ("name", "content", "wrong"),
        [
            ("tasks.txt", b"x", "must end in .jsonl, .csv, .parquet"),
            ("tasks.jsonl", b'{"id": 1}\n\nnonsense\n', "row 3, is no JSON"),
            ("tasks.jsonl", b"[" * 200_000, "row 1, is no JSON: it nests deeper than 64 levels"),
            ("tasks.jsonl", b"[]\n", "row 1, is list"),
            ("tasks.jsonl", b"\n", "has no rows"),
            ("tasks.jsonl", b"\xff\xfe", "not in UTF-8"),
            ("tasks.csv", b"", "has no rows"),
            ("tasks.csv", b"id,id\n1,2\n", "column 'id' twice"),
            ("tasks.csv", b"id,text\n1\n", "row 2, has 1 fields, and the head 2"),
            ("tasks.csv", b"id,text\n1,2,3\n", "row 2, has 3 fields, and the head 2"),
            ("tasks.csv", b'id,text\n1,"a\nb"\n\n2\n', "row 5, has 1 fields"),
            ("tasks.jsonl", b'{"id": 1, "text": "a", "text": "b"}\n', "row 1, is no JSON: text stands twice"),
            ("tasks.csv", b'id,text\n1,"2\n', "is no CSV"),
            ("tasks.parquet", b"nonsense", "cannot be read as Parquet"),
        ],
    )
    def test_refuses(self, tmp_path, name, content, wrong):
        path = tmp_path / name
        path.write_bytes(content)
        with pytest.raises(TaskError, match=wrong):
            read_rows(path)

    def test_rows_of_several_lines_go_by_their_first(self, tmp_path):
        path = tmp_path / "tasks.csv"
        path.write_bytes(b'id,text\r\n1,"a\r\nb"\r\n\r\n2,c\r\n')
        assert [(row.number, row.values["text"]) for row in read_rows(path)] == [(2, "a\r\nb"), (5, "c")]

    def test_a_column_that_is_of_no_use_may_hold_anything(self, tmp_path):
        path = tmp_path / "tasks.parquet"
        when = pa.array([1, 2], pa.timestamp("us", tz="Mars/Olympus"))
        pq.write_table(pa.table({"id": ["1", "2"], "text": ["a", "b"], "when": when}), path)
        assert len(read_tasks(path, CHOICE, Columns()).tasks) == 2
        with pytest.raises(TaskError, match=r"cannot be read as Parquet: UnknownTimeZoneError, .*Mars"):
            read_tasks(path, CHOICE, Columns(text="when"))
        with pytest.raises(TaskError, match=r"no column 'body'; it has 'id', 'text', 'when'"):
            read_tasks(path, CHOICE, Columns(text="body"))

    def test_says_when_there_is_no_file(self, tmp_path):
        with pytest.raises(TaskError, match="cannot be read: No such file"):
            read_rows(tmp_path / "none.csv")


class TestColumns:
    def read(self, tmp_path, rows, question=CHOICE, **columns):
        return read_tasks(jsonl(tmp_path / "tasks.jsonl", rows), question, Columns(**columns))

    @pytest.mark.parametrize(
        ("rows", "columns", "wrong"),
        [
            (
                [{"id": "1", "body": "x"}],
                {},
                "columns.text and columns.image are both missing, and it has 'id', 'body'; a task shows",
            ),
            ([{"name": "1", "text": "x"}], {}, "has no column 'id'; it has 'name', 'text'"),
            ([{"id": "1", "text": "x"}], {"gold": "truth"}, "has no column 'truth'"),
            ([{"id": "1", "text": "x"}, {"id": "", "text": "y"}], {}, "row 2: id is empty"),
            ([{"id": "1", "text": "x"}, {"id": "1", "text": "y"}], {}, "row 2: has the id '1', as row 1"),
            ([{"id": "1", "text": "x"}, {"id": "2", "text": " "}], {}, "row 2: text is empty"),
            ([{"id": "1", "text": "x"}, {"id": "2"}], {}, "row 2: text is empty"),
            ([{"id": "1", "text": "\ud800"}], {}, "row 1: .* is half a character"),
            ([{"id": "1", "text": "x", "gold": "fish"}], {"gold": "gold"}, "row 1: 'fish' is no option"),
        ],
    )
    def test_refuses(self, tmp_path, rows, columns, wrong):
        with pytest.raises(TaskError, match=wrong):
            self.read(tmp_path, rows, **columns)

    def test_names_all_rows_that_are_wrong_but_not_too_many(self, tmp_path):
        with pytest.raises(TaskError) as found:
            self.read(tmp_path, [{"id": "", "text": "x"}] * 12)
        assert str(found.value).count("id is empty") == 10
        assert str(found.value).endswith("… and 2 more rows.")

    def test_images_go_by_their_url(self, tmp_path):
        found = self.read(tmp_path, [{"id": "1", "picture": "https://example.org/1.png"}], image="picture")
        assert found.tasks[0].content == {"image": "https://example.org/1.png"}

    def test_texts_stay_as_they_are_written(self, tmp_path):
        found = self.read(tmp_path, [{"id": " 1 ", "text": "    return x\n", "truth": " cat "}], gold="truth")
        assert found.tasks == (Task("1", {"text": "    return x\n"}),)
        assert found.gold == {0: 0}

    def test_true_and_false_as_known_answers(self, tmp_path):
        asked = Question(text="?", kind=Kind.CHOICE, options=("true", "false"))
        rows = [{"id": "1", "text": "x", "gold": False}, {"id": "2", "text": "y", "gold": True}]
        assert self.read(tmp_path, rows, asked, gold="gold").gold == {0: 1, 1: 0}

    def test_preferences_of_images(self, tmp_path):
        """What is not named is found by itself: the prompt, and each side."""
        asked = Question(text="?", kind=Kind.PREFERENCE, options=("a", "b"))
        row = {"id": "1", "text": "Why?", "a_image": "u1", "b_image": "u2", "left": "u3", "right": "u4"}
        found = self.read(tmp_path, [row], asked)
        assert found.tasks[0].content == {"text": "Why?", "a": {"image": "u1"}, "b": {"image": "u2"}}
        named = self.read(tmp_path, [row], asked, a_image="left", b_image="right")
        assert named.tasks[0].content == {"text": "Why?", "a": {"image": "u3"}, "b": {"image": "u4"}}

    def test_preferences(self, tmp_path):
        asked = Question(text="?", kind=Kind.PREFERENCE, options=("a", "b", "tie"))
        rows = [{"id": "1", "text": "Why?", "a": "So.", "b": "Because.", "best": "b"}]
        found = self.read(tmp_path, rows, asked, gold="best")
        assert found.tasks[0].content == {"text": "Why?", "a": {"text": "So."}, "b": {"text": "Because."}}
        assert found.gold == {0: 1}
        Manifest(asked, found.tasks, (((0, 0),),))
        with pytest.raises(TaskError, match=r"columns.b is missing"):
            self.read(tmp_path, [{"id": "1", "a": "x"}], asked)
        with pytest.raises(TaskError, match="row 1: b is empty"):
            self.read(tmp_path, [{"id": "1", "a": "x", "b": None}], asked)

    def test_rankings_from_a_list_or_from_columns(self, tmp_path):
        asked = Question(text="?", kind=Kind.RANKING, options=("1", "2", "3"))
        listed = self.read(tmp_path, [{"id": "1", "items": ["x", "y", "z"]}], asked)
        text = self.read(tmp_path, [{"id": "1", "items": '["x", "y", "z"]'}], asked)
        apart = self.read(tmp_path, [{"id": "1", "p": "x", "q": "y", "r": "z"}], asked, items=("p", "q", "r"))
        assert listed.tasks == text.tasks == apart.tasks
        assert listed.tasks[0].content == {"items": [{"text": "x"}, {"text": "y"}, {"text": "z"}]}

    @pytest.mark.parametrize("items", [["x", "y"], ["x", "y", ""], "x", 7])
    def test_refuses_other_numbers_of_items(self, tmp_path, items):
        asked = Question(text="?", kind=Kind.RANKING, options=("1", "2", "3"))
        with pytest.raises(TaskError, match=r"row 1: items is .* 3 items"):
            self.read(tmp_path, [{"id": "1", "items": items}], asked)
