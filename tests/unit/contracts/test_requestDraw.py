import pytest
from kit import Outcome, Phase, reverts


@pytest.fixture
def campaign(stages):
    return stages[Phase.DRAWING].campaign


def test_given_another_phase(earnest, wrong_phases, attacker):
    for campaign, about in wrong_phases(Phase.DRAWING):
        with reverts(earnest.WrongPhase, **about):
            earnest.requestDraw.call(campaign, sender=attacker)


def test_given_no_draw_was_requested(system, earnest, campaign):
    ticket = system.randomness.tickets()
    tx = campaign.request_draw()
    assert tx.events == [earnest.DrawRequested(campaign.id, ticket)]
    drawn = earnest.drawOf(campaign.id)
    assert (drawn.requested, drawn.ticket, drawn.seed) == (True, ticket, bytes(32))
    assert campaign.phase() == Phase.DRAWING


@pytest.mark.parametrize("status", [Outcome.PENDING, Outcome.READY])
def test_given_a_request_that_is_pending_or_ready(system, earnest, campaign, relayer, status):
    ticket = system.randomness.tickets()
    campaign.request_draw()
    system.randomness.set(ticket, status, b"\x01" * 32, sender=relayer)
    with reverts(earnest.DrawAlreadyRequested, ticket=ticket):
        earnest.requestDraw.call(campaign.id, sender=relayer)


def test_given_a_request_that_has_expired(system, earnest, campaign, relayer):
    ticket = system.randomness.tickets()
    campaign.request_draw()
    system.randomness.set(ticket, Outcome.EXPIRED, bytes(32), sender=relayer)
    assert campaign.request_draw().events == [earnest.DrawRequested(campaign.id, ticket + 1)]
    assert earnest.drawOf(campaign.id).ticket == ticket + 1


def test_given_enrollBy_has_come_with_a_cohort_but_not_all_seats_taken(system, launch, labelers):
    campaign = launch(Phase.ENROLLING).campaign
    campaign.enroll(labelers[0], 3)
    system.at(campaign.terms.enroll_by)
    assert len(campaign.request_draw().events) == 1
    life = campaign.life()
    assert (life.phase, life.deadline) == (
        Phase.DRAWING,
        campaign.terms.enroll_by + campaign.terms.periods.draw,
    )


def test_given_the_draw_period_is_over(system, earnest, campaign):
    system.at(campaign.life().deadline)
    with reverts(earnest.WrongPhase, campaign=campaign.id, phase=Phase.CANCELLED, deadline=0):
        campaign.request_draw()
