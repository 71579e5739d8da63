import pytest
from kit import reverts

from earnest.protocol.terms import ZERO_ADDRESS


@pytest.fixture
def deploy_without(project, operator, earnest, system, sink):
    def deploy_without(missing):
        arguments = [system.randomness, system.referee, sink]
        arguments[missing] = ZERO_ADDRESS
        with reverts(earnest.ZeroAddress):
            operator.deploy(project.Earnest, *arguments)

    return deploy_without


def test_when_the_randomness_source_is_the_zero_address(deploy_without):
    deploy_without(0)


def test_when_the_referee_is_the_zero_address(deploy_without):
    deploy_without(1)


def test_when_the_sink_is_the_zero_address(deploy_without):
    deploy_without(2)


def test_when_no_address_is_zero(earnest, system, sink, chain):
    assert earnest.RANDOMNESS() == system.randomness.address
    assert earnest.REFEREE() == system.referee.address
    assert earnest.SINK() == sink.address
    domain = earnest.eip712Domain()
    assert (domain.name, domain.version) == ("Earnest", "1")
    assert (domain.chainId, domain.verifyingContract) == (chain.chain_id, earnest.address)
