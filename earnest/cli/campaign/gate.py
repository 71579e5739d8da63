"""Whether a campaign's gate is one: asked before money is put behind it."""

from __future__ import annotations

from earnest.chain.errors import ChainError
from earnest.cli.errors import InputError
from earnest.cli.session import Session
from earnest.experimenter import allowlist
from earnest.experimenter.folder import Record
from earnest.experimenter.settings import Gate


def check_gate(session: Session, record: Record, gate: Gate) -> None:
    """Raise InputError unless there is a gate that admits whom its allowlist names first."""
    web3, terms = session.client.web3, record.terms
    chain = session.client.domain.chain_id
    if not web3.eth.get_code(web3.to_checksum_address(terms.gate)):
        raise InputError(f"gate.address is {terms.gate}; there is no contract on chain {chain}.")
    labeler = min(gate.seats)
    proof = allowlist.proof(gate.seats, labeler)
    try:
        admitted = session.client.admits(record.campaign, terms, labeler, 1, proof)
    except ChainError as error:
        if error.refusal is None:
            raise
        admitted = False
    if not admitted:
        raise InputError(
            f"gate.address is {terms.gate}, a contract that does not admit {labeler} of gate.allowlist:"
            " it must be an AllowlistGate, as `earnest deploy` shows it."
        )
