from dataclasses import replace

import pytest
from kit import ETHER, Phase, reverts

from earnest.protocol.terms import Metric, Terms, campaign_id

from .terms_cases import REFUSED, SOUND, YEAR


def test_when_the_caller_is_the_sink(system, earnest, sink):
    with reverts(earnest.SinkCannotExperiment, sink=sink):
        earnest.create.call(system.terms().abi_tuple(), "", sender=sink)


@pytest.mark.parametrize("case", [case for case in REFUSED if not case.startswith("enrolling")])
def test_when_the_terms_cannot_be_honoured(system, earnest, referee, experimenter, case):
    terms, error, values = REFUSED[case]
    terms = replace(terms, enroll_by=system.chain.pending_timestamp + 600)
    with reverts(getattr(referee, error), **values):
        earnest.create.call(terms.abi_tuple(), "", sender=experimenter)


@pytest.mark.parametrize(("ahead", "fits"), [(0, False), (1, True), (YEAR, True), (YEAR + 1, False)])
def test_when_it_would_enrol_until(system, earnest, referee, experimenter, token, ahead, fits):
    now = system.chain.pending_timestamp + 100
    terms = replace(SOUND, token=token.address, enroll_by=now + ahead)
    system.at(now)
    if fits:
        earnest.create(terms.abi_tuple(), "", sender=experimenter)
        return
    with reverts(referee.EnrollByOutOfRange, enrollBy=now + ahead, least=now + 1, most=now + YEAR):
        earnest.create(terms.abi_tuple(), "", sender=experimenter)


def test_when_the_metric_is_none(system, earnest, experimenter):
    values = list(system.terms().abi_tuple())
    assert values[6] == Metric.NOMINAL
    values[6] = 3
    with reverts(b""):
        earnest.create.call(tuple(values), "", sender=experimenter)


@pytest.mark.parametrize("missing", [1, 2**31])
def test_when_the_balance_does_not_cover_bounties_and_fees(system, earnest, attacker, missing):
    terms = system.terms(bounty=2**31, fee=7, batches=3)
    cost = 3 * (2**31 + 7)
    system.fund(attacker, cost - missing)
    about = {"account": attacker, "token": ETHER, "balance": cost - missing, "required": cost}
    with reverts(earnest.InsufficientBalance, **about):
        earnest.create.call(terms.abi_tuple(), "", sender=attacker)


def test_given_the_caller_has_created_it_before(system, earnest, stages, experimenter):
    campaign = stages[Phase.ENROLLING].campaign
    with reverts(earnest.CampaignExists, campaign=campaign.id):
        earnest.create.call(campaign.terms.abi_tuple(), "elsewhere", sender=experimenter)


def test_given_another_has_created_the_same_terms(system, stages, attacker, token):
    first = stages[Phase.ENROLLING].campaign
    system.fund(attacker, first.escrow, token)
    second = system.create(attacker, first.terms)
    assert second.id != first.id
    assert second.phase() == Phase.ENROLLING


@pytest.mark.parametrize("audited", [False, True])
@pytest.mark.parametrize("gated", [False, True])
def test_when_the_terms_can_be_honoured(system, earnest, attacker, audited, gated):
    terms = system.terms(cohort=15, batches=7, metric=Metric.RANKING, classes=4)
    if audited:
        terms = replace(terms, audit_root=b"\x02" * 32, audit_key_hash=b"\x03" * 32)
    if gated:
        terms = replace(terms, gate=earnest.address, gate_rule=b"\x04" * 32)
    cost = 7 * (terms.bounty + terms.fee)
    system.fund(attacker, cost + 5)

    campaign = campaign_id(attacker.address, terms)
    assert earnest.create.call(terms.abi_tuple(), "", sender=attacker) == campaign

    tx = earnest.create(terms.abi_tuple(), "ipfs://somewhere", sender=attacker)

    [event] = tx.events
    assert (event.event_name, event.campaign, event.uri) == ("Created", campaign, "ipfs://somewhere")
    assert event.experimenter == attacker.address
    assert campaign_id(attacker.address, _terms(event.terms)) == campaign
    assert system.balance(attacker) == 5
    found = earnest.termsOf(campaign)
    assert found.experimenter == attacker.address
    assert campaign_id(attacker.address, _terms(found.terms)) == campaign
    life = earnest.lifeOf(campaign)
    assert (life.phase, life.deadline) == (Phase.ENROLLING, terms.enroll_by)
    assert (life.seats, life.cohort, life.taken) == (105, 15, 0)
    assert (life.committed, life.opened, life.scored, life.released) == (0, 0, 0, 0)
    drawn = earnest.drawOf(campaign)
    assert (drawn.requested, drawn.ticket, drawn.seed, drawn.auditKey) == (False, 0, bytes(32), bytes(32))


def _terms(values):
    """Terms from what Ape makes of the struct."""
    members = values.values() if isinstance(values, dict) else values
    return Terms.from_abi([tuple(v.values()) if isinstance(v, dict) else v for v in members])
