"""What was read against what the contract holds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from earnest.chain.doubts import check_records, doubts
from earnest.chain.errors import RecordsError
from earnest.chain.follow import Follower


@pytest.fixture
def look(client, store):
    follower = Follower(client.web3, client.address, client.sink, store)
    return follower.look


def test_what_was_read_whole_is_not_doubted(revealed, look):
    assert doubts(revealed.client, look(), [revealed.id]) == {}
    check_records(revealed.client, revealed.campaign)


def test_it_is_compared_as_of_the_block_that_was_read(drawn, look):
    sight = look()
    drawn.commit(0, bytes(8))
    assert doubts(drawn.client, sight, [drawn.id]) == {}
    newest = drawn.client.web3.eth.block_number
    found = doubts(drawn.client, replace(sight, block=newest), [drawn.id])
    assert found[drawn.id].startswith("The node's logs show committed 0, the contract has committed 1. They")


def test_a_deadline_that_has_passed_meanwhile_is_no_difference(drawn, look):
    drawn.commit(0, bytes(8))
    sight = look()
    drawn.pass_deadline()
    newest = drawn.client.web3.eth.block_number
    assert doubts(drawn.client, replace(sight, block=newest), [drawn.id]) == {}


@pytest.mark.parametrize("member", ["seed", "audit_key"])
def test_what_scores_hang_on_is_checked_as_of_now(revealed, member):
    campaign = revealed.campaign
    setattr(campaign, member, None)
    name = member.replace("_", " ")
    with pytest.raises(RecordsError, match=f"show no {name}, the contract has {name} [0-9a-f]{{64}}"):
        check_records(revealed.client, campaign)


def test_what_is_over_is_not_asked_for(created, look, monkeypatch):
    created.enroll(2)
    created.travel(created.terms.enroll_by)
    asked = []
    monkeypatch.setattr(created.client, "standings", lambda numbers, _: asked.append(numbers) or [])
    with pytest.raises(ValueError, match="zip"):
        doubts(created.client, look(), [created.id])
    created.client.refund(created.id, [0, 1], sender=created.experimenter)
    assert doubts(created.client, look(), [created.id]) == {}
    assert asked == [[created.id]]
