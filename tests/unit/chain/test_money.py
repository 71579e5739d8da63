"""Amounts as people write them."""

from __future__ import annotations

import pytest

from earnest.chain.money import ETHER, Token

DOLLAR = Token("0x1", "USD", 2)


@pytest.mark.parametrize(
    ("amount", "written"),
    [(0, "0 USD"), (1, "0.01 USD"), (10, "0.1 USD"), (100_000, "1,000 USD"), (-250, "-2.5 USD")],
)
def test_write(amount, written):
    assert DOLLAR.write(amount) == written


def test_write_rounded():
    assert DOLLAR.write(123_456, 1) == "1,234.6 USD"
    assert ETHER.number(1, 2) == "0.00"


def test_every_wei_is_written():
    assert ETHER.write(10**30 + 1) == "1,000,000,000,000.000000000000000001 ETH"


@pytest.mark.parametrize(("text", "amount"), [("1", 100), ("0.01", 1), ("1,000.5", 100_050), ("0", 0)])
def test_parse(text, amount):
    assert DOLLAR.parse(text) == amount


@pytest.mark.parametrize("text", ["", "one", "-1", "0.001", "nan", "inf", "1,5", "1e76", "1e999999999"])
def test_parse_refuses_what_is_no_amount(text):
    with pytest.raises(ValueError, match="The amount is"):
        DOLLAR.parse(text)
