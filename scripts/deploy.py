"""Deploy the contracts: `ape run deploy --network ethereum:sepolia:… --account …`, as `earnest deploy`."""

from earnest.cli.deploy import deploy as cli

__all__ = ["cli"]
