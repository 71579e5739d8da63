"""Following a chain that reorganises, through a node that has its limits."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hexbytes import HexBytes
from requests.exceptions import HTTPError
from web3.exceptions import BlockNotFound, Web3RPCError

from earnest.chain.errors import FollowError
from earnest.chain.follow import AGAIN, Follower
from earnest.chain.store import Store

from .test_store import PEOPLE, log

CONTRACT = "0x00000000000000000000000000000000000000E1"
REFUSED = [Web3RPCError("query returned more than 10000 results"), ValueError("too large"), HTTPError("413")]


class Node:
    """A chain that can be rewritten: a list of block hashes, some blocks with a log."""

    def __init__(self, length, logs=(), most_blocks=10**6, most_logs=10**6, refusal=REFUSED[0]):
        self.hashes = [f"{block:#066x}" for block in range(length)]
        self.with_logs = set(logs)
        self.most_blocks, self.most_logs, self.refusal = most_blocks, most_logs, refusal
        self.asked = []
        self.meanwhile = None
        self.client_version = "Node/v1"
        self.eth = SimpleNamespace(get_block=self.get_block, get_logs=self.get_logs)

    def get_block(self, block):
        number = len(self.hashes) - 1 if block == "latest" else block
        if number >= len(self.hashes):
            raise BlockNotFound(f"Block {number} not found.")
        return {"number": number, "hash": HexBytes(self.hashes[number]), "timestamp": 1_000 + number}

    def get_logs(self, query):
        first, last = query["fromBlock"], query["toBlock"]
        self.asked.append((first, last))
        blocks = [block for block in range(first, last + 1) if block in self.with_logs]
        if last - first + 1 > self.most_blocks or len(blocks) > self.most_logs:
            raise self.refusal
        found = [self._log(block) for block in blocks]
        if self.meanwhile:
            self.meanwhile, happens = None, self.meanwhile
            happens()
        return found

    def _log(self, block):
        found = log(block)
        return {
            "address": CONTRACT,
            "blockNumber": block,
            "logIndex": 0,
            "transactionHash": HexBytes("0x01"),
            "blockHash": HexBytes(self.hashes[block]),
            "topics": [HexBytes(topic) for topic in found.topics],
            "data": HexBytes(found.data),
        }

    def reorganise(self, parting, length, logs=(), mark="f"):
        """Other blocks from `parting` on."""
        self.with_logs = {block for block in self.with_logs if block < parting} | set(logs)
        fresh = ["0x" + mark * 8 + f"{block:056x}" for block in range(parting, length)]
        self.hashes = self.hashes[:parting] + fresh


def follow(node, store, **options) -> Follower:
    return Follower(node, CONTRACT, PEOPLE[0], store, **options)


def blocks(store):
    with store.reading() as (_, found):
        return [each.place.block for each in found]


@pytest.mark.parametrize("refusal", REFUSED)
@pytest.mark.parametrize(("most_blocks", "most_logs"), [(10**6, 10**6), (7, 10**6), (10**6, 2), (1, 1)])
def test_finds_everything_once_within_the_nodes_limits(store, most_blocks, most_logs, refusal):
    logs = [3, 4, 5, 40, 41, 199]
    node = Node(200, logs, most_blocks, most_logs, refusal)
    sight = follow(node, store).look()
    assert blocks(store) == logs
    assert (sight.block, sight.time) == (199, 1_199)
    assert sight.state.operators == {(PEOPLE[0], PEOPLE[1])}


def test_ranges_grow_again_after_a_crowded_stretch(store):
    node = Node(4_000, range(100, 110), most_logs=1)
    follow(node, store).look()
    lengths = [last - first + 1 for first, last in node.asked]
    crowded = lengths.index(1)
    assert max(lengths[crowded:]) > 500
    assert blocks(store) == list(range(100, 110))


def test_a_node_that_refuses_a_single_block_is_told_of(store):
    with pytest.raises(Web3RPCError):
        follow(Node(10, most_blocks=0), store).look()


def test_goes_on_where_it_stopped(path, store):
    node = Node(50, [3])
    follow(node, store).look()
    node.asked.clear()
    node.reorganise(50, 60, logs=[55])
    again = Store(path, 0)
    follow(node, again).look()
    assert node.asked == [(50 - AGAIN, 59)]
    assert blocks(again) == [3, 55]


@pytest.mark.parametrize("length", [30, 50, 70])
def test_a_reorganisation_is_read_again_from_where_it_parted(store, length):
    node = Node(50, [3, 25, 40], most_blocks=5)
    follower = follow(node, store)
    assert follower.look().forks == 0
    node.reorganise(28, length, logs=[29])
    node.asked.clear()
    sight = follower.look()
    assert sight.forks == 1
    assert blocks(store) == [3, 25, 29]
    assert sight.state.last.block == 29
    assert sight.state.last.block_hash == node.hashes[29]
    assert min(first for first, _ in node.asked) >= 28 - 5 - AGAIN


def test_another_chain_altogether_is_read_from_the_beginning(store):
    node = Node(50, [3, 25])
    follower = follow(node, store)
    follower.look()
    node.reorganise(0, 20, logs=[7])
    follower.look()
    assert blocks(store) == [7]


def test_a_reorganisation_between_two_questions_leaves_nothing_wrong(store):
    node = Node(50, [3, 40])
    node.meanwhile = lambda: node.reorganise(30, 55, logs=[45])
    follow(node, store).look()
    assert blocks(store) == [3, 45]


def test_two_share_a_store_through_a_reorganisation(path, store):
    node, other = Node(50, [3, 40]), Store(path, 0)
    one, two = follow(node, store), follow(node, other)
    one.look()
    two.look()
    node.reorganise(30, 60, logs=[45])
    assert one.look().state.last.block == 45
    assert two.look().state.last.block == 45
    assert blocks(store) == [3, 45]


def test_a_chain_that_never_holds_still_is_told_of(store):
    node = Node(50)

    class Restless:
        def get_block(self, block):
            node.reorganise(0, 50, mark=f"{len(node.asked) % 7}")
            node.asked.append((0, 0))
            return node.get_block(block)

    node.eth = SimpleNamespace(get_block=Restless().get_block, get_logs=node.get_logs)
    with pytest.raises(FollowError, match="contradictory"):
        follow(node, store).look()


def test_the_real_contracts_records_give_the_real_state(revealed, store):
    client = revealed.client
    sight = Follower(client.web3, client.address, client.sink, store, longest=3).look()
    campaign, expected = sight.state.campaigns[revealed.id], client.state()
    assert campaign.seats == expected.campaigns[revealed.id].seats
    assert campaign.life == expected.campaigns[revealed.id].life
    assert (sight.state.balances, sight.state.last) == (expected.balances, expected.last)


def test_a_garbled_log_is_read_again_and_then_told_of(store):
    node = Node(20, logs={5})
    honest = node._log

    def garbled(block):
        return honest(block) | {"data": HexBytes("0x01")}

    node._log = garbled
    with pytest.raises(FollowError, match="A log cannot be read"):
        follow(node, store).look()
    node._log = honest
    assert follow(node, store).look().block == 19


def test_time_is_the_chains_where_blocks_come_by_themselves(store, monkeypatch):
    """A watcher whose clock is ahead by hours would take what can still be refereed as final."""
    node = Node(20)
    monkeypatch.setattr("earnest.chain.follow.time.time", lambda: 10**9)
    assert follow(node, store).look().now == 1_019
    node.client_version = "anvil/v1"
    assert follow(node, store).look().now == 10**9


def test_a_node_that_refuses_to_say_what_it_is_is_followed(store):
    class Silent(Node):
        @property
        def client_version(self):
            raise Web3RPCError("the method web3_clientVersion is not available")

        @client_version.setter
        def client_version(self, _):
            pass

    assert not follow(Silent(20), store).look().idle


def test_a_node_behind_the_others_is_no_reorganisation(store):
    """Behind one address there may be several nodes, and one of them a block late."""
    node = Node(200, [3, 199])
    follower = follow(node, store)
    before, full = follower.look(), node.hashes
    node.hashes = full[:-1]
    node.asked.clear()
    late = follower.look()
    assert (late.forks, late.block, late.time) == (before.forks, 199, before.time)
    assert not node.asked
    node.hashes = full
    assert (follower.look().reorganisations, blocks(store)) == (0, [3, 199])
    node.reorganise(150, 202)
    assert (follower.look().reorganisations, blocks(store)) == (1, [3])


@pytest.mark.parametrize("missing", [{199}, set(range(150, 200))])
def test_logs_that_a_node_has_later_than_the_block_are_found(store, missing):
    node = Node(200, {3} | missing)
    follower = follow(node, store)
    there, node.with_logs = node.with_logs, {3}
    assert follower.look().block == 199
    node.with_logs = there
    node.reorganise(200, 210)
    node.with_logs |= missing
    sight = follower.look()
    assert blocks(store) == sorted({3} | missing)
    assert sight.reorganisations == 0


def test_two_that_begin_at_once_both_end(path, store):
    """Whatever the other one stores is progress, however often it is faster."""
    node = Node(2_000, [3, 1_500])
    other = follow(node, Store(path, 0), longest=10)
    one = follow(node, store, longest=10)
    ask = one._ask

    def overtaken(first, last):
        answer = ask(first, last)
        if store.cursor().next < 1_000:
            other._read_on(store.cursor(), min(store.cursor().next + 30, 1_999))
        return answer

    one._ask = overtaken
    assert one.look().block == 1_999
    assert blocks(store) == [3, 1_500]


def test_a_first_block_beyond_the_newest_is_said_and_a_right_one_begins_anew(path, store):
    node = Node(100, [3, 60])
    late = Store(path.with_name("late.sqlite"), 999_999_999)
    with pytest.raises(FollowError, match="read from block 999,999,999 on, and the node's newest is 99"):
        follow(node, late).look()
    late.close()
    for first, expected in ((50, [60]), (70, [60]), (0, [3, 60])):
        again = Store(path.with_name("late.sqlite"), first)
        follow(node, again).look()
        assert blocks(again) == expected
        again.close()


@pytest.mark.parametrize("limit", [500, 1_000, 2_000])
def test_a_nodes_limit_is_found_and_remembered(store, limit):
    node = Node(200_000, most_blocks=limit)
    follow(node, store).look()
    refused = [first for first, last in node.asked if last - first + 1 > limit]
    assert len(refused) < 0.1 * len(node.asked)
    assert len(node.asked) < 1.35 * 200_000 / limit


def test_a_node_that_is_asked_too_often_is_left_alone_for_a_while(store, monkeypatch):
    node, pauses = Node(200_000, most_blocks=10_000), []
    monkeypatch.setattr("earnest.chain.events.time.sleep", pauses.append)
    get_logs = node.eth.get_logs

    def busy(query):
        node.asked.append((query["fromBlock"], query["toBlock"]))
        if len(node.asked) in (3, 4, 5, 9):
            raise HTTPError("429 Client Error: Too Many Requests")
        node.asked.pop()
        return get_logs(query)

    node.eth.get_logs = busy
    follow(node, store).look()
    assert pauses == [1.0, 2.0, 4.0, 1.0]


def test_a_node_that_never_answers_for_all_the_patience_is_told_of(store, monkeypatch):
    monkeypatch.setattr("earnest.chain.events.time.sleep", lambda _: None)
    node = Node(10, most_blocks=0, refusal=HTTPError("429 Client Error: Too Many Requests"))
    with pytest.raises(HTTPError, match="429"):
        follow(node, store).look()
    assert {last - first for first, last in node.asked} == {9}
