"""`withdraw`, which is the same for experimenters, labelers and settlers: money out of the vault."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
from eth_utils.address import is_address, to_checksum_address

from earnest.cli.errors import InputError
from earnest.cli.groups import YES, Command
from earnest.cli.session import Session, pass_session
from earnest.cli.settling import alone
from earnest.protocol.terms import ZERO_ADDRESS

if TYPE_CHECKING:
    from earnest.chain.client import Sent


@click.command(cls=Command)
@click.option("--token", "address", default=ZERO_ADDRESS, help="The token's address; ether unless given.")
@click.option("--amount", help="How much, in token units; everything unless given.")
@YES
@pass_session
def withdraw(session: Session, address: str, amount: str | None, yes: bool) -> None:
    """Take free balance out of the vault."""
    if not is_address(address):
        raise InputError(f"--token is {address!r}; it must be an address, 0x and 40 hexadecimal digits.")
    token, account = session.token(to_checksum_address(address)), session.account
    free = session.client.balance_of(account.address, token.address)
    try:
        wanted = free if amount is None else token.parse(amount)
    except ValueError as error:
        raise InputError(str(error)) from error
    if wanted > free:
        raise InputError(
            f"{token.write(wanted)} is to be withdrawn and {token.write(free)} is free:"
            f" {token.write(wanted - free)} more is needed."
        )
    done: list[Sent] = []
    if wanted:
        session.confirm(f"Withdraw {token.write(wanted)} to {account.address}?", yes)
        with alone(session):
            done = [session.client.withdraw(token.address, wanted, sender=account)]
    session.done(done, f"{token.write(wanted)} is withdrawn; {token.write(free - wanted)} stays.")
