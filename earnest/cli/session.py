"""One run of the command line: what was asked for, the connection once something needs it, and the output.

`session.client` is connected, `session.account` unlocked, when first asked for; Ape is imported no sooner, so
that help and everything without a chain answers at once.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from earnest.chain.money import Token
from earnest.chain.state import State
from earnest.cli.errors import InputError
from earnest.cli.text import plain
from earnest.files import FileError, data_folder, read_text
from earnest.visible import visible

if TYPE_CHECKING:
    from ape.api import AccountAPI

    from earnest.chain.client import Client
    from earnest.chain.follow import Follower, Sight
    from earnest.chain.records import Record
    from earnest.chain.sending import Sent

PLAIN_WIDTH: Final = 160
PASSPHRASE_FILE: Final = "EARNEST_PASSPHRASE_FILE"


@dataclass
class Session:
    """One run of the command line: what was asked for, and the connection once something needs it."""

    network: str | None = None
    alias: str | None = None
    contract: str | None = None
    json: bool = False
    folder: Path | None = None
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

    @cached_property
    def address(self) -> str:
        """The chosen account's address, for which nothing is unlocked."""
        from earnest.cli.connection import find_account

        _ = self.client  # Ape's accounts are found once it is connected
        return str(find_account(self.alias).address)

    @property
    def records(self) -> Path:
        """The file in which the contract's records are kept, for all commands."""
        chain, contract = self.client.domain.chain_id, self.client.address.lower()
        return (self.folder or data_folder()) / f"records-{chain}-{contract}.sqlite"

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

    @contextmanager
    def alone(self) -> Iterator[None]:
        """While nothing else is sent for the account, in whatever role. Raises BusyError where it is."""
        from earnest.chain.wallet import alone

        with alone(self.client.web3, self.account.address, told=self.say):
            yield

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
            self.console.print(_text(sentence), soft_wrap=True)

    def members(self, value: Mapping[str, Any], title: str | None = None) -> None:
        """Print names and values below each other."""
        table = Table(title=title, show_header=False, box=None, title_justify="left", pad_edge=False)
        table.add_column(style="bold")
        table.add_column(overflow="fold")
        for name, each in value.items():
            table.add_row(name, _text(each))
        self.console.print(table)

    def table(
        self, columns: Sequence[str], rows: Sequence[Sequence[object]], title: str | None = None
    ) -> None:
        """Print rows under column heads; those that begin with `#` are aligned to the right."""
        table = Table(title=title, box=None, title_justify="left", pad_edge=False, header_style="bold")
        for column in columns:
            table.add_column(column.removeprefix("#"), justify="right" if column[:1] == "#" else "left")
        for row in rows:
            table.add_row(*map(_text, row))
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
        click.confirm(question, abort=True, err=self.json or self.console.stderr)

    def leave_stdout(self) -> None:
        """Speak to people on stderr from now on: stdout is for what the command makes."""
        self.console = _console(stderr=True)


def _text(value: object) -> Text:
    """A value as the terminal shows it: strangers' control characters and markup are shown, never obeyed."""
    return Text(visible(str(value)))


def _console(stderr: bool = False) -> Console:
    """The terminal; where there is none lines are as long as they must be, for other programs to read."""
    terminal = (sys.stderr if stderr else sys.stdout).isatty()
    return Console(stderr=stderr, highlight=False, width=None if terminal else PLAIN_WIDTH)


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
        return read_text(Path(named)).rstrip("\r\n")
    except FileError as error:
        raise InputError(f"${PASSPHRASE_FILE}: {error}") from None


pass_session = click.make_pass_decorator(Session, ensure=True)
