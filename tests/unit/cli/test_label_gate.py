"""Campaigns with a gate: the allowlist as the experimenter hands it out, or a proof of one's own."""

from __future__ import annotations

import json

import ape
import pytest
from eth_utils.address import to_checksum_address

from earnest.experimenter import allowlist

pytestmark = pytest.mark.anvil

DEEP = "[" * 200_000


@pytest.fixture
def seats(labeler, stage):
    """The list: the labeler may take two seats."""
    return {labeler.account.address: 2} | {other.address: 1 for other in stage.others[:4]}


@pytest.fixture
def gate(project, operator):
    return str(operator.deploy(project.AllowlistGate).address)


@pytest.fixture
def gated(stage, gate, seats):
    stage.create(gate=gate, gate_rule=allowlist.root(seats))
    return stage


@pytest.fixture
def listed(labeler, seats):
    path = labeler.folder / "allowlist.json"
    path.write_text(json.dumps(seats))
    return path


def hexadecimal(labeler, proof):
    path = labeler.folder / "proof"
    path.write_text(proof)
    return path


def test_is_found_only_among_all(gated, labeler):
    assert labeler.does("find", which=False) == "No campaign is open now.\n"
    assert gated.which[:10] in labeler.does("find", "--all", which=False)


def test_the_allowlist(gated, labeler, listed):
    assert labeler.told("enroll", "--proof", listed, "--yes")["seats"] == [0]
    assert gated.seats_of(labeler.account) == [0]


def test_the_allowlist_however_addresses_are_written(gated, labeler, seats):
    path = labeler.folder / "lower.json"
    path.write_text(json.dumps({address.lower(): most for address, most in seats.items()}))
    assert labeler.told("enroll", "--proof", path, "--yes")["seats"] == [0]


@pytest.mark.parametrize("prefix", ["", "0x"])
def test_a_proof_in_hexadecimal(gated, labeler, seats, prefix):
    path = hexadecimal(labeler, prefix + allowlist.proof(seats, labeler.account.address).hex() + "\n")
    assert labeler.told("enroll", "--proof", path, "--yes")["seats"] == [0]


def test_no_proof(gated, gate, labeler):
    assert labeler.refused("enroll", "--yes") == (
        f"The campaign has a gate, {gate}: say --proof with its allowlist, or with your proof."
    )


def test_another_allowlist(gated, labeler, seats, listed):
    listed.write_text(json.dumps(seats | {labeler.account.address: 3}))
    sentence = labeler.refused("enroll", "--proof", listed, "--yes")
    assert sentence.startswith(f"{listed} is not the campaign's allowlist: its root is 0x")
    assert f"the terms have 0x{allowlist.root(seats).hex()}." in sentence


@pytest.mark.parametrize("text", ["", "[]", "{", '{"0x12": 1}', '{"a": "b"}', "0x123", DEEP], ids=len)
def test_neither(gated, labeler, text):
    path = hexadecimal(labeler, text)
    assert labeler.refused("enroll", "--proof", path, "--yes") == (
        f"{path} is neither the allowlist.json of the campaign's folder nor a proof in hexadecimal."
    )


@pytest.mark.parametrize("most", ["-1", str(2**256), "Infinity", "2.5", '"2"', "null", "true"])
def test_a_number_of_seats_that_is_none(gated, labeler, listed, most):
    address = labeler.account.address
    listed.write_text(f'{{"{address}": {most}}}')
    sentence = labeler.refused("enroll", "--proof", listed, "--yes")
    assert sentence.startswith(f"{listed} gives {address} ")
    assert sentence.endswith(" seats; it must be a whole number from 0 to 2^256 − 1.")


@pytest.mark.parametrize("code", ["0x600260005260206000f3", "0x600160005260016000f3", "0x"])
def test_a_gate_that_answers_what_the_contract_does_not_understand(stage, labeler, code):
    """2 where a yes or no belongs, a single byte, nothing: the contract refuses, after money has moved."""
    gate = "0x" + "ab" * 20
    ape.networks.provider.make_request("anvil_setCode", [gate, code])
    stage.create(gate=to_checksum_address(gate))
    assert labeler.refused("enroll", "--proof", hexadecimal(labeler, "00"), "--yes") == (
        f"The campaign's gate does not admit {labeler.account.address} with this proof."
    )


def test_not_on_the_list(gated, person, seats, listed):
    carrier = person("carrier", "elsewhere")
    assert carrier.refused("enroll", "--proof", listed, "--yes") == (
        f"{carrier.account.address} is not on the allowlist of 5 labelers."
    )


@pytest.mark.parametrize("whose", ["another's", "nobody's"])
def test_a_proof_that_the_gate_refuses_moves_no_money(gated, labeler, stage, seats, whose):
    proof = allowlist.proof(seats, stage.others[0].address) if whose == "another's" else b"\x01" * 40
    assert labeler.refused("enroll", "--proof", hexadecimal(labeler, proof.hex()), "--yes") == (
        f"The campaign's gate does not admit {labeler.account.address} with this proof."
    )


def test_more_seats_than_the_list_gives(gated, labeler, listed):
    labeler.does("enroll", "--proof", listed, "--yes")
    assert labeler.refused("enroll", "--seats", 3, "--proof", listed, "--yes") == (
        f"The campaign's allowlist gives {labeler.account.address} 2 seats at most; it would be 3."
    )


def test_a_signed_enrolment_carries_its_proof(gated, person, labeler, listed):
    token = gated.found.terms.token
    gated.client.deposit(token, gated.found.terms.stake, sender=labeler.account)
    signed = labeler.folder / "signed.json"
    labeler.does("sign-enroll", "--proof", listed, "--to", signed, "--yes")
    person("carrier", "elsewhere").does("enroll", "--signed", signed, "--yes")
    assert gated.seats_of(labeler.account) == [0]
