"""The store kept up with the chain, and the state rebuilt from it.

A reorganisation shows in the hashes: the newest stored block that is still on the chain is where the two
part, and what was read after it is forgotten and read again.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress
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
    from web3.types import BlockData

TRIES: Final = 10
AGAIN: Final = 12  # blocks that are read twice
MORE: Final = 4  # times as many, where that showed a log that was missing
MOST_BEHIND: Final = 12  # blocks by which a node may be behind what was read of another


@dataclass(frozen=True)
class Sight:
    """The state as of the newest block read, its number and time (unix); `forks` as of the store's cursor,
    and how many reorganisations its follower came upon.

    What others may still do before a deadline is known to be over by `time` alone: a block that is not read
    yet may hold it, whatever this machine's clock says. `idle`: no block comes before somebody sends
    something, as on a devnet.
    """

    state: State
    block: int
    time: int
    forks: int
    idle: bool = False
    reorganisations: int = 0

    @property
    def now(self) -> int:
        """The time to try things by: the newest block's; on an idle chain this machine's, if that is later.
        Elsewhere a clock that is ahead by hours would have everything tried too early, or take it as over.
        """
        return max(self.time, int(time.time())) if self.idle else self.time


class _Moved(Exception):
    """The chain changed between two questions about it."""


class Follower:
    """Follows one contract on one chain. `reorganisations` counts those that it came upon."""

    def __init__(
        self, web3: Web3, contract: str, sink: str, store: Store, longest: int = events.LONGEST_RANGE
    ) -> None:
        """Follow `contract`, whose sink is not in its records; `longest` blocks at once at most."""
        self._web3, self._contract, self._store = web3, contract, store
        self._sink, self._idle = sink, is_devnet(web3)
        self._pace = events.Pace(longest)
        self._again = AGAIN
        self._state = State(sink)
        self._forks = -1
        self._time = 0
        self.reorganisations = 0

    def look(self) -> Sight:
        """Read up to the newest block. Raises FollowError when the node contradicts itself again and again,
        and what web3 raises when it does not answer.
        """
        doubted = False
        contradictions, self._again = 0, AGAIN
        while contradictions < TRIES:
            head = self._web3.eth.get_block("latest")
            before = self._store.cursor()
            try:
                self._part_from_forks(int(head["number"]))
                self._read_to(int(head["number"]))
                state, cursor = self._rebuild()
            except _Moved:
                # What another process stored meanwhile is no contradiction.
                after = self._store.cursor()
                contradictions += after.forks != before.forks or after.next <= before.next
                continue
            except StateError as error:
                if doubted:
                    raise FollowError(f"The node's logs are no history of the contract: {error}") from error
                # A node may have left logs out: once more from the beginning.
                doubted = self._store.forget_after(self._store.cursor(), None)
                continue
            if cursor.next - 1 >= int(head["number"]):
                return self._sight(state, cursor, head)
            contradictions += 1
        raise FollowError(f"The node gave contradictory answers {TRIES} times; is it still catching up?")

    def forget(self, block: int = 0) -> None:
        """Read everything from a block on again at the next look: the node has left something out."""
        self._store.forget_after(self._store.cursor(), block - 1)

    def records(self) -> list[Record]:
        """All records read so far, in their order."""
        with self._store.reading() as (_, records):
            return list(records)

    def _sight(self, state: State, cursor: Cursor, head: BlockData) -> Sight:
        """What was read may go beyond the head: there may be several nodes behind one address."""
        block, time = cursor.next - 1, int(head["timestamp"])
        if block > int(head["number"]):
            with suppress(BlockNotFound):
                time = int(self._web3.eth.get_block(block)["timestamp"])
        self._time = max(self._time, time) if not self._idle else time
        return Sight(state, block, self._time, cursor.forks, self._idle, self.reorganisations)

    def _part_from_forks(self, head: int) -> None:
        cursor, newest = self._store.cursor(), self._store.newest()
        if newest is None:
            if cursor.next > head + 1:
                raise FollowError(
                    f"The records are to be read from block {cursor.next:,} on, and the node's newest is"
                    f" {head:,}: is it still catching up, or was another block meant?"
                )
            return
        if self._on_chain(newest):
            return
        known = self._store.blocks()
        low, high = 0, len(known)  # those before `low` are on the chain, those from `high` on are not
        while low < high:
            middle = (low + high) // 2
            if self._on_chain(known[middle]):
                low = middle + 1
            else:
                high = middle
        behind = 0 < low < len(known) and known[low][0] > head >= newest[0] - MOST_BEHIND
        if behind and not self._idle:
            return  # all that it has is the same
        if not self._store.forget_after(cursor, known[low - 1][0] if low else None):
            raise _Moved
        self.reorganisations += 1

    def _on_chain(self, block: tuple[int, str]) -> bool:
        number, known = block
        return self._hash_of(number) == known

    def _hash_of(self, number: int) -> str | None:
        try:
            return HexBytes(self._web3.eth.get_block(number)["hash"]).to_0x_hex()
        except BlockNotFound:
            return None

    def _read_to(self, last: int) -> None:
        cursor = self._store.cursor()
        forks = cursor.forks
        while cursor.next <= last:
            cursor = self._read_on(cursor, last)
            if cursor.forks != forks:
                raise _Moved

    def _read_on(self, cursor: Cursor, last: int) -> Cursor:
        """Read from a cursor on until another process is faster; where it stands then."""
        clock = events.Clock(self._web3)
        # The newest blocks are read twice: a node may have a block before it has its logs.
        first = max(self._store.first_block, cursor.next - self._again)
        for low, high, (logs, block_hash) in events.ranges(self._ask, first, last, self._pace):
            if block_hash is None:
                raise _Moved
            again = {spot for spot in map(events.spot_of, logs) if spot[0] < cursor.next}
            if again - self._store.spots(low, high):
                self._again *= MORE
                self._store.forget_after(cursor, first - 1)
                raise _Moved
            if high < cursor.next:
                continue
            fresh = [log for log in logs if events.spot_of(log)[0] >= cursor.next]
            if not self._store.append(cursor, high, block_hash, _raw(fresh, clock)):
                return self._store.cursor()
            cursor = Cursor(high + 1, cursor.forks)
        return cursor

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
