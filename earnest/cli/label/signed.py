"""A signed enrolment as a file that anybody can carry."""

from __future__ import annotations

import json
from pathlib import Path

from earnest.chain.messages import SignedEnrolment
from earnest.chain.state import Campaign
from earnest.cli.errors import InputError
from earnest.cli.session import Session
from earnest.cli.text import campaign_text, short


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
        document = json.loads(file.read_text(encoding="utf-8"))
        members = document["enrolment"]
        where = (document["chain"], document["contract"], int(document["campaign"], 16))
        signed = SignedEnrolment(
            **members
            | {"proof": bytes.fromhex(members["proof"]), "signature": bytes.fromhex(members["signature"])}
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{file} holds no signed enrolment: {error!r}.") from error
    here = (session.client.domain.chain_id, session.client.address, found.number)
    if where != here:
        raise InputError(
            f"{file} is for chain {where[0]}, contract {where[1]}, campaign {short(campaign_text(where[2]))};"
            f" this is chain {here[0]}, contract {here[1]}, campaign {short(campaign_text(here[2]))}."
        )
    return signed
