"""A signed enrolment as a file that anybody can carry."""

from __future__ import annotations

import json
from pathlib import Path

from eth_utils.address import is_address

from earnest.chain.errors import short_id
from earnest.chain.messages import SignedEnrolment
from earnest.chain.state import Campaign
from earnest.cli.errors import InputError
from earnest.cli.session import Session
from earnest.cli.text import campaign_text
from earnest.files import FileError, read_json


def write_enrolment(signed: SignedEnrolment, session: Session, found: Campaign) -> str:
    """The file's text."""
    members = vars(signed) | {"proof": signed.proof.hex(), "signature": signed.signature.hex()}
    document = {
        "chain": session.client.domain.chain_id,
        "contract": session.client.address,
        "campaign": campaign_text(found.number),
        "enrolment": members,
    }
    return json.dumps(document, indent=1) + "\n"


def read_enrolment(file: Path, session: Session, found: Campaign) -> SignedEnrolment:
    """The enrolment in a file. Raises InputError when it holds none, or one for elsewhere."""
    try:
        document = read_json(file)
        members = document["enrolment"]
        where = (document["chain"], document["contract"], int(document["campaign"], 16))
        signed = SignedEnrolment(
            **members
            | {"proof": bytes.fromhex(members["proof"]), "signature": bytes.fromhex(members["signature"])}
        )
    except (FileError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{file} holds no signed enrolment, as sign-enroll writes it.") from error
    _check(file, signed)
    here = (session.client.domain.chain_id, session.client.address, found.number)
    if where != here:
        raise InputError(
            f"{file} is for chain {where[0]}, contract {where[1]}, campaign {short_id(where[2])};"
            f" this is chain {here[0]}, contract {here[1]}, campaign {short_id(here[2])}."
        )
    return signed


def _check(file: Path, signed: SignedEnrolment) -> None:
    """Raise InputError for a member that the contract's types do not hold."""
    if not is_address(signed.labeler):
        raise InputError(f"{file} has labeler {signed.labeler!r}; it must be an address.")
    for name in ("seats", "nonce", "deadline"):
        value = getattr(signed, name)
        if type(value) is not int or not 0 <= value < 2**256:
            raise InputError(f"{file} has {name} {value!r}; it must be a whole number of 0 or more.")
