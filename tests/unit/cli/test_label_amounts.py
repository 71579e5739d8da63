"""Amounts as they stand in tables."""

from __future__ import annotations

import pytest

from earnest.chain.money import ETHER, Token
from earnest.cli.label.amounts import about

pytestmark = pytest.mark.anvil

COINS = Token("0x" + "11" * 20, "USDX", 6)
POINTS = Token("0x" + "22" * 20, "points", 0)


@pytest.mark.parametrize(
    ("token", "amount", "text"),
    [
        (ETHER, 0, "0 ETH"),
        (ETHER, 2 * 10**18, "2 ETH"),
        (ETHER, 10**18 // 3, "0.3333 ETH"),
        (ETHER, -(10**18) // 2, "-0.5 ETH"),
        (ETHER, 1_234_567_891 * 10**12, "1,234.5679 ETH"),
        (ETHER, 12_345_678 * 10**6, "0.00001235 ETH"),
        (ETHER, 10**18 - 1, "1 ETH"),
        (ETHER, 1, "0.000000000000000001 ETH"),
        (COINS, 1_500_001, "1.5 USDX"),
        (COINS, 7, "0.000007 USDX"),
        (POINTS, -1_200, "-1,200 points"),
    ],
)
def test_four_digits_and_no_needless_zeros(token, amount, text):
    assert about(token, amount) == text
