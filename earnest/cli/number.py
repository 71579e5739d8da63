"""Numbers on the command line."""

from __future__ import annotations

import math
from typing import Any

import click

from earnest.cli.errors import InputError


class Number(click.ParamType):
    """A number in a range, both ends of which belong to it; one without a fraction where they have none."""

    def __init__(self, least: float, most: float) -> None:
        self.least, self.most = least, most
        self.name = "integer" if isinstance(least, int) else "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number. Raises InputError."""
        try:
            number = int(value) if isinstance(self.least, int) else float(value)
        except (ValueError, OverflowError):
            number = math.nan
        if not self.least <= number <= self.most:
            kind = "whole number" if isinstance(self.least, int) else "number"
            name = param.opts[0] if param else self.name
            span = f"from {self.least:,.10g} to {self.most:,.10g}"
            raise InputError(f"{name} is {value!r}; it must be a {kind} {span}.")
        return number
