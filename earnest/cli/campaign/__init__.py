"""`earnest campaign`: from a campaign file and a file of tasks to a labelled dataset."""

from __future__ import annotations

import click

from earnest.cli.campaign.acting import disclose, export, refund, release, report, settle
from earnest.cli.campaign.creating import create
from earnest.cli.campaign.looking import list_, show, watch
from earnest.cli.campaign.planning import plan
from earnest.cli.campaign.running import run
from earnest.cli.groups import Group
from earnest.cli.vault import deposit, withdraw


@click.group(cls=Group)
def campaign() -> None:
    """Buy labels, step by step; or run, which does all of it."""


COMMANDS = (
    plan, create, watch, disclose, settle, release, export, report, refund, deposit, withdraw,
    list_, show, run,
)  # fmt: skip

for command in COMMANDS:
    campaign.add_command(command)
