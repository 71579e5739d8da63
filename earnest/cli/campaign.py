"""`earnest campaign`: from a campaign file and a file of tasks to a labelled dataset."""

from __future__ import annotations

import click

from earnest.cli.acting import disclose, export, refund, release, report, settle, withdraw
from earnest.cli.common import Group
from earnest.cli.looking import list_, show, watch
from earnest.cli.planning import create, plan
from earnest.cli.running import run


@click.group(cls=Group)
def campaign() -> None:
    """Buy labels, step by step; or run, which does all of it."""


COMMANDS = (
    plan, create, watch, disclose, settle, release, export, report, refund, withdraw, list_, show, run
)  # fmt: skip

for command in COMMANDS:
    campaign.add_command(command)
