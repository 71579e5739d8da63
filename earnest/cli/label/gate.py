"""A gate's proof, from what the experimenter handed out, and the gate's answer to it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final

from eth_abi.abi import encode
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from earnest.chain.errors import Refusal, Refusals, Situation, explain, revert_data
from earnest.chain.state import Campaign
from earnest.cli.errors import InputError
from earnest.cli.session import Session
from earnest.experimenter import allowlist
from earnest.protocol.terms import ZERO_ADDRESS, Terms

# Of `IGate.admit`: campaign, rule, labeler, seats, proof.
_ADMIT_INPUTS: Final = ("uint256", "bytes32", "address", "uint256", "bytes")


def gate_proof(terms: Terms, file: Path | None, labeler: str) -> bytes:
    """The gate's proof for a labeler, from an allowlist or as it stands in the file."""
    if terms.gate == ZERO_ADDRESS:
        return b""
    if file is None:
        raise InputError(
            f"The campaign has a gate, {terms.gate}: say --proof with its allowlist, or with your proof."
        )
    try:
        text = file.read_text(encoding="utf-8").strip()
        if re.fullmatch(r"(0x)?([0-9a-fA-F]{2})+", text):
            return bytes.fromhex(text.removeprefix("0x"))
        seats = {str(to_checksum_address(address)): int(most) for address, most in json.loads(text).items()}
    except (OSError, ValueError, AttributeError, TypeError) as error:
        raise InputError(
            f"{file} is neither the allowlist.json of the campaign's folder nor a proof in hexadecimal."
        ) from error
    if allowlist.root(seats) != terms.gate_rule:
        raise InputError(
            f"{file} is not the campaign's allowlist: its root is 0x{allowlist.root(seats).hex()},"
            f" the terms have 0x{terms.gate_rule.hex()}."
        )
    return allowlist.proof(seats, labeler)


def check_admission(session: Session, found: Campaign, seats: int, proof: bytes) -> None:
    """Ask the gate as the contract will, before any money moves. Raises InputError when it says no."""
    from earnest.chain.client import error_abi

    terms, labeler, client = found.terms, session.address, session.client
    if terms.gate == ZERO_ADDRESS:
        return
    refusal = Refusal("NotAdmitted", {"labeler": labeler})
    members = encode(_ADMIT_INPUTS, [found.number, terms.gate_rule, labeler, seats, proof])
    data = keccak(text=f"admit({','.join(_ADMIT_INPUTS)})")[:4] + members
    try:
        answer = client.web3.eth.call({"from": client.address, "to": terms.gate, "data": data})
        admitted = any(answer)
    except Exception as error:  # the in-process node raises its own
        revert = revert_data(error)
        if revert is None:
            raise
        refusal, admitted = Refusals(error_abi()).decode(revert) or refusal, False
    if not admitted:
        raise InputError(explain(refusal, Situation("enroll", session.now)))
