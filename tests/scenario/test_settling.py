"""Settling (design, section 7): who posts, who challenges, who leaves, and when it is too late."""

from __future__ import annotations

import pytest
from kit import BatchStatus, Phase, PostingStatus, reverts
from scenario.play import Play, loss

from earnest.protocol.score import UNSCORED

NINE = [f"labeler {index}" for index in range(9)]
YEAR = 365 * 86_400


@pytest.fixture
def play(begin) -> Play:
    """Three batches of three seats, all labels revealed; one labeler of each cohort answers at random."""
    play = begin(batches=3).seat(NINE).draw()
    careless = [play.campaign.cohort(batch)[1] for batch in play.batches]
    return play.commit(labels={seat: play.noise(seat) for seat in careless}).reveal()


def wait_challenge(play: Play) -> None:
    play.system.travel(play.now + play.terms.periods.challenge)


def final_at(play: Play, batch: int) -> int:
    return int(play.campaign.batch(batch).finalAt)


def lost_bond(play: Play, posting: int = 1) -> dict[str, int]:
    """A false posting's bond: half to who refereed it, half to the sink; the odd unit too."""
    bond = play.terms.bond
    return {"settler": -bond, "challenger": bond // 2, "sink": bond - bond // 2}


def test_a_right_posting_stands_and_its_settler_has_the_fees_and_the_bond_back(play):
    play.campaign.post(play.scores(), sender=play.people["settler"])
    wait_challenge(play)
    assert play.phase is Phase.FINAL
    play.release_all()
    play.campaign.return_bond(1)
    assert play.gains() == play.due(play.payouts(), settler=3 * play.terms.fee)
    play.assert_closed()


def test_when_nobody_posts_the_chain_settles_batch_by_batch(play):
    for batch in play.batches:
        assert play.phase is Phase.SETTLING
        play.campaign.referee(batch, play.openings, sender=play.people["challenger"])
    assert play.phase is Phase.FINAL  # nothing is left to wait for
    play.release_all()
    assert play.gains() == play.due(play.payouts(), challenger=3 * play.terms.fee)
    play.assert_closed()


def test_a_refereed_batch_is_paid_while_the_others_wait(play):
    play.campaign.referee(1, play.openings)
    before = play.purses()
    play.campaign.release([1])
    paid = play.payouts()[1].paid
    assert [play.gains(before)[play.role_of(seat)] for seat in play.campaign.cohort(1)] == [*paid]
    assert play.phase is Phase.SETTLING


def test_a_settler_who_posts_half_and_leaves_is_replaced(play):
    scores = play.scores()
    play.campaign.post({0: scores[0]}, sender=play.people["settler"])
    wait_challenge(play)
    assert play.phase is Phase.SETTLING  # for as long as it takes
    play.campaign.release([0])
    play.campaign.post({1: scores[1], 2: scores[2]}, sender=play.people["attacker"])
    wait_challenge(play)
    assert play.phase is Phase.FINAL
    play.release_all()
    play.campaign.return_bond(1)
    play.campaign.return_bond(2)
    fee = play.terms.fee
    assert play.gains() == play.due(play.payouts(), settler=fee, attacker=2 * fee)
    play.assert_closed()


def test_two_settlers_at_once_do_not_stand_in_each_others_way(play):
    scores = play.scores()
    play.campaign.post({0: scores[0], 1: scores[1]}, sender=play.people["settler"])
    play.campaign.post(scores, sender=play.people["attacker"])  # of which one batch is left
    assert [int(play.campaign.batch(batch).posting) for batch in play.batches] == [1, 1, 2]
    with reverts(play.system.earnest.NothingToPost):
        play.campaign.post(scores, sender=play.people["challenger"])


def test_a_wrong_posting_loses_its_bond_and_all_of_it_is_void(play):
    play.campaign.post(play.false_scores(), sender=play.people["settler"])
    before = play.purses()
    play.campaign.referee(1, play.openings, sender=play.people["challenger"])
    bond = play.terms.bond
    assert play.gains(before) == {"challenger": bond // 2 + play.terms.fee, "sink": bond - bond // 2}
    statuses = [play.campaign.batch(batch).status for batch in play.batches]
    assert statuses == [BatchStatus.OPEN, BatchStatus.REFEREED, BatchStatus.OPEN]
    due_at = int(play.system.earnest.postingOf(play.campaign.id, 1).postedAt) + play.terms.periods.challenge
    play.system.travel(due_at)
    with reverts(play.system.earnest.BondNotDue, posting=1, dueAt=due_at):
        play.campaign.return_bond(1)


def test_one_wrong_batch_voids_the_right_ones_of_a_posting_too(play):
    scores = play.scores() | play.false_scores([2])
    play.campaign.post(scores, sender=play.people["settler"])
    play.campaign.referee(0, play.openings, sender=play.people["challenger"])  # right: the settler's fee
    play.campaign.referee(2, play.openings, sender=play.people["challenger"])  # wrong
    assert play.campaign.batch(0).status == BatchStatus.REFEREED  # stays
    assert play.campaign.batch(1).status == BatchStatus.OPEN
    play.campaign.post({1: play.scores()[1]}, sender=play.people["attacker"])
    wait_challenge(play)
    play.release_all()
    play.campaign.return_bond(2)
    fee, lost = play.terms.fee, lost_bond(play)
    due = play.due(
        play.payouts(), settler=fee + lost["settler"], challenger=fee + lost["challenger"],
        attacker=fee, sink=lost["sink"],
    )  # fmt: skip
    assert play.gains() == due
    play.assert_closed()


def test_who_posts_wrongly_twice_loses_two_bonds(play):
    for batch in (0, 1):
        play.campaign.post(play.false_scores(range(batch, 3)), sender=play.people["settler"])
        play.campaign.referee(batch, play.openings, sender=play.people["challenger"])
    play.campaign.post({2: play.scores()[2]}, sender=play.people["settler"])
    wait_challenge(play)
    play.release_all()
    play.campaign.return_bond(3)
    for posting in (1, 2):
        assert play.system.earnest.postingOf(play.campaign.id, posting).status == PostingStatus.VOID
    fee, lost = play.terms.fee, lost_bond(play)
    due = play.due(
        play.payouts(), settler=fee + 2 * lost["settler"], challenger=2 * (fee + lost["challenger"]),
        sink=2 * lost["sink"],
    )  # fmt: skip
    assert play.gains() == due
    play.assert_closed()


def test_a_right_posting_refereed_anyway_costs_its_settler_nothing(play):
    play.campaign.post(play.scores(), sender=play.people["settler"])
    play.referee_all(play.people["attacker"]).release_all()
    assert play.gains().get("attacker", 0) == 0
    wait_challenge(play)
    play.campaign.return_bond(1)
    assert play.gains() == play.due(play.payouts(), settler=3 * play.terms.fee)
    play.assert_closed()


def test_a_wrong_posting_can_be_refereed_in_its_last_second(play):
    play.campaign.post(play.false_scores(), sender=play.people["settler"])
    play.system.at(final_at(play, 0) - 1)
    play.campaign.referee(0, play.openings, sender=play.people["challenger"])
    assert play.campaign.batch(0).status == BatchStatus.REFEREED
    assert play.gains()["challenger"] == play.terms.bond // 2 + play.terms.fee


def test_a_second_later_a_wrong_posting_stands_and_costs_what_the_terms_allow(play):
    """Why somebody must watch: but no stake loses more than `maxSlash`, and the experimenter wins nothing."""
    wrong = play.false_scores()
    play.campaign.post(wrong, sender=play.people["settler"])
    play.system.travel(final_at(play, 0))
    with reverts(
        play.system.earnest.WrongPhase, campaign=play.campaign.id, phase=Phase.FINAL, deadline=0
    ):
        play.campaign.referee(0, play.openings, sender=play.people["challenger"])
    play.release_all()
    play.campaign.return_bond(1)
    # All of a cohort below the floor: the fault is taken to be the task's.
    assert play.gains() == play.due(play.payouts(wrong), settler=3 * play.terms.fee)
    assert all(play.gains().get(role, 0) == 0 for role in NINE)
    play.assert_closed()


def test_late_scores_are_final_while_another_batch_is_still_open(play):
    play.campaign.post(play.false_scores([0]), sender=play.people["settler"])
    play.system.travel(final_at(play, 0))
    with reverts(play.system.earnest.ScoresFinal, batch=0):
        play.campaign.referee(0, play.openings, sender=play.people["challenger"])
    play.campaign.referee(1, play.openings, sender=play.people["challenger"])


def test_nothing_is_paid_before_the_challenge_period_is_over(play):
    play.campaign.post(play.scores(), sender=play.people["settler"])
    due_at = final_at(play, 0)
    play.system.travel(due_at - 1)
    with reverts(play.system.earnest.NotFinal, batch=0, finalAt=due_at):
        play.system.earnest.release.call(play.campaign.id, [0], sender=play.people["relayer"])
    with reverts(play.system.earnest.BondNotDue, posting=1, dueAt=due_at):
        play.system.earnest.returnBond.call(play.campaign.id, 1, sender=play.people["relayer"])


def test_an_open_batch_is_never_paid_however_late(play):
    play.system.travel(play.now + 10 * YEAR)
    with reverts(play.system.earnest.NotFinal, batch=0, finalAt=0):
        play.campaign.release([0])


def test_a_low_score_in_a_good_cohort_is_slashed(begin):
    play = begin(batches=1, cohort=5).seat(NINE[:5]).draw()
    liar = play.campaign.cohort(0)[2]
    play.commit(labels={liar: play.bad(liar)}).reveal()
    play.referee_all(play.people["settler"]).release_all()
    assert play.gains()[play.role_of(liar)] == -loss(play.terms, play.terms.curve.max_slash)
    assert play.gains() == play.due(play.payouts(), settler=play.terms.fee)


def test_a_cohort_below_the_floor_slashes_nobody_but_who_was_absent(begin):
    play = begin(batches=1, cohort=5).seat(NINE[:5]).draw()
    absent = play.campaign.cohort(0)[4]
    play.commit(labels={seat: play.noise(seat) for seat in play.seats})
    play.reveal([seat for seat in play.seats if seat != absent])
    play.pass_deadline()
    scored = sorted((score for score in play.scores()[0] if score > UNSCORED + 1), reverse=True)
    assert scored[1] < play.terms.curve.floor
    assert scored[-1] < play.terms.curve.slash_from
    play.referee_all(play.people["settler"]).release_all()
    gains = play.gains()
    losers = [role for role in NINE[:5] if gains.get(role, 0) < 0]
    assert losers == [play.role_of(absent)]
    assert gains == play.due(play.payouts(), settler=play.terms.fee)
    play.assert_closed()


def test_money_waits_for_its_owner_for_years(play):
    play.campaign.post(play.scores(), sender=play.people["settler"])
    play.system.travel(play.now + 30 * YEAR)
    assert play.phase is Phase.FINAL
    play.campaign.release([2, 0], sender=play.people["attacker"])
    play.system.travel(play.now + 30 * YEAR)
    play.release_all()
    play.campaign.return_bond(1, sender=play.people["attacker"])
    assert play.gains() == play.due(play.payouts(), settler=3 * play.terms.fee)
    play.assert_closed()


def test_releasing_twice_pays_once(play):
    play.referee_all(play.people["settler"])
    play.campaign.release([0, 0, 1])
    play.campaign.release([0, 1])
    before = play.purses()
    play.campaign.release([0, 1])
    assert play.gains(before) == {}


@pytest.mark.parametrize("share", [False, True], ids=["labels of others", "labels cut short"])
def test_refereeing_takes_no_labels_but_those_revealed(play, share):
    number, batch, labels, row, proof = play.campaign.evidence(0, play.openings)
    seats = play.campaign.cohort(0)
    wrong = labels[:-1] if share else play.campaign.evidence(1, play.openings)[2]
    with reverts(play.system.earnest.WrongLabels, seat=seats[2 if share else 0]):
        play.system.earnest.referee(number, batch, wrong, row, proof, sender=play.people["attacker"])
