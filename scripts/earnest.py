"""The whole command line under `ape run`: `ape run earnest campaign list --network …`."""

from earnest.cli import cli

__all__ = ["cli"]
