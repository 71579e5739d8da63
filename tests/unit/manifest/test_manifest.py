from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from earnest.manifest.errors import ManifestError
from earnest.manifest.manifest import Manifest, Task
from earnest.manifest.question import Kind, Question
from earnest.protocol.terms import Curve, Metric, Periods, Terms, Weights

QUESTION = Question(text="Which is it?", kind=Kind.CHOICE, options=("cat", "dog"))
TASKS = tuple(Task(f"t{number}", {"text": f"Näme {number}"}) for number in range(6))
BATCHES = (((0, 1, 2),), ((3, 4, 5), (5, 4, 3), (0, 1, 3)))
ROWS = (b"\x01\x02", b"\x03\x04")


def manifest(**changes) -> Manifest:
    return replace(Manifest(QUESTION, TASKS, BATCHES, ROWS), **changes)


def terms(found: Manifest, **changes) -> Terms:
    sound = Terms(
        stake=1,
        bounty=1,
        batch_size=3,
        cohort=3,
        metric=Metric.NOMINAL,
        classes=2,
        bond=1,
        batches=2,
        enroll_by=1,
        curve=Curve(max_slash=0, forfeit=0),
        weights=Weights(peers=1, gold=0, repeats=0),
        periods=Periods(draw=1, commit=1, reveal=1, audit=1, challenge=1),
        audit_root=found.audit_root,
        audit_key_hash=b"\x01" * 32,
        manifest=found.digest(),
    )
    return replace(sound, **changes)


class TestFile:
    def test_comes_back(self):
        assert Manifest.from_bytes(manifest().to_bytes()) == manifest()

    def test_has_one_form(self):
        data = manifest().to_bytes()
        assert data == json.dumps(
            json.loads(data), sort_keys=True, separators=(",", ":"), ensure_ascii=False
        ).encode()
        assert manifest().digest() == sha256(data).digest()

    @given(st.text(min_size=1), st.text(min_size=1))
    def test_any_text_comes_back(self, name, text):
        found = Manifest(QUESTION, (Task(name, {"text": text}),), (((0, 0),),))
        assert Manifest.from_bytes(found.to_bytes()) == found

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"[]",
            b"nonsense",
            b"\xff",
            b'{"version":2}',
            b'{"version":1}',
            b"[" * 100_000,
            json.dumps(json.loads(manifest().to_bytes())).encode(),
            manifest().to_bytes().replace(b'"0x0102"', b'"0x010"'),
            manifest().to_bytes().replace(b'"0x0102"', b'"0102"'),
            manifest().to_bytes().replace(b'"t0"', b"7"),
            manifest().to_bytes().replace(b'"t0"', b'"\\ud800"'),
            manifest().to_bytes().replace(b"[[[0,1,2]]", b"[[[true,1,2]]"),
            manifest().to_bytes().replace(b"[[[0,1,2]]", b"[7"),
            manifest().to_bytes().replace(b'"version"', b'"more":1,"version"'),
        ],
    )
    def test_refuses_anything_else(self, data):
        with pytest.raises(ManifestError):
            Manifest.from_bytes(data)


class TestContent:
    @pytest.mark.parametrize(
        ("changes", "wrong"),
        [
            ({"tasks": ()}, "no tasks"),
            ({"tasks": (*TASKS, TASKS[0])}, "'t0' stands twice"),
            ({"tasks": (Task("", {"text": "x"}), *TASKS)}, "must be a text that is not empty"),
            ({"tasks": (Task("x", {"text": ""}), *TASKS)}, "empty text or image"),
            ({"tasks": (Task("x", {}), *TASKS)}, "must have text or image"),
            ({"tasks": (Task("x", {"sound": "y"}), *TASKS)}, "needs text or image"),
            ({"batches": ()}, "at least one batch"),
            ({"batches": (((0, 1, 2),), ((0, 1),))}, "Batch 1 has 2 positions; the first has 3"),
            ({"batches": (((0, 1, 6),), ((0, 1, 2),))}, "names task 6; tasks are 0 to 5"),
            ({"batches": (((0, 1, -1),), ((0, 1, 2),))}, "names task -1"),
            ({"audit_rows": ROWS[:1]}, "1 audit rows for 2 batches"),
        ],
    )
    def test_refuses(self, changes, wrong):
        with pytest.raises(ManifestError, match=wrong):
            manifest(**changes)

    def test_preferences_show_two_sides(self):
        asked = Question(text="Which?", kind=Kind.PREFERENCE, options=("a", "b", "tie"))
        sides = {"a": {"text": "x"}, "b": {"image": "https://example.org/y.png"}}
        assert Manifest(asked, (Task("p", {"text": "prompt", **sides}),), (((0, 0),),)).tasks[0].id == "p"
        with pytest.raises(ManifestError, match=r"needs \['a', 'b'\]"):
            Manifest(asked, (Task("p", {"a": {"text": "x"}}),), (((0, 0),),))

    def test_rankings_show_as_many_items_as_there_are_options(self):
        asked = Question(text="Which?", kind=Kind.RANKING, options=("1", "2", "3"))
        items = [{"text": "x"}, {"text": "y"}, {"text": "z"}]
        assert Manifest(asked, (Task("r", {"items": items}),), (((0, 0),),)).batch_size == 2
        with pytest.raises(ManifestError, match="must list 3 items"):
            Manifest(asked, (Task("r", {"items": items[:2]}),), (((0, 0),),))


class TestPositions:
    def test_a_batch_of_one_lane_is_every_seats(self):
        assert manifest().positions(0, 0) == manifest().positions(0, 2) == (0, 1, 2)

    def test_lanes_differ(self):
        assert manifest().positions(1, 1) == (5, 4, 3)

    @pytest.mark.parametrize(("batch", "lane"), [(2, 0), (-1, 0), (1, 3), (1, -1)])
    def test_refuses_what_is_not_there(self, batch, lane):
        with pytest.raises(ManifestError, match="it has 0 to"):
            manifest().positions(batch, lane)


class TestTerms:
    def test_accepts_its_own(self):
        manifest().check_terms(terms(manifest()))

    @pytest.mark.parametrize(
        ("changes", "wrong"),
        [
            ({"manifest": bytes(32)}, "manifest digest"),
            ({"metric": Metric.INTERVAL}, "metric"),
            ({"classes": 3}, "number of classes"),
            ({"batches": 3}, "number of batches"),
            ({"batch_size": 4}, "batch size"),
            ({"cohort": 4}, "must have 1 or 4"),
            ({"audit_root": bytes(32)}, "audit root"),
        ],
    )
    def test_refuses_others(self, changes, wrong):
        with pytest.raises(ManifestError, match=wrong):
            manifest().check_terms(terms(manifest(), **changes))

    def test_refuses_a_row_that_nobody_could_referee(self):
        long = manifest(audit_rows=(b"\x00" * 27, b"\x00"))
        with pytest.raises(ManifestError, match="27 bytes; with 3 positions it may have 26"):
            long.check_terms(terms(long))
