"""Amounts that are estimates, or that stand in a table."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from earnest.chain.money import Token

DIGITS: Final = 4  # decimals, or where the amount is below 1, digits after its leading zeros


def about(token: Token, amount: int) -> str:
    """An amount in token units, rounded: `1,234.5679 ETH`, `0.3333 ETH`, `0.00001235 ETH`, `2 ETH`."""
    size = Decimal(amount).scaleb(-token.decimals).adjusted() if amount else 0
    text = token.number(amount, min(token.decimals, DIGITS - min(size + 1, 0)))
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text} {token.symbol}"
