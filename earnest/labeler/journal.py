"""What a labeler must not lose, on disk before anything is sent: answers, and openings of commitments.

One SQLite file for all chains, readable by its owner only. Every write is one transaction, flushed to the
disk together with the folder (`synchronous = EXTRA`) before the call returns, so that a process may be killed
at any instruction. Openings are never deleted or changed: whichever commitment the chain turns out to hold,
of several that were sent, its opening is here.

The salt is kept beside the labels. A wallet gives it again, but only one that signs the same message the same
way every time; the price is that who reads this file before the reveals could denounce its owner.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from earnest.chain.messages import Opening
from earnest.files import FOLDER_MODE, OWNER_ONLY, flush_folder, locked
from earnest.labeler.batch import Answers, Slot
from earnest.labeler.errors import LabelerError
from earnest.protocol.opening import committed_record

FILE: Final = "journal.sqlite"
VERSION: Final = 1
MOMENT: Final = 0.5  # seconds that a lock is tried for: others hold it to see whether it is held
PATIENCE: Final = 30.0  # seconds that a write waits for another process's

_SCHEMA: Final = """
create table if not exists answers (
    chain integer, contract text, campaign text, seat integer,
    task text, showing integer, label integer not null,
    primary key (chain, contract, campaign, seat, task, showing)
) strict, without rowid;
create table if not exists openings (
    chain integer, contract text, campaign text, seat integer,
    commitment blob, labels blob not null, salt blob not null, kept_at integer not null,
    primary key (chain, contract, campaign, seat, commitment)
) strict, without rowid;
"""


@dataclass(frozen=True)
class Book:
    """The part of the journal that belongs to one campaign of one contract on one chain."""

    chain: int
    contract: str
    campaign: int

    @property
    def key(self) -> tuple[int, str, str]:
        """The leading columns of its rows."""
        return (self.chain, self.contract, f"{self.campaign:064x}")


@dataclass(frozen=True)
class Kept:
    """An opening, and the commitment that it opens."""

    opening: Opening
    commitment: bytes


class Journal:
    """The journal in a folder, created when it is not there."""

    def __init__(self, path: Path) -> None:
        """Open it. Raises LabelerError when that cannot be done, or it is of another version."""
        self.folder = path.absolute()
        self.path = self.folder / FILE
        try:
            _make_folder(self.folder)
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, OWNER_ONLY))  # never readable by others
            self._db = sqlite3.connect(self.path, timeout=PATIENCE, isolation_level=None)
            self._db.execute("pragma journal_mode = delete")
            self._db.execute("pragma synchronous = extra")
            self._db.execute("pragma fullfsync = on")
            self._set_up()
        except (OSError, sqlite3.Error) as error:
            raise LabelerError(f"The journal {self.path} cannot be opened: {error}.") from error

    def _set_up(self) -> None:
        with self._writing():
            (version,) = self._db.execute("pragma user_version").fetchone()
            if version not in (0, VERSION):
                raise LabelerError(f"The journal {self.path} has version {version}; this reads {VERSION}.")
            if version == 0:
                for statement in _SCHEMA.split(";"):
                    self._db.execute(statement)
                self._db.execute(f"pragma user_version = {VERSION}")

    # ── Answers ─────────────────────────────────────────────────────────────────────────────────────────────

    def answers(self, book: Book, seat: int) -> dict[Slot, int]:
        """A seat's answers so far."""
        rows = self._read(
            "select task, showing, label from answers"
            " where chain = ? and contract = ? and campaign = ? and seat = ?",
            (*book.key, seat),
        )
        return {Slot(task, showing): label for task, showing, label in rows}

    def answer(self, book: Book, seat: int, slot: Slot, label: int) -> None:
        """Keep one answer, in place of an earlier one."""
        with self._writing():
            self._put(book, seat, {slot: label})

    def replace(self, book: Book, seat: int, answers: Answers) -> None:
        """Keep these answers in place of all earlier ones of the seat: all of them, or none."""
        with self._writing():
            self._db.execute(
                "delete from answers where chain = ? and contract = ? and campaign = ? and seat = ?",
                (*book.key, seat),
            )
            self._put(book, seat, answers)

    # ── Openings ────────────────────────────────────────────────────────────────────────────────────────────

    def keep(self, book: Book, kept: Kept) -> None:
        """Keep an opening; when this returns it is on the disk, and its commitment may be sent."""
        with self._writing():
            self._keep(book, kept)

    def kept(self, book: Book) -> list[Kept]:
        """All openings of a campaign, the oldest first."""
        rows = self._read(
            "select seat, labels, salt, commitment from openings"
            " where chain = ? and contract = ? and campaign = ? order by kept_at",
            book.key,
        )
        return [Kept(Opening(seat=s, labels=labels, salt=salt), word) for s, labels, salt, word in rows]

    def openings(self, book: Book) -> dict[tuple[int, int], Opening]:
        """The openings of a campaign by seat and by the record that their commitment gives on chain."""
        return {
            (kept.opening.seat, committed_record(kept.commitment)): kept.opening for kept in self.kept(book)
        }

    # ── All of it ───────────────────────────────────────────────────────────────────────────────────────────

    def books(self) -> list[Book]:
        """The campaigns that something is kept of."""
        rows = self._read(
            "select chain, contract, campaign from answers"
            " union select chain, contract, campaign from openings",
            (),
        )
        return [Book(chain, contract, int(campaign, 16)) for chain, contract, campaign in rows]

    def seats(self, book: Book) -> list[int]:
        """The seats that a campaign's book has something of."""
        where = "where chain = ? and contract = ? and campaign = ?"
        rows = self._read(
            f"select seat from answers {where} union select seat from openings {where}",
            (*book.key, *book.key),
        )
        return sorted(seat for (seat,) in rows)

    def merge(self, books: Mapping[Book, tuple[Mapping[int, Answers], list[Kept]]]) -> None:
        """Add what is not there yet, answers by seat and openings: all at once, overwriting nothing."""
        with self._writing():
            for book, (answers, kept) in books.items():
                for seat, given in answers.items():
                    self._put(book, seat, given, "insert or ignore")
                for each in kept:
                    self._keep(book, each)

    @contextmanager
    def editing(self, book: Book, seat: int) -> Iterator[None]:
        """Be the only process that changes a seat's answers, until it ends, however it ends.

        Raises LabelerError when another process is at it.
        """
        with locked(self._lock(book, seat), MOMENT) as mine:
            if not mine:
                raise LabelerError(
                    f"Seat {seat} is being answered by another process; wait for it, or stop it."
                )
            yield

    def is_edited(self, book: Book, seat: int) -> bool:
        """Whether another process is changing a seat's answers."""
        with locked(self._lock(book, seat)) as mine:
            return not mine

    # ── Below ───────────────────────────────────────────────────────────────────────────────────────────────

    def _lock(self, book: Book, seat: int) -> Path:
        return self.folder / f"{'-'.join(map(str, (*book.key, seat)))}.lock"

    def _put(self, book: Book, seat: int, answers: Answers, verb: str = "insert or replace") -> None:
        self._db.executemany(
            f"{verb} into answers values (?, ?, ?, ?, ?, ?, ?)",
            [(*book.key, seat, slot.task, slot.showing, label) for slot, label in answers.items()],
        )

    def _keep(self, book: Book, kept: Kept) -> None:
        opening = kept.opening
        self._db.execute(
            "insert or ignore into openings values (?, ?, ?, ?, ?, ?, ?, ?)",
            (*book.key, opening.seat, kept.commitment, opening.labels, opening.salt, int(time.time())),
        )

    def _read(self, query: str, values: tuple[object, ...]) -> list[Any]:
        try:
            return self._db.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise LabelerError(f"The journal {self.path} cannot be read: {error}.") from error

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """One transaction; flushed when it ends well, undone when it does not."""
        try:
            self._db.execute("begin immediate")
            try:
                yield
                self._db.execute("commit")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("rollback")
                raise
        except sqlite3.Error as error:
            raise LabelerError(f"The journal {self.path} cannot be written: {error}.") from error


def _make_folder(path: Path) -> None:
    """Make a folder and those above it, each entry flushed."""
    if path.is_dir():
        return
    _make_folder(path.parent)
    path.mkdir(FOLDER_MODE, exist_ok=True)
    flush_folder(path.parent)
