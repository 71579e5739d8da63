"""The command line: `earnest campaign …`, `earnest label …`, `earnest settle …`, `earnest deploy`."""

from __future__ import annotations

import os
import sys

from earnest.cli.groups import Root, lazy

cli = Root(
    name="earnest",
    help="Buy labels from strangers, and trust them.",
    commands={
        "campaign": lazy("earnest.cli.campaign:campaign", "Buy labels: plan, create, watch, export."),
        "label": lazy("earnest.cli.label:label", "Sell labels: enroll, label, commit, reveal, be paid."),
        "settle": lazy("earnest.cli.settle:settle", "Draw, post, check and release, for all or some."),
        "deploy": lazy("earnest.cli.deploy:deploy", "Put the contracts on a chain."),
    },
)


def main() -> None:
    """Run the command line; bad input gives one sentence and exit status 2."""
    if not sys.stderr.isatty():  # Ape shows bars while it waits for confirmations; programs read our stderr
        os.environ.setdefault("TQDM_DISABLE", "1")
    cli.main(args=sys.argv[1:], prog_name="earnest")
