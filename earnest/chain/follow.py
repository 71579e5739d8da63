"""The store kept up with the chain, and the state rebuilt from it.

A reorganisation shows in the hashes: the newest stored block that is still on the chain is where the two
part, and what was read after it is forgotten and read again.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from eth_abi.exceptions import DecodingError
from hexbytes import HexBytes
from web3.exceptions import BlockNotFound

from earnest.chain import events
from earnest.chain.confirmations import is_devnet
from earnest.chain.errors import FollowError
from earnest.chain.records import Record
from earnest.chain.state import State, StateError
from earnest.chain.store import Cursor, Log, Store

if TYPE_CHECKING:
    from web3 import Web3

TRIES: Final = 10


@dataclass(frozen=True)
class Sight:
    """The state as of the newest block read, its number and time (unix); `forks` as of the store's cursor.

    What others may still do before a deadline is known to be over by `time` alone: a block that is not read
    yet may hold it, whatever this machine's clock says. `idle`: no block comes before somebody sends
    something, as on a devnet.
    """

    state: State
    block: int
    time: int
    forks: int
    idle: bool = False

    @property
    def now(self) -> int:
        """The time to try things by: the newest block's; on an idle chain this machine's, if that is later.
        Elsewhere a clock that is ahead by hours would have everything tried too early, or take it as over.
        """
        return max(self.time, int(time.time())) if self.idle else self.time


class _Moved(Exception):
    """The chain changed between two questions about it."""


class Follower:
    """Follows one contract on one chain."""

    def __init__(
        self, web3: Web3, contract: str, sink: str, store: Store, longest: int = events.LONGEST_RANGE
    ) -> None:
        """Follow `contract`, whose sink is not in its records; `longest` blocks at once at most."""
        self._web3, self._contract, self._store, self._longest = web3, contract, store, longest
        self._sink, self._idle = sink, is_devnet(web3)
        self._state = State(sink)
        self._forks = -1

    def look(self) -> Sight:
        """Read up to the newest block. Raises FollowError when the node contradicts itself again and again,
        and what web3 raises when it does not answer.
        """
        doubted = False
        for _ in range(TRIES):
            head = self._web3.eth.get_block("latest")
            try:
                self._part_from_forks()
                self._read_to(int(head["number"]))
                state, cursor = self._rebuild()
            except _Moved:
                continue
            except StateError as error:
                if doubted:
                    raise FollowError(f"The node's logs are no history of the contract: {error}") from error
                # A node may have left logs out: once more from the beginning.
                doubted = self._store.forget_after(self._store.cursor(), None)
                continue
            if cursor.next - 1 >= int(head["number"]):
                return Sight(state, int(head["number"]), int(head["timestamp"]), cursor.forks, self._idle)
        raise FollowError(f"The node gave contradictory answers {TRIES} times; is it still catching up?")

    def forget(self) -> None:
        """Read everything again at the next look: the node has left something out."""
        self._store.forget_after(self._store.cursor(), None)

    def records(self) -> list[Record]:
        """All records read so far, in their order."""
        with self._store.reading() as (_, records):
            return list(records)

    def _part_from_forks(self) -> None:
        cursor, newest = self._store.cursor(), self._store.newest()
        if newest is None or self._on_chain(newest):
            return
        known = self._store.blocks()
        low, high = 0, len(known)  # those before `low` are on the chain, those from `high` on are not
        while low < high:
            middle = (low + high) // 2
            if self._on_chain(known[middle]):
                low = middle + 1
            else:
                high = middle
        if not self._store.forget_after(cursor, known[low - 1][0] if low else None):
            raise _Moved

    def _on_chain(self, block: tuple[int, str]) -> bool:
        number, known = block
        return self._hash_of(number) == known

    def _hash_of(self, number: int) -> str | None:
        try:
            return HexBytes(self._web3.eth.get_block(number)["hash"]).to_0x_hex()
        except BlockNotFound:
            return None

    def _read_to(self, last: int) -> None:
        clock = events.Clock(self._web3)
        cursor = self._store.cursor()
        for _, until, (logs, block_hash) in events.ranges(self._ask, cursor.next, last, self._longest):
            if block_hash is None:
                raise _Moved
            if not self._store.append(cursor, until, block_hash, _raw(logs, clock)):
                raise _Moved
            cursor = Cursor(until + 1, cursor.forks)

    def _ask(self, first: int, last: int) -> tuple[Sequence[Any], str | None]:
        """The logs of a range and the hash of its last block, which was the same before and after; None for
        the hash when it was not.
        """
        before = self._hash_of(last)
        logs = events.logs_of(self._web3, self._contract, first, last)
        return logs, before if before == self._hash_of(last) else None

    def _rebuild(self) -> tuple[State, Cursor]:
        if self._store.cursor().forks != self._forks:
            self._state = State(self._sink)
        with self._store.reading(self._state.last) as (cursor, records):
            if self._state.last is not None and cursor.forks != self._forks:
                raise _Moved
            try:
                for record in records:
                    self._state.apply(record)
            except (ValueError, DecodingError) as error:
                self._forks = -1
                if isinstance(error, StateError):
                    raise
                raise StateError(f"A log cannot be read: {error}") from error
        self._forks = cursor.forks
        return self._state, cursor


def _raw(logs: Sequence[Any], clock: events.Clock) -> list[Log]:
    return [
        Log(
            events.place_of(log, clock),
            tuple(bytes(HexBytes(topic)) for topic in log["topics"]),
            bytes(HexBytes(log["data"])),
        )
        for log in logs
    ]
