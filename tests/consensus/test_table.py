"""Tables: the same answers give the same table, and bad input is refused with a sentence that names it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from earnest.consensus.table import UNKNOWN, LabelTable, RankingTable, RatingTable


def sorted_rows(table):
    return list(
        zip(table.tasks[table.task], table.workers[table.worker], table.classes[table.label], strict=True)
    )


@given(
    st.dictionaries(
        st.tuples(st.integers(-3, 40), st.integers(0, 5)), st.integers(-1, 3), min_size=1, max_size=30
    ),
    st.randoms(use_true_random=False),
)
def test_a_table_holds_its_rows_sorted(answers, random):
    rows = [(task, worker, label) for (task, worker), label in answers.items()]
    random.shuffle(rows)
    table = LabelTable.from_columns(*zip(*rows, strict=True))
    assert sorted_rows(table) == sorted(rows)
    assert list(table.tasks) == sorted({t for t, _, _ in rows})
    for task in range(len(table.tasks)):
        assert (table.task[table.start[task] : table.start[task + 1]] == task).all()
    assert table.per_task.sum() == table.per_worker.sum() == len(table) == len(rows)


def test_ids_may_be_strings_or_numbers_far_apart():
    words = LabelTable.from_columns(["b", "a"], ["x", "x"], ["no", "yes"])
    assert sorted_rows(words) == [("a", "x", "yes"), ("b", "x", "no")]
    far = LabelTable.from_columns([10**12, -5], [0, 0], [True, False])
    assert list(far.tasks) == [-5, 10**12]


def test_repeats():
    columns = (["t", "t", "u"], ["w", "w", "w"], ["a", "b", "a"])
    with pytest.raises(ValueError, match="worker w answered task t more than once"):
        LabelTable.from_columns(*columns)
    assert sorted_rows(LabelTable.from_columns(*columns, repeats="first"))[0] == ("t", "w", "a")
    assert sorted_rows(LabelTable.from_columns(*columns, repeats="last"))[0] == ("t", "w", "b")
    with pytest.raises(ValueError, match="repeats must be"):
        LabelTable.from_columns(*columns, repeats="mean")


@pytest.mark.parametrize(
    ("columns", "options", "message"),
    [
        (([], [], []), {}, "at least one answer"),
        ((["a", "b"], ["x"], ["p", "q"]), {}, "one length"),
        ((["a"], ["x"], [None]), {}, "not None"),
        ((["a"], ["x"], [1.5]), {}, "strings or whole numbers"),
        ((["a"], [""], ["p"]), {}, "worker is empty in row 0"),
        (([["a"]], ["x"], ["p"]), {}, "one column"),
        ((["a"], ["x"], ["z"]), {"classes": ["p", "q"]}, "label 'z' is not among the 2 known"),
        ((["a"], ["x"], ["p"]), {"classes": ["p", "p"]}, "once each"),
        ((["a"], ["x"], ["p"]), {"tasks": ["b"]}, "task 'a' is not among"),
        ((["a"], ["x"], ["p"]), {"classes": [1]}, "another type"),
    ],
)
def test_bad_columns_are_refused(columns, options, message):
    with pytest.raises(ValueError, match=message):
        LabelTable.from_columns(*columns, **options)


def test_gold_is_a_mapping_or_an_array():
    table = LabelTable.from_columns(["a", "b"], ["x", "x"], ["p", "q"])
    assert list(table.gold(None)) == [UNKNOWN, UNKNOWN]
    assert list(table.gold({"b": "p"})) == [UNKNOWN, 0]
    assert list(table.gold([1, UNKNOWN])) == [1, UNKNOWN]
    for bad, message in [
        ({"c": "p"}, "task 'c'"),
        ({"a": "z"}, "class 'z'"),
        ([0], "2 class indices"),
        ([0, 2], "gold class index 2"),
        ([0.0, 1.0], "2 class indices"),
    ]:
        with pytest.raises(ValueError, match=message):
            table.gold(bad)


def test_select_keeps_tasks_and_workers():
    table = LabelTable.from_columns([0, 0, 1], [5, 6, 5], [1, 2, 1])
    part = table.select([False, True, False])
    assert sorted_rows(part) == [(0, 6, 2)]
    assert list(part.per_task) == [1, 0]
    assert list(part.per_worker) == [0, 1]


def test_csv(tmp_path):
    file = tmp_path / "labels.csv"
    file.write_text("worker,task,label\nw,t,2\nv,t,1\n")
    assert sorted_rows(LabelTable.from_csv(file)) == [("t", "v", "1"), ("t", "w", "2")]
    assert list(RatingTable.from_csv(file).rating) == [1.0, 2.0]
    file.write_text("worker,label\nw,2\n")
    with pytest.raises(ValueError, match="column 'task' is missing"):
        LabelTable.from_csv(file)
    file.write_text("worker,task,label\nw,t,\n")
    with pytest.raises(ValueError, match="line 2: label is empty"):
        LabelTable.from_csv(file)


@pytest.mark.parametrize("rating", ["high", float("nan"), float("inf")])
def test_bad_ratings_are_refused(rating):
    with pytest.raises(ValueError, match="rating"):
        RatingTable.from_columns([0], [0], [rating])


@pytest.mark.parametrize("ranking", [[0, 0, 1], [1, 2, 3], [0, 1, 3]])
def test_bad_rankings_are_refused(ranking):
    with pytest.raises(ValueError, match="must list 0 … 2 once each"):
        RankingTable.from_columns([0], [0], [ranking])
