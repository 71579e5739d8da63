"""What is on disk: cursor and logs together, whoever else writes, however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak

from earnest.chain.errors import FollowError
from earnest.chain.records import OperatorSet, Place, signature
from earnest.chain.store import RECENT, Cursor, Log, Store

PEOPLE = ["0x" + f"{number:040x}" for number in (1, 2)]


def log(block, index=0, hash_="0xaa"):
    topics = [keccak(text=signature(OperatorSet)), *(encode(["address"], [each]) for each in PEOPLE)]
    place = Place(block, index, 1_000 + block, "0x01", hash_)
    return Log(place, tuple(topics), encode(["bool"], [True]))


def records(store, after=None):
    with store.reading(after) as (_, found):
        return list(found)


def test_keeps_what_was_read_and_where(store):
    assert store.append(Cursor(0, 0), 9, "0x9", [log(3), log(3, 1), log(5)])
    assert store.cursor() == Cursor(10, 0)
    found = records(store)
    assert [each.place for each in found] == [log(3).place, log(3, 1).place, log(5).place]
    assert isinstance(found[0], OperatorSet)
    assert records(store, found[0].place) == found[1:]
    assert store.blocks() == [(3, "0xaa"), (5, "0xaa"), (9, "0x9")]


def test_opens_again_as_it_was(path):
    first = Store(path, 4)
    assert first.cursor() == Cursor(4, 0)
    first.append(first.cursor(), 8, "0x8", [log(6)])
    first.close()
    again = Store(path, 4)
    assert again.cursor() == Cursor(9, 0)
    assert len(records(again)) == 1


def test_who_comes_second_with_a_range_stores_nothing(path, store):
    other = Store(path, 0)
    since = store.cursor()
    assert other.append(since, 5, "0x5", [log(2)])
    assert not store.append(since, 7, "0x7", [log(2), log(6)])
    assert not store.forget_after(since, None)
    assert store.cursor() == Cursor(6, 0)
    assert len(records(store)) == 1


def test_forgets_what_came_after_a_block(store):
    store.append(store.cursor(), 4, "0x4", [log(2)])
    store.append(store.cursor(), 8, "0x8", [log(6)])
    assert store.forget_after(store.cursor(), 4)
    assert store.cursor() == Cursor(5, 1)
    assert [each.place.block for each in records(store)] == [2]
    assert store.newest() == (4, "0x4")
    assert store.forget_after(store.cursor(), None)
    assert store.cursor() == Cursor(0, 2)
    assert store.newest() is None


def test_old_blocks_without_logs_are_let_go(store):
    store.append(store.cursor(), 1, "0x1", [])
    store.append(store.cursor(), 2, "0x2", [log(2)])
    store.append(store.cursor(), RECENT + 100, "0x9", [])
    assert [number for number, _ in store.blocks()] == [2, RECENT + 100]


def test_what_is_let_go_is_looked_for_among_what_was_added_last(store):
    """However long the history is."""
    for block in range(RECENT):
        store.append(store.cursor(), block, hex(block), [log(block)] if block % 3 else [])
    assert len(store.blocks()) == RECENT
    old = []
    store._db.set_trace_callback(old.append)
    store.append(store.cursor(), RECENT + 1, "0x1", [])
    store._db.set_trace_callback(None)
    (statement,) = [each for each in old if each.startswith("delete")]
    assert "number >= -1 and number < 1 " in statement
    assert [number for number, _ in store.blocks()][:2] == [1, 2]


def test_a_range_that_cannot_be_stored_whole_is_not_stored_at_all(store):
    def logs():
        yield log(1)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        store.append(store.cursor(), 4, "0x4", logs())
    assert store.cursor() == Cursor(0, 0)
    assert records(store) == []


def test_another_version_or_no_database_is_said(path, tmp_path):
    found = Store(path, 0)
    found._db.execute("pragma user_version = 7")
    found.close()
    with pytest.raises(FollowError, match="version 7"):
        Store(path, 0)
    (tmp_path / "text.sqlite").write_text("no database, but long enough to be looked at " * 9)
    with pytest.raises(FollowError, match="cannot be used"):
        Store(tmp_path / "text.sqlite", 0)


def test_a_full_disk_is_said_and_what_was_kept_stands(store):
    store.append(store.cursor(), 9, "0x9", [log(3)])
    (pages,) = store._db.execute("pragma page_count").fetchone()
    store._db.execute(f"pragma max_page_count = {pages}")
    with pytest.raises(FollowError, match="cannot be used: database or disk is full"):
        store.append(store.cursor(), 999, "0x999", [log(block) for block in range(10, 999)])
    assert store.cursor() == Cursor(10, 0)
    store._db.execute("pragma max_page_count = 4294967294")
    assert store.append(store.cursor(), 12, "0x12", [log(11)])
    assert len(records(store)) == 2


def test_a_file_that_was_damaged_is_said(path, store):
    store.append(store.cursor(), 999, "0x999", [log(block) for block in range(999)])
    store.close()
    data = bytearray(path.read_bytes())
    data[8_192:] = bytes(len(data) - 8_192)
    path.write_bytes(data)
    with pytest.raises(FollowError, match="delete the file when it is damaged"):
        records(Store(path, 0))


WRITER = """
import sys
sys.path.insert(0, sys.argv[2])
from pathlib import Path
from chain.test_store import log
from earnest.chain.store import Store
store = Store(Path(sys.argv[1]), 0)
while True:
    cursor = store.cursor()
    store.append(cursor, cursor.next + 1, f"{cursor.next + 1:#x}", [log(cursor.next), log(cursor.next + 1)])
"""


def test_survives_being_killed_while_two_write(path):
    tests = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    command = [sys.executable, "-c", WRITER, str(path), tests]
    writers = [subprocess.Popen(command) for _ in range(2)]
    until = time.monotonic() + 30
    while time.monotonic() < until and not (path.exists() and _next(path) > 50):
        time.sleep(0.1)
    for writer in writers:
        writer.send_signal(signal.SIGKILL)
        writer.wait()
    store = Store(path, 0)
    end = store.cursor().next
    assert end > 50
    assert [each.place.block for each in records(store)] == list(range(end))
    assert store.newest() == (end - 1, f"{end - 1:#x}")


def _next(path):
    store = Store(path, 0)
    try:
        return store.cursor().next
    finally:
        store.close()
