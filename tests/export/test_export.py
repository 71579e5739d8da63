"""Exports, each read back by the library that it is for."""

import csv
import json
import os
from pathlib import Path
from xml.sax.saxutils import quoteattr

import datasets
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from label_studio_sdk.converter import Converter
from label_studio_sdk.label_interface import LabelInterface

from earnest.consensus.borda import Borda
from earnest.consensus.majority import MajorityVote
from earnest.consensus.mean import Mean
from earnest.consensus.result import ClassConsensus, RankingConsensus
from earnest.consensus.table import LabelTable, RankingTable, RatingTable
from earnest.export import files, preferences
from earnest.export.dataset import dataset_rows, label_rows
from earnest.export.label_studio import CONTROL, OBJECT, label_studio_tasks
from earnest.export.preferences import pair_preferences, ranking_preferences

TASKS = [
    {"id": "t1", "prompt": "Which is kinder?", "a": "„Ja“, said one,\nwith a newline", "b": 'No, "never"'},
    {"id": "t2", "prompt": "Which is shorter?", "a": "long", "b": "x"},
    {"id": "t3", "prompt": "Which is right?", "a": "neither", "b": "nor"},
    {"id": "t4", "prompt": "Which is better?", "a": "one", "b": "other"},
]
ANSWERS = {"t1": "aaa", "t2": "bbb", "t3": "sss", "t4": "aab"}
ITEMS = [{"id": 7, "prompt": "Rank these", "items": ["low", "high", "middle"]}]


@pytest.fixture
def classes():
    columns = zip(*[(t, w, x) for t, row in ANSWERS.items() for w, x in enumerate(row)], strict=True)
    table = LabelTable.from_columns(*map(list, columns), classes=["a", "b", "s"])
    return MajorityVote().fit_predict(table), table


@pytest.fixture
def rankings():
    table = RankingTable.from_columns([7] * 5, range(5), [[1, 2, 0]] * 5)
    return Borda().fit_predict(table), table


@pytest.fixture
def ratings():
    table = RatingTable.from_columns(["t1", "t1", "t2"], [0, 1, 0], [1.5, 2.5, 4.0])
    return Mean().fit_predict(table), table


def load(kind, path):
    """A file as Hugging Face's `datasets` reads it."""
    cache = str(path.parent / "cache")
    return datasets.load_dataset(kind, data_files=str(path), split="train", cache_dir=cache)


def test_jsonl_reads_back(classes, tmp_path):
    rows = dataset_rows(TASKS, *classes)
    files.write_rows(tmp_path / "set.jsonl", rows)
    back = load("json", tmp_path / "set.jsonl")
    assert [row["label"] for row in back] == ["a", "b", "s", "a"]
    assert [json.loads(line) for line in (tmp_path / "set.jsonl").read_text().splitlines()] == rows
    assert rows[0] | {"label": "a", "labels": 3} == rows[0]
    assert rows[3]["probability"]["a"] == rows[3]["confidence"] > rows[3]["probability"]["b"]


def test_csv_reads_back(classes, tmp_path):
    rows = dataset_rows(TASKS, *classes)
    files.write_rows(tmp_path / "set.csv", rows)
    back = pd.read_csv(tmp_path / "set.csv")
    assert back["label"].tolist() == ["a", "b", "s", "a"]
    assert back["a"].tolist() == [task["a"] for task in TASKS]
    np.testing.assert_array_equal(back["confidence"], [row["confidence"] for row in rows])
    assert json.loads(back["probability"][0]) == rows[0]["probability"]
    with open(tmp_path / "set.csv", newline="") as file:
        assert len(list(csv.reader(file))) == 5


def test_parquet_reads_back(classes, rankings, tmp_path):
    rows = dataset_rows(TASKS, *classes)
    files.write_rows(tmp_path / "set.parquet", rows)
    assert pq.read_table(tmp_path / "set.parquet").to_pylist() == rows
    assert pd.read_parquet(tmp_path / "set.parquet")["label"].tolist() == ["a", "b", "s", "a"]
    ranked = dataset_rows(ITEMS, *rankings)
    files.write_rows(tmp_path / "ranked.parquet", ranked)
    assert pq.read_table(tmp_path / "ranked.parquet").to_pylist() == ranked
    assert ranked[0]["ranking"] == [1, 2, 0]


def test_ratings_have_their_interval(ratings, tmp_path):
    rows = dataset_rows([{"id": "t1"}, {"id": "t2"}], *ratings)
    assert rows[0]["value"] == 2.0
    assert rows[0]["low"] < 2 < rows[0]["high"]
    assert label_rows(ratings[1])[0] == {"task": "t1", "worker": 0, "label": 1.5}


def test_a_number_that_is_not_finite_becomes_nothing(tmp_path):
    rows = [{"id": 1, "value": np.float64("nan"), "high": float("inf")}, {"id": 2, "value": 1.0, "high": 2.0}]
    for suffix in ("jsonl", "csv", "parquet"):
        files.write_rows(tmp_path / f"set.{suffix}", rows)
    first = (tmp_path / "set.jsonl").read_text().splitlines()[0]
    assert json.loads(first) == {"id": 1, "value": None, "high": None}
    assert (tmp_path / "set.csv").read_text().splitlines()[1] == "1,,"
    assert pq.read_table(tmp_path / "set.parquet").column("value").to_pylist() == [None, 1.0]


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "parquet"])
def test_the_same_rows_give_the_same_bytes(classes, tmp_path, suffix):
    for name in ("one", "two"):
        files.write_rows(tmp_path / f"{name}.{suffix}", dataset_rows(TASKS, *classes))
    assert (tmp_path / f"one.{suffix}").read_bytes() == (tmp_path / f"two.{suffix}").read_bytes()


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path):
    path = tmp_path / "set.jsonl"
    files.write_jsonl(path, [{"id": 1}])
    with pytest.raises(TypeError):
        files.write_jsonl(path, [{"id": 2}, {"id": object()}])
    assert path.read_text() == '{"id": 1}\n'
    assert os.listdir(tmp_path) == ["set.jsonl"]
    files.write_jsonl(path, [{"id": 3}])
    assert path.read_text() == '{"id": 3}\n'


def test_a_new_file_has_the_usual_permissions(tmp_path):
    (tmp_path / "plain").touch()
    files.write_jsonl(tmp_path / "set.jsonl", [])
    assert (tmp_path / "set.jsonl").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_what_files_refuse(tmp_path):
    with pytest.raises(ValueError, match=r"must end in \.jsonl, \.csv, \.parquet, not '\.txt'"):
        files.write_rows(tmp_path / "set.txt", [])
    with pytest.raises(ValueError, match="is not a folder"):
        files.write_jsonl(tmp_path / "nowhere" / "set.jsonl", [])
    with pytest.raises(ValueError, match="column 'x' mixes types"):
        files.write_parquet(tmp_path / "set.parquet", [{"x": 1}, {"x": "one"}])
    assert not list(tmp_path.iterdir())


def test_what_a_dataset_refuses(classes):
    for tasks, message in (
        ([{"prompt": "?"}], "task 0 has no 'id'"),
        ([{"id": "t9"}], "task 't9' has no consensus"),
        ([{"id": "t1"}, {"id": "t1"}], "'t1' stands twice"),
        ([{"id": "t1", "label": "b"}], "has a field 'label' already"),
    ):
        with pytest.raises(ValueError, match=message):
            dataset_rows(tasks, *classes)


def test_preferences_are_a_preference_dataset(classes, tmp_path):
    result, _ = classes
    found = pair_preferences(TASKS, result, winners={"a": "a", "b": "b"})
    assert len(found) == 3
    assert found[1] == {"prompt": "Which is shorter?", "chosen": "x", "rejected": "long"}
    files.write_jsonl(tmp_path / "pairs.jsonl", found)
    back = load("json", tmp_path / "pairs.jsonl")
    assert back.column_names == ["prompt", "chosen", "rejected"]
    assert all(feature.dtype == "string" for feature in back.features.values())
    assert back.to_list() == found


def test_unsure_preferences_are_left_out(classes, monkeypatch):
    result, _ = classes
    least = float(result.confidence[3]) + 0.01
    monkeypatch.setattr(preferences, "LEAST", least)
    assert len(pair_preferences(TASKS, result, winners={"a": "a", "b": "b"})) == 2


def test_conversations_stay_conversations(classes, tmp_path):
    def said(role, text):
        return [{"role": role, "content": text}]

    tasks = [
        {"id": t["id"], "prompt": said("user", t["prompt"])} | {k: said("assistant", t[k]) for k in "ab"}
        for t in TASKS
    ]
    found = pair_preferences(tasks, classes[0], winners={"a": "a", "b": "b"})
    files.write_rows(tmp_path / "pairs.parquet", found)
    back = load("parquet", tmp_path / "pairs.parquet")
    assert back[0]["chosen"] == [{"role": "assistant", "content": TASKS[0]["a"]}]
    mixed = [{**tasks[0], "a": "a string"}]
    with pytest.raises(ValueError, match="task 't1': prompt and responses must all be strings"):
        pair_preferences(mixed, classes[0], winners={"a": "a", "b": "b"})
    broken = [{**tasks[0], "a": [{"role": "assistant"}]}]
    with pytest.raises(ValueError, match="'role' and 'content'"):
        pair_preferences(broken, classes[0], winners={"a": "a", "b": "b"})


def test_rankings_become_preferences(rankings):
    found = ranking_preferences(ITEMS, rankings[0])
    pairs = [(record["chosen"], record["rejected"]) for record in found]
    assert pairs == [("high", "middle"), ("high", "low"), ("middle", "low")]
    with pytest.raises(ValueError, match="'items' must list the 3 ranked"):
        ranking_preferences([{**ITEMS[0], "items": ["two", "only"]}], rankings[0])


def test_what_preferences_refuse(classes):
    for more, message in (
        ({"winners": {"a": "a"}}, "must name both"),
        ({"winners": {"a": "a", "x": "b"}}, "class 'x'"),
        ({"winners": {"a": "a", "b": "b"}, "prompt": "question"}, "no field 'question'"),
    ):
        with pytest.raises(ValueError, match=message):
            pair_preferences(TASKS, classes[0], **more)


def configuration(result, field):
    """One of Label Studio's that shows the tasks' `field` (a list of items, for rankings)."""
    value = quoteattr(f"${field}")
    if isinstance(result, RankingConsensus):
        inner = f'<List name="{OBJECT}" value={value} /><Ranker name="{CONTROL}" toName="{OBJECT}" />'
    elif isinstance(result, ClassConsensus):
        choices = "".join(f"<Choice value={quoteattr(str(each))} />" for each in result.classes)
        inner = (
            f'<Text name="{OBJECT}" value={value} />'
            f'<Choices name="{CONTROL}" toName="{OBJECT}" choice="single">{choices}</Choices>'
        )
    else:
        inner = f'<Text name="{OBJECT}" value={value} /><Number name="{CONTROL}" toName="{OBJECT}" />'
    return f"<View>{inner}</View>"


@pytest.mark.parametrize("kind", ["classes", "rankings", "ratings"])
def test_label_studio_reads_tasks_annotations_and_predictions(kind, request, tmp_path):
    result, table = request.getfixturevalue(kind)
    tasks = {"classes": TASKS, "rankings": ITEMS, "ratings": [t | {"id": t["id"]} for t in TASKS[:2]]}[kind]
    exported = label_studio_tasks(tasks, result, table)
    interface = LabelInterface(configuration(result, "items" if kind == "rankings" else "prompt"))
    interface.validate()  # raises when the configuration is not sound
    for task in exported:
        assert interface.validate_task({"data": task["data"]})
        assert task["annotations"]
        assert all(interface.validate_annotation(each) for each in task["annotations"])
        assert all(interface.validate_prediction(each) for each in task["predictions"])
    assert sum(len(task["annotations"]) for task in exported) == len(table)


def test_label_studios_own_converter_turns_it_into_csv(classes, tmp_path):
    result, table = classes
    files.write_json(tmp_path / "tasks.json", label_studio_tasks(TASKS, result, table))
    converter = Converter(configuration(result, "prompt"), str(tmp_path), download_resources=False)
    converter.convert_to_csv(str(tmp_path / "tasks.json"), str(tmp_path / "out"), is_dir=False, sep=",")
    back = pd.concat(pd.read_csv(path) for path in Path(tmp_path / "out").glob("*.csv"))
    assert len(back) == len(table)
    got = {prompt: "".join(sorted(rows["answer"])) for prompt, rows in back.groupby("prompt")}
    assert got == {task["prompt"]: ANSWERS[task["id"]] for task in TASKS}
