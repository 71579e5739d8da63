"""Whether a campaign's gate is one: asked before money is put behind it."""

from __future__ import annotations

from typing import Final

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from earnest.chain.errors import revert_data
from earnest.cli.errors import InputError
from earnest.cli.session import Session
from earnest.experimenter import allowlist
from earnest.experimenter.folder import Record
from earnest.experimenter.settings import Gate

# Of `IGate.admit`: campaign, rule, labeler, seats, proof; and its yes.
_ADMIT: Final = ("uint256", "bytes32", "address", "uint256", "bytes")
_YES: Final = encode(["bool"], [True])


def check_gate(session: Session, record: Record, gate: Gate) -> None:
    """Raise InputError unless there is a gate that admits whom its allowlist names first."""
    web3, terms = session.client.web3, record.terms
    chain = session.client.domain.chain_id
    if not web3.eth.get_code(web3.to_checksum_address(terms.gate)):
        raise InputError(f"gate.address is {terms.gate}; there is no contract on chain {chain}.")
    labeler = min(gate.seats)
    proof = allowlist.proof(gate.seats, labeler)
    data = keccak(text=f"admit({','.join(_ADMIT)})")[:4] + encode(
        _ADMIT, [record.campaign, terms.gate_rule, labeler, 1, proof]
    )
    try:
        answer = bytes(web3.eth.call({"from": session.client.address, "to": terms.gate, "data": data}))
    except Exception as error:  # the in-process node raises its own
        if revert_data(error) is None:
            raise
        answer = b""
    if answer != _YES:
        raise InputError(
            f"gate.address is {terms.gate}, a contract that does not admit {labeler} of gate.allowlist:"
            " it must be an AllowlistGate, as `earnest deploy` shows it."
        )
