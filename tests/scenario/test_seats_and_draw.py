"""Enrolling and drawing (design, section 7): who gets a seat, and who gets it back."""

from __future__ import annotations

import pytest
from kit import HOUR, Outcome, Phase, reverts
from scenario.play import WORD

FOUR = [f"labeler {index}" for index in range(4)]
SIX = [f"labeler {index}" for index in range(6)]


@pytest.fixture
def play(begin):
    """Two batches of three seats."""
    return begin()


@pytest.mark.parametrize("roles", [[], FOUR[:1], FOUR[:2]], ids=["no seat", "one seat", "two seats"])
def test_with_fewer_seats_than_a_cohort_the_campaign_is_cancelled_and_all_is_refunded(play, roles):
    if roles:
        play.seat(roles)
    play.pass_deadline()
    assert play.phase is Phase.CANCELLED
    play.campaign.refund(range(len(roles)))
    assert play.gains() == {}
    play.assert_closed()


def test_a_refund_can_be_taken_seat_by_seat_by_anyone_and_only_once(play):
    play.seat(FOUR[:2])
    play.pass_deadline()
    play.campaign.refund([1], sender=play.people["attacker"])
    assert play.gains() == {"labeler 0": -play.terms.stake}
    play.campaign.refund([1, 0, 0, 7])
    play.campaign.refund([0, 1])
    assert play.gains() == {}
    play.assert_closed()


def test_with_exactly_a_cohort_of_seats_one_batch_is_drawn_and_the_other_refunded(play):
    play.seat(FOUR[:3])
    before = play.purses()
    play.draw()
    assert (len(play.batches), play.phase) == (1, Phase.COMMITTING)
    assert play.gains(before) == {"experimenter": play.terms.bounty + play.terms.fee}
    assert sorted(play.campaign.cohort(0)) == [0, 1, 2]


@pytest.mark.parametrize("taken", [4, 5])
def test_surplus_seats_are_benched_and_get_their_stakes_back(play, taken):
    play.seat(SIX[:taken])
    before = play.purses()
    play.draw()
    freed = play.gains(before)
    assert freed.pop("experimenter") == play.terms.bounty + play.terms.fee
    assert freed == dict.fromkeys(SIX[3:taken], play.terms.stake)
    with reverts(play.system.earnest.NoSuchSeat, seat=3, seats=3):
        play.campaign.commit(play.campaign.opening(3), sender=play.people["labeler 3"])


def test_a_full_campaign_is_drawn_long_before_its_enrolment_would_end(play):
    play.seat(SIX)
    assert play.phase is Phase.DRAWING
    play.draw()
    assert play.phase is Phase.COMMITTING
    assert play.now < play.terms.enroll_by
    assert sorted(seat for batch in play.batches for seat in play.campaign.cohort(batch)) == list(range(6))


@pytest.mark.parametrize("asked", [False, True], ids=["never asked for", "asked for, never done"])
def test_a_draw_that_never_comes_cancels_and_refunds_all(play, asked):
    play.seat(SIX)
    if asked:
        play.campaign.request_draw()
    play.pass_deadline()
    assert play.phase is Phase.CANCELLED
    with reverts(
        play.system.earnest.WrongPhase, campaign=play.campaign.id, phase=Phase.CANCELLED, deadline=0
    ):
        play.campaign.draw(WORD) if asked else play.campaign.request_draw()
    play.campaign.refund(range(6))
    assert play.gains() == {}
    play.assert_closed()


def test_a_draw_in_its_last_second_is_in_time(play):
    play.seat(SIX)
    play.campaign.request_draw()
    play.system.randomness.set(0, Outcome.READY, WORD, sender=play.system.relayer)
    play.system.at(play.deadline - 1)
    play.campaign.draw()
    assert play.phase is Phase.COMMITTING


def test_a_pending_draw_waits_and_an_expired_ticket_is_asked_for_again(play):
    play.seat(SIX)
    play.campaign.request_draw()
    with reverts(play.system.earnest.DrawNotReady, status=Outcome.PENDING):
        play.campaign.draw()
    with reverts(play.system.earnest.DrawAlreadyRequested, ticket=0):
        play.campaign.request_draw()
    play.system.randomness.set(0, Outcome.EXPIRED, WORD, sender=play.system.relayer)
    with reverts(play.system.earnest.DrawNotReady, status=Outcome.EXPIRED):
        play.campaign.draw()
    play.campaign.request_draw()
    play.campaign.draw(WORD)
    assert play.phase is Phase.COMMITTING


def test_nobody_needs_to_look_for_the_phases_to_follow_each_other(play):
    """Without a single call in between, a campaign is cancelled by both ends of time."""
    play.seat(SIX[:3])
    assert play.phase is Phase.ENROLLING
    play.system.travel(play.terms.enroll_by)
    assert (play.phase, play.deadline) == (Phase.DRAWING, play.terms.enroll_by + 2 * HOUR)
    play.system.travel(play.terms.enroll_by + 2 * HOUR)
    assert play.phase is Phase.CANCELLED
