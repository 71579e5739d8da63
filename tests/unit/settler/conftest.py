"""The small campaign of the chain client's tests, to settle; and a store to read it into."""

from __future__ import annotations

import pytest
from chain.conftest import client, created, deployed, drawn, erc20, game, purse, revealed  # noqa: F401

from earnest.settler.store import Store


@pytest.fixture
def path(tmp_path):
    return tmp_path / "settler.sqlite"


@pytest.fixture
def store(path):
    found = Store(path, 0)
    yield found
    found.close()
