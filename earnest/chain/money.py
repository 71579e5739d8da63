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
            written = text.replace(",", "") if _THOUSANDS.fullmatch(text.strip()) else text
            value = Decimal(written).scaleb(self.decimals, _EXACT)
        except (InvalidOperation, Overflow):
            raise ValueError(f"The amount is {text!r}; it must be a number such as 12.5.") from None
        if not value.is_finite() or not 0 <= value <= MOST or value != int(value):
            raise ValueError(
                f"The amount is {text!r}; it must be 0 or more {self.symbol} with at most "
                f"{self.decimals} decimals, and fit into 256 bits."
            )
        return int(value)


ETHER: Final = Token(ZERO_ADDRESS, "ETH", 18)
