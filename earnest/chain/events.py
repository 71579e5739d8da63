"""The contract's logs, read from a node in ranges that adapt to what it gives, as records."""

from __future__ import annotations

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

# How nodes say that a range has too many blocks or too many logs; some just take too long, or hang up.
REFUSALS: Final = (Web3Exception, ValueError, HTTPError, ReadTimeout, ChunkedEncodingError)

T = TypeVar("T")


def read(
    web3: Web3, contract: str, first: int = 0, last: int | None = None, longest: int = LONGEST_RANGE
) -> Iterator[Record]:
    """The records of blocks `first` to `last` (both included; the newest unless given), in their order.

    Ranges and errors as `ranges`.
    """
    end = web3.eth.block_number if last is None else last
    clock = Clock(web3)
    for _, _, logs in ranges(lambda low, high: logs_of(web3, contract, low, high), first, end, longest):
        yield from decode_all(logs, clock)


def ranges(
    ask: Callable[[int, int], T], first: int, last: int, longest: int = LONGEST_RANGE
) -> Iterator[tuple[int, int, T]]:
    """What a node answers about blocks `first` to `last`, range by range: (first, last, answer).

    Asks for up to `longest` blocks at once; half as many when the node refuses, twice as many when it
    answers. Raises one of `REFUSALS` when it refuses a single block.
    """
    size = min(FIRST_RANGE, longest)
    while first <= last:
        until = min(first + size - 1, last)
        try:
            answer = ask(first, until)
        except REFUSALS:
            if first == until:
                raise
            size = max(1, (until - first + 1) // 2)
            continue
        yield first, until, answer
        first = until + 1
        size = min(2 * size, longest)


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


def place_of(log: Mapping[str, Any], clock: Clock) -> Place:
    """Where a raw log stands."""
    block = _integer(log["blockNumber"])
    return Place(
        block=block,
        index=_integer(log["logIndex"]),
        timestamp=clock.of(log, block),
        transaction=HexBytes(log["transactionHash"]).to_0x_hex(),
        block_hash=HexBytes(log["blockHash"]).to_0x_hex(),
    )


def _integer(value: int | str) -> int:
    return int(value, 16) if isinstance(value, str) else int(value)
