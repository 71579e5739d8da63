"""JSON that would end the process is refused; the rest is read as Python reads it."""

from __future__ import annotations

import json
import sys
import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from earnest.files import FileError, read_json
from earnest.json_text import DEEPEST, parse_json
from earnest.manifest.errors import ManifestError
from earnest.manifest.manifest import Manifest

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@pytest.fixture
def deep_stack():
    """The limit that the in-process node's library raises for all, beyond what the system's stack bears."""
    usual = sys.getrecursionlimit()
    sys.setrecursionlimit(102_400)
    yield
    sys.setrecursionlimit(usual)


@given(VALUES)
def test_reads_what_python_writes(value):
    assert parse_json(json.dumps(value)) == value


@pytest.mark.parametrize("text", ["[", '{"a":', '["]]]", ', '["\\"]", '])
def test_refuses_what_would_exhaust_the_stack(deep_stack, text):
    with pytest.raises(ValueError, match=f"nests deeper than {DEEPEST} levels at character"):
        parse_json(text * 200_000)


def test_brackets_in_strings_are_not_levels():
    assert parse_json(json.dumps(["[{" * 100])) == ["[{" * 100]
    assert parse_json("[" * DEEPEST + "]" * DEEPEST)


def test_a_string_without_an_end_takes_no_longer_than_one_with_it():
    """Both are gone through once, however many quotes stand in them."""
    text = '"' + '\\"' * 30_000
    times = []
    for each in (text + '"', text):
        start = time.perf_counter()
        with suppress(ValueError):
            parse_json(each)
        times.append(time.perf_counter() - start)
    assert times[1] < 100 * times[0]


def test_a_manifest_in_another_encoding_hides_no_brackets(deep_stack):
    """In UTF-16, which Python's reader would guess, a letter may have the byte of a quote."""
    data = ('"\u2200"' + "[" * 200_000).encode("utf-16")
    with pytest.raises(ManifestError, match="The manifest is no JSON"):
        Manifest.from_bytes(data)


def test_files(tmp_path):
    path = tmp_path / "a.json"
    path.write_bytes(b'\xef\xbb\xbf{"a": [1]}')
    assert read_json(path) == {"a": [1]}
    path.write_text("{")
    with pytest.raises(FileError, match=r"a.json is no JSON: Expecting property name"):
        read_json(path)
