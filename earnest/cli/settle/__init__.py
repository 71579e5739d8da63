"""`earnest settle`: draw, post, check and release, for all campaigns or some."""

from __future__ import annotations

import click

from earnest.cli.groups import Group
from earnest.cli.settle.acting import post, referee, release
from earnest.cli.settle.looking import check, status
from earnest.cli.settle.running import run
from earnest.cli.vault import deposit, withdraw


@click.group(cls=Group)
def settle() -> None:
    """Draw, post, check and release, for all campaigns or some; anyone can."""


for command in (run, status, check, post, referee, release, deposit, withdraw):
    settle.add_command(command)
