"""`deposit` and `withdraw`, the same in every role: money into the vault, and out of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from earnest.addresses import read_address
from earnest.chain.money import Token
from earnest.cli.errors import InputError
from earnest.cli.groups import YES, Command
from earnest.cli.session import Session, pass_session
from earnest.protocol.terms import ZERO_ADDRESS

if TYPE_CHECKING:
    from earnest.chain.sending import Sent

TOKEN = click.option(
    "--token", default=ZERO_ADDRESS, help="The token's address; ether unless given.", metavar="ADDRESS"
)


@click.command(cls=Command)
@TOKEN
@click.option("--amount", required=True, help="How much, in token units.")
@click.option("--for", "owner", metavar="ADDRESS", help="Whose free balance it becomes; yours unless given.")
@YES
@pass_session
def deposit(session: Session, token: str, amount: str, owner: str | None, yes: bool) -> None:
    """Put money into the vault, as free balance for stakes, bounties and bonds: yours, or somebody else's."""
    from earnest.chain.records import Deposited
    from earnest.chain.wallet import deposit as put_in

    found, account = session.token(read_address("--token", token)), session.account
    whose = read_address("--for", owner) if owner else account.address
    wanted = _amount(found, amount)
    if not wanted:
        raise InputError(f"--amount is {amount!r}; it must be more than 0.")
    held = session.client.wallet_of(account.address, found.address)
    if wanted > held:
        raise InputError(
            f"{found.write(wanted)} is to be deposited and {account.address} has {found.write(held)}:"
            f" {found.write(wanted - held)} more is needed."
        )
    session.confirm(f"Deposit {found.write(wanted)} for {whose}?", yes)
    with session.alone():
        done = put_in(session.client, account, found.address, wanted, whose)
    credited = sum(each.amount for each in done[-1].all(Deposited))
    session.done(done, f"{found.write(credited)} is in the vault for {whose}.")


@click.command(cls=Command)
@TOKEN
@click.option("--amount", help="How much, in token units; everything unless given.")
@click.option("--to", "receiver", metavar="ADDRESS", help="Who receives it; you unless given.")
@YES
@pass_session
def withdraw(session: Session, token: str, amount: str | None, receiver: str | None, yes: bool) -> None:
    """Take free balance out of the vault, to yourself or to somebody else."""
    found, account = session.token(read_address("--token", token)), session.account
    to = read_address("--to", receiver) if receiver else account.address
    free = session.client.balance_of(account.address, found.address)
    wanted = free if amount is None else _amount(found, amount)
    if wanted > free:
        raise InputError(
            f"{found.write(wanted)} is to be withdrawn and {found.write(free)} is free:"
            f" {found.write(wanted - free)} more is needed."
        )
    done: list[Sent] = []
    if wanted:
        session.confirm(f"Withdraw {found.write(wanted)} to {to}?", yes)
        with session.alone():
            done = [session.client.withdraw(found.address, wanted, sender=account, to=to)]
    sent = f"withdrawn to {to}" if receiver else "withdrawn"
    session.done(done, f"{found.write(wanted)} is {sent}; {found.write(free - wanted)} stays.")


def _amount(token: Token, text: str) -> int:
    try:
        return token.parse(text)
    except ValueError as error:
        raise InputError(str(error)) from error
