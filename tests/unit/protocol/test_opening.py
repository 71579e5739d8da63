from __future__ import annotations

import json
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from earnest.protocol import opening
from earnest.protocol.errors import OpeningError
from earnest.protocol.opening import Domain

CONTRACT = "0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC"
LABELER = "0x00000000000000000000000000000000000000aa"
DOMAIN = Domain(31_337, CONTRACT)
WORD = bytes(range(32))
KEY = "0x" + "11" * 32


def by_hand(signature: str, kinds: list[str], values: list[Any]) -> bytes:
    """The digest from EIP-712's own words: keccak256(0x1901 ‖ domain ‖ keccak256(type hash ‖ members))."""
    domain_type = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
    hashes = [keccak(text=text) for text in (domain_type, "Earnest", "1")]
    kinds_of_domain = ["bytes32", "bytes32", "bytes32", "uint256", "address"]
    domain = keccak(encode(kinds_of_domain, [*hashes, DOMAIN.chain_id, CONTRACT]))
    assert opening.domain_separator(DOMAIN) == domain
    body = keccak(encode(["bytes32", *kinds], [keccak(text=signature), *values]))
    return keccak(b"\x19\x01" + domain + body)


UINT = st.integers(0, 2**256 - 1)


@given(campaign=UINT, seat=UINT, labels=st.binary(max_size=600))
def test_opening_digest(campaign: int, seat: int, labels: bytes) -> None:
    assert opening.opening_digest(DOMAIN, campaign, seat, labels, WORD) == by_hand(
        "Opening(uint256 campaign,uint256 seat,bytes labels,bytes32 salt)",
        ["uint256", "uint256", "bytes32", "bytes32"],
        [campaign, seat, keccak(labels), WORD],
    )


@given(campaign=UINT, seat=UINT)
def test_salt_digest(campaign: int, seat: int) -> None:
    assert opening.salt_digest(DOMAIN, campaign, seat) == by_hand(
        "Salt(uint256 campaign,uint256 seat)", ["uint256", "uint256"], [campaign, seat]
    )


@given(campaign=UINT, seats=UINT, nonce=UINT, deadline=UINT)
def test_enrolment_digest(campaign: int, seats: int, nonce: int, deadline: int) -> None:
    assert opening.enrolment_digest(DOMAIN, campaign, LABELER, seats, nonce, deadline) == by_hand(
        "Enrolment(uint256 campaign,address labeler,uint256 seats,uint256 nonce,uint256 deadline)",
        ["uint256", "address", "uint256", "uint256", "uint256"],
        [campaign, LABELER, seats, nonce, deadline],
    )


@given(campaign=UINT, seat=UINT, revision=UINT, deadline=UINT)
def test_commitment_digest(campaign: int, seat: int, revision: int, deadline: int) -> None:
    assert opening.commitment_digest(DOMAIN, campaign, seat, WORD, revision, deadline) == by_hand(
        "Commitment(uint256 campaign,uint256 seat,bytes32 commitment,uint256 revision,uint256 deadline)",
        ["uint256", "uint256", "bytes32", "uint256", "uint256"],
        [campaign, seat, WORD, revision, deadline],
    )


def test_an_opening_binds_everything() -> None:
    digests = {
        opening.opening_digest(domain, campaign, seat, labels, salt)
        for domain in (DOMAIN, Domain(1, CONTRACT), Domain(31_337, LABELER))
        for campaign in (1, 2)
        for seat in (1, 2)
        for labels in (b"\0\1", b"\0\1\0")
        for salt in (WORD, bytes(32))
    }
    assert len(digests) == 3 * 2**4


def test_typed_data_survives_json_and_any_wallet_signs_it() -> None:
    documents = {
        opening.opening_digest(DOMAIN, 2**255, 3, b"\0\1", WORD): opening.opening_typed_data(
            DOMAIN, 2**255, 3, b"\0\1", WORD
        ),
        opening.salt_digest(DOMAIN, 1, 2): opening.salt_typed_data(DOMAIN, 1, 2),
        opening.enrolment_digest(DOMAIN, 1, LABELER, 2, 3, 4): opening.enrolment_typed_data(
            DOMAIN, 1, LABELER, 2, 3, 4
        ),
        opening.commitment_digest(DOMAIN, 1, 2, WORD, 0, 4): opening.commitment_typed_data(
            DOMAIN, 1, 2, WORD, 0, 4
        ),
    }
    labeler = Account.from_key(KEY)
    for digest, document in documents.items():
        read = json.loads(json.dumps(document))
        assert read == document
        signed = labeler.sign_typed_data(full_message=read)
        assert bytes(signed.message_hash) == digest == opening.digest(read)
        recovered = Account.recover_message(encode_typed_data(full_message=read), signature=signed.signature)
        assert recovered == labeler.address


def test_the_salt_comes_back_from_the_wallet() -> None:
    labeler = Account.from_key(KEY)

    def signature(seat: int) -> bytes:
        return bytes(labeler.sign_typed_data(full_message=opening.salt_typed_data(DOMAIN, 1, seat)).signature)

    salt = opening.salt_from_signature(signature(5))
    assert salt == keccak(signature(5)) == opening.salt_from_signature(signature(5))
    assert salt != opening.salt_from_signature(signature(6))


def test_the_salt_is_the_same_however_a_wallet_writes_v() -> None:
    for low, usual in ((0, 27), (1, 28)):
        assert opening.salt_from_signature(bytes(64) + bytes([low])) == keccak(bytes(64) + bytes([usual]))
    with pytest.raises(OpeningError, match="v is 29; it must be 27 or 28"):
        opening.salt_from_signature(bytes(64) + b"\x1d")
    with pytest.raises(OpeningError, match="has 64 bytes; it must have 65"):
        opening.salt_from_signature(bytes(64))


def test_a_seats_record() -> None:
    assert opening.committed_record(b"\xff" * 32) == 2**256 - 2
    assert opening.committed_record(bytes(31) + b"\x04") == 4
    labels = b"\0\1\2"
    assert opening.revealed_record(labels) == int.from_bytes(keccak(labels), "big") | 1
    states = {
        opening.NOTHING: (False, False),
        opening.DENOUNCED: (False, False),
        opening.committed_record(WORD): (True, False),
        opening.revealed_record(labels): (False, True),
    }
    for record, state in states.items():
        assert (opening.has_committed(record), opening.has_revealed(record)) == state
    with pytest.raises(OpeningError, match="it must be 32 bytes"):
        opening.committed_record(b"short")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: opening.salt_digest(DOMAIN, -1, 0), "campaign is -1"),
        (lambda: opening.salt_digest(DOMAIN, 0, 2**256), "seat is"),
        (lambda: opening.salt_digest(Domain(-1, CONTRACT), 0, 0), "chainId is -1"),
        (lambda: opening.salt_digest(Domain(1, "0x12"), 0, 0), "verifyingContract is '0x12'"),
        (lambda: opening.opening_digest(DOMAIN, 0, 0, b"", b"salt"), "salt is b'salt'; it must be 32 bytes"),
        (lambda: opening.enrolment_digest(DOMAIN, 0, "nobody", 0, 0, 0), "labeler is 'nobody'"),
        (lambda: opening.commitment_digest(DOMAIN, 0, 0, bytes(31), 0, 0), "commitment is"),
    ],
)
def test_values_that_do_not_fit(call: Any, message: str) -> None:
    with pytest.raises(OpeningError) as caught:
        call()
    assert message in str(caught.value)
