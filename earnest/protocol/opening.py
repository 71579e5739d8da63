"""Typed data that is signed or committed to (EIP-712; design, section 7), and a seat's record on chain.

Each message comes as `…_typed_data`, the whole JSON document that a wallet signs (numbers as decimal and
bytes as hexadecimal strings, which no JSON reader rounds); those that the contract knows, and the salt's, as
`…_digest`, too, the 32 bytes it stands for. All raise OpeningError for a value that does not fit its type.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from eth_account.messages import encode_typed_data
from eth_utils.address import is_address, to_checksum_address
from eth_utils.crypto import keccak

from earnest.protocol.errors import OpeningError

NAME: Final = "Earnest"
VERSION: Final = "1"

TYPES: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "EIP712Domain": (
        ("name", "string"),
        ("version", "string"),
        ("chainId", "uint256"),
        ("verifyingContract", "address"),
    ),
    "Opening": (("campaign", "uint256"), ("seat", "uint256"), ("labels", "bytes"), ("salt", "bytes32")),
    "Salt": (("campaign", "uint256"), ("seat", "uint256")),
    "Enrolment": (
        ("campaign", "uint256"),
        ("labeler", "address"),
        ("seats", "uint256"),
        ("nonce", "uint256"),
        ("deadline", "uint256"),
    ),
    "Commitment": (
        ("campaign", "uint256"),
        ("seat", "uint256"),
        ("commitment", "bytes32"),
        ("revision", "uint256"),
        ("deadline", "uint256"),
    ),
    "Backup": (("labeler", "address"),),
}

NOTHING: Final = 0
DENOUNCED: Final = 1

TypedData = dict[str, Any]


@dataclass(frozen=True)
class Domain:
    """The chain and the Earnest contract that a message is for; all that is signed is bound to them."""

    chain_id: int
    contract: str


def opening_typed_data(domain: Domain, campaign: int, seat: int, labels: bytes, salt: bytes) -> TypedData:
    """The opening of a seat's commitment."""
    return _typed_data(domain, "Opening", campaign, seat, labels, salt)


def opening_digest(domain: Domain, campaign: int, seat: int, labels: bytes, salt: bytes) -> bytes:
    """The commitment to an opening, 32 bytes."""
    return digest(opening_typed_data(domain, campaign, seat, labels, salt))


def salt_typed_data(domain: Domain, campaign: int, seat: int) -> TypedData:
    """What a wallet signs to get a seat's salt."""
    return _typed_data(domain, "Salt", campaign, seat)


def salt_digest(domain: Domain, campaign: int, seat: int) -> bytes:
    """The digest of `salt_typed_data`, 32 bytes."""
    return digest(salt_typed_data(domain, campaign, seat))


def enrolment_typed_data(
    domain: Domain, campaign: int, labeler: str, seats: int, nonce: int, deadline: int
) -> TypedData:
    """A labeler's consent to take `seats` seats, by `deadline` (unix time, that second included).

    `nonce` is that of the labeler's account in the campaign's token.
    """
    return _typed_data(domain, "Enrolment", campaign, labeler, seats, nonce, deadline)


def enrolment_digest(
    domain: Domain, campaign: int, labeler: str, seats: int, nonce: int, deadline: int
) -> bytes:
    """The digest of `enrolment_typed_data`, 32 bytes."""
    return digest(enrolment_typed_data(domain, campaign, labeler, seats, nonce, deadline))


def commitment_typed_data(
    domain: Domain, campaign: int, seat: int, commitment: bytes, revision: int, deadline: int
) -> TypedData:
    """A labeler's consent to commit for a seat, by `deadline` (unix time, that second included).

    `revision` is the number of commitments that the seat has already had.
    """
    return _typed_data(domain, "Commitment", campaign, seat, commitment, revision, deadline)


def commitment_digest(
    domain: Domain, campaign: int, seat: int, commitment: bytes, revision: int, deadline: int
) -> bytes:
    """The digest of `commitment_typed_data`, 32 bytes."""
    return digest(commitment_typed_data(domain, campaign, seat, commitment, revision, deadline))


def backup_typed_data(domain: Domain, labeler: str) -> TypedData:
    """What a wallet signs to get the key of its backups; the contract knows no such message."""
    return _typed_data(domain, "Backup", labeler)


def digest(typed_data: TypedData) -> bytes:
    """The 32 bytes that a signature over a typed-data document signs."""
    message = encode_typed_data(full_message=typed_data)
    return keccak(b"\x19" + message.version + message.header + message.body)


def domain_separator(domain: Domain) -> bytes:
    """The hash of the domain, 32 bytes."""
    return bytes(encode_typed_data(full_message=salt_typed_data(domain, 0, 0)).header)


def salt_from_signature(signature: bytes) -> bytes:
    """A seat's salt from the wallet's signature over `salt_typed_data`: `keccak256(r ‖ s ‖ v)`, v 27 or 28.

    Wallets that write v as 0 or 1 are understood. Raises OpeningError when it is no 65 bytes or v is another.
    """
    if len(signature) != 65:
        raise OpeningError(f"The signature has {len(signature)} bytes; it must have 65.")
    v = signature[64]
    if v not in (0, 1, 27, 28):
        raise OpeningError(f"The signature's v is {v}; it must be 27 or 28.")
    return keccak(signature[:64] + bytes([v if v >= 27 else v + 27]))


def committed_record(commitment: bytes) -> int:
    """A seat's record after a commitment: the commitment with its lowest bit cleared.

    Raises OpeningError when it is no 32 bytes.
    """
    return int.from_bytes(_word("commitment", commitment), "big") & ~1


def revealed_record(labels: bytes) -> int:
    """A seat's record after the reveal of these labels: their hash with its lowest bit set."""
    return int.from_bytes(keccak(labels), "big") | 1


def has_committed(record: int) -> bool:
    """Whether a seat with this record has a commitment that is not revealed yet."""
    return record != NOTHING and record & 1 == 0


def has_revealed(record: int) -> bool:
    """Whether a seat with this record has revealed."""
    return record != DENOUNCED and record & 1 == 1


def _typed_data(domain: Domain, name: str, *values: int | str | bytes) -> TypedData:
    domain_values = (NAME, VERSION, domain.chain_id, domain.contract)
    return {
        "types": {kind: _members(kind) for kind in ("EIP712Domain", name)},
        "primaryType": name,
        "domain": _document("EIP712Domain", domain_values) | {"chainId": domain.chain_id},
        "message": _document(name, values),
    }


def _members(kind: str) -> list[dict[str, str]]:
    return [{"name": member, "type": solidity} for member, solidity in TYPES[kind]]


def _document(kind: str, values: tuple[int | str | bytes, ...]) -> dict[str, Any]:
    return {
        member: _json(member, solidity, value)
        for (member, solidity), value in zip(TYPES[kind], values, strict=True)
    }


def _json(member: str, solidity: str, value: Any) -> str:
    if solidity == "uint256":
        if not (isinstance(value, int) and 0 <= value < 1 << 256):
            raise OpeningError(f"{member} is {value!r}; it must be an integer from 0 to 2^256 − 1.")
        return str(int(value))
    if solidity == "address":
        if not (isinstance(value, str) and is_address(value)):
            raise OpeningError(f"{member} is {value!r}; it must be an address.")
        return to_checksum_address(value)
    if solidity == "bytes32":
        return "0x" + _word(member, value).hex()
    if solidity == "bytes":
        return "0x" + bytes(value).hex()
    return str(value)


def _word(member: str, value: bytes) -> bytes:
    if len(value) != 32:
        raise OpeningError(f"{member} is {value!r}; it must be 32 bytes.")
    return value
