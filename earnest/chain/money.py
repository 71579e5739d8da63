"""Amounts in the token's smallest units, and as people write them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Context, Decimal, InvalidOperation, Overflow
from typing import Final

from earnest.protocol.terms import ZERO_ADDRESS

# Every digit of a 256-bit amount; Decimal's own context would round.
_EXACT: Final = Context(prec=160)
_THOUSANDS: Final = re.compile(r"\d{1,3}(,\d{3})+(\.\d*)?")
MOST: Final = 2**256 - 1


@dataclass(frozen=True)
class Token:
    """An ERC-20 token, or ether at address 0; `guessed`: it does not tell its decimals."""

    address: str
    symbol: str
    decimals: int
    guessed: bool = False

    def write(self, amount: int, places: int | None = None) -> str:
        """An amount in token units with the symbol; exactly, or rounded to `places` decimals."""
        return f"{self.number(amount, places)} {self.symbol}"

    def number(self, amount: int, places: int | None = None) -> str:
        """An amount in token units without the symbol."""
        value = Decimal(amount).scaleb(-self.decimals, _EXACT)
        if places is not None:
            return f"{value:,.{places}f}"
        text = f"{value:,f}"
        return text.rstrip("0").rstrip(".") if "." in text else text

    def parse(self, text: str) -> int:
        """The smallest units in an amount given in token units.

        Raises ValueError when it is no such amount, or nobody knows what a token unit is.
        """
        if self.guessed:
            raise ValueError(f"{self.address} does not tell its decimals, so no amount of it can be read.")
        try:
            value = number(text).scaleb(self.decimals, _EXACT)
        except (InvalidOperation, Overflow):
            raise ValueError(f"The amount is {text!r}; it must be a number such as 12.5.") from None
        if value > MOST or value != int(value):
            raise ValueError(
                f"The amount is {text!r}; it must be 0 or more {self.symbol} with at most "
                f"{self.decimals} decimals, and fit into 256 bits."
            )
        return int(value)


def number(text: str) -> Decimal:
    """The number that an amount is written as, whatever the token: 0 or more, `1,000.5` too.

    Raises ValueError when it is none.
    """
    try:
        value = Decimal(text.replace(",", "") if _THOUSANDS.fullmatch(text.strip()) else text)
    except InvalidOperation:
        raise ValueError(f"The amount is {text!r}; it must be a number such as 12.5.") from None
    if not value.is_finite() or value < 0:
        raise ValueError(f"The amount is {text!r}; it must be 0 or more.")
    return value


ETHER: Final = Token(ZERO_ADDRESS, "ETH", 18)
