"""Sending for an account: one process and one thing at a time."""

from __future__ import annotations

import ape
import pytest

from earnest.chain import wallet
from earnest.chain.errors import BusyError, TokenError
from earnest.chain.wallet import alone, fund, sending_lock
from earnest.files import locked
from earnest.protocol.terms import ZERO_ADDRESS

pytestmark = pytest.mark.anvil


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(wallet, "PATIENCE", 0.0)
    monkeypatch.setattr(wallet, "PENDING_LIMIT", 0.0)


def test_one_process_at_a_time(client, purse):
    told = []
    with (
        locked(sending_lock(client.web3, purse.address)),
        pytest.raises(BusyError, match="Another process acts"),
        alone(client.web3, purse.address, told.append),
    ):
        pass
    assert told == [f"Another process is sending for {purse.address}; waiting for it."]
    with alone(client.web3, purse.address):
        pass


@pytest.fixture
def pending(purse):
    """Something of the account's that is sent and not mined."""
    node = ape.networks.provider
    node.make_request("evm_setAutomine", [False])
    node.make_request("eth_sendTransaction", [{"from": purse.address, "to": purse.address, "value": "0x0"}])
    yield
    node.make_request("evm_mine", [])
    node.make_request("evm_setAutomine", [True])


def test_nothing_is_sent_beside_what_is_pending_unless_it_is_urgent(client, purse, pending):
    with pytest.raises(BusyError, match="is sent and not mined yet"), alone(client.web3, purse.address):
        pass
    with alone(client.web3, purse.address, urgent=lambda: True):
        pass


def test_a_token_that_takes_an_allowance_and_refuses_is_one_to_be_left_alone(client, project, purse):
    token = purse.deploy(project.RefusingTokenMock)
    token.mint(purse, 1_000, sender=purse)
    token.refuse(client.address, True, sender=purse)
    with pytest.raises(TokenError, match="took an allowance for nothing") as caught:
        fund(client, purse, str(token.address), 1_000)
    assert caught.value.transaction is not None


def test_a_token_that_is_too_dear_is_not_even_tried(client, project, purse):
    token = purse.deploy(project.DearTokenMock)
    token.mint(purse, 1_000, sender=purse)
    before = purse.nonce
    with pytest.raises(TokenError, match="gas, above 600000: that token is too dear"):
        fund(client, purse, str(token.address), 1_000)
    assert purse.nonce == before


def test_ether_needs_no_allowance(client, purse):
    assert len(fund(client, purse, ZERO_ADDRESS, client.balance_of(purse.address, ZERO_ADDRESS) + 5)) == 1
