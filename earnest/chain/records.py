"""The contract's events as plain records, and logs decoded into them, without Ape or a node.

Each record's members are those of the event, in its order, with the types of its signature.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Annotated, Any, Final, get_args, get_type_hints

from eth_abi.abi import decode, encode
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from earnest.protocol.terms import TERMS_ABI, Terms

INDEXED: Final = "indexed"

Address = Annotated[str, "address"]
IndexedAddress = Annotated[str, "address", INDEXED]
Uint = Annotated[int, "uint256"]
IndexedUint = Annotated[int, "uint256", INDEXED]
Word = Annotated[bytes, "bytes32"]


@dataclass(frozen=True, order=True)
class Place:
    """Where in the chain a record stands; places sort in the order in which things happened."""

    block: int
    index: int  # of the log in its block
    timestamp: int  # of the block, unix time
    transaction: str
    block_hash: str


@dataclass(frozen=True, kw_only=True)
class Record:
    """One event of the contract."""

    place: Place


@dataclass(frozen=True, kw_only=True)
class CampaignRecord(Record):
    """One event of a campaign."""

    campaign: IndexedUint


@dataclass(frozen=True, kw_only=True)
class Deposited(Record):
    """Money arrived in an account's free balance."""

    account: IndexedAddress
    token: IndexedAddress
    amount: Uint
    sender: Address


@dataclass(frozen=True, kw_only=True)
class Withdrawn(Record):
    """Money left an account's free balance."""

    account: IndexedAddress
    token: IndexedAddress
    amount: Uint
    receiver: Address


@dataclass(frozen=True, kw_only=True)
class OperatorSet(Record):
    """A labeler lets somebody enrol and commit for them, or no longer."""

    labeler: IndexedAddress
    operator: IndexedAddress
    approved: Annotated[bool, "bool"]


@dataclass(frozen=True, kw_only=True)
class NonceUsed(Record):
    """A nonce for signed enrolments is used up."""

    labeler: IndexedAddress
    token: IndexedAddress
    nonce: Uint


@dataclass(frozen=True, kw_only=True)
class Created(CampaignRecord):
    """A campaign opened, its bounties and fees escrowed."""

    experimenter: IndexedAddress
    terms: Annotated[Terms, TERMS_ABI]
    uri: Annotated[str, "string"]


@dataclass(frozen=True, kw_only=True)
class Enrolled(CampaignRecord):
    """Seats taken one after another, their stakes escrowed."""

    labeler: IndexedAddress
    first_seat: Uint
    seats: Uint


@dataclass(frozen=True, kw_only=True)
class DrawRequested(CampaignRecord):
    """The randomness source was asked."""

    ticket: Uint


@dataclass(frozen=True, kw_only=True)
class Drawn(CampaignRecord):
    """The seed is fixed; bounties and fees of undrawn batches went back."""

    seed: Word
    batches: Uint
    refund: Uint


@dataclass(frozen=True, kw_only=True)
class SeatFreed(CampaignRecord):
    """A seat's stake went back: benched, or the campaign is cancelled."""

    seat: IndexedUint
    labeler: IndexedAddress


@dataclass(frozen=True, kw_only=True)
class Cancelled(CampaignRecord):
    """The bounties and fees of a cancelled campaign went back."""

    refund: Uint


@dataclass(frozen=True, kw_only=True)
class Committed(CampaignRecord):
    """A seat's labels are fixed, or fixed anew."""

    seat: IndexedUint
    commitment: Word


@dataclass(frozen=True, kw_only=True)
class Denounced(CampaignRecord):
    """Somebody else knew a seat's labels: its stake is gone."""

    seat: IndexedUint
    denouncer: IndexedAddress
    labels: Annotated[bytes, "bytes"]


@dataclass(frozen=True, kw_only=True)
class Revealed(CampaignRecord):
    """A seat's labels."""

    seat: IndexedUint
    labels: Annotated[bytes, "bytes"]


@dataclass(frozen=True, kw_only=True)
class Disclosed(CampaignRecord):
    """The audit's key."""

    key: Word


@dataclass(frozen=True, kw_only=True)
class PostingOpened(CampaignRecord):
    """A settler locked a bond behind the scores that follow."""

    posting: IndexedUint
    settler: IndexedAddress


@dataclass(frozen=True, kw_only=True)
class Posted(CampaignRecord):
    """A batch's scores under a posting."""

    batch: IndexedUint
    posting: Uint
    scores: Uint


@dataclass(frozen=True, kw_only=True)
class Refereed(CampaignRecord):
    """A batch's scores as the chain computed them."""

    batch: IndexedUint
    caller: IndexedAddress
    scores: Uint


@dataclass(frozen=True, kw_only=True)
class PostingVoided(CampaignRecord):
    """A posting was false: its bond is lost."""

    posting: IndexedUint
    challenger: IndexedAddress


@dataclass(frozen=True, kw_only=True)
class BondReturned(CampaignRecord):
    """A posting's bond went back to its settler."""

    posting: IndexedUint


@dataclass(frozen=True, kw_only=True)
class Released(CampaignRecord):
    """A batch is paid out. `results` by lane: on top of the stake, or (negative) of it."""

    batch: IndexedUint
    results: Annotated[tuple[int, ...], "int256[]"]
    refund: Uint
    sunk: Uint


RECORDS: Final[tuple[type[Record], ...]] = (
    Deposited, Withdrawn, OperatorSet, NonceUsed,
    Created, Enrolled, DrawRequested, Drawn, SeatFreed, Cancelled,
    Committed, Denounced, Revealed, Disclosed,
    PostingOpened, Posted, Refereed, PostingVoided, BondReturned, Released,
)  # fmt: skip


@dataclass(frozen=True)
class _Member:
    name: str
    kind: str
    indexed: bool


def _members(record: type[Record]) -> tuple[_Member, ...]:
    hints = get_type_hints(record, include_extras=True)
    own = [member.name for member in fields(record) if member.name != "place"]
    return tuple(
        _Member(name, kind, bool(indexed)) for name in own for _, kind, *indexed in [get_args(hints[name])]
    )


def signature(record: type[Record]) -> str:
    """The event's signature, as hashed into its first topic."""
    return f"{record.__name__}({','.join(member.kind for member in _members(record))})"


_BY_TOPIC: Final = {keccak(text=signature(record)): (record, _members(record)) for record in RECORDS}


def decode_log(topics: Sequence[bytes], data: bytes, place: Place) -> Record | None:
    """The record of a log; None for an event that is none of `RECORDS`.

    Raises ValueError for a log whose data does not fit its own event.
    """
    found = _BY_TOPIC.get(bytes(topics[0])) if topics else None
    if found is None:
        return None
    record, members = found
    indexed = [member for member in members if member.indexed]
    plain = [member for member in members if not member.indexed]
    values: dict[str, Any] = {
        member.name: decode([member.kind], bytes(topic))[0]
        for member, topic in zip(indexed, topics[1:], strict=True)
    }
    unindexed = _decode_whole([member.kind for member in plain], bytes(data))
    values |= zip((member.name for member in plain), unindexed, strict=True)
    return record(place=place, **_polished(members, values))


def _decode_whole(kinds: list[str], data: bytes) -> tuple[Any, ...]:
    """The values, which must encode to the very data: Ape makes eth_abi read missing bytes as zeros.

    Strings are left as bytes, which they are encoded like: a stranger's need not be UTF-8.
    """
    raw = ["bytes" if kind == "string" else kind for kind in kinds]
    values = decode(raw, data)
    if encode(raw, values) != data:
        raise ValueError(f"A log's data of {len(data)} bytes is not ({', '.join(kinds)}).")
    return values


def _polished(members: Sequence[_Member], values: Mapping[str, Any]) -> dict[str, Any]:
    """Terms as a record, addresses with their checksum, strings with U+FFFD for what is no UTF-8."""
    return {member.name: _polish(member.kind, values[member.name]) for member in members}


def _polish(kind: str, value: Any) -> Any:
    if kind == "address":
        return to_checksum_address(value)
    if kind == "string":
        return value.decode(errors="replace")
    return _terms(value) if kind == TERMS_ABI else value


def _terms(value: Any) -> Terms:
    terms = Terms.from_abi(value)
    return replace(terms, token=to_checksum_address(terms.token), gate=to_checksum_address(terms.gate))
