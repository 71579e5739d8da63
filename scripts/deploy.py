"""Deploy the contracts to a network: `ape run deploy --network ethereum:sepolia:… --account …`."""

from __future__ import annotations

from pathlib import Path

import ape
import click
from ape.cli import ConnectedProviderCommand, account_option
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from earnest.chain import deployment
from earnest.chain.deployment import DeploymentError
from earnest.chain.errors import ChainError


@click.command(cls=ConnectedProviderCommand)
@account_option()
@click.option("--params", type=click.Path(exists=True, path_type=Path), default=deployment.PARAMS,
              help="Constructor arguments by network.", show_default=False)
@click.option("--record/--no-record", default=None,
              help="Write deployments/<chain id>.json; by default on all but throw-away devnets.")
@click.option("--dry-run", is_flag=True, help="Check the params and show the addresses; send nothing.")
def cli(account, params, record, dry_run):
    """Deploy what is not there yet; running it again does no harm."""
    ape.logging.logger.set_level("WARNING")
    console = Console()
    network = deployment.network_name()
    try:
        chosen = deployment.read_params(network, params)
        deployment.check_params(chosen)
        if dry_run:
            show_plan(console, network, deployment.plan(chosen, account, {}))
            return
        done = deployment.deploy(chosen, sender=account, record=record)
        show(console, done)
        for name in deployment.verify(done):
            console.print(f"The source of {name} is verified.")
    except (DeploymentError, ChainError) as error:
        console.print(f"[red]{error}[/red]", soft_wrap=True)
        raise SystemExit(2) from None


def show_plan(console, network, plans):
    table = Table(title=f"What would be deployed to {network}", box=SIMPLE_HEAD)
    table.add_column("contract", no_wrap=True)
    table.add_column("address", no_wrap=True)
    table.add_column()
    for plan in plans:
        table.add_row(plan.name, plan.address, "is there" if plan.present else "missing")
    console.print(table)


def show(console, done):
    table = Table(title=f"Earnest on {done.network}, chain {done.chain}", box=SIMPLE_HEAD)
    table.add_column("contract", no_wrap=True)
    table.add_column("address", no_wrap=True)
    table.add_column("gas", justify="right", no_wrap=True)
    for name, deployed in done.contracts.items():
        gas = f"{done.gas[name]:,}" if name in done.gas else "was there"
        table.add_row(name, deployed.address, gas)
    console.print(table)
    if not all(deployed.deterministic for deployed in done.contracts.values()):
        console.print("This chain has no CREATE2 deployer: the addresses are not those of other chains.")
