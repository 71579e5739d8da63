"""The small campaign of the chain client's tests, to settle."""

from __future__ import annotations

from chain.conftest import client, created, deployed, drawn, erc20, game, purse, revealed  # noqa: F401
