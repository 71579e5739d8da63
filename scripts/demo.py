"""A whole campaign with real people's labels on a devnet: `ape run demo`, or `make demo`."""

from __future__ import annotations

import sys
from time import monotonic

import ape
import click
from ape.cli import ConnectedProviderCommand
from rich.console import Console

from earnest.chain.demo.cast import cast
from earnest.chain.demo.report import show
from earnest.chain.demo.stage import CheckFailed, Stage
from earnest.chain.errors import ChainError


@click.command(cls=ConnectedProviderCommand)
def cli(network):
    """Play a campaign with the 39 workers of the bluebird set, and some cheats."""
    ape.logging.logger.set_level("WARNING")
    console = Console(width=None if sys.stdout.isatty() else 100)
    if not network.is_dev:
        console.print(f"The demo needs a devnet, where time can be moved; {network.name} is none.")
        raise SystemExit(2)
    started = monotonic()
    people = cast()
    meta = people.dataset.meta
    console.print(
        f"Labels: {meta['name']}, {meta['tasks']} images by {meta['workers']} workers "
        f"(Welinder et al. 2010), from {meta['repo']}. Licence: {meta['license']}.\n"
    )
    with console.status("starting") as status:

        def tell(line):
            console.print(f"[dim]{monotonic() - started:5.1f} s[/dim]  {line}", highlight=False)
            status.update("…")

        stage = Stage(people, tell)
        try:
            campaign = stage.play()
        except (CheckFailed, ChainError) as error:
            console.print(f"[bold red]The demo failed:[/bold red] {error}")
            raise SystemExit(1) from None
    show(console, stage, campaign)
    console.print(f"\nAll {len(stage.checks)} checks hold. It took {monotonic() - started:.0f} seconds.")
