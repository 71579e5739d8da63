"""`earnest label`: from a campaign that is open to money withdrawn, without losing an answer on the way."""

from __future__ import annotations

import click

from earnest.cli.groups import Group
from earnest.cli.label.backing import backup, recover
from earnest.cli.label.committing import commit, reveal, run
from earnest.cli.label.enrolling import enroll, sign_enroll
from earnest.cli.label.finding import find, show
from earnest.cli.label.looking import history, status
from earnest.cli.label.working import fetch, import_, work
from earnest.cli.vault import deposit, withdraw


@click.group(cls=Group)
def label() -> None:
    """Sell labels: find, show, enroll, work, commit, reveal; or run, which does what is due by itself."""


# In the order in which people use them.
COMMANDS = (
    find, show, enroll, sign_enroll, fetch, work, import_, commit, reveal, run, status,
    deposit, withdraw, history, backup, recover,
)  # fmt: skip

for command in COMMANDS:
    label.add_command(command)
