"""The contract's logs, read from a node in ranges that adapt to what it gives, as records."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, TypeVar

from eth_utils.address import to_checksum_address
from hexbytes import HexBytes
from requests.exceptions import ChunkedEncodingError, HTTPError, ReadTimeout
from web3 import Web3
from web3.exceptions import Web3Exception
from web3.types import FilterParams

from earnest.chain.records import Place, Record, decode_log

FIRST_RANGE: Final = 5_000
LONGEST_RANGE: Final = 100_000
CALM: Final = 32
GAIN: Final = 8

TOO_MANY_REQUESTS: Final = 429  # of HTTP
FIRST_PAUSE: Final = 1.0  # seconds, twice as many each time
LONGEST_PAUSE: Final = 16.0

# How nodes say that a range has too many blocks or too many logs; some just take too long, or hang up.
REFUSALS: Final = (Web3Exception, ValueError, HTTPError, ReadTimeout, ChunkedEncodingError)

T = TypeVar("T")


def read(
    web3: Web3, contract: str, first: int = 0, last: int | None = None, longest: int = LONGEST_RANGE
) -> Iterator[Record]:
    """The records of blocks `first` to `last` (both included; the newest unless given), in their order.

    `longest` blocks are asked for at once at most. Errors as `ranges`.
    """
    end = web3.eth.block_number if last is None else last
    clock = Clock(web3)
    pace = Pace(longest)
    for _, _, logs in ranges(lambda low, high: logs_of(web3, contract, low, high), first, end, pace):
        yield from decode_all(logs, clock)


class Pace:
    """How many blocks to ask a node for at once: twice as many whenever it answers, until it refuses; then
    the middle, as long as that gains something. More than what was refused is tried after `CALM` answers
    again: a crowded stretch passes, a node's limit does not.
    """

    def __init__(self, longest: int = LONGEST_RANGE) -> None:
        """Never more than `longest` blocks."""
        self.size = min(FIRST_RANGE, longest)
        self._longest = longest
        self._good = 0  # what was answered last
        self._ceiling: int | None = None  # what was refused
        self._calm = 0

    def answered(self, asked: int) -> None:
        """So many blocks were answered."""
        if asked < self.size:  # there were no more
            return
        self._good = asked
        self._calm += 1
        if self._ceiling is None or asked >= self._ceiling:
            self._ceiling = None
            self.size = min(2 * asked, self._longest)
        elif self._calm >= CALM:
            self._calm = 0
            self.size = min(2 * asked, self._longest)
        else:
            middle = (asked + self._ceiling) // 2
            self.size = middle if middle - asked > asked // GAIN else asked

    def refused(self, asked: int) -> None:
        """So many blocks were too many."""
        self._calm = 0
        self._ceiling = min(asked, self._ceiling or asked)
        self.size = self._good if 0 < self._good < asked else max(1, asked // 2)


def ranges(ask: Callable[[int, int], T], first: int, last: int, pace: Pace) -> Iterator[tuple[int, int, T]]:
    """What a node answers about blocks `first` to `last`, range by range: (first, last, answer).

    A node that is asked too often is left alone for a while. Raises one of `REFUSALS` when it refuses a
    single block, or still is asked too often.
    """
    pause = FIRST_PAUSE
    while first <= last:
        until = min(first + pace.size - 1, last)
        try:
            answer = ask(first, until)
        except REFUSALS as error:
            if _is_too_often(error):
                if pause > LONGEST_PAUSE:
                    raise
                time.sleep(pause)
                pause *= 2
            elif first == until:
                raise
            else:
                pace.refused(until - first + 1)
            continue
        yield first, until, answer
        pace.answered(until - first + 1)
        first, pause = until + 1, FIRST_PAUSE


def _is_too_often(error: Exception) -> bool:
    """Whether a node wants to be asked less often: no smaller range helps then."""
    response = getattr(error, "response", None)
    if getattr(response, "status_code", None) == TOO_MANY_REQUESTS:
        return True
    text = str(error).lower()
    return any(each in text for each in ("429", "too many requests", "rate limit"))


def logs_of(web3: Web3, contract: str, first: int, last: int) -> list[Any]:
    """The contract's raw logs of blocks `first` to `last`, both included."""
    query: FilterParams = {"address": to_checksum_address(contract), "fromBlock": first, "toBlock": last}
    return list(web3.eth.get_logs(query))


def decode_all(logs: Iterable[Mapping[str, Any]], clock: Clock) -> Iterator[Record]:
    """The records among raw logs of the contract, in the order of the logs."""
    for log in logs:
        topics = [bytes(HexBytes(topic)) for topic in log["topics"]]
        record = decode_log(topics, bytes(HexBytes(log["data"])), place_of(log, clock))
        if record is not None:
            yield record


class Clock:
    """Times of blocks: those that came with logs, the others from the node, each asked for once."""

    def __init__(self, web3: Web3) -> None:
        self.web3 = web3
        self.known: dict[int, int] = {}

    def of(self, log: Mapping[str, Any], block: int) -> int:
        """The time of a log's block."""
        if block not in self.known:
            given = log.get("blockTimestamp")
            self.known[block] = (
                self.web3.eth.get_block(block)["timestamp"] if given is None else _integer(given)
            )
        return self.known[block]


def spot_of(log: Mapping[str, Any]) -> tuple[int, int, str]:
    """A raw log's block, its index there, and the block's hash."""
    number, index = _integer(log["blockNumber"]), _integer(log["logIndex"])
    return number, index, HexBytes(log["blockHash"]).to_0x_hex()


def place_of(log: Mapping[str, Any], clock: Clock) -> Place:
    """Where a raw log stands."""
    block, index, block_hash = spot_of(log)
    return Place(
        block=block,
        index=index,
        timestamp=clock.of(log, block),
        transaction=HexBytes(log["transactionHash"]).to_0x_hex(),
        block_hash=block_hash,
    )


def _integer(value: int | str) -> int:
    return int(value, 16) if isinstance(value, str) else int(value)
