"""What people can put right: one clear sentence and exit status 2; anything else keeps its traceback."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

import click

from earnest.addresses import AddressError
from earnest.chain.errors import ChainError, FollowError
from earnest.chain.state import StateError
from earnest.experimenter.errors import ExperimenterError
from earnest.labeler.errors import LabelerError
from earnest.manifest.errors import ManifestError
from earnest.protocol.errors import ProtocolError
from earnest.settler.errors import SettlerError
from earnest.tasks.errors import TaskError
from earnest.times import DurationError
from earnest.visible import visible

BAD_INPUT: Final = 2
LONGEST: Final = 1_000  # characters of a sentence that quotes what it complains of
INTERRUPTED: Final = 130

PLAIN_ERRORS: Final = (
    AddressError,
    ChainError,
    DurationError,
    ExperimenterError,
    FollowError,
    LabelerError,
    ManifestError,
    ProtocolError,
    SettlerError,
    StateError,
    TaskError,
)


class InputError(click.ClickException):
    """Input that cannot be used: one clear sentence, exit status 2."""

    exit_code = BAD_INPUT


def is_json(arguments: Sequence[str]) -> bool:
    """Whether a command line asks for JSON, before or without parsing it."""
    return "--json" in arguments


def report(error: Exception, as_json: bool) -> int:
    """Say what went wrong on stderr, in one sentence or as `{"error": …}`; returns the exit status.

    Raises the error again when it is a fault of ours.
    """
    if isinstance(error, click.Abort):
        sentence, status = "Stopped; what was signed before stands.", INTERRUPTED
    elif isinstance(error, click.exceptions.Exit):
        return error.exit_code
    elif isinstance(error, click.ClickException):
        sentence, status = error.format_message(), error.exit_code
    elif isinstance(error, PLAIN_ERRORS):
        sentence, status = str(error), BAD_INPUT
    elif type(error).__module__.startswith(("ape.", "ape_", "web3.", "requests.")):
        sentence, status = f"{error}", BAD_INPUT
    elif isinstance(error, OSError) and error.strerror:
        what = error.filename or "Something"
        sentence, status = f"{what} cannot be read or written: {error.strerror}.", BAD_INPUT
    else:
        raise error
    sentence = "\n".join(map(_shortened, sentence.split("\n")))
    text = json.dumps({"error": sentence}, ensure_ascii=False) if as_json else visible(sentence)
    click.echo(text, err=True)
    return status


def _shortened(sentence: str) -> str:
    """A sentence without the middle of a very long text that it quotes."""
    half = LONGEST // 2
    return sentence if len(sentence) <= LONGEST else f"{sentence[:half]} … {sentence[-half:]}"
