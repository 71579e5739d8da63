"""The contracts of which each function has a copy in Python."""

import pytest

from differential.runs import Contract


@pytest.fixture(scope="session")
def gas(chain, networks) -> int:
    """As much as a call may use on this node; the largest batches take more than a block holds."""
    return 10**9 if networks.provider.name == "foundry" else int(chain.blocks.head.gas_limit)


@pytest.fixture(scope="session")
def referee(project, operator, gas) -> Contract:
    return Contract(operator.deploy(project.Referee), gas)


@pytest.fixture(scope="session")
def rules(project, operator, gas) -> Contract:
    return Contract(operator.deploy(project.RulesMock), gas)
