"""The contract's logs, read from a node in ranges that adapt to what it gives, as records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from eth_utils.address import to_checksum_address
from hexbytes import HexBytes
from web3 import Web3
from web3.exceptions import Web3Exception
from web3.types import FilterParams

from earnest.chain.records import Place, Record, decode_log

FIRST_RANGE: Final = 5_000
LONGEST_RANGE: Final = 100_000


def read(
    web3: Web3, contract: str, first: int = 0, last: int | None = None, longest: int = LONGEST_RANGE
) -> Iterator[Record]:
    """The records of blocks `first` to `last` (both included; the newest unless given), in their order.

    Asks for up to `longest` blocks at once; half as many when the node refuses, twice as many when it
    answers. Raises Web3Exception when it refuses a single block.
    """
    end = web3.eth.block_number if last is None else last
    size = min(FIRST_RANGE, longest)
    clock = Clock(web3)
    while first <= end:
        until = min(first + size - 1, end)
        try:
            logs = web3.eth.get_logs(_query(contract, first, until))
        except (Web3Exception, ValueError):
            if first == until:
                raise
            size = max(1, (until - first + 1) // 2)
            continue
        yield from decode_all(logs, clock)
        first = until + 1
        size = min(2 * size, longest)


def decode_all(logs: Iterable[Mapping[str, Any]], clock: Clock) -> Iterator[Record]:
    """The records among raw logs of the contract, in the order of the logs."""
    for log in logs:
        topics = [bytes(HexBytes(topic)) for topic in log["topics"]]
        record = decode_log(topics, bytes(HexBytes(log["data"])), _place(log, clock))
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


def _query(contract: str, first: int, last: int) -> FilterParams:
    return {"address": to_checksum_address(contract), "fromBlock": first, "toBlock": last}


def _place(log: Mapping[str, Any], clock: Clock) -> Place:
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
