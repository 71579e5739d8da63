"""A gate's proof, from what the experimenter handed out."""

from __future__ import annotations

import json
import re
from pathlib import Path

from earnest.cli.errors import InputError
from earnest.experimenter import allowlist
from earnest.protocol.terms import ZERO_ADDRESS, Terms


def gate_proof(terms: Terms, file: Path | None, labeler: str) -> bytes:
    """The gate's proof for a labeler, from an allowlist or as it stands in the file."""
    if terms.gate == ZERO_ADDRESS:
        return b""
    if file is None:
        raise InputError(
            f"The campaign has a gate, {terms.gate}: say --proof with its allowlist, or with your proof."
        )
    text = file.read_text(encoding="utf-8").strip()
    if re.fullmatch(r"(0x)?([0-9a-fA-F]{2})*", text):
        return bytes.fromhex(text.removeprefix("0x"))
    try:
        seats = {str(address): int(most) for address, most in json.loads(text).items()}
    except (ValueError, AttributeError, TypeError) as error:
        raise InputError(f"{file} is neither an allowlist nor a proof in hexadecimal.") from error
    if allowlist.root(seats) != terms.gate_rule:
        raise InputError(
            f"{file} is not the campaign's allowlist: its root is 0x{allowlist.root(seats).hex()},"
            f" the terms have 0x{terms.gate_rule.hex()}."
        )
    return allowlist.proof(seats, labeler)
