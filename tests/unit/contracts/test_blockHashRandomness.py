from dataclasses import replace

import pytest
from kit import HOUR, Outcome, Phase, deploy, reverts

from earnest.protocol import draw

DELAY = 3
KEPT = 256


@pytest.fixture
def source(project, operator):
    return operator.deploy(project.BlockHashRandomness, DELAY)


@pytest.mark.parametrize("delay", [0, 129, 2**256 - 1])
def test_when_the_delay_is_zero_or_more_than_the_most(project, operator, source, delay):
    with reverts(source.DelayOutOfRange, delay=delay, most=128):
        operator.deploy(project.BlockHashRandomness, delay)


@pytest.mark.parametrize("delay", [1, 128])
def test_when_the_delay_is_in_range(project, operator, delay):
    assert operator.deploy(project.BlockHashRandomness, delay).delay() == delay


@pytest.fixture
def seen(project, source, chain, attacker):
    """A ticket's outcome as a transaction sees it that is mined in a given block."""
    probe = attacker.deploy(project.GateMock)

    def seen(ticket, block):
        probe.setCallback(source, source.outcome.encode_input(ticket), sender=attacker)
        if (missing := block - 1 - chain.blocks.height) > 0:
            chain.mine(missing)
        assert chain.blocks.height == block - 1
        tx = probe.admit(0, bytes(32), attacker, 0, b"", sender=attacker)
        assert tx.block_number == block
        [answer] = [bytes(event.result) for event in tx.events if event.event_name == "CalledBack"]
        return Outcome(int.from_bytes(answer[:32], "big")), answer[32:64]

    return seen


def test_given_the_block_of_the_ticket_is_not_there_yet(chain, seen):
    ticket = chain.blocks.height + 10
    assert seen(ticket, ticket - 1) == (Outcome.PENDING, bytes(32))


def test_given_the_block_of_the_ticket_is_the_current_one(chain, seen):
    ticket = chain.blocks.height + 10
    assert seen(ticket, ticket) == (Outcome.PENDING, bytes(32))


@pytest.mark.parametrize("age", [1, 2, KEPT])
def test_given_the_block_of_the_ticket_has_passed(chain, seen, age):
    ticket = chain.blocks.height + 5
    status, word = seen(ticket, ticket + age)
    assert (status, word) == (Outcome.READY, bytes(chain.blocks[ticket].hash))


def test_given_the_block_of_the_ticket_passed_long_ago(chain, seen):
    ticket = chain.blocks.height + 5
    assert seen(ticket, ticket + KEPT + 1) == (Outcome.EXPIRED, bytes(32))


def test_given_a_campaign_with_this_source(
    chain, project, operator, sink, relayer, source, experimenter, labelers
):
    system = deploy(chain, project, operator, sink, relayer, source)
    earnest = system.earnest
    terms = system.terms(batches=1, enroll_in=24 * HOUR)
    terms = replace(terms, periods=replace(terms.periods, draw=30 * 24 * HOUR))
    system.fund(experimenter, terms.bounty + terms.fee)
    campaign = system.create(experimenter, terms)
    system.fund(labelers[0], 3 * terms.stake)
    campaign.enroll(labelers[0], 3)

    ticket = campaign.request_draw().block_number + DELAY
    assert earnest.drawOf(campaign.id).ticket == ticket
    with reverts(earnest.DrawNotReady, status=Outcome.PENDING):
        campaign.draw()
    with reverts(earnest.DrawAlreadyRequested, ticket=ticket):
        campaign.request_draw()

    chain.mine(KEPT + DELAY + 1)
    with reverts(earnest.DrawNotReady, status=Outcome.EXPIRED):
        campaign.draw()
    ticket = campaign.request_draw().block_number + DELAY
    chain.mine(DELAY)
    campaign.draw()
    assert campaign.phase() == Phase.COMMITTING
    assert campaign.seed() == draw.seed(bytes(chain.blocks[ticket].hash), campaign.id)
