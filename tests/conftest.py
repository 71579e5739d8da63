"""Actors by their role, a clean chain for every test, and the two profiles of Hypothesis."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ape.api import TestAccountAPI
from devnet import rollback
from hypothesis import HealthCheck, settings

# Examples share the session's contracts and undo their own work with `rollback`.
# `make test` draws the same examples every time; `make fuzz` draws new ones (--hypothesis-profile=fuzz).
_COMMON = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
}
settings.register_profile("test", derandomize=True, **_COMMON)
settings.register_profile("fuzz", max_examples=1_000, print_blob=True, **_COMMON)
settings.load_profile("test")

_CHAIN_FIXTURES = {"accounts", "chain", "networks", "project"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that touch a chain: they are the ones to run on the second EVM too."""
    for item in items:
        if _CHAIN_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker("chain")


@pytest.fixture(autouse=True)
def _clean_chain(request: pytest.FixtureRequest) -> Iterator[None]:
    """Undo what a test did on chain; what session fixtures deploy stays, so deploy there or in the test."""
    if request.node.get_closest_marker("chain") is None:
        yield
        return
    with rollback(request.getfixturevalue("chain")):
        yield


@pytest.fixture(autouse=True, scope="session")
def _data_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep locks and records of this session apart from the user's own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EARNEST_DATA", str(tmp_path_factory.mktemp("data")))
        yield


# One account for each role, and all the others for labelers.


@pytest.fixture(scope="session")
def experimenter(accounts) -> TestAccountAPI:
    return accounts[0]


@pytest.fixture(scope="session")
def settler(accounts) -> TestAccountAPI:
    return accounts[1]


@pytest.fixture(scope="session")
def challenger(accounts) -> TestAccountAPI:
    return accounts[2]


@pytest.fixture(scope="session")
def attacker(accounts) -> TestAccountAPI:
    return accounts[3]


@pytest.fixture(scope="session")
def relayer(accounts) -> TestAccountAPI:
    """Send what others have signed."""
    return accounts[4]


@pytest.fixture(scope="session")
def operator(accounts) -> TestAccountAPI:
    """Deploy the contracts, with no power afterwards."""
    return accounts[5]


@pytest.fixture(scope="session")
def sink(accounts) -> TestAccountAPI:
    """Receive slashes and unearned pay; sends nothing."""
    return accounts[6]


@pytest.fixture(scope="session")
def labelers(accounts) -> list[TestAccountAPI]:
    return [accounts[index] for index in range(10, len(accounts))]
