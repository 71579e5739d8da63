"""A gate's proof, from what the experimenter handed out, and the gate's answer to it."""

from __future__ import annotations

import re
from pathlib import Path

from eth_utils.address import is_address, to_checksum_address

from earnest.chain.errors import Refusal, explain
from earnest.chain.state import Campaign
from earnest.cli.errors import InputError
from earnest.cli.session import Session
from earnest.experimenter import allowlist
from earnest.files import FileError, read_text
from earnest.json_text import parse_json
from earnest.protocol.terms import ZERO_ADDRESS, Terms


def gate_proof(terms: Terms, file: Path | None, labeler: str) -> bytes:
    """The gate's proof for a labeler, from an allowlist or as it stands in the file."""
    if terms.gate == ZERO_ADDRESS:
        return b""
    if file is None:
        raise InputError(
            f"The campaign has a gate, {terms.gate}: say --proof with its allowlist, or with your proof."
        )
    try:
        text = read_text(file).strip()
    except FileError as error:
        raise InputError(str(error)) from error
    if re.fullmatch(r"(0x)?([0-9a-fA-F]{2})+", text):
        return bytes.fromhex(text.removeprefix("0x"))
    seats = _listed(file, text)
    if allowlist.root(seats) != terms.gate_rule:
        raise InputError(
            f"{file} is not the campaign's allowlist: its root is 0x{allowlist.root(seats).hex()},"
            f" the terms have 0x{terms.gate_rule.hex()}."
        )
    return allowlist.proof(seats, labeler)


def _listed(file: Path, text: str) -> dict[str, int]:
    """An allowlist: how many seats each labeler may take."""
    try:
        listed = parse_json(text)
    except ValueError:
        listed = None
    if not isinstance(listed, dict) or not all(map(is_address, listed)):
        raise InputError(
            f"{file} is neither the allowlist.json of the campaign's folder nor a proof in hexadecimal."
        )
    for address, most in listed.items():
        if type(most) is not int or not 0 <= most < 1 << 256:
            raise InputError(
                f"{file} gives {address} {most!r} seats; it must be a whole number from 0 to 2^256 − 1."
            )
    return {str(to_checksum_address(address)): most for address, most in listed.items()}


def check_admission(session: Session, found: Campaign, seats: int, proof: bytes) -> None:
    """Ask the gate, if there is one, before any money moves. Raises InputError or ChainError for its no."""
    labeler, terms = session.address, found.terms
    if terms.gate == ZERO_ADDRESS:
        return
    if not session.client.admits(found.number, terms, labeler, seats, proof):
        raise InputError(explain(Refusal("NotAdmitted", {"labeler": labeler})))
