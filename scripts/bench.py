"""Gas and speed, printed and written to benchmarks/: `ape run bench`."""

from __future__ import annotations

import sys
from pathlib import Path

import ape
import click
from rich.console import Console

# `benchmarks` is not installed, and a package of somebody else's is, under the same name.
sys.path.insert(0, str(Path(__file__).parent.parent))
from benchmarks.figures import measure, table, write


@click.command()
def cli():
    """Play whole campaigns on an anvil of its own, and time the Python copy."""
    ape.logging.logger.set_level("WARNING")
    with Console().status("measuring"):
        measured = measure()
    write(measured)
    print(table(measured))
