from dataclasses import replace

import pytest
from eth_utils.crypto import keccak
from kit import Phase, reverts

from .conftest import KEY


@pytest.fixture
def campaign(stages):
    return stages[Phase.AUDITING].campaign


def test_given_another_phase(earnest, wrong_phases, experimenter):
    for campaign, about in wrong_phases(Phase.AUDITING):
        with reverts(earnest.WrongPhase, **about):
            earnest.disclose.call(campaign, KEY, sender=experimenter)


@pytest.mark.parametrize("late", [False, True])
def test_given_the_audit_period(system, earnest, campaign, late):
    system.at(campaign.life().deadline - 1 + late)
    if late:
        with reverts(earnest.WrongPhase, campaign=campaign.id, phase=Phase.SETTLING, deadline=0):
            campaign.disclose()
        assert earnest.drawOf(campaign.id).auditKey == bytes(32)
    else:
        campaign.disclose()


@pytest.mark.parametrize("key", [bytes(32), b"\x01" * 32, keccak(KEY)])
def test_when_the_key_is_not_the_one_promised(earnest, campaign, experimenter, key):
    about = {"keyHash": keccak(key), "required": keccak(KEY)}
    with reverts(earnest.WrongAuditKey, **about):
        earnest.disclose.call(campaign.id, key, sender=experimenter)


def test_given_the_promised_key_is_zero(system, earnest, launch, experimenter):
    zero = keccak(bytes(32))
    stage = launch(Phase.AUDITING, audit_root=b"\x01" * 32, audit_key_hash=zero)
    campaign = replace(stage.campaign, key=bytes(32))
    assert campaign.phase() == Phase.AUDITING
    with reverts(earnest.WrongAuditKey, keyHash=zero, required=zero):
        campaign.disclose()


def test_when_anybody_discloses_the_key_promised(earnest, campaign, attacker):
    tx = campaign.disclose(attacker)
    assert tx.events == [earnest.Disclosed(campaign.id, KEY)]
    assert earnest.drawOf(campaign.id).auditKey == KEY
    life = campaign.life()
    assert (life.phase, life.deadline) == (Phase.SETTLING, 0)
