"""Committing and revealing (design, section 7): who keeps silent, who is quick, who tells."""

from __future__ import annotations

import pytest
from kit import Phase, reverts
from scenario.play import Play, loss

from earnest.protocol.score import ABSENT, UNSCORED

SIX = [f"labeler {index}" for index in range(6)]


@pytest.fixture
def play(begin) -> Play:
    """Two batches of three seats, drawn."""
    return begin().seat(SIX).draw()


def settle(play: Play) -> None:
    play.referee_all(play.people["settler"]).release_all()


def fees(play: Play) -> int:
    return play.terms.fee * len(play.batches)


def test_when_nobody_commits_all_forfeit_and_the_experimenter_pays_nothing_for_labels(play):
    play.pass_deadline()
    assert play.phase is Phase.SETTLING  # there is nothing to reveal
    settle(play)
    assert play.phase is Phase.FINAL
    forfeit = loss(play.terms, play.terms.curve.forfeit)
    assert play.gains() == dict.fromkeys(SIX, -forfeit) | {
        "sink": 6 * forfeit, "settler": fees(play), "experimenter": -fees(play)
    }  # fmt: skip
    play.assert_closed()


def test_when_nobody_reveals_all_forfeit(play):
    play.commit()
    assert play.phase is Phase.REVEALING
    play.pass_deadline()
    assert play.phase is Phase.SETTLING
    play.reveal([])
    settle(play)
    forfeit = loss(play.terms, play.terms.curve.forfeit)
    assert play.gains()["sink"] == 6 * forfeit
    assert play.gains()["experimenter"] == -fees(play)
    play.assert_closed()


def test_when_one_reveals_they_are_paid_their_share_and_the_rest_is_refunded(play):
    play.commit()
    seat = play.campaign.cohort(1)[2]
    play.reveal([seat])
    play.pass_deadline()
    assert play.scores() == {0: [ABSENT] * 3, 1: [ABSENT, ABSENT, UNSCORED]}
    settle(play)
    assert play.gains()[play.role_of(seat)] == play.terms.bounty // 3
    assert play.gains() == play.due(play.payouts(), settler=fees(play))
    play.assert_closed()


def test_when_two_of_three_reveal_nobody_has_enough_peers_to_be_scored(play):
    play.commit()
    play.reveal([seat for batch in play.batches for seat in play.campaign.cohort(batch)[:2]])
    play.pass_deadline()
    assert play.scores() == {0: [UNSCORED, UNSCORED, ABSENT], 1: [UNSCORED, UNSCORED, ABSENT]}
    settle(play)
    assert play.gains() == play.due(play.payouts(), settler=fees(play))


def test_when_everybody_is_quick_the_campaign_ends_early(play):
    begun = play.now
    play.commit()
    assert play.phase is Phase.REVEALING
    play.reveal()
    assert play.phase is Phase.SETTLING
    settle(play)
    assert play.phase is Phase.FINAL
    assert play.now - begun < play.terms.periods.commit
    assert play.gains() == play.due(play.payouts(), settler=fees(play))
    assert all(play.gains()[role] > 0 for role in SIX)
    play.assert_closed()


def test_one_who_does_not_commit_keeps_the_others_from_ending_early_and_pays_for_it(play):
    play.commit(range(5))
    assert play.phase is Phase.COMMITTING
    play.pass_deadline()
    play.reveal()
    assert play.phase is Phase.SETTLING  # five of five commitments are open
    settle(play)
    assert play.gains()[play.role_of(5)] == -loss(play.terms, play.terms.curve.forfeit)
    assert play.gains() == play.due(play.payouts(), settler=fees(play))


def test_the_last_commitment_counts_and_an_earlier_one_cannot_be_revealed(play):
    play.commit([0], labels={0: play.bad(0)})
    first = play.openings[0]
    play.commit()
    with reverts(play.system.earnest.WrongOpening, seat=0, commitment=play.campaign.commitment(first)):
        play.campaign.reveal(first)
    play.reveal()
    settle(play)
    assert play.gains() == play.due(play.payouts(), settler=fees(play))


def test_a_commitment_in_the_last_second_is_in_time_and_one_later_is_not(play):
    opened = play.campaign.opening(0, play.good(0))
    deadline = play.deadline
    play.system.at(deadline - 1)
    play.campaign.commit(opened, sender=play.owner_of(0))
    late = play.campaign.opening(1, play.good(1))
    owner = play.owner_of(1)
    with reverts(
        play.system.earnest.WrongPhase,
        campaign=play.campaign.id, phase=Phase.REVEALING, deadline=deadline + play.terms.periods.reveal,
    ):  # fmt: skip
        play.system.travel(deadline)
        play.campaign.commit(late, sender=owner)


def test_a_reveal_in_the_last_second_is_in_time_and_one_later_is_not(play):
    play.commit()
    play.system.at(play.deadline - 1)
    play.campaign.reveal(play.openings[0])
    play.pass_deadline()
    with reverts(
        play.system.earnest.WrongPhase, campaign=play.campaign.id, phase=Phase.SETTLING, deadline=0
    ):
        play.campaign.reveal(play.openings[1])


def test_labels_out_of_range_can_be_committed_to_but_never_revealed(play):
    wrong = bytes([3]) + play.good(0)[1:]
    play.commit(labels={0: wrong})
    with reverts(play.system.earnest.LabelOutOfRange, position=0, label=3, size=3):
        play.campaign.reveal(play.openings[0])
    play.reveal(range(1, 6))
    play.pass_deadline()
    settle(play)
    assert play.gains()[play.role_of(0)] == -loss(play.terms, play.terms.curve.forfeit)
    assert play.gains() == play.due(play.payouts(), settler=fees(play))


def test_who_copies_a_commitment_cannot_reveal_it(play):
    copied = play.campaign.opening(0, play.good(0))
    play.campaign.commit(copied, sender=play.owner_of(0))
    play.system.earnest.commit(play.campaign.id, 1, play.campaign.commitment(copied), sender=play.owner_of(1))
    play.openings[0] = copied
    play.pass_deadline()
    stolen = type(copied)(1, copied.labels, copied.salt)
    with reverts(play.system.earnest.WrongOpening, seat=1, commitment=play.campaign.commitment(stolen)):
        play.campaign.reveal(stolen)


def test_who_shares_an_opening_is_denounced_and_loses_the_stake(play):
    play.commit(range(5))
    told = play.openings.pop(0)
    before = play.purses()
    play.campaign.denounce(told, sender=play.people["attacker"])
    stake = play.terms.stake
    assert play.gains(before) == {"attacker": stake // 2, "sink": stake - stake // 2}
    with reverts(play.system.earnest.SeatDenounced, seat=0):
        play.campaign.commit(told, sender=play.owner_of(0))
    play.pass_deadline()
    play.reveal()
    settle(play)
    # The sixth never committed, the first has lost a whole stake, and no more than that.
    payouts = play.payouts(denounced=[0])
    due = play.due(payouts, settler=fees(play), attacker=stake // 2, sink=stake - stake // 2)
    assert play.gains() == due
    assert play.gains()[play.role_of(0)] == -stake
    play.assert_closed()


def test_when_a_whole_cohort_is_denounced_its_bounty_goes_back(play):
    seats = play.campaign.cohort(0)
    play.commit([*seats, *play.campaign.cohort(1)[:2]])
    for seat in seats:
        play.campaign.denounce(play.openings.pop(seat), sender=play.people["attacker"])
    play.commit([play.campaign.cohort(1)[2]])
    assert play.phase is Phase.REVEALING
    play.reveal()
    assert play.phase is Phase.SETTLING
    settle(play)
    stake = play.terms.stake
    payouts = play.payouts(denounced=seats)
    assert payouts[0].refund == play.terms.bounty
    assert payouts[0].sink == 0
    due = play.due(payouts, settler=fees(play), attacker=3 * (stake // 2), sink=3 * (stake - stake // 2))
    assert play.gains() == due
    play.assert_closed()


def test_when_all_commitments_are_denounced_there_is_nothing_to_reveal(play):
    play.commit([0, 1])
    for seat in (0, 1):
        play.campaign.denounce(play.openings.pop(seat), sender=play.people["challenger"])
    play.pass_deadline()
    assert play.phase is Phase.SETTLING
    settle(play)
    play.assert_closed()


def test_denouncing_oneself_through_a_friend_is_no_way_out(play):
    """It costs half a stake, and no absence costs more than that."""
    play.commit([0])
    play.campaign.denounce(play.openings.pop(0), sender=play.people["attacker"])
    got = play.terms.stake // 2
    assert play.terms.stake - got >= loss(play.terms, play.terms.curve.forfeit)


def test_two_seats_of_one_labeler_are_never_each_others_peers(begin):
    play = begin(batches=1, cohort=4)
    play.seat(["labeler 0"])
    play.campaign.enroll(play.people["labeler 0"])
    play.seat(["labeler 1", "labeler 2"])
    play.draw()
    same = [seat for seat in play.seats if play.role_of(seat) == "labeler 0"]
    assert len(same) == 2
    # Both give the same wrong answers: no credit for agreeing with oneself.
    play.commit(labels={seat: play.bad(0) for seat in same}).reveal()
    scores = dict(zip(play.campaign.cohort(0), play.scores()[0], strict=True))
    assert all(scores[seat] < 0 for seat in same)
    settle(play)
    assert play.gains() == play.due(play.payouts(), settler=fees(play))
