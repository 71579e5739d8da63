"""The audit (design, section 6): what the experimenter hid, disclosed, late, false or never."""

from __future__ import annotations

from dataclasses import replace

import pytest
from eth_utils.crypto import keccak
from kit import Phase, reverts
from scenario.conftest import KEY
from scenario.play import Play

from earnest.protocol import audit, merkle
from earnest.protocol.audit import AuditRow
from earnest.protocol.score import UNSCORED
from earnest.protocol.terms import Weights

SIX = [f"labeler {index}" for index in range(6)]
TRUTH = bytes((5 * at + at // 3) % 3 for at in range(12))  # `Play.truth` of the usual terms
SHARED = tuple(range(12))
GOLD = tuple((at, TRUTH[at]) for at in (1, 4, 6, 7, 9))
ROW = AuditRow(shared=SHARED, gold=GOLD, repeats=((0, 2), (3, 5), (8, 11)))


@pytest.fixture
def play(begin) -> Play:
    """Two batches of three seats, with an audit, all labels revealed."""
    return begin([ROW, ROW]).seat(SIX).draw().commit().reveal()


def settle(play: Play) -> None:
    play.referee_all(play.people["settler"]).release_all()


def fees(play: Play) -> int:
    return play.terms.fee * len(play.batches)


def test_disclosing_the_key_ends_the_phase_and_opens_every_row(play):
    assert play.phase is Phase.AUDITING
    play.campaign.disclose()
    assert play.phase is Phase.SETTLING
    settle(play)
    assert play.gains() == play.due(play.payouts(), settler=fees(play))
    play.assert_closed()


def test_anybody_who_holds_the_key_may_disclose_it(play):
    play.campaign.disclose(sender=play.people["attacker"])
    assert play.phase is Phase.SETTLING


def test_when_the_key_is_never_disclosed_everybody_who_revealed_is_paid_in_full(play):
    play.pass_deadline()
    assert play.phase is Phase.SETTLING
    scores = play.scores(disclosed=False)
    assert scores == {0: [UNSCORED] * 3, 1: [UNSCORED] * 3}
    settle(play)
    assert play.gains() == play.due(play.payouts(scores), settler=fees(play))
    assert all(play.gains()[role] == play.terms.bounty // 3 for role in SIX)
    play.assert_closed()


def test_a_key_too_late_changes_nothing(play):
    play.pass_deadline()
    with reverts(
        play.system.earnest.WrongPhase, campaign=play.campaign.id, phase=Phase.SETTLING, deadline=0
    ):
        play.campaign.disclose()


def test_a_wrong_key_is_refused_and_the_right_one_still_good_in_the_last_second(play):
    wrong = keccak(b"wrong")
    with reverts(
        play.system.earnest.WrongAuditKey, keyHash=keccak(wrong), required=play.terms.audit_key_hash
    ):
        play.system.earnest.disclose(play.campaign.id, wrong, sender=play.people["experimenter"])
    play.system.at(play.deadline - 1)
    play.campaign.disclose()
    assert play.phase is Phase.SETTLING


def test_a_row_that_does_not_parse_pays_its_batch_in_full_and_leaves_the_other_alone(begin):
    def flaw(terms, sealed):
        broken = [sealed[0], bytes([sealed[1][0]]) + keccak(sealed[1])[: len(sealed[1]) - 1]]
        return replace(terms, audit_root=merkle.tree(broken)[0]), broken

    play = begin([ROW, ROW], flaw=flaw).seat(SIX).draw().commit().reveal()
    play.campaign.disclose()
    assert play.campaign.row(1) is None
    scores = play.scores()
    assert scores[1] == [UNSCORED] * 3
    assert UNSCORED not in scores[0]
    settle(play)
    assert play.gains() == play.due(play.payouts(scores), settler=fees(play))
    play.assert_closed()


def test_a_row_that_is_not_the_published_one_is_refused(play):
    play.campaign.disclose()
    number, batch, labels, row, proof = play.campaign.evidence(0, play.openings)
    forged = audit.encipher(audit.encode_row(AuditRow(shared=SHARED), 12, 3), KEY, 0)
    with reverts(play.system.earnest.WrongAuditRow, batch=0):
        play.system.earnest.referee(number, batch, labels, forged, proof, sender=play.people["attacker"])
    with reverts(play.system.earnest.WrongAuditRow, batch=1):
        labels = play.campaign.evidence(1, play.openings)[2]
        play.system.earnest.referee(number, 1, labels, row, proof, sender=play.people["attacker"])


def test_who_fails_the_gold_is_slashed_although_the_others_agree(begin):
    play = begin([ROW], weights=Weights(peers=0, gold=1, repeats=0)).seat(SIX[:3]).draw()
    spammer = play.campaign.cohort(0)[0]
    play.commit(labels={spammer: play.bad(spammer)}).reveal()
    play.campaign.disclose()
    settle(play)
    assert play.gains() == play.due(play.payouts(), settler=play.terms.fee)
    assert play.gains()[play.role_of(spammer)] < 0


def test_a_gold_answer_that_nearly_everybody_fails_is_void(begin):
    false = ((1, (TRUTH[1] + 1) % 3), *GOLD[1:])
    row = replace(ROW, gold=false)
    play = begin([row], weights=Weights(peers=0, gold=1, repeats=0)).seat(SIX[:3]).draw()
    play.commit(labels={seat: play.truth() for seat in play.seats}).reveal()
    play.campaign.disclose()
    assert play.scores()[0] == [10_000] * 3
    settle(play)
    assert play.gains() == play.due(play.payouts(), settler=play.terms.fee)


def test_positions_that_are_not_shared_do_not_count_for_peers(begin):
    row = AuditRow(shared=tuple(range(6)))
    play = begin([row], weights=Weights(peers=1, gold=0, repeats=0)).seat(SIX[:3]).draw()
    apart = {seat: play.truth()[:6] + play.noise(seat)[6:] for seat in play.seats}
    play.commit(labels=apart).reveal()
    play.campaign.disclose()
    assert play.scores()[0] == [10_000] * 3


def test_a_subjective_campaign_lives_on_repeats_alone(begin):
    row = AuditRow(shared=(), repeats=tuple((at, at + 6) for at in range(6)))
    play = begin([row], weights=Weights(peers=0, gold=0, repeats=1)).seat(SIX[:3]).draw()
    faithful, fickle, other = play.campaign.cohort(0)
    steady = play.noise(faithful)[:6]
    labels = {
        faithful: steady + steady,
        other: play.truth()[:6] + play.truth()[:6],
        fickle: play.truth()[:6] + bytes((label + 1) % 3 for label in play.truth()[:6]),
    }
    play.commit(labels=labels).reveal()
    play.campaign.disclose()
    scores = dict(zip(play.campaign.cohort(0), play.scores()[0], strict=True))
    assert scores[faithful] == scores[other] == 10_000
    assert scores[fickle] < 0
    settle(play)
    assert play.gains() == play.due(play.payouts(), settler=play.terms.fee)


def test_with_a_key_that_nobody_can_know_the_campaign_ends_all_the_same(begin):
    """A hash without a preimage, and a root over nothing."""

    def flaw(terms, sealed):
        return replace(terms, audit_key_hash=b"\1" * 32, audit_root=b"\2" * 32), sealed

    play = begin([ROW, ROW], flaw=flaw).seat(SIX).draw().commit().reveal()
    play.pass_deadline()
    scores = play.scores(disclosed=False)
    settle(play)
    assert play.gains() == play.due(play.payouts(scores), settler=fees(play))
    play.assert_closed()
