"""`earnest deploy`: the contracts on a chain, once; running it again finds them there."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from earnest.chain.errors import ChainError
from earnest.cli.errors import InputError
from earnest.cli.groups import YES, Command
from earnest.cli.session import Session, pass_session

if TYPE_CHECKING:
    from earnest.chain.deployment import Deployment


@click.command(cls=Command)
@click.option(
    "--params",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The file with the constructors' arguments by network; deployments/params.toml unless given.",
)
@click.option("--as", "name", metavar="NETWORK", help="Take the params of this network, as ethereum.sepolia.")
@click.option("--dry-run", is_flag=True, help="Check the params and show the addresses; send nothing.")
@click.option(
    "--record/--no-record",
    default=None,
    help="Write the registry; unless given, on all chains but those that end with their process.",
)
@YES
@pass_session
def deploy(
    session: Session, file: Path | None, name: str | None, dry_run: bool, record: bool | None, yes: bool
) -> None:
    """Put the contracts on a chain, at addresses that follow from their code alone.

    What is there already stays. Beside the registry it writes what verifying the sources takes.
    """
    import ape

    from earnest.chain import deployment
    from earnest.chain.wallet import alone
    from earnest.cli.connection import find_account, load_account, network_of, registry

    path = file.resolve() if file else deployment.PARAMS
    with network_of(session.network):
        try:
            params = deployment.read_params(name or deployment.network_name(), path)
            deployment.check_params(params)
            sender = find_account(session.alias) if dry_run else load_account(session.alias)
            plans = deployment.plan(params, sender, deployment.registered(registry()))
            missing = [each.name for each in plans if not each.present]
            if dry_run:
                places = {each.name: {"address": each.address, "there": each.present} for each in plans}
                rows = [[each.name, each.address, "there" if each.present else "missing"] for each in plans]
                session.show(
                    {"network": deployment.network_name(), "contracts": places},
                    lambda: session.table(["contract", "address", ""], rows),
                )
                return
            if missing:
                session.confirm(f"Deploy {', '.join(missing)} to {deployment.network_name()}?", yes)
            with alone(ape.networks.provider.web3, sender.address, told=session.say):
                done = deployment.deploy(params, sender=sender, folder=registry(), record=record)
        except deployment.DeploymentError as error:
            raise InputError(str(error)) from error
        except ChainError as error:
            if sender.balance == 0:
                where = deployment.network_name()
                raise InputError(f"{sender.address} has nothing on {where} to pay for gas with.") from error
            raise
        contracts = {each: asdict(found) for each, found in done.contracts.items()}
        members = {"chain": done.chain, "network": done.network, "contracts": contracts, "gas": done.gas}
        session.show(members, lambda: _show(session, done))
        if deployment.is_recorded(done.chain, record):
            _keep_sources(session, done, registry())


def _keep_sources(session: Session, done: Deployment, folder: Path) -> None:
    """Write the sources; the contracts are deployed whether that goes well or not."""
    from earnest.chain.sources import write_sources

    try:
        home = write_sources(done, folder)
    except Exception as error:  # whatever the compiler's plugin raises
        session.say(f"What verifying the sources takes could not be written: {error}")
    else:
        session.say(f"What verifying the sources takes is in {home}.")


def _show(session: Session, done: Deployment) -> None:
    rows = [
        [name, found.address, f"{done.gas[name]:,}" if name in done.gas else "was there"]
        for name, found in done.contracts.items()
    ]
    title = f"Earnest on {done.network}, chain {done.chain}"
    session.table(["contract", "address", "#gas"], rows, title=title)
    if not all(found.deterministic for found in done.contracts.values()):
        session.say("This chain has no CREATE2 deployer: the addresses are not those of other chains.")
