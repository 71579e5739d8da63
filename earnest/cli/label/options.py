"""What the labeler's commands are told on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from earnest.cli.errors import InputError
from earnest.cli.number import Number
from earnest.cli.session import Session
from earnest.files import data_folder
from earnest.labeler.sight import TAGS
from earnest.protocol.terms import MAX_SEATS


class Confirmations(click.ParamType):
    """A number of blocks, or one of the tags of nodes."""

    name = "blocks"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int | str:
        """The number, or the tag."""
        if isinstance(value, int) or value in TAGS:
            return int(value) if isinstance(value, int) else str(value)
        if not str(value).isdecimal():
            tags = " or ".join(TAGS)
            raise InputError(f"--confirmations is {value!r}; it must be a number of blocks, {tags}.")
        return int(value)


def _remember_folder(ctx: click.Context, _: click.Parameter, folder: Path) -> Path:
    """What is read of the chain is kept beside the journal."""
    ctx.ensure_object(Session).folder = folder
    return folder


WHICH = click.argument("which", metavar="CAMPAIGN")
DATA = click.option(
    "--data",
    envvar="EARNEST_DATA",
    type=click.Path(file_okay=False, path_type=Path),
    default=data_folder,
    show_default="the user's folder for data",
    help="Where the journal is kept, and what was read of the chain.",
    callback=_remember_folder,
)
SEAT = click.option("--seat", type=Number(0, MAX_SEATS - 1), help="Which of your seats; all unless given.")
CONFIRMATIONS = click.option(
    "--confirmations",
    type=Confirmations(),
    help="How settled an early end of the commit phase must be before labels are shown: blocks, safe or"
    " finalized; 2 blocks on a devnet, 12 elsewhere, unless given.",
)
PROOF = click.option(
    "--proof",
    "proof_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="For a campaign with a gate: the allowlist as JSON, or a file with the proof in hexadecimal.",
)
