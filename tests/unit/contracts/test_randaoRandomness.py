import pytest
from eth_utils.crypto import keccak
from kit import HOUR, Outcome, Phase, deploy, reverts

from earnest.chain import header
from earnest.chain.client import Client
from earnest.protocol import draw

# The in-process EVM's headers are not Ethereum's.
pytestmark = pytest.mark.anvil

DELAY = 3


@pytest.fixture
def source(project, operator):
    return operator.deploy(project.RandaoRandomness, DELAY)


@pytest.fixture
def block(chain):
    def block(number):
        answer = chain.provider.web3.provider.make_request("eth_getBlockByNumber", [hex(number), False])
        return answer["result"]

    return block


@pytest.fixture
def ticket(source, chain):
    """A ticket whose block has passed."""
    ticket = source.request()
    chain.mine(DELAY + 2)
    return ticket


def outcome(source, ticket):
    answer = source.outcome(ticket)
    return Outcome(answer.status), bytes(answer.word)


@pytest.mark.parametrize("delay", [0, 129])
def test_when_the_delay_is_out_of_range(project, operator, source, delay):
    with reverts(source.DelayOutOfRange, delay=delay, most=128):
        operator.deploy(project.RandaoRandomness, delay)


def test_given_the_block_of_the_ticket_is_not_there_yet(source, chain, block, attacker):
    ticket = source.request()
    assert outcome(source, ticket) == (Outcome.PENDING, bytes(32))
    with reverts(source.WrongHeader, ticket=ticket):
        source.prove(ticket, header.encode(block(chain.blocks.height)), sender=attacker)


def test_given_the_block_of_the_ticket_is_not_proved(source, ticket):
    assert outcome(source, ticket) == (Outcome.PENDING, bytes(32))


def test_when_the_header_is_not_that_blocks(source, ticket, block, attacker):
    right = header.encode(block(ticket))
    for wrong in (header.encode(block(ticket - 1)), right + b"\0", right[:-1], b""):
        with reverts(source.WrongHeader, ticket=ticket):
            source.prove(ticket, wrong, sender=attacker)


def test_given_the_header_was_shown(source, ticket, block, chain, attacker):
    told = block(ticket)
    word = keccak(bytes.fromhex(told["mixHash"][2:]))
    receipt = source.prove(ticket, header.encode(told), sender=attacker)
    assert receipt.events == [source.Proved(ticket=ticket, word=word)]
    assert outcome(source, ticket) == (Outcome.READY, word)
    chain.mine(300)
    assert outcome(source, ticket) == (Outcome.READY, word)


def test_given_the_block_passed_unproved_long_ago(source, ticket, block, chain, attacker):
    shown = header.encode(block(ticket))
    chain.mine(300)
    assert outcome(source, ticket) == (Outcome.EXPIRED, bytes(32))
    with reverts(source.WrongHeader, ticket=ticket):
        source.prove(ticket, shown, sender=attacker)


def test_given_a_campaign_with_a_source_to_prove(
    chain, project, operator, sink, relayer, source, block, experimenter, labelers
):
    system = deploy(chain, project, operator, sink, relayer, source)
    terms = system.terms(batches=1, enroll_in=24 * HOUR)
    system.fund(experimenter, terms.bounty + terms.fee)
    campaign = system.create(experimenter, terms)
    system.fund(labelers[0], 3 * terms.stake)
    campaign.enroll(labelers[0], 3)
    ticket = campaign.request_draw().block_number + DELAY
    chain.mine(DELAY + 1)

    Client(system.earnest).draw(campaign.id, sender=relayer)

    assert campaign.phase() == Phase.COMMITTING
    word = keccak(bytes.fromhex(block(ticket)["mixHash"][2:]))
    assert campaign.seed() == draw.seed(word, campaign.id)
