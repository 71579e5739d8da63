"""Commands and groups that take the common options, and the options that several commands share.

A command is written as

    @click.command(cls=Command)
    @pass_session
    def watch(session: Session) -> None: ...

and takes `--network`, `--account`, `--contract` and `--json` before or after its name.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cached_property
from importlib import import_module
from typing import Any, Final

import click
from click.core import ParameterSource

from earnest.cli.errors import PLAIN_ERRORS, InputError, is_json, report
from earnest.cli.number import Number
from earnest.cli.session import PASSPHRASE_FILE, Session

POLL: Final = 5.0
LONGEST_POLL: Final = 3_600.0

YES = click.option("--yes", is_flag=True, help="Do not ask before signing.")
POLLING = click.option(
    "--poll",
    type=Number(0.1, LONGEST_POLL),
    default=POLL,
    show_default=True,
    help="Seconds between looks.",
)
MANIFEST = click.option("--manifest", "uri", metavar="URI", help="The manifest, where it is elsewhere now.")


def _remember(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    """Put an option's value into the session, wherever on the line it stood; the line overrules variables."""

    def remember(ctx: click.Context, parameter: click.Parameter, value: Any) -> None:
        session = ctx.ensure_object(Session)
        variable = ctx.get_parameter_source(parameter.name or "") is ParameterSource.ENVIRONMENT
        if value not in (None, False) and not (variable and getattr(session, name)):
            setattr(session, name, value)

    return remember


def _options() -> list[click.Parameter]:
    shared: dict[str, Any] = {"expose_value": False}
    return [
        click.Option(
            ["--network"],
            envvar="EARNEST_NETWORK",
            metavar="NETWORK",
            help="A node's URL, or a network of Ape such as ethereum:sepolia.",
            callback=_remember("network"),
            **shared,
        ),
        click.Option(
            ["--account"],
            envvar="EARNEST_ACCOUNT",
            metavar="ALIAS",
            help=f"An account of Ape; passphrase: asked for, or in the file named by ${PASSPHRASE_FILE}.",
            callback=_remember("alias"),
            **shared,
        ),
        click.Option(
            ["--contract"],
            envvar="EARNEST_CONTRACT",
            metavar="ADDRESS",
            help="The contract, where it is not the one in the registry of deployments.",
            callback=_remember("contract"),
            **shared,
        ),
        click.Option(["--json"], is_flag=True, help="Answer in JSON.", callback=_remember("json"), **shared),
    ]


class Command(click.Command):
    """A command that takes the common options, too: they may stand before it or after it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = {option for parameter in self.params for option in parameter.opts}
        self.params = [*self.params, *(each for each in _options() if not own & set(each.opts))]

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a plain error becomes click's own kind, which every caller can print."""
        try:
            return super().invoke(ctx)
        except PLAIN_ERRORS as error:
            raise InputError(str(error)) from error


class Group(click.Group):
    """A group whose commands are `Command`s."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params = [*self.params, *_options()]

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which they were written, which is that of their use."""
        return list(self.commands)


class Root(Group):
    """The whole command line; says what is wrong in one sentence under `ape run`, too."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run; as click does, but errors are ours."""
        if not kwargs.get("standalone_mode", True):
            return super().main(*args, **kwargs)
        given = kwargs.get("args") or (args[0] if args else sys.argv[1:])
        try:
            kwargs["standalone_mode"] = False
            status = super().main(*args, **kwargs)  # an int only where a command exits with one
        except Exception as error:
            sys.exit(report(error, is_json(list(given))))
        sys.exit(status if isinstance(status, int) else 0)


class _Lazy(Group):
    """Stands for a group in a module that is imported when one of its commands is asked for."""

    def __init__(self, target: str, short_help: str) -> None:
        super().__init__(name=target.rpartition(":")[2], short_help=short_help)
        self._target = target

    @cached_property
    def _loaded(self) -> click.Command:
        module, attribute = self._target.split(":")
        command = getattr(import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        return self._loaded.make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        return self._loaded.invoke(ctx)


def lazy(target: str, short_help: str) -> click.Command:
    """A command given as `module:name`, whose module is imported when the command is used."""
    return _Lazy(target, short_help)
