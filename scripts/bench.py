"""Gas and speed, printed and written to benchmarks/: `ape run bench --network ethereum:local:foundry`."""

from __future__ import annotations

import sys
from pathlib import Path

import ape
import click
from ape.cli import ConnectedProviderCommand
from rich.console import Console

# `benchmarks` is not installed, and a package of somebody else's is, under the same name.
sys.path.insert(0, str(Path(__file__).parent.parent))
from benchmarks.figures import measure, table, write  # noqa: E402


@click.command(cls=ConnectedProviderCommand)
def cli(network):
    """Play whole campaigns on anvil, and time the Python copy."""
    ape.logging.logger.set_level("WARNING")
    console = Console()
    if ape.networks.provider.name != "foundry":
        console.print(f"Gas is measured on anvil: run with --network ethereum:local:foundry, not {network.name}.")
        raise SystemExit(2)
    with console.status("measuring"):
        measured = measure()
    write(measured)
    print(table(measured))
