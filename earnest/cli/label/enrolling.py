"""`earnest label enroll` and `sign-enroll`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from earnest.chain.errors import ChainError, short_id
from earnest.chain.life import Phase
from earnest.chain.messages import SignedEnrolment
from earnest.chain.money import ETHER
from earnest.chain.records import Enrolled
from earnest.chain.state import Campaign
from earnest.cli.errors import InputError
from earnest.cli.groups import MANIFEST, YES, Command
from earnest.cli.label.amounts import about
from earnest.cli.label.files import write_file
from earnest.cli.label.gate import check_admission, gate_proof
from earnest.cli.label.lookup import campaign_of, desk_of, manifest_of
from earnest.cli.label.offering import show_offer
from earnest.cli.label.options import DATA, PROOF, WHICH
from earnest.cli.label.signed import read_enrolment, write_enrolment
from earnest.cli.number import Number
from earnest.cli.phases import need_phase
from earnest.cli.session import Session, pass_session
from earnest.cli.text import campaign_text
from earnest.labeler.journal import Journal
from earnest.labeler.offer import offer
from earnest.labeler.sight import seats_of
from earnest.protocol.terms import MAX_SEATS, ZERO_ADDRESS, Terms
from earnest.times import clock

if TYPE_CHECKING:
    from earnest.labeler.act import Desk

# Gas that a seat may take until its labels are revealed: approving and depositing once; enrolling, committing
# and revealing for each seat; showing each label.
GAS_ONCE: Final = 250_000
GAS_A_SEAT: Final = 200_000
GAS_A_LABEL: Final = 60


@click.command(cls=Command)
@WHICH
@click.option(
    "--seats", type=Number(1, MAX_SEATS), default=1, show_default=True, help="How many to have in all."
)
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
    if signed is not None:
        need_phase(session, found, Phase.ENROLLING)
        _carry(session, found, read_enrolment(signed, session, found), yes)
        return
    address, token = session.address, session.token(found.terms.token)
    mine = seats_of(found, address)
    missing = seats - len(mine)
    if missing <= 0:  # also when enrolling is over meanwhile
        _enrolled(session, found.number, mine, [])
        return
    need_phase(session, found, Phase.ENROLLING)
    manifest = manifest_of(journal, found, uri)
    proof = gate_proof(found.terms, proof_file, address)
    _check_left(session, found, missing)
    _check_balance(session, found.terms, missing)
    check_admission(session, found, missing, proof)
    if not session.json:
        show_offer(session, found, manifest, offer(found.terms, state, address))
    stake = token.write(found.terms.stake * missing)
    session.confirm(f"Stake {stake} for {missing} seat{'s' * (missing > 1)}?", yes)
    transactions = _take_seats(desk_of(session, found.number, journal), session, seats, proof)
    mine = seats_of(session.state.campaigns[found.number], address)
    _enrolled(session, found.number, mine, transactions)


@click.command(name="sign-enroll", cls=Command)
@WHICH
@click.option("--seats", type=Number(1, MAX_SEATS), default=1, show_default=True, help="Seats to take.")
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
    _check_left(session, found, seats)
    check_admission(session, found, seats, proof)
    if to is None:
        session.leave_stdout()
    if not session.json:
        show_offer(session, found, manifest, offer(found.terms, state, account.address))
    session.confirm(f"Sign for {seats} seat{'s' * (seats > 1)} under these terms?", yes)
    signed = client.sign_enrolment(
        found.number,
        seats,
        found.terms.enroll_by,
        signer=account,
        nonce=client.nonce_of(account.address, token),
        proof=proof,
    )
    missing = max(0, found.terms.stake * seats - client.balance_of(account.address, token))
    text = write_enrolment(signed, session, found)
    sentence = (
        f"{to or 'It'} can be carried until {clock(signed.deadline)}, unless another enrolment that you"
        f" signed with nonce {signed.nonce} of this token is carried first, which makes it void."
    )
    if to is None:
        click.echo(text, nl=False)
        session.say(sentence)
    else:
        write_file(to, text.encode())
        session.show(
            {"file": to, "deadline": signed.deadline, "nonce": signed.nonce, "missing": missing},
            lambda: session.say(sentence),
        )
    if missing and not session.json:
        click.echo(
            f"By then {session.token(token).write(missing)} more must be in your balance in the vault,"
            " whoever deposits it.",
            err=True,
        )


def _carry(session: Session, found: Campaign, enrolment: SignedEnrolment, yes: bool) -> None:
    """Bring a signed enrolment to the chain, which passes over those that are used or void already.

    Raises InputError when it is void, or was void by the time that it came there.
    """
    client, labeler, nonce = session.client, enrolment.labeler, enrolment.nonce
    transactions, sentence = [], f"{labeler} is enrolled."
    if nonce < client.nonce_of(labeler, found.terms.token):
        mine = seats_of(found, labeler)
        if not mine:
            raise InputError(f"The enrolment of {labeler} is void: it carries nonce {nonce}, which is used.")
        sentence = f"Nonce {nonce} is used, and {labeler} has {_seats(mine)}: there is nothing to carry."
    else:
        session.confirm(f"Carry the enrolment of {labeler}?", yes)
        with session.alone():
            sent = client.enroll_signed(found.number, [enrolment], sender=session.account)
        if not any(each.labeler == labeler for each in sent.all(Enrolled)):
            raise InputError(
                f"The contract passed the enrolment of {labeler} over in transaction {sent.transaction}:"
                f" its nonce {nonce} was used just before."
            )
        transactions.append(sent.transaction)
    session.show({"transactions": transactions, "labeler": labeler}, lambda: session.say(sentence))


def _seats(numbers: list[int]) -> str:
    return f"seat{'s' * (len(numbers) > 1)} {', '.join(map(str, numbers))}"


def _take_seats(desk: Desk, session: Session, seats: int, proof: bytes) -> list[str]:
    """Enroll until the labeler has so many seats, decided from the chain with nothing pending."""
    from earnest.chain.wallet import fund

    client, account, number = desk.client, desk.account, desk.book.campaign
    with session.alone():
        found = session.state.campaigns[number]
        missing = seats - len(seats_of(found, account.address))
        if missing <= 0:
            return []
        sent = fund(client, account, found.terms.token, found.terms.stake * missing)
        try:
            sent.append(client.enroll(number, missing, sender=account, proof=proof))
        except ChainError as error:
            free = session.token(found.terms.token).write(
                client.balance_of(account.address, found.terms.token)
            )
            raise InputError(
                f"{error} {free} is free in the vault; `earnest label withdraw` takes it back."
            ) from error
    return [each.transaction for each in sent]


def _check_left(session: Session, found: Campaign, seats: int) -> None:
    life = found.life_at(session.now)
    if seats > life.seats - life.taken:
        raise InputError(f"{seats} seats are wanted and {life.seats - life.taken} are left.")


def _check_balance(session: Session, terms: Terms, seats: int) -> None:
    """Raise InputError, with how much more is needed, before anything is sent."""
    from earnest.chain.wallet import lacking

    client, address, stake = session.client, session.address, terms.stake * seats
    write = session.token(terms.token).write
    missing = lacking(client, address, terms.token, stake)
    if missing:
        raise InputError(
            f"The stake is {write(stake)}: {write(missing)} more is needed than {address} has in its wallet"
            " and free in the vault."
        )
    deposit = max(0, stake - client.balance_of(address, terms.token)) if terms.token == ZERO_ADDRESS else 0
    seat = GAS_A_SEAT + GAS_A_LABEL * terms.batch_size
    gas = (GAS_ONCE + seat * seats) * int(client.web3.eth.gas_price)
    short_of = gas - (client.wallet_of(address, ZERO_ADDRESS) - deposit)
    if short_of > 0:
        raise InputError(
            f"Gas until the labels are revealed may take {about(ETHER, gas)}: {about(ETHER, short_of)} more"
            f" is needed than {address} has in its wallet beside the stake."
        )


def _enrolled(session: Session, number: int, mine: list[int], transactions: list[str]) -> None:
    seats = ", ".join(map(str, mine))
    session.show(
        {"campaign": campaign_text(number), "seats": mine, "transactions": transactions},
        lambda: session.say(f"Your seats in campaign {short_id(number)}: {seats}."),
    )
