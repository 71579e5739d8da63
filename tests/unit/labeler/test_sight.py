from __future__ import annotations

from types import SimpleNamespace

import pytest
from web3.exceptions import BlockNotFound

from earnest.chain.follow import Sight as Whole
from earnest.chain.life import Phase
from earnest.chain.state import State
from earnest.labeler.sight import Lookout, usual_confirmations

from .cases import campaign


class Following:
    """A chain of one campaign at block 100."""

    def __init__(self, phase=Phase.REVEALING):
        self.phase = phase

    def look(self):
        state = State("0x" + "11" * 20)
        state.campaigns[1] = campaign(self.phase, 5_000)
        return Whole(state, block=100, time=4_000, forks=0)


def node(version="anvil/v1"):
    def get_block(tag):
        if tag == "safe":
            raise BlockNotFound(tag)
        return {"finalized": {"number": 36}}[tag]

    return SimpleNamespace(client_version=version, eth=SimpleNamespace(get_block=get_block))


@pytest.mark.parametrize(
    ("confirmations", "confirmed"), [(None, 98), (0, 100), (12, 88), ("safe", -1), ("finalized", 36)]
)
def test_sees_a_campaign_and_what_is_settled(confirmations, confirmed):
    sight = Lookout(Following(), node(), confirmations).look(1)
    assert (sight.campaign.number, sight.now, sight.confirmed) == (1, 4_000, confirmed)


def test_asks_for_what_is_settled_in_revealing_alone():
    assert Lookout(Following(Phase.COMMITTING), SimpleNamespace(), "finalized").look(1).confirmed == -1


def test_sees_none_where_there_is_none():
    assert Lookout(Following(), node()).look(2) is None


@pytest.mark.parametrize(("version", "blocks"), [("anvil/v1.7.1", 2), ("Geth/v1.16", 12)])
def test_confirmations_by_the_kind_of_node(version, blocks):
    assert usual_confirmations(node(version)) == blocks
