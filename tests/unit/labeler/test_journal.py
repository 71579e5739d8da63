from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import time

import pytest

from earnest.chain.messages import Opening
from earnest.labeler.batch import Slot
from earnest.labeler.errors import LabelerError
from earnest.labeler.journal import Book, Journal, Kept
from earnest.protocol.opening import committed_record

BOOK = Book(424_242, "0x" + "ab" * 20, 2**255 + 1)
ELSEWHERE = Book(1, BOOK.contract, BOOK.campaign)


def kept(number: int, seat: int = 3) -> Kept:
    word = number.to_bytes(32, "big")
    return Kept(Opening(seat=seat, labels=bytes([number % 256]) * 50, salt=word), word)


def test_readable_by_its_owner_only(tmp_path):
    journal = Journal(tmp_path / "a" / "b")
    assert stat.S_IMODE(journal.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(journal.folder.stat().st_mode) == 0o700


def test_answers_by_chain_contract_campaign_and_seat(tmp_path):
    journal = Journal(tmp_path)
    journal.answer(BOOK, 0, Slot("a"), 1)
    journal.answer(BOOK, 0, Slot("a", 1), 2)
    journal.answer(BOOK, 0, Slot("a"), 3)
    again = Journal(tmp_path)
    assert again.answers(BOOK, 0) == {Slot("a"): 3, Slot("a", 1): 2}
    assert again.answers(BOOK, 1) == again.answers(ELSEWHERE, 0) == {}
    again.replace(BOOK, 0, {Slot("b"): 1})
    assert journal.answers(BOOK, 0) == {Slot("b"): 1}
    assert journal.books() == [BOOK]


def test_openings_are_found_by_what_the_chain_holds(tmp_path):
    journal = Journal(tmp_path)
    for number in (5, 9, 5):
        journal.keep(BOOK, kept(number))
    assert len(journal.kept(BOOK)) == 2
    assert journal.openings(BOOK)[3, committed_record(kept(9).commitment)] == kept(9).opening


def test_a_failed_write_leaves_nothing_half_done(tmp_path):
    journal = Journal(tmp_path)
    journal.answer(BOOK, 0, Slot("a"), 1)
    with pytest.raises(LabelerError, match="cannot be written"):
        journal.replace(BOOK, 0, {Slot("b"): 1, Slot("c"): None})
    assert journal.answers(BOOK, 0) == {Slot("a"): 1}


def test_merging_overwrites_nothing(tmp_path):
    journal = Journal(tmp_path)
    journal.answer(BOOK, 0, Slot("a"), 1)
    journal.merge({BOOK: ({0: {Slot("a"): 2, Slot("b"): 0}}, [kept(4)])})
    assert journal.answers(BOOK, 0) == {Slot("a"): 1, Slot("b"): 0}
    assert journal.kept(BOOK) == [kept(4)]


def test_one_process_answers_for_a_seat_at_a_time(tmp_path):
    journal, other = Journal(tmp_path), Journal(tmp_path)
    with journal.editing(BOOK, 1):
        assert other.is_edited(BOOK, 1)
        with pytest.raises(LabelerError, match="Seat 1 is being answered by another process; wait for it"):
            other.editing(BOOK, 1).__enter__()
        with other.editing(BOOK, 2):
            pass
    assert not other.is_edited(BOOK, 1)


def test_a_garbled_journal_is_said_to_be_one(tmp_path):
    (tmp_path / "journal.sqlite").write_bytes(b"no database at all" * 100)
    with pytest.raises(LabelerError, match="cannot be opened"):
        Journal(tmp_path)


def test_a_later_version_is_left_alone(tmp_path):
    path = Journal(tmp_path).path
    with sqlite3.connect(path) as database:
        database.execute("pragma user_version = 99")
    with pytest.raises(LabelerError, match="version 99"):
        Journal(tmp_path)


WRITER = """
import sys
from pathlib import Path
from earnest.chain.messages import Opening
from earnest.labeler.journal import Book, Journal, Kept
journal, book, number = Journal(Path(sys.argv[1])), Book(1, "0x", 1), int(sys.argv[2])
print(flush=True)
while True:
    number += 1
    word = number.to_bytes(32, "big")
    journal.keep(book, Kept(Opening(seat=0, labels=word, salt=word), word))
    print(number, flush=True)
"""


def test_what_was_kept_survives_a_kill_at_any_moment(tmp_path):
    """Killed in the middle of SQLite's own writing, again and again: all that it said it kept is there."""
    book, last = Book(1, "0x", 1), 0
    for delay in (0.003, 0.01, 0.017, 0.03, 0.041):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path), str(last)], stdout=subprocess.PIPE
        )
        process.stdout.readline()
        time.sleep(delay)
        os.kill(process.pid, signal.SIGKILL)
        said = [int(line) for line in process.stdout.read().split(b"\n")[:-1] if line]
        process.wait()
        there = {int.from_bytes(each.commitment, "big") for each in Journal(tmp_path).kept(book)}
        assert set(said) <= there
        last = max(there, default=0)
    assert last
