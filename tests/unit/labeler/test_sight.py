from __future__ import annotations

from types import SimpleNamespace

import pytest

from earnest.chain.records import Committed, Deposited, Drawn, Place
from earnest.labeler.sight import DEPTH, Lookout, commit_phase, usual_confirmations

OWNER = "0x" + "11" * 20


def place(block: int, index: int = 0) -> Place:
    return Place(block, index, 1_000 + block, "0x", f"0x{block}")


def deposit(block: int) -> Deposited:
    return Deposited(place=place(block), account=OWNER, token=OWNER, amount=1, sender=OWNER)


class Node:
    """A chain of deposits that can be reorganised, and counts what it is asked for."""

    first_block, sink = 0, OWNER

    def __init__(self) -> None:
        self.blocks: list[int] = []
        self.head = 0
        self.asked: list[int] = []
        self.web3 = SimpleNamespace(
            eth=SimpleNamespace(get_block=lambda _: {"number": self.head, "timestamp": 1_000 + self.head}),
            client_version="anvil/v1",
        )

    def records(self, first: int, last: int):
        self.asked.append(first)
        return [deposit(block) for block in self.blocks if first <= block <= last]


def test_what_lies_deep_is_read_once_and_the_rest_again():
    node = Node()
    node.blocks, node.head = [1, 90, 99], 100
    lookout = Lookout(node)
    assert lookout.state()[0].deposited[OWNER] == 3
    node.blocks, node.head = [1, 91], 101  # reorganised
    assert lookout.state()[0].deposited[OWNER] == 2
    assert node.asked == [0, 100 - DEPTH + 1]


def test_when_a_commit_phase_began_and_what_ended_it():
    records = [
        Drawn(place=place(3), campaign=1, seed=bytes(32), batches=1, refund=0),
        Committed(place=place(5), campaign=1, seat=0, commitment=bytes(32)),
        Committed(place=place(9), campaign=1, seat=1, commitment=bytes(32)),
        Committed(place=place(11), campaign=2, seat=1, commitment=bytes(32)),
    ]
    assert commit_phase(records, 1) == (1_003, 9)
    assert commit_phase(records, 3) == (None, None)


@pytest.mark.parametrize(("version", "blocks"), [("anvil/v1.7.1", 2), ("Geth/v1.16", 12)])
def test_confirmations_by_the_kind_of_node(version, blocks):
    assert usual_confirmations(SimpleNamespace(client_version=version)) == blocks
