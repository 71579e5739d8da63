"""`earnest label enroll` and `sign-enroll`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from earnest.chain.errors import clock
from earnest.chain.life import Phase
from earnest.cli.errors import InputError
from earnest.cli.groups import Command
from earnest.cli.label.gate import gate_proof
from earnest.cli.label.lookup import campaign_of, desk_of, manifest_of
from earnest.cli.label.offering import show_offer
from earnest.cli.label.options import DATA, MANIFEST, PROOF, WHICH, YES
from earnest.cli.label.signed import read_enrolment
from earnest.cli.phases import need_phase
from earnest.cli.session import Session, pass_session
from earnest.cli.text import campaign_text, short
from earnest.files import write_atomic
from earnest.labeler.journal import Journal
from earnest.labeler.offer import offer
from earnest.labeler.sight import seats_of
from earnest.protocol.terms import Terms

if TYPE_CHECKING:
    from earnest.labeler.act import Desk


@click.command(cls=Command)
@WHICH
@click.option("--seats", type=click.IntRange(1), default=1, show_default=True, help="Seats to have in all.")
@click.option(
    "--signed",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Carry an enrolment that somebody signed with sign-enroll, at this account's gas.",
)
@PROOF
@DATA
@MANIFEST
@YES
@pass_session
def enroll(
    session: Session,
    which: str,
    seats: int,
    signed: Path | None,
    proof_file: Path | None,
    data: Path,
    uri: str | None,
    yes: bool,
) -> None:
    """Take seats, depositing what is missing; run again it takes no more than those asked for."""
    journal = Journal(data)
    state, found = campaign_of(session, which, journal)
    need_phase(session, found, Phase.ENROLLING)
    if signed is not None:
        enrolment = read_enrolment(signed, session, found)
        session.confirm(f"Carry the enrolment of {enrolment.labeler}?", yes)
        sent = session.client.enroll_signed(found.number, [enrolment], sender=session.account)
        session.show(
            {"transactions": [sent.transaction], "labeler": enrolment.labeler},
            lambda: session.say(f"{enrolment.labeler} is enrolled."),
        )
        return
    manifest = manifest_of(journal, found, uri)
    address, token = session.account.address, session.token(found.terms.token)
    proof = gate_proof(found.terms, proof_file, address)
    mine = seats_of(found, address)
    missing = seats - len(mine)
    if missing <= 0:
        _enrolled(session, found.number, mine, [])
        return
    life = found.life_at(session.now)
    if missing > life.seats - life.taken:
        raise InputError(f"{missing} seats are wanted and {life.seats - life.taken} are left.")
    _check_balance(session, found.terms, missing)
    if not session.json:
        show_offer(session, found, manifest, offer(found.terms, state, address))
    stake = token.write(found.terms.stake * missing)
    session.confirm(f"Stake {stake} for {missing} seat{'s' * (missing > 1)}?", yes)
    transactions = _take_seats(desk_of(session, found.number, journal), session, seats, proof)
    mine = seats_of(session.client.state().campaigns[found.number], address)
    _enrolled(session, found.number, mine, transactions)


@click.command(name="sign-enroll", cls=Command)
@WHICH
@click.option("--seats", type=click.IntRange(1), default=1, show_default=True, help="Seats to take.")
@click.option(
    "--to", type=click.Path(dir_okay=False, path_type=Path), help="A file; the terminal unless given."
)
@PROOF
@DATA
@MANIFEST
@YES
@pass_session
def sign_enroll(
    session: Session,
    which: str,
    seats: int,
    to: Path | None,
    proof_file: Path | None,
    data: Path,
    uri: str | None,
    yes: bool,
) -> None:
    """Sign an enrolment that anybody may carry to the chain: the stake is yours, the gas theirs."""
    journal = Journal(data)
    state, found = campaign_of(session, which, journal)
    need_phase(session, found, Phase.ENROLLING)
    manifest = manifest_of(journal, found, uri)
    client, account, token = session.client, session.account, found.terms.token
    proof = gate_proof(found.terms, proof_file, account.address)
    if not session.json and to is not None:
        show_offer(session, found, manifest, offer(found.terms, state, account.address))
    session.confirm(f"Sign for {seats} seats under these terms?", yes)
    signed = client.sign_enrolment(
        found.number,
        seats,
        found.terms.enroll_by,
        signer=account,
        nonce=client.nonce_of(account.address, token),
        proof=proof,
    )
    members = vars(signed) | {"proof": signed.proof.hex(), "signature": signed.signature.hex()}
    document = {
        "chain": client.domain.chain_id,
        "contract": client.address,
        "campaign": campaign_text(found.number),
        "enrolment": members,
    }
    if to is None:
        click.echo(json.dumps(document, indent=1))
        return
    write_atomic(to, (json.dumps(document, indent=1) + "\n").encode())
    session.show({"file": to}, lambda: session.say(f"{to} can be carried until {clock(signed.deadline)}."))


def _take_seats(desk: Desk, session: Session, seats: int, proof: bytes) -> list[str]:
    """Enroll until the labeler has so many seats, decided from the chain with nothing pending."""
    from earnest.chain.wallet import fund, wait_for_pending

    client, account, number = desk.client, desk.account, desk.book.campaign
    with desk.journal.locked(desk.acting, lambda: session.say("Another process of this wallet is sending.")):
        if not wait_for_pending(client, account.address):
            raise InputError(
                f"A transaction of {account.address} is still pending, which may be this very enrolment:"
                " wait for it, or replace it, then look with `earnest label status`."
            )
        found = client.state().campaigns[number]
        missing = seats - len(seats_of(found, account.address))
        if missing <= 0:
            return []
        sent = fund(client, account, found.terms.token, found.terms.stake * missing)
        sent.append(client.enroll(number, missing, sender=account, proof=proof))
    return [each.transaction for each in sent]


def _check_balance(session: Session, terms: Terms, seats: int) -> None:
    """Raise InputError, with how much more is needed, before anything is sent."""
    from earnest.chain.wallet import lacking

    address, write, stake = session.account.address, session.token(terms.token).write, terms.stake * seats
    missing = lacking(session.client, address, terms.token, stake)
    if missing:
        raise InputError(
            f"The stake is {write(stake)}: {write(missing)} more is needed than {address} has in its wallet"
            " and free in the vault."
        )


def _enrolled(session: Session, number: int, mine: list[int], transactions: list[str]) -> None:
    seats = ", ".join(map(str, mine))
    session.show(
        {"campaign": campaign_text(number), "seats": mine, "transactions": transactions},
        lambda: session.say(f"Your seats in campaign {short(campaign_text(number))}: {seats}."),
    )
