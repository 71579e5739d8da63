"""`earnest deploy`: the contracts on a chain, once; running it again finds them there."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from earnest.cli.errors import InputError
from earnest.cli.groups import Command
from earnest.cli.session import Session, pass_session


@click.command(cls=Command)
@click.option(
    "--params",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The file with the constructors' arguments by network; deployments/params.toml unless given.",
)
@click.option("--as", "name", metavar="NETWORK", help="Take the params of this network, as ethereum.sepolia.")
@click.option("--verify", is_flag=True, help="Publish the sources where an explorer is configured.")
@click.option("--yes", is_flag=True, help="Do not ask before signing.")
@pass_session
def deploy(session: Session, params: Path | None, name: str | None, verify: bool, yes: bool) -> None:
    """Put the contracts on a chain, at addresses that follow from their code alone.

    What is there already stays; the registry, a file by chain id, is written afresh.
    """
    from earnest.chain import deployment
    from earnest.cli.connection import load_account, network_of, registry

    with network_of(session.network):
        try:
            chosen = deployment.read_params(
                name or deployment.network_name(), params.resolve() if params else deployment.PARAMS
            )
            deployment.check_params(chosen)
            sender = load_account(session.alias)
            plans = deployment.plan(chosen, sender, {})
            rows = [(each.name, each.address, "there" if each.present else "to deploy") for each in plans]
            if not session.json:
                session.table(["contract", "address", ""], rows)
            if not all(each.present for each in plans):
                session.confirm("Deploy what is missing?", yes)
            done = deployment.deploy(chosen, sender=sender, folder=registry(), record=True)
            published = deployment.verify(done) if verify else []
        except deployment.DeploymentError as error:
            raise InputError(str(error)) from error
    contracts = {each: asdict(found) for each, found in done.contracts.items()}
    session.show(
        {"chain": done.chain, "network": done.network, "contracts": contracts, "gas": done.gas}
        | {"published": published},
        lambda: session.say(
            f"Earnest is at {done.contracts['Earnest'].address} on chain {done.chain}; written to"
            f" {registry() / f'{done.chain}.json'}."
        ),
    )
