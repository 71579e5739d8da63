import pytest
from kit import ETHER, Phase, reverts


def test_when_several_calls_are_made(earnest, stages, by_address):
    campaign = stages[Phase.COMMITTING].campaign
    labeler = by_address[campaign.labeler_of(0)]
    commitment = campaign.commitment(campaign.opening(0))
    calls = [
        earnest.commit.encode_input(campaign.id, 0, commitment),
        earnest.commit.encode_input(campaign.id, 0, b"\x02" * 32),
        earnest.setOperator.encode_input(campaign.experimenter, True),
    ]
    tx = earnest.multicall(calls, sender=labeler)
    assert tx.events == [
        earnest.Committed(campaign.id, 0, commitment),
        earnest.Committed(campaign.id, 0, b"\x02" * 32),
        earnest.OperatorSet(labeler, campaign.experimenter, True),
    ]
    assert (campaign.revisions(0), campaign.life().committed) == (2, 1)


def test_when_one_call_fails(system, earnest, attacker):
    calls = [
        earnest.useNonce.encode_input(ETHER),
        earnest.withdraw.encode_input(ETHER, 3, attacker),
    ]
    about = {"account": attacker, "token": ETHER, "balance": 0, "required": 3}
    with reverts(earnest.InsufficientBalance, **about):
        earnest.multicall(calls, sender=attacker)
    assert system.nonce(attacker) == 0


@pytest.mark.parametrize("calls", [0, 1])
def test_when_ether_is_sent_along(earnest, attacker, calls):
    data = [earnest.deposit.encode_input(ETHER, 5, attacker)] * calls
    with reverts(b""):
        earnest.multicall.call(data, value=5, sender=attacker)


def test_when_ether_is_deposited(system, earnest, attacker, experimenter):
    system.fund(experimenter, 100)
    calls = [earnest.deposit.encode_input(ETHER, 5, attacker)] * 2
    with reverts(earnest.WrongValue, value=0, required=5):
        earnest.multicall.call(calls, sender=attacker)


def test_when_a_token_is_deposited_twice(system, earnest, attacker, token):
    token.mint(attacker, 10, sender=attacker)
    token.approve(earnest, 10, sender=attacker)
    held = system.held(token)
    earnest.multicall([earnest.deposit.encode_input(token, 5, attacker)] * 2, sender=attacker)
    assert system.balance(attacker, token) == 10
    assert system.held(token) == held + 10


def test_when_guarded_functions_follow_each_other(system, earnest, stages, attacker, token):
    campaign = stages[Phase.ENROLLING].campaign
    stake = campaign.terms.stake
    token.mint(attacker, stake + 7, sender=attacker)
    token.approve(earnest, stake + 7, sender=attacker)
    calls = [
        earnest.deposit.encode_input(token, stake + 7, attacker),
        earnest.enroll.encode_input(campaign.id, attacker, 1, b""),
        earnest.withdraw.encode_input(token, 7, attacker),
    ]
    earnest.multicall(calls, sender=attacker)
    assert campaign.labeler_of(0) == attacker.address
    assert (system.balance(attacker, token), token.balanceOf(attacker)) == (0, 7)
