"""One deployment in which everybody has money, and a way to begin a campaign in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from eth_utils.crypto import keccak
from kit import ETHER, System, deploy
from scenario.play import PURSE, Play

from earnest.protocol.audit import AuditRow

KEY = keccak(b"audit key")


@pytest.fixture(scope="session")
def system(chain, project, operator, sink, relayer) -> System:
    return deploy(chain, project, operator, sink, relayer)


@pytest.fixture(scope="session")
def people(experimenter, settler, challenger, attacker, relayer, sink, labelers) -> dict[str, Any]:
    roles = {
        "experimenter": experimenter, "settler": settler, "challenger": challenger, "attacker": attacker,
        "relayer": relayer, "sink": sink,
    }  # fmt: skip
    return roles | {f"labeler {index}": labeler for index, labeler in enumerate(labelers[:16])}


@pytest.fixture(scope="session")
def token(system, people, project, operator):
    """A plain ERC-20. Everybody gets a purse of it in the vault, and one of ether."""
    token = operator.deploy(project.TokenMock)
    token.mint(operator, PURSE * len(people), sender=operator)
    token.approve(system.earnest, PURSE * len(people), sender=operator)
    deposit = system.earnest.deposit
    system.earnest.multicall(
        [deposit.encode_input(token, PURSE, account) for account in people.values()], sender=operator
    )
    for account in people.values():
        deposit(ETHER, PURSE, account, value=PURSE, sender=operator)
    return token


@pytest.fixture
def begin(system, people, token) -> Callable[..., Play]:
    """Create a campaign of the usual terms (`kit.TERMS`), twelve tasks a batch, with some members changed.

    `rows` gives it an audit. In ether, unless `in_token` says that it is to be in the ERC-20.
    """

    def begin(
        rows: Sequence[AuditRow] = (), in_token: bool = False, key: bytes = KEY, **changes: Any
    ) -> Play:
        paid_in = token if in_token else ETHER
        changes = {"batch_size": 12, "token": token.address if in_token else ETHER} | changes
        flaw = changes.pop("flaw", None)
        if rows:
            terms, sealed = system.audited_terms(key, rows, **changes)
            if flaw is not None:
                terms, sealed = flaw(terms, sealed)
        else:
            terms, sealed = system.terms(**changes), []
        campaign = system.create(people["experimenter"], terms, key if rows else bytes(32), sealed)
        return Play(system, campaign, people, paid_in)

    return begin

