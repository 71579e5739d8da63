import pytest
from kit import Outcome, Phase, reverts

from earnest.protocol import draw
from earnest.protocol.terms import ZERO_ADDRESS

from .conftest import WORD


@pytest.fixture
def campaign(stages):
    return stages[Phase.DRAWING].campaign


def test_given_another_phase(earnest, wrong_phases, attacker):
    for campaign, about in wrong_phases(Phase.DRAWING):
        with reverts(earnest.WrongPhase, **about):
            earnest.draw.call(campaign, sender=attacker)


def test_given_no_draw_was_requested(earnest, campaign, relayer):
    with reverts(earnest.DrawNotRequested):
        earnest.draw.call(campaign.id, sender=relayer)


@pytest.mark.parametrize("status", [Outcome.PENDING, Outcome.EXPIRED])
def test_given_the_ticket_is_pending_or_expired(system, earnest, campaign, relayer, status):
    campaign.request_draw()
    system.randomness.set(earnest.drawOf(campaign.id).ticket, status, WORD, sender=relayer)
    with reverts(earnest.DrawNotReady, status=status):
        earnest.draw.call(campaign.id, sender=relayer)


@pytest.mark.parametrize("late", [False, True])
def test_given_the_draw_period(system, earnest, campaign, relayer, late):
    campaign.request_draw()
    system.randomness.set(earnest.drawOf(campaign.id).ticket, Outcome.READY, WORD, sender=relayer)
    deadline = campaign.life().deadline
    system.at(deadline - 1 + late)
    if late:
        with reverts(earnest.WrongPhase, campaign=campaign.id, phase=Phase.CANCELLED, deadline=0):
            campaign.draw()
    else:
        campaign.draw()
        assert campaign.phase() == Phase.COMMITTING


def test_given_all_seats_are_taken(system, earnest, campaign, experimenter, labelers):
    campaign.request_draw()
    before = campaign.balances([experimenter, *labelers[:6]])
    tx = campaign.draw(WORD)
    seed = draw.seed(WORD, campaign.id)
    assert tx.events == [earnest.Drawn(campaign.id, seed, 2, 0)]
    assert campaign.seed() == seed
    life = campaign.life()
    assert (life.phase, life.seats, life.taken) == (Phase.COMMITTING, 6, 6)
    assert life.deadline == tx.timestamp + campaign.terms.periods.commit
    assert campaign.balances([experimenter, *labelers[:6]]) == before


@pytest.mark.parametrize(("taken", "batches"), [(3, 1), (4, 1), (8, 2), (9, 3)])
def test_given_seats_are_left_over(system, earnest, launch, experimenter, labelers, taken, batches):
    campaign = launch(Phase.ENROLLING, batches=4).campaign
    campaign.enroll(labelers[0], 2)
    campaign.enroll(labelers[1], taken - 2)
    before = campaign.balances([experimenter, labelers[0], labelers[1]])
    system.at(campaign.terms.enroll_by)
    campaign.request_draw()

    tx = campaign.draw(WORD)

    benched = range(3 * batches, taken)
    refund = (campaign.terms.bounty + campaign.terms.fee) * (4 - batches)
    freed = [earnest.SeatFreed(campaign.id, seat, labelers[1]) for seat in benched]
    assert tx.events == [*freed, earnest.Drawn(campaign.id, draw.seed(WORD, campaign.id), batches, refund)]
    life = campaign.life()
    assert (life.seats, life.taken) == (3 * batches, taken)
    returned = campaign.terms.stake * len(benched)
    assert campaign.balances([experimenter, labelers[0], labelers[1]]) == [
        before[0] + refund,
        before[1],
        before[2] + returned,
    ]
    assert [campaign.labeler_of(seat) == ZERO_ADDRESS for seat in range(taken)] == [
        seat in benched for seat in range(taken)
    ]
