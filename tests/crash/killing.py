"""A process that dies at an instruction of its own choosing, and what it must have left behind.

`sys.settrace` with opcodes counts every bytecode instruction of the labeler's tool, and the process ends at
the one that was named as `kill -9` ends it. What happens inside SQLite, Ape or the system between two of them
is reached by killing the process from outside, after some time (`play.py`).
"""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import sqlite3
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from eth_utils.crypto import keccak
from processes import CHAIN, Seat, Work, rpc

from earnest.protocol.opening import Domain, committed_record, has_committed, opening_digest

# Where a process may be told to die: in what decides, keeps and sends; or where what it keeps is written.
TOOL: Final = ("/earnest/labeler/", "/earnest/cli/label/", "/earnest/chain/wallet.py")
KEEPING: Final = ("/earnest/labeler/journal.py", "/earnest/labeler/act.py")
COMMIT: Final = keccak(text="commit(uint256,uint256,bytes32)")[:4]


def dying(work: Work, where: Sequence[str], at: int) -> Work:
    """`work`, ending as `kill -9` does at its instruction number `at` of the files `where`."""
    return _Instructions(where, at).count(work)


def counting(work: Work, to: Path) -> Work:
    """`work`, writing by file how many instructions of the tool it took."""
    instructions = _Instructions(TOOL)

    def counted() -> None:
        try:
            instructions.count(work)()
        finally:
            to.write_text(json.dumps(instructions.seen))

    return counted


def counted(path: Path, where: Sequence[str]) -> int:
    """How many of the instructions written to `path` were of the files `where`."""
    seen = json.loads(path.read_text())
    return sum(number for name, number in seen.items() if any(part in name for part in where))


class _Instructions:
    """Counts instructions of some files, and ends the process at one of them."""

    def __init__(self, where: Sequence[str], at: int | None = None) -> None:
        self.where, self.at = where, at
        self.number, self.seen = 0, Counter[str]()

    def count(self, work: Work) -> Work:
        def traced() -> None:
            sys.settrace(self._trace)
            try:
                work()
            finally:
                sys.settrace(None)

        return traced

    def _trace(self, frame: Any, event: str, _argument: Any) -> Any:
        name = frame.f_code.co_filename
        if event == "call":
            if not any(part in name for part in self.where):
                return None
            frame.f_trace_opcodes, frame.f_trace_lines = True, False
        elif event == "opcode":
            self.number += 1
            self.seen[name] += 1
            if self.number == self.at:
                os.kill(os.getpid(), signal.SIGKILL)
        return self._trace


@dataclass(frozen=True)
class Left:
    """What is in a labeler's journal: the openings by commitment, and the answers by task."""

    openings: dict[bytes, tuple[int, bytes, bytes]]
    answers: dict[str, int]


def left(data: Path) -> Left:
    """Read a journal as the next process will find it; a copy is read, for reading may roll back."""
    copy = data.with_name(f"{data.name}-copy")
    shutil.rmtree(copy, ignore_errors=True)
    if not (data / "journal.sqlite").exists():
        return Left({}, {})
    copy.mkdir()
    for path in data.glob("journal.sqlite*"):
        shutil.copy(path, copy)
    db = sqlite3.connect(copy / "journal.sqlite")
    try:
        assert db.execute("pragma integrity_check").fetchone() == ("ok",)
        tables = {name for (name,) in db.execute("select name from sqlite_master where type = 'table'")}
        if not tables:
            return Left({}, {})
        openings = db.execute("select commitment, seat, labels, salt from openings").fetchall()
        answers = db.execute("select task, label from answers").fetchall()
    finally:
        db.close()
    return Left({word: (seat, labels, salt) for word, seat, labels, salt in openings}, dict(answers))


def check_openings(
    url: str, contract: str, campaign: int, labeler: str, there: Sequence[Seat], found: Left
) -> int:
    """Assert that the journal opens whatever of the labeler's the chain holds, or the node is about to put
    there; how many commitments there were. `there` are the campaign's seats.
    """
    for word, (seat, labels, salt) in found.openings.items():
        assert opening_digest(Domain(CHAIN, contract), campaign, seat, labels, salt) == word
    records = {(seat, committed_record(word)) for word, (seat, _, _) in found.openings.items()}
    number = 0
    for index, seat in enumerate(there):
        if seat.labeler == labeler and has_committed(seat.record):
            assert (index, seat.record) in records, f"the journal cannot open what seat {index} holds"
            number += 1
    for word in _under_way(url, contract, labeler):
        assert word in found.openings, f"the journal cannot open {word.hex()}, which is under way"
        number += 1
    return number


def _under_way(url: str, contract: str, labeler: str) -> Iterator[bytes]:
    """The commitments in a labeler's transactions that are not mined yet."""
    for kind in rpc(url, "txpool_content").values():
        for sender, transactions in kind.items():
            for sent in transactions.values():
                data = bytes.fromhex(sent["input"][2:])
                to_contract = (sent["to"] or "").lower() == contract.lower()
                if sender.lower() == labeler.lower() and to_contract and data[:4] == COMMIT:
                    yield data[-32:]


def given(path: Path, options: tuple[str, ...]) -> dict[str, int]:
    """The answers in a labeler's file, as the journal keeps them: labels by task."""
    with path.open(newline="") as file:
        return {row["task"]: options.index(row["answer"]) for row in csv.DictReader(file)}
