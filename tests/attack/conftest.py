"""The deployment and the campaigns that the contracts' own tests use."""

from unit.contracts.conftest import by_address, earnest, launch, referee, system, token

__all__ = ["by_address", "earnest", "launch", "referee", "system", "token"]
