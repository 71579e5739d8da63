from __future__ import annotations

from math import factorial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from earnest.manifest.errors import ManifestError
from earnest.manifest.question import Kind, Question
from earnest.protocol.terms import Metric


def question(kind: Kind = Kind.CHOICE, options: tuple[str, ...] = ("cat", "dog", "bird")) -> Question:
    return Question(text="Which is it?", kind=kind, options=options)


class TestOptions:
    @pytest.mark.parametrize(
        ("kind", "options", "wrong"),
        [
            (Kind.CHOICE, ("cat",), "has 1 options"),
            (Kind.CHOICE, ("cat", "cat"), "'cat' stands twice"),
            (Kind.CHOICE, ("cat", " "), "is empty"),
            (Kind.CHOICE, ("cat", "cat "), "'cat' stands twice"),
            (Kind.CHOICE, ("cat", "a>b"), "contains '>'"),
            (Kind.CHOICE, tuple(map(str, range(256))), "has 256 options"),
            (Kind.RANKING, tuple("123456"), "must have 2 to 5"),
            (Kind.PREFERENCE, ("b", "a"), "must be a, b"),
            (Kind.PREFERENCE, ("a", "b", "maybe"), "must be a, b"),
        ],
    )
    def test_refuses(self, kind, options, wrong):
        with pytest.raises(ManifestError, match=wrong):
            question(kind, options)

    def test_refuses_an_empty_question(self):
        with pytest.raises(ManifestError, match="has no text"):
            Question(text=" ", kind=Kind.CHOICE, options=("a", "b"))

    @pytest.mark.parametrize(
        ("kind", "metric"),
        [
            (Kind.CHOICE, Metric.NOMINAL),
            (Kind.PREFERENCE, Metric.NOMINAL),
            (Kind.RATING, Metric.INTERVAL),
            (Kind.RANKING, Metric.RANKING),
        ],
    )
    def test_has_the_metric_of_its_kind(self, kind, metric):
        assert question(kind, ("a", "b")).metric is metric


class TestAnswers:
    @given(st.integers(2, 5), st.data())
    def test_every_ranking_comes_back(self, items, data):
        asked = question(Kind.RANKING, tuple(map(str, range(1, items + 1))))
        label = data.draw(st.integers(0, factorial(items) - 1))
        assert asked.label(asked.answer(label)) == label

    def test_best_item_stands_first(self):
        asked = question(Kind.RANKING, ("1", "2", "3"))
        assert asked.answer(0) == "1>2>3"
        assert asked.label("3 > 1 > 2") == asked.label("3>1>2") == 4

    def test_options_are_labels_in_their_order(self):
        assert [question().label(option) for option in question().options] == [0, 1, 2]
        assert [question().answer(label) for label in range(3)] == ["cat", "dog", "bird"]

    def test_outer_white_space_does_not_count(self):
        asked = question(options=(" cat", "dog\n"))
        assert [asked.label(answer) for answer in ("cat", " cat", "dog", "dog ")] == [0, 0, 1, 1]

    @pytest.mark.parametrize("answer", ["fish", "", "Cat"])
    def test_refuses_what_is_no_option(self, answer):
        with pytest.raises(ManifestError, match="must be one of cat, dog, bird"):
            question().label(answer)

    @pytest.mark.parametrize("answer", ["1>2", "1>2>2", "1>2>3>4", ""])
    def test_refuses_what_is_no_ranking(self, answer):
        with pytest.raises(ManifestError, match="must order all of the items, as 1>2>3"):
            question(Kind.RANKING, ("1", "2", "3")).label(answer)

    def test_refuses_a_label_out_of_range(self):
        with pytest.raises(ManifestError, match="must be 0 to 2"):
            question().answer(3)


class TestJson:
    def test_comes_back(self):
        assert Question.from_json(question().to_json()) == question()

    @pytest.mark.parametrize(
        ("change", "wrong"),
        [
            ({"kind": "essay"}, "must be one of choice"),
            ({"options": "ab"}, "must be a list of texts"),
            ({"options": [1, 2]}, "must be a list of texts"),
            ({"colour": "red"}, "differ at: colour"),
        ],
    )
    def test_refuses(self, change, wrong):
        with pytest.raises(ManifestError, match=wrong):
            Question.from_json(question().to_json() | change)

    def test_refuses_a_missing_member(self):
        members = question().to_json()
        del members["text"]
        with pytest.raises(ManifestError, match="differ at: text"):
            Question.from_json(members)
