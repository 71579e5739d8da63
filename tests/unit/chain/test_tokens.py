"""Tokens that strangers wrote: what they tell, and what a deposit of them comes to."""

from __future__ import annotations

import ape
import pytest
from eth_utils.crypto import keccak
from hexbytes import HexBytes

from earnest.chain import wallet
from earnest.chain.errors import ChainError, TokenError
from earnest.chain.wallet import fund, spendable

ONES = "7f" + "ff" * 32 + "60005260206000f3"  # returns 2**256 - 1 whatever is asked
LONG = "61ffff6000f3"  # returns 65,535 zeros
EMPTY = "60006000f3"
DEAR = "fe"  # takes all gas
NO_TEXT = (  # reverts with Error(string) of bytes that are no text
    "7f08c379a0" + "00" * 28 + "600052602060045260026024527fff" + "fe" * 31 + "60445260646000fd"
)


def write(account, code: str) -> str:
    """Put a contract of this code on the chain; its address."""
    body = bytes.fromhex(code)
    creation = bytes.fromhex(f"61{len(body):04x}80600a3d393df3") + body
    ecosystem = ape.networks.provider.network.ecosystem
    receipt = account.call(ecosystem.create_transaction(sender=account.address, data=HexBytes(creation)))
    return str(receipt.contract_address)


@pytest.mark.parametrize("code", [ONES, LONG, EMPTY, DEAR, NO_TEXT])
def test_whatever_a_token_answers_it_can_be_shown(client, attacker, code):
    token = client.token(write(attacker, code))
    assert 0 <= token.decimals <= 255
    assert token.write(10**18)
    assert len(token.symbol) <= 12


@pytest.mark.parametrize("code", [EMPTY, DEAR, NO_TEXT])
def test_one_that_tells_no_balances_is_none(client, attacker, code):
    with pytest.raises(ChainError, match="is no ERC-20 token"):
        spendable(client, attacker.address, write(attacker, code))


@pytest.mark.parametrize("code", [ONES, NO_TEXT])
def test_one_that_refuses_is_a_sentence(client, attacker, code):
    with pytest.raises(ChainError):
        client.deposit(write(attacker, code), 5, sender=attacker)


def test_amounts_of_a_token_without_decimals_are_not_guessed(client, attacker):
    """A node that is out of sorts would have a bounty of 100 read as 100 of the smallest units."""
    with pytest.raises(ValueError, match="does not tell its decimals"):
        client.token(write(attacker, EMPTY)).parse("100")


def test_a_token_does_not_pass_for_ether(client, project, purse):
    token = purse.deploy(project.TokenMock)
    assert client.token(str(token.address)).symbol == "TOK"
    name = "4554482000000000000000000000000000000000000000000000000000000000"
    symbol = "60206000526004602052" + "7f" + name + "60405260606000f3"
    assert client.token(write(purse, symbol)).symbol == "units"


def test_an_allowance_that_is_left_over_is_taken_back_first(client, project, purse):
    token = purse.deploy(project.SilentTokenMock)
    token.mint(purse, 10_000, sender=purse)
    address = str(token.address)
    client.approve(address, 7, sender=purse)
    assert len(fund(client, purse, address, 5_000)) == 3  # nothing, what is deposited, and the deposit
    assert client.balance_of(purse.address, address) == 5_000
    assert len(fund(client, purse, address, 6_000)) == 2


def test_a_fee_on_the_way_is_made_up_for(client, project, purse):
    token = purse.deploy(project.FeeTokenMock, 1_000)
    token.mint(purse, 10_000, sender=purse)
    address = str(token.address)
    assert len(fund(client, purse, address, 5_000)) == 4  # approve and deposit, twice
    free = client.balance_of(purse.address, address)
    assert 5_000 <= free <= 5_001
    assert fund(client, purse, address, 5_000) == []


def test_a_token_that_credits_nothing_is_asked_once(client, project, purse):
    token = purse.deploy(project.FeeTokenMock, 10_000)
    token.mint(purse, 10_000, sender=purse)
    before = purse.nonce
    with pytest.raises(TokenError, match="credited 0 units of the 100"):
        fund(client, purse, str(token.address), 100)
    assert purse.nonce - before == 2


def test_what_was_deposited_is_named_and_not_what_would_be_next(client, project, purse, monkeypatch):
    monkeypatch.setattr(wallet, "DEPOSITS", 1)
    token = purse.deploy(project.FeeTokenMock, 1_000)
    token.mint(purse, 10_000, sender=purse)
    with pytest.raises(TokenError, match="credited 900 units of the 1000 that were deposited: 100"):
        fund(client, purse, str(token.address), 1_000)


def test_the_selector_of_what_is_no_text():
    assert keccak(text="Error(string)")[:4].hex() == "08c379a0"
