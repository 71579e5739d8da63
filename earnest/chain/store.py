"""The contract's logs on disk, with the hashes of the blocks that they were read from.

One SQLite file for each contract of a chain. Nothing in it is lost with it: all of it can be read again. A
range of blocks is stored in one transaction together with the cursor, so that a process may be killed at any
instruction; several processes may share the file, and who comes second with a range stores nothing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from earnest.chain.errors import FollowError
from earnest.chain.records import Place, Record, decode_log

VERSION: Final = 2
PATIENCE: Final = 30.0  # seconds that a write waits for another process's

# Blocks without logs are kept that far back, for finding where a reorganisation began.
RECENT: Final = 1_000

_SCHEMA: Final = """
create table cursor (first integer not null, next integer not null, forks integer not null) strict;
create table blocks (number integer primary key, hash text not null) strict;
create table logs (
    block integer, position integer, time integer not null, "transaction" text not null, hash text not null,
    topics blob not null, data blob not null,
    primary key (block, position)
) strict, without rowid;
"""

WORD: Final = 32


@dataclass(frozen=True)
class Cursor:
    """The next block to read, and how many times blocks were forgotten: then a state must be built anew."""

    next: int
    forks: int


@dataclass(frozen=True)
class Log:
    """A raw log and where it stands."""

    place: Place
    topics: tuple[bytes, ...]
    data: bytes


class Store:
    """The logs of one contract, in a file that is created when it is not there."""

    def __init__(self, path: Path, first_block: int) -> None:
        """Open it; it begins with `first_block`, or earlier when it was begun so: one that was begun later is
        begun anew. Raises FollowError when that cannot be done.
        """
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FollowError(f"The records in {path} cannot be kept: {error.strerror or error}.") from error
        with self._usable():
            self._db = sqlite3.connect(path, timeout=PATIENCE, isolation_level=None)
            self._db.execute("pragma journal_mode = wal")
            self._db.execute("pragma synchronous = normal")
            with self._writing():
                self._set_up(first_block)
                self._begin_by(first_block)

    def _set_up(self, first_block: int) -> None:
        (version,) = self._db.execute("pragma user_version").fetchone()
        if version == VERSION:
            return
        if version != 0:
            raise FollowError(f"{self.path} has version {version}; this reads {VERSION}. Delete it.")
        for statement in _SCHEMA.split(";"):
            self._db.execute(statement)
        self._db.execute("insert into cursor values (?, ?, 0)", (first_block, first_block))
        self._db.execute(f"pragma user_version = {VERSION}")

    def _begin_by(self, first_block: int) -> None:
        if first_block < self.first_block:
            self._db.execute("update cursor set first = ?", (first_block,))
            self._forget(first_block)

    @property
    def first_block(self) -> int:
        """The block that it begins with."""
        return int(self._read("select first from cursor")[0][0])

    def close(self) -> None:
        """Let go of the file."""
        self._db.close()

    def cursor(self) -> Cursor:
        """How far it has come."""
        return Cursor(*self._read("select next, forks from cursor")[0])

    def append(self, since: Cursor, last: int, last_hash: str, logs: Iterable[Log]) -> bool:
        """Store the logs of blocks `since.next` to `last`; False, and nothing, when another was first."""
        with self._writing():
            if self.cursor() != since:
                return False
            for log in logs:
                self._insert(log)
            self._db.execute("insert or replace into blocks values (?, ?)", (last, last_hash))
            self._db.execute(
                "delete from blocks where number >= ? and number < ?"
                " and not exists (select 1 from logs where logs.block = blocks.number)",
                (since.next - 1 - RECENT, last - RECENT),
            )
            self._db.execute("update cursor set next = ?", (last + 1,))
        return True

    def _insert(self, log: Log) -> None:
        place = log.place
        place_row = (place.block, place.index, place.timestamp, place.transaction, place.block_hash)
        self._db.execute(
            "insert into logs values (?, ?, ?, ?, ?, ?, ?)",
            (*place_row, b"".join(log.topics), log.data),
        )
        self._db.execute("insert or ignore into blocks values (?, ?)", (place.block, place.block_hash))

    def blocks(self) -> list[tuple[int, str]]:
        """The known blocks, number and hash, by number."""
        return self._read("select number, hash from blocks order by number")

    def newest(self) -> tuple[int, str] | None:
        """The newest known block, number and hash."""
        found = self._read("select number, hash from blocks order by number desc limit 1")
        return found[0] if found else None

    def forget_after(self, since: Cursor, block: int | None) -> bool:
        """Forget all that was read after a block (None: everything); False when the cursor has moved."""
        with self._writing():
            if self.cursor() != since:
                return False
            self._forget(self.first_block if block is None else max(block + 1, self.first_block))
        return True

    def _forget(self, first: int) -> None:
        self._db.execute("delete from logs where block >= ?", (first,))
        self._db.execute("delete from blocks where number >= ?", (first,))
        self._db.execute("update cursor set next = ?, forks = forks + 1", (first,))

    def spots(self, first: int, last: int) -> set[tuple[int, int, str]]:
        """Block, index and block's hash of the logs in blocks `first` to `last`."""
        query = "select block, position, hash from logs where block between ? and ?"
        return set(self._each(query, (first, last)))

    @contextmanager
    def reading(self, after: Place | None = None) -> Iterator[tuple[Cursor, Iterator[Record]]]:
        """The cursor, and the records after a place in their order, as of one moment."""
        with self._usable():
            self._db.execute("begin")
        records = self._records(after)
        try:
            yield self.cursor(), records
        finally:
            records.close()
            if self._db.in_transaction:
                self._db.execute("rollback")

    def _records(self, after: Place | None) -> Generator[Record]:
        block, position = (after.block, after.index) if after else (-1, -1)
        rows = self._each(
            'select block, position, time, "transaction", hash, topics, data from logs'
            " where (block, position) > (?, ?) order by block, position",
            (block, position),
        )
        for *place, topics, data in rows:
            split = [topics[at : at + WORD] for at in range(0, len(topics), WORD)]
            record = decode_log(split, data, Place(*place))
            if record is not None:
                yield record

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._usable():
            self._db.execute("begin immediate")
            try:
                yield
                self._db.execute("commit")
            except BaseException:
                if self._db.in_transaction:  # a full disk ends it by itself
                    self._db.execute("rollback")
                raise

    def _each(self, query: str, values: tuple[object, ...] = ()) -> Iterator[Any]:
        with self._usable():
            yield from self._db.execute(query, values)

    def _read(self, query: str) -> list[Any]:
        return list(self._each(query))

    @contextmanager
    def _usable(self) -> Iterator[None]:
        """Raise FollowError, with what to do, where SQLite cannot read or write the file."""
        try:
            yield
        except sqlite3.Error as error:
            raise FollowError(
                f"The records in {self.path} cannot be used: {error}. There must be room on the disk; delete"
                " the file when it is damaged, and they are read again."
            ) from error
