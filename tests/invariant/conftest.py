"""The stage on which the state machine plays, deployed once."""

from __future__ import annotations

import pytest
from invariant.world import Stage, set_stage
from kit import deploy


@pytest.fixture(scope="session")
def stage(
    chain, project, operator, experimenter, settler, challenger, attacker, relayer, sink, labelers
) -> Stage:
    first, second, third, fourth, owner, rival, pauper = labelers[:7]
    accounts = {
        "experimenter": experimenter, "rival": rival, "settler": settler, "challenger": challenger,
        "attacker": attacker, "relayer": relayer, "sink": sink, "owner": owner, "pauper": pauper,
        "first labeler": first, "second labeler": second, "third labeler": third, "fourth labeler": fourth,
    }  # fmt: skip
    return set_stage(deploy(chain, project, operator, sink, relayer), project, operator, accounts)
