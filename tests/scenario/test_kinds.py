"""Whole campaigns of every kind: metrics, cohorts, money, and people in several roles."""

from __future__ import annotations

import pytest
from kit import Phase, reverts
from scenario.play import PURSE, Play

from earnest.protocol import opening
from earnest.protocol.terms import Metric

ROLES = [f"labeler {index}" for index in range(16)]


def through(play: Play, roles: list[str]) -> Play:
    """From the first seat to the last unit, by a posting; one seat of each cohort answers at random."""
    play.seat(roles).draw()
    careless = {play.campaign.cohort(batch)[0] for batch in play.batches}
    play.commit(labels={seat: play.noise(seat) for seat in careless}).reveal()
    play.campaign.post(play.scores(), sender=play.people["settler"])
    play.system.travel(play.now + play.terms.periods.challenge)
    play.release_all()
    play.campaign.return_bond(1)
    return play


@pytest.mark.parametrize("in_token", [False, True], ids=["ether", "token"])
@pytest.mark.parametrize(
    ("metric", "classes"), [(Metric.NOMINAL, 2), (Metric.INTERVAL, 7), (Metric.RANKING, 4)],
    ids=["nominal", "interval", "ranking"],
)  # fmt: skip
def test_a_campaign_of_every_metric_pays_what_its_scores_say(begin, metric, classes, in_token):
    play = begin(in_token=in_token, metric=metric, classes=classes, batches=2)
    through(play, ROLES[:6])
    assert play.gains() == play.due(play.payouts(), settler=2 * play.terms.fee)
    play.assert_closed()


@pytest.mark.parametrize("metric", list(Metric))
def test_the_chain_finds_the_same_scores_as_the_settler_of_any_metric(begin, metric):
    play = begin(batches=1, cohort=5, metric=metric).seat(ROLES[:5]).draw()
    odd = play.campaign.cohort(0)[3]
    play.commit(labels={odd: play.noise(odd)}).reveal()
    play.campaign.post(play.scores(), sender=play.people["settler"])
    play.referee_all(play.people["challenger"])
    assert play.phase is Phase.SETTLING  # until the posting's own time is over
    assert "challenger" not in play.gains()


@pytest.mark.parametrize("cohort", [3, 15])
def test_the_smallest_and_the_largest_cohort_go_through(begin, cohort):
    play = through(begin(batches=1, cohort=cohort), ROLES[:cohort])
    assert play.gains() == play.due(play.payouts(), settler=play.terms.fee)
    play.assert_closed()


def test_the_largest_cohort_is_refereed_too(begin):
    play = begin(batches=1, cohort=15).seat(ROLES[:15]).draw().commit().reveal()
    play.campaign.post(play.false_scores(), sender=play.people["settler"])
    play.referee_all(play.people["challenger"]).release_all()
    assert play.campaign.batch(0).scores == sum(
        (score & 0xFFFF) << 16 * lane for lane, score in enumerate(play.scores()[0])
    )


def test_the_experimenter_may_label_in_their_own_campaign_like_anyone(begin):
    play = through(begin(batches=1, cohort=4), ["experimenter", *ROLES[:3]])
    assert play.gains() == play.due(play.payouts(), settler=play.terms.fee)
    play.assert_closed()


def test_the_settler_may_be_a_labeler(begin):
    play = through(begin(batches=1, cohort=4), ["settler", *ROLES[:3]])
    assert play.gains() == play.due(play.payouts(), settler=play.terms.fee)
    play.assert_closed()


def test_the_sink_may_be_a_labeler_but_no_experimenter(begin, system, people):
    with reverts(system.earnest.SinkCannotExperiment, sink=people["sink"].address):
        system.create(people["sink"], system.terms())
    play = through(begin(batches=1, cohort=4), ["sink", *ROLES[:3]])
    assert play.gains() == play.due(play.payouts(), settler=play.terms.fee)
    play.assert_closed()


def test_nothing_at_stake_and_nothing_to_win_is_a_campaign_too(begin):
    play = through(begin(batches=1, stake=0, bounty=0, fee=0), ROLES[:3])
    assert play.gains() == {}
    play.assert_closed()


def test_a_labeler_without_gas_money_takes_part_by_signatures_alone(begin):
    """All that a labeler sends is signed; the relayer carries it. None of their own ether moves."""
    play = begin(batches=1)
    labeler = play.people["labeler 0"]
    had, sent = labeler.balance, labeler.nonce
    through(play, ROLES[:3])
    assert (labeler.balance, labeler.nonce) == (had, sent)
    assert play.gains() == play.due(play.payouts(), settler=play.terms.fee)


def test_a_hot_key_acts_for_a_cold_stake_and_cannot_take_it(begin):
    play = begin(batches=1)
    cold, hot = play.people["labeler 0"], play.people["attacker"]
    play.system.earnest.setOperator(hot, True, sender=cold)
    play.campaign.enroll(cold, sender=hot)
    play.seat(ROLES[1:3]).draw()
    seat = next(seat for seat in play.seats if play.role_of(seat) == "labeler 0")
    mine = play.campaign.opening(seat, play.good(seat))
    play.campaign.commit(mine, sender=hot)
    play.commit([other for other in play.seats if other != seat])
    play.openings[seat] = mine
    play.reveal()
    play.referee_all(play.people["settler"]).release_all()
    assert play.gains() == play.due(play.payouts(), settler=play.terms.fee)
    balance = play.purses()["attacker"]
    with reverts(
        play.system.earnest.InsufficientBalance,
        account=hot, token=play.terms.token, balance=balance, required=balance + 1,
    ):  # fmt: skip
        play.system.earnest.withdraw(play.terms.token, balance + 1, hot, sender=hot)
    play.system.earnest.setOperator(hot, False, sender=cold)
    with reverts(
        play.system.earnest.WrongPhase, campaign=play.campaign.id, phase=Phase.FINAL, deadline=0
    ):
        play.campaign.commit(mine, sender=hot)


def test_no_operator_is_left_after_their_approval_is_taken_back(begin):
    play = begin(batches=1)
    cold, hot = play.people["labeler 0"], play.people["attacker"]
    play.system.earnest.setOperator(hot, True, sender=cold)
    play.system.earnest.setOperator(hot, False, sender=cold)
    with reverts(play.system.earnest.NotAuthorized, caller=hot, labeler=cold):
        play.campaign.enroll(cold, sender=hot)


def test_a_signed_wish_is_good_once_and_can_be_taken_back(begin):
    play = begin()
    labeler = play.people["labeler 0"]
    signed = play.campaign.enrolment(labeler, labeler)
    play.campaign.enroll_signed([signed])
    play.campaign.enroll_signed([signed])  # passed over
    assert play.campaign.life().taken == 1
    another = play.campaign.enrolment(labeler, labeler)
    play.system.earnest.useNonce(play.terms.token, sender=labeler)
    play.campaign.enroll_signed([another])  # taken back
    assert play.campaign.life().taken == 1


def test_an_older_signed_commitment_cannot_be_played_against_a_newer_one(begin):
    play = begin(batches=1).seat(ROLES[:3]).draw()
    first = play.campaign.signed_commitment(play.campaign.opening(0, play.bad(0)), play.owner_of(0))
    play.campaign.commit_signed([first])
    better = play.campaign.opening(0, play.good(0))
    play.campaign.commit_signed([play.campaign.signed_commitment(better, play.owner_of(0))])
    play.campaign.commit_signed([first])  # passed over
    assert play.campaign.record(0) == opening.committed_record(play.campaign.commitment(better))


def test_a_contract_wallet_labels_by_its_owners_signature_and_has_its_money(begin, project, operator):
    play = begin(batches=1)
    owner = play.people["labeler 0"]
    wallet = operator.deploy(project.WalletMock, owner)
    play.system.earnest.deposit(
        play.terms.token, play.terms.stake, wallet, value=play.terms.stake, sender=operator
    )
    play.campaign.enroll_signed([play.campaign.enrolment(wallet, owner)])
    play.seat(ROLES[1:3]).draw()
    seat = next(seat for seat in play.seats if play.campaign.labeler_of(seat) == wallet.address)
    mine = play.campaign.opening(seat, play.good(seat))
    play.campaign.commit_signed([play.campaign.signed_commitment(mine, owner)])
    play.commit([other for other in play.seats if other != seat])
    play.openings[seat] = mine
    play.reveal()
    play.referee_all().release_all()
    lane = play.campaign.cohort(0).index(seat)
    assert play.system.balance(wallet) == play.payouts()[0].paid[lane]


def test_what_everybody_has_can_be_taken_home(begin):
    """After the last release the vault can be emptied, by its owners and nobody else."""
    play = through(begin(batches=1, in_token=True), ROLES[:3])
    purses = play.purses()
    for role, account in play.people.items():
        had = play.token.balanceOf(account)
        play.system.earnest.withdraw(play.token, purses[role], account, sender=account)
        assert play.token.balanceOf(account) == had + purses[role]
    assert play.system.held(play.token) == 0
    assert sum(purses.values()) == PURSE * len(play.people)


def test_a_commitment_is_good_in_its_own_campaign_alone(begin):
    first, second = begin(batches=1), begin(batches=1, manifest=b"\2" * 32)
    assert first.campaign.id != second.campaign.id
    first.seat(ROLES[:3]).draw().commit()
    second.seat(ROLES[:3]).draw()
    mine = first.openings[0]
    second.system.earnest.commit(
        second.campaign.id, 0, first.campaign.commitment(mine), sender=second.owner_of(0)
    )
    second.commit([1, 2])
    with reverts(second.system.earnest.WrongOpening, seat=0, commitment=second.campaign.commitment(mine)):
        second.campaign.reveal(mine)
    first.campaign.reveal(mine)
