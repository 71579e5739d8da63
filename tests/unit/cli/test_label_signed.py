"""`earnest label sign-enroll`, and carrying what was signed with `enroll --signed`."""

from __future__ import annotations

import json

import pytest

from earnest.chain.client import Client
from earnest.times import clock

from .labeling import STAKE

pytestmark = pytest.mark.anvil


@pytest.fixture
def carrier(person):
    return person("carrier", "elsewhere")


@pytest.fixture
def signed(opened, labeler):
    """A file with the labeler's signature, the stake being in the vault."""
    opened.client.deposit(opened.found.terms.token, STAKE, sender=labeler.account)
    path = labeler.folder / "signed.json"
    said = labeler.does("sign-enroll", "--to", path, "--yes")
    assert f"{path} can be carried until {clock(opened.found.terms.enroll_by)}, unless another" in said
    assert said.endswith("you signed with nonce 0 of this token is carried first, which makes it void.\n")
    return path


def test_is_carried_at_another_accounts_gas(opened, labeler, carrier, signed):
    nonce = labeler.account.nonce
    told = carrier.told("enroll", "--signed", signed, "--yes")
    assert told["labeler"] == labeler.account.address
    assert len(told["transactions"]) == 1
    assert opened.seats_of(labeler.account) == [0]
    assert opened.seats_of(carrier.account) == []
    assert labeler.account.nonce == nonce


def test_carried_twice_is_carried_once(opened, labeler, carrier, signed):
    carrier.does("enroll", "--signed", signed, "--yes")
    height = opened.chain.blocks.height
    assert carrier.told("enroll", "--signed", signed, "--yes")["transactions"] == []
    assert carrier.does("enroll", "--signed", signed, "--yes") == (
        f"Nonce 0 is used, and {labeler.account.address} has seat 0: there is nothing to carry.\n"
    )
    assert (opened.chain.blocks.height, opened.seats_of(labeler.account)) == (height, [0])


def test_on_the_terminal_and_back(opened, labeler, carrier):
    opened.client.deposit(opened.found.terms.token, STAKE, sender=labeler.account)
    path = carrier.folder / "received.json"
    done = labeler.run("sign-enroll", "--yes")
    for part in ("Is it so?", "at worst", "It can be carried until"):  # what is signed, and for how long
        assert part in done.stderr
    path.write_text(done.stdout)
    carrier.does("enroll", "--signed", path, "--yes")
    assert opened.seats_of(labeler.account) == [0]


def test_for_another_chain(opened, carrier, signed):
    document = json.loads(signed.read_text()) | {"chain": 11_155_111}
    signed.write_text(json.dumps(document))
    chain, contract = opened.client.domain.chain_id, opened.client.address
    campaign = f"{opened.which[:10]}…"
    assert carrier.refused("enroll", "--signed", signed, "--yes") == (
        f"{signed} is for chain 11155111, contract {contract}, campaign {campaign};"
        f" this is chain {chain}, contract {contract}, campaign {campaign}."
    )


def test_for_another_campaign(opened, carrier, signed):
    first = opened.which
    opened.create(batches=2)
    sentence = carrier.refused("enroll", "--signed", signed, "--yes")
    assert f"campaign {first[:10]}…; this is chain" in sentence
    assert sentence.endswith(f"campaign {opened.which[:10]}….")


def test_changed_on_its_way(opened, labeler, carrier, signed):
    document = json.loads(signed.read_text())
    document["enrolment"]["seats"] = 2
    signed.write_text(json.dumps(document))
    assert carrier.refused("enroll", "--signed", signed, "--yes") == (
        f"The signature is not {labeler.account.address}'s over these very values."
    )


def test_made_void(opened, labeler, carrier, signed):
    opened.client.use_nonce(opened.found.terms.token, sender=labeler.account)
    assert carrier.refused("enroll", "--signed", signed, "--yes") == (
        f"The enrolment of {labeler.account.address} is void: it carries nonce 0, which is used."
    )


def test_made_void_on_its_way(opened, labeler, carrier, signed, monkeypatch):
    """The contract passes it over, and takes the gas."""
    carry = Client.enroll_signed

    def late(client, *arguments, **options):
        client.use_nonce(opened.found.terms.token, sender=labeler.account)
        return carry(client, *arguments, **options)

    monkeypatch.setattr(Client, "enroll_signed", late)
    done = carrier.run("enroll", "--signed", signed, "--yes")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith(f"The contract passed the enrolment of {labeler.account.address} over in")
    assert done.stderr.endswith(": its nonce 0 was used just before.\n")
    assert opened.seats_of(labeler.account) == []


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"enrolment": 1}', "seven", "[" * 200_000], ids=len)
def test_no_signed_enrolment(opened, carrier, text):
    path = carrier.folder / "received.json"
    path.write_text(text)
    sentence = carrier.refused("enroll", "--signed", path, "--yes")
    assert sentence == f"{path} holds no signed enrolment, as sign-enroll writes it."


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"labeler": 5}, "labeler 5; it must be an address."),
        ({"labeler": "0xzz"}, "labeler '0xzz'; it must be an address."),
        ({"seats": "1"}, "seats '1'; it must be a whole number of 0 or more."),
        ({"nonce": None}, "nonce None; it must be a whole number of 0 or more."),
        ({"deadline": -5}, "deadline -5; it must be a whole number of 0 or more."),
    ],
)
def test_garbled(opened, carrier, signed, change, wrong):
    document = json.loads(signed.read_text())
    document["enrolment"] |= change
    signed.write_text(json.dumps(document))
    assert carrier.refused("enroll", "--signed", signed, "--yes") == f"{signed} has {wrong}"


def test_the_stake_is_not_in_the_vault(opened, labeler, carrier):
    opened.client.deposit(opened.found.terms.token, STAKE // 4, sender=labeler.account)
    path = labeler.folder / "signed.json"
    done = labeler.run("sign-enroll", "--to", path, "--yes")
    assert done.stderr == (
        "By then 0.75 ETH more must be in your balance in the vault, whoever deposits it.\n"
    )
    assert labeler.told("sign-enroll", "--to", path, "--yes")["missing"] == str(STAKE * 3 // 4)
    assert carrier.refused("enroll", "--signed", path, "--yes") == (
        f"{labeler.account.address} has 0.25 ETH free in the vault and enrollSigned takes 1 ETH:"
        " deposit 0.75 ETH more."
    )


def test_more_seats_than_are_left(opened, labeler):
    assert labeler.refused("sign-enroll", "--seats", 4, "--yes") == "4 seats are wanted and 3 are left."
