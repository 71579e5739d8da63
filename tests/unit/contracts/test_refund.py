import pytest
from kit import Phase, reverts

from earnest.protocol.terms import ZERO_ADDRESS


@pytest.fixture
def campaign(stages):
    """Two of six seats are taken, by the first two labelers."""
    return stages[Phase.CANCELLED].campaign


def test_given_another_phase(earnest, wrong_phases, experimenter):
    for campaign, about in wrong_phases(Phase.CANCELLED):
        with reverts(earnest.WrongPhase, **about):
            earnest.refund.call(campaign, [0], sender=experimenter)


def test_given_too_few_seats_were_taken(earnest, campaign, experimenter, labelers):
    people = [experimenter, *labelers[:2]]
    before = campaign.balances(people)
    tx = campaign.refund([0, 1])
    assert tx.events == [
        earnest.Cancelled(campaign.id, campaign.escrow),
        earnest.SeatFreed(campaign.id, 0, labelers[0]),
        earnest.SeatFreed(campaign.id, 1, labelers[1]),
    ]
    stake = campaign.terms.stake
    after = [before[0] + campaign.escrow, before[1] + stake, before[2] + stake]
    assert campaign.balances(people) == after
    assert campaign.phase() == Phase.CANCELLED
    assert campaign.labeler_of(0) == campaign.labeler_of(1) == ZERO_ADDRESS
    assert campaign.refund([0, 1]).events == []
    assert campaign.balances(people) == after


@pytest.mark.parametrize("requested", [False, True])
def test_given_the_draw_did_not_come_in_time(system, earnest, stages, experimenter, labelers, requested):
    campaign = stages[Phase.DRAWING].campaign
    people = [experimenter, *labelers[:6]]
    before = campaign.balances(people)
    if requested:
        campaign.request_draw()
    system.at(campaign.life().deadline)
    tx = campaign.refund(range(6))
    assert tx.events[0] == earnest.Cancelled(campaign.id, campaign.escrow)
    assert len(tx.events) == 7
    stake = campaign.terms.stake
    assert campaign.balances(people) == [before[0] + campaign.escrow, *(b + stake for b in before[1:])]


def test_when_no_seat_is_named(earnest, campaign, experimenter, labelers):
    before = campaign.balances([experimenter, labelers[0]])
    tx = campaign.refund()
    assert tx.events == [earnest.Cancelled(campaign.id, campaign.escrow)]
    assert campaign.balances([experimenter, labelers[0]]) == [before[0] + campaign.escrow, before[1]]


def test_when_a_seat_is_named_twice_was_freed_or_was_never_taken(earnest, campaign, labelers):
    campaign.refund([0])
    before = campaign.balances(labelers[:2])
    tx = campaign.refund([0, 1, 1, 2, 5, 6, 2**256 - 1])
    assert tx.events == [earnest.SeatFreed(campaign.id, 1, labelers[1])]
    assert campaign.balances(labelers[:2]) == [before[0], before[1] + campaign.terms.stake]


def test_when_seats_are_named_one_call_after_another(earnest, campaign, experimenter, labelers):
    before = campaign.balances([experimenter])
    campaign.refund([1])
    tx = campaign.refund([0])
    assert tx.events == [earnest.SeatFreed(campaign.id, 0, labelers[0])]
    assert campaign.balances([experimenter]) == [before[0] + campaign.escrow]
