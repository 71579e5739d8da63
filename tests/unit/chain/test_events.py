"""Logs read in ranges, whatever a node allows."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from web3.exceptions import Web3RPCError

from earnest.chain import events


class Strict:
    """The node, but for refusing more than `most` blocks at once, and remembering what it was asked."""

    def __init__(self, web3, most):
        self.most, self.asked, self.times = most, [], []
        self.real = web3.eth
        self.eth = SimpleNamespace(
            block_number=web3.eth.block_number, get_logs=self.get_logs, get_block=self.get_block
        )

    def get_logs(self, query):
        length = query["toBlock"] - query["fromBlock"] + 1
        self.asked.append(length)
        if length > self.most:
            raise Web3RPCError("query exceeds max block range")
        return self.real.get_logs(query)

    def get_block(self, block):
        self.times.append(block)
        return self.real.get_block(block)


@pytest.fixture
def whole(created):
    created.enroll(3)
    return created


@pytest.mark.parametrize("most", [1, 3, 10_000])
def test_finds_the_same_whatever_the_limit(whole, most):
    client, node = whole.client, Strict(whole.client.web3, most)
    found = list(events.read(node, client.address))
    assert found == list(client.records())
    assert sum(length for length in node.asked if length <= most) == node.eth.block_number + 1


def test_ranges_shrink_when_refused_and_grow_again(whole):
    node = Strict(whole.client.web3, 6)
    list(events.read(node, whole.client.address))
    granted = [length for length in node.asked if length <= 6]
    assert len(node.asked) > len(granted)
    assert max(granted) > 1


def test_asks_for_no_more_than_told(whole):
    node = Strict(whole.client.web3, 10_000)
    list(events.read(node, whole.client.address, longest=4))
    assert max(node.asked) <= 4


def test_reads_the_blocks_named_and_no_others(whole):
    records = list(whole.client.records())
    block = records[2].place.block
    assert list(whole.client.records(block, block)) == [r for r in records if r.place.block == block]
    assert list(whole.client.records(block + 1)) == [r for r in records if r.place.block > block]


def test_a_single_block_refused_is_told(whole):
    node = Strict(whole.client.web3, 0)
    with pytest.raises(Web3RPCError, match="max block range"):
        list(events.read(node, whole.client.address))


def test_asks_for_the_time_of_a_block_once_at_most(whole):
    node = Strict(whole.client.web3, 10_000)
    list(events.read(node, whole.client.address))
    assert len(node.times) == len(set(node.times))
