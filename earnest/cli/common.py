"""What all commands share: options, the connection, the account, errors as one sentence, tables or JSON.

A command is written as

    @campaign.command()
    @pass_session
    def watch(session: Session) -> None: ...

on a `Group` of this module; `session.client` then is connected, `session.account` unlocked. Ape is imported
when one of the two is first asked for, so that help and everything without a chain answers at once.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from click.core import ParameterSource
from rich.console import Console
from rich.table import Table

from earnest.chain.errors import ChainError, FollowError, clock
from earnest.chain.money import Token
from earnest.chain.state import Campaign, State, StateError
from earnest.experimenter.errors import ExperimenterError
from earnest.files import data_folder
from earnest.labeler.errors import LabelerError
from earnest.manifest.errors import ManifestError
from earnest.protocol.errors import ProtocolError
from earnest.protocol.score import ABSENT, UNSCORED
from earnest.settler.errors import SettlerError
from earnest.tasks.errors import TaskError
from earnest.times import DurationError, duration

if TYPE_CHECKING:
    from ape.api import AccountAPI

    from earnest.chain.client import Client, Sent
    from earnest.chain.follow import Follower, Sight
    from earnest.chain.records import Record

BAD_INPUT: Final = 2
INTERRUPTED: Final = 130
PLAIN_WIDTH: Final = 160
POLL: Final = 5.0
PASSPHRASE_FILE: Final = "EARNEST_PASSPHRASE_FILE"

# What people can put right; anything else is a fault of ours and keeps its traceback.
PLAIN_ERRORS: Final = (
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


# ── The session ─────────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Session:
    """One run of the command line: what was asked for, and the connection once something needs it."""

    network: str | None = None
    alias: str | None = None
    contract: str | None = None
    json: bool = False
    console: Console = field(default_factory=lambda: _console())
    _tokens: dict[str, Token] = field(default_factory=dict)

    @cached_property
    def client(self) -> Client:
        """The contracts on the chosen network; the connection ends with the command."""
        from earnest.cli.connection import connect

        return click.get_current_context().with_resource(connect(self.network, self.contract))

    @cached_property
    def account(self) -> AccountAPI:
        """The chosen account, unlocked; the passphrase is asked for, or read from the file named by an
        environment variable.
        """
        from earnest.cli.connection import load_account

        _ = self.client  # the account needs a connection to send anything
        return load_account(self.alias)

    @property
    def records(self) -> Path:
        """The file in which the contract's records are kept, for all commands."""
        client = self.client
        return data_folder() / f"records-{client.domain.chain_id}-{client.address.lower()}.sqlite"

    @cached_property
    def follower(self) -> Follower:
        """What keeps the records up with the chain. Raises FollowError when the file cannot be used."""
        from earnest.chain.follow import Follower
        from earnest.chain.store import Store

        client = self.client
        store = Store(self.records, client.first_block)
        click.get_current_context().call_on_close(store.close)
        return Follower(client.web3, client.address, client.sink, store)

    def look(self) -> Sight:
        """The contract's whole state as of the newest block; only what is new is read from the node."""
        return self.follower.look()

    @property
    def state(self) -> State:
        """The contract's whole state as of the newest block."""
        return self.look().state

    def history(self) -> list[Record]:
        """All of the contract's records, in their order."""
        self.look()
        return self.follower.records()

    @property
    def now(self) -> int:
        """The time that the chain goes by: of its newest block, or this machine's if that is later."""
        return max(self.client.now(), int(time.time()))

    def token(self, address: str) -> Token:
        """A token's symbol and decimals, asked once."""
        if address not in self._tokens:
            self._tokens[address] = self.client.token(address)
        return self._tokens[address]

    # ── Output ──────────────────────────────────────────────────────────────────────────────────────────────

    def show(self, value: Mapping[str, Any], people: Callable[[], object] | None = None) -> None:
        """Print a result: for machines as one JSON object, for people by `people` or as a list of members."""
        if self.json:
            click.echo(json.dumps(plain(value), ensure_ascii=False))
        elif people is not None:
            people()
        else:
            self.members(value)

    def say(self, sentence: str) -> None:
        """Tell people what is going on; machines are told by results alone."""
        if not self.json:
            self.console.print(sentence, markup=False, soft_wrap=True)

    def members(self, value: Mapping[str, Any], title: str | None = None) -> None:
        """Print names and values below each other."""
        table = Table(title=title, show_header=False, box=None, title_justify="left", pad_edge=False)
        table.add_column(style="bold")
        table.add_column(overflow="fold")
        for name, each in value.items():
            table.add_row(name, str(each))
        self.console.print(table)

    def table(
        self, columns: Sequence[str], rows: Sequence[Sequence[object]], title: str | None = None
    ) -> None:
        """Print rows under column heads; those that begin with `#` are aligned to the right."""
        table = Table(title=title, box=None, title_justify="left", pad_edge=False, header_style="bold")
        for column in columns:
            table.add_column(column.removeprefix("#"), justify="right" if column[:1] == "#" else "left")
        for row in rows:
            table.add_row(*map(str, row))
        self.console.print(table)

    def done(self, sent: Sequence[Sent], sentence: str) -> None:
        """Say what came of a command, with its transactions."""
        self.show(
            {"transactions": [each.transaction for each in sent], "gas": sum(each.gas for each in sent)},
            lambda: self.say(sentence),
        )

    def confirm(self, question: str, yes: bool) -> None:
        """Ask before something is signed, unless it was agreed to beforehand. Raises click.Abort on a no."""
        if yes:
            return
        if not sys.stdin.isatty():
            raise InputError("There is nobody to ask: agree beforehand with --yes.")
        click.confirm(question, abort=True, err=self.json)


def _console() -> Console:
    """The terminal; where there is none lines are as long as they must be, for other programs to read."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else PLAIN_WIDTH)


def until(deadline: int, now: int) -> str:
    """A time to come or past, local, with what remains: `18:30:00 (in 2h 5m)`."""
    if not deadline:
        return "–"
    distance = f"in {duration(deadline - now)}" if deadline > now else f"{duration(now - deadline)} ago"
    return f"{clock(deadline, now)} ({distance})"


def plain(value: Any) -> Any:
    """A value as JSON has it: bytes in hexadecimal, integers beyond 2^53 as texts, paths as texts."""
    if isinstance(value, Mapping):
        return {str(name): plain(each) for name, each in value.items()}
    if isinstance(value, bytes | bytearray):
        return "0x" + bytes(value).hex()
    if isinstance(value, bool) or value is None or isinstance(value, str | float):
        return value
    if isinstance(value, int):
        return int(value) if abs(value) < 2**53 else str(int(value))
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    return [plain(each) for each in value]


def campaign_text(campaign: int) -> str:
    """A campaign's id in full, as every command takes it."""
    return f"0x{campaign:064x}"


def short(hexadecimal: str) -> str:
    """An id or an address as it stands in tables: its beginning, which `parse_campaign` understands."""
    return hexadecimal[:10] + "…"


def parse_campaign(text: str, known: Iterable[int]) -> int:
    """The campaign that `text` is the id of, or the beginning of the id of one that is `known`.

    Raises InputError when it is neither, or the beginning of several.
    """
    digits = text.lower().removeprefix("0x").removesuffix("…")
    if not 1 <= len(digits) <= 64 or set(digits) - set("0123456789abcdef"):
        raise InputError(f"{text!r} is no campaign; it must be 0x and up to 64 hexadecimal digits.")
    if len(digits) == 64:
        return int(digits, 16)
    found = [campaign for campaign in known if f"{campaign:064x}".startswith(digits)]
    if len(found) != 1:
        raise InputError(f"{len(found) or 'No'} campaigns begin with 0x{digits}; it must be one.")
    return found[0]


def known_campaign(text: str, known: Mapping[int, Campaign], where: str = "on this contract") -> Campaign:
    """The campaign that `text` names. Raises InputError when there is none such among those `known`."""
    number = parse_campaign(text, known)
    if number not in known:
        raise InputError(f"There is no campaign {campaign_text(number)} {where}.")
    return known[number]


def score_text(score: int | None) -> str:
    """A score in basis points, as it stands in tables."""
    if score is None:
        return "–"
    return {ABSENT: "absent", UNSCORED: "unscored"}.get(score, f"{score:+d}")


def scores_text(scores: Sequence[int] | None) -> str:
    """A batch's scores by lane, as they stand in tables."""
    return " ".join(map(score_text, scores)) if scores else "–"


# ── Options, commands, groups ───────────────────────────────────────────────────────────────────────────────


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
        click.Option(
            ["--json"], is_flag=True, help="Answer in JSON.", callback=_remember("json"), **shared
        ),
    ]


class Command(click.Command):
    """A command that takes the common options, too: they may stand before it or after it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = {option for parameter in self.params for option in parameter.opts}
        self.params = [*self.params, *(each for each in _options() if not own & set(each.opts))]


class Group(click.Group):
    """A group whose commands are `Command`s."""

    command_class = Command
    group_class = type

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
            return super().main(*args, **kwargs)
        except Exception as error:
            sys.exit(report(error, is_json(list(given))))

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; a plain error becomes click's own kind, which every caller can print."""
        try:
            return super().invoke(ctx)
        except PLAIN_ERRORS as error:
            raise InputError(str(error)) from error


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


YES = click.option("--yes", is_flag=True, help="Do not ask before signing.")
POLLING = click.option(
    "--poll", type=click.FloatRange(0.1), default=POLL, show_default=True, help="Seconds between looks."
)
MANIFEST = click.option("--manifest", "uri", metavar="URI", help="The manifest, where it is elsewhere now.")

pass_session = click.make_pass_decorator(Session, ensure=True)


# ── Errors ──────────────────────────────────────────────────────────────────────────────────────────────────


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
    else:
        raise error
    click.echo(json.dumps({"error": sentence}, ensure_ascii=False) if as_json else sentence, err=True)
    return status


def passphrase(alias: str) -> str:
    """An account's passphrase: from the file that the environment names, or typed.

    Raises InputError when that file cannot be read, or there is none and nobody to ask.
    """
    named = os.environ.get(PASSPHRASE_FILE)
    if not named:
        if not sys.stdin.isatty():
            raise InputError(
                f"The passphrase of {alias} is needed and there is nobody to ask:"
                f" name a file that holds it in ${PASSPHRASE_FILE}."
            )
        return str(click.prompt(f"Passphrase of {alias}", hide_input=True, err=True))
    try:
        return Path(named).read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        reason = f"${PASSPHRASE_FILE} names {named}, which cannot be read: {error.strerror}."
        raise InputError(reason) from None
