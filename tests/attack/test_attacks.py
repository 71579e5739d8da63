"""Attacks that were tried on the protocol, each of which must fail or cost the attacker what it should."""

from dataclasses import replace

import pytest
from eth_utils.crypto import keccak
from kit import HOUR, Phase, PostingStatus, reverts

from earnest.protocol import audit, merkle
from earnest.protocol.audit import AuditRow
from earnest.protocol.labels import label_count
from earnest.protocol.terms import Weights

KEY = keccak(b"audit key")


def wrong(scores):
    """Other scores than these: the first seat's raised."""
    return [9_999, *scores[1:]]


def test_a_settler_who_referees_itself_still_loses_half_of_the_bond(launch, system, settler, attacker, token):
    stage = launch(Phase.SETTLING, batches=1, bond=1_001)
    campaign = stage.campaign
    before = campaign.balances([settler, attacker, system.sink])
    campaign.post({0: wrong(campaign.scores(0, stage.openings))}, settler)
    campaign.referee(0, stage.openings, attacker)
    after = campaign.balances([settler, attacker, system.sink])
    assert [y - x for x, y in zip(before, after, strict=True)] == [-1_001, 500 + campaign.terms.fee, 501]


def test_denouncing_oneself_costs_no_less_than_staying_away(launch, by_address, attacker):
    stage = launch(Phase.COMMITTING, batches=1)
    campaign = stage.campaign
    labeler = by_address[campaign.labeler_of(0)]
    opening = campaign.opening(0)
    campaign.commit(opening, labeler)
    [before] = campaign.balances([attacker])
    campaign.denounce(opening, attacker)
    [after] = campaign.balances([attacker])
    lost = campaign.terms.stake - (after - before)
    assert lost >= campaign.terms.stake * campaign.terms.curve.forfeit / 10_000


@pytest.fixture
def two_rows(system, token, launch):
    """Terms whose audit root covers two rows for batch 0, one where batch 1 belongs; both rows and proofs."""
    rows = [AuditRow(shared=tuple(range(12)), gold=tuple((t, label) for t in range(6))) for label in (0, 1)]
    terms, _ = system.audited_terms(
        KEY, rows, batch_size=12, token=token.address, weights=Weights(peers=1, gold=1, repeats=0)
    )
    size = label_count(terms.metric, terms.classes)
    first, second = (audit.encipher(audit.encode_row(row, 12, size), KEY, 0) for row in rows)
    left, right = merkle.leaf(0, second), merkle.leaf(0, first)
    return replace(terms, audit_root=keccak(left + right)), (first, [left]), (second, [right])


def test_an_experimenter_cannot_choose_among_two_audit_rows_of_a_batch(
    launch, system, experimenter, settler, earnest, two_rows, labelers, by_address
):
    terms, (first, proof), (second, other_proof) = two_rows
    campaign = system.create(experimenter, terms, KEY)
    campaign.enroll_signed([campaign.enrolment(labeler, labeler) for labeler in labelers[:6]])
    campaign.request_draw()
    campaign.draw(keccak(b"word"))
    openings = {seat: campaign.opening(seat) for seat in range(6)}
    campaign.commit_signed(
        campaign.signed_commitment(opening, by_address[campaign.labeler_of(seat)])
        for seat, opening in openings.items()
    )
    campaign.reveal_many(openings.values())
    campaign.disclose()
    labels = b"".join(openings[seat].labels for seat in campaign.cohort(0))
    for bad_proof in (other_proof, proof, [], [*other_proof, bytes(32)], [bytes(32)] * 256):
        with reverts(earnest.WrongAuditRow, batch=0):
            earnest.referee(campaign.id, 0, labels, second, bad_proof, sender=experimenter)
    earnest.referee(campaign.id, 0, labels, first, proof, sender=settler)


def test_no_deposit_can_overfill_an_account_and_so_block_a_release(
    launch, system, earnest, attacker, token, settler
):
    stage = launch(Phase.SETTLING, batches=1)
    flood = 2**128 - 1
    token.mint(attacker, flood, sender=attacker)
    token.approve(earnest, flood, sender=attacker)
    with reverts(earnest.BalanceOverflow, account=system.sink, token=token):
        earnest.deposit(token, flood, system.sink, sender=attacker)
    stage.campaign.referee(0, stage.openings, settler)
    stage.campaign.release([0])


def test_a_denounced_seat_does_not_spoil_a_bundle_of_signed_commitments(launch, by_address, attacker):
    stage = launch(Phase.COMMITTING, batches=1)
    campaign = stage.campaign
    owners = [by_address[campaign.labeler_of(seat)] for seat in range(3)]
    campaign.commit(campaign.opening(0), owners[0])
    bundle = [campaign.signed_commitment(campaign.opening(seat), owners[seat]) for seat in range(3)]
    campaign.denounce(campaign.opening(0), attacker)
    campaign.commit_signed(bundle)
    assert campaign.phase() == Phase.REVEALING


def test_a_false_posting_of_batches_refereed_since_gives_the_bond_once(launch, settler, challenger):
    stage = launch(Phase.SETTLING)
    campaign = stage.campaign
    right = {batch: campaign.scores(batch, stage.openings) for batch in range(2)}
    campaign.post({0: right[0], 1: wrong(right[1])}, settler)
    before = sum(campaign.balances([challenger, settler, campaign.system.sink]))
    campaign.referee(0, stage.openings, challenger)  # right: its fee goes to the poster
    campaign.referee(1, stage.openings, challenger)  # wrong: the bond is lost
    after = sum(campaign.balances([challenger, settler, campaign.system.sink]))
    assert after - before == 2 * campaign.terms.fee + campaign.terms.bond
    assert campaign.earnest.postingOf(campaign.id, 1).status == PostingStatus.VOID
    campaign.system.travel(campaign.system.chain.pending_timestamp + 7 * HOUR)
    with reverts(campaign.earnest.BondNotDue, posting=1, dueAt=_due(campaign)):
        campaign.return_bond(1)


def _due(campaign):
    return campaign.earnest.postingOf(campaign.id, 1).postedAt + campaign.terms.periods.challenge
