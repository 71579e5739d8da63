"""A campaign's terms: frozen at creation, hashed into its id (design, sections 5 and 7)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Any, Final, get_args, get_type_hints

from eth_abi.abi import encode
from eth_utils.address import is_address
from eth_utils.crypto import keccak

from earnest.protocol.errors import TermsError

BPS: Final = 10_000
ZERO_ADDRESS: Final = "0x" + 40 * "0"
ZERO_WORD: Final = bytes(32)

MIN_COHORT: Final = 3
MAX_COHORT: Final = 15
MIN_BATCH_SIZE: Final = 2
MAX_BATCH_SIZE: Final = 8_160
MIN_CLASSES: Final = 2
MAX_CLASSES: Final = 255
MAX_ITEMS: Final = 5
MAX_FORFEIT: Final = 5_000
MAX_WEIGHT: Final = 2**16 - 1
MAX_SEATS: Final = 2**32 - 1
MAX_PERIOD: Final = 365 * 24 * 60 * 60


class Metric(IntEnum):
    """What a byte means and how far apart two bytes are (design, section 3)."""

    NOMINAL = 0
    INTERVAL = 1
    RANKING = 2


Address = Annotated[str, "address"]
Bytes32 = Annotated[bytes, "bytes32"]
Int16 = Annotated[int, "int16"]
Uint8 = Annotated[int, "uint8"]
Uint16 = Annotated[int, "uint16"]
Uint32 = Annotated[int, "uint32"]
Uint40 = Annotated[int, "uint40"]
Uint96 = Annotated[int, "uint96"]


@dataclass(frozen=True, kw_only=True)
class Curve:
    """What a score pays or costs: scores in bps, shares of the stake in bps (design, section 5).

    The defaults are those of the design; `max_slash` and `forfeit` go with the stake and have none.
    """

    slash_full: Int16 = -500
    slash_from: Int16 = 500
    pay_from: Int16 = 1_000
    pay_full: Int16 = 3_000
    floor: Int16 = 1_000
    max_slash: Uint16
    forfeit: Uint16


@dataclass(frozen=True, kw_only=True)
class Weights:
    """Relative weights of the three signals of a score (design, section 4)."""

    peers: Uint16
    gold: Uint16
    repeats: Uint16


@dataclass(frozen=True, kw_only=True)
class Periods:
    """Longest durations of the phases, in seconds (design, section 7)."""

    draw: Uint32
    commit: Uint32
    reveal: Uint32
    audit: Uint32
    challenge: Uint32


@dataclass(frozen=True, kw_only=True)
class Terms:
    """Everything a campaign promises. Members, their order and types are those of the contract's struct.

    Money is in the token's smallest units: `bounty` and `fee` a batch, `stake` a seat, `bond` a posting.
    `token` 0 is ether, `gate` 0 is open to all, `audit_root` and `audit_key_hash` 0 mean no audit.
    """

    token: Address = ZERO_ADDRESS
    stake: Uint96
    bounty: Uint96
    fee: Uint96 = 0
    batch_size: Uint16
    cohort: Uint8
    metric: Annotated[Metric, "uint8"]
    classes: Uint8
    bond: Uint96
    batches: Uint32
    enroll_by: Uint40
    curve: Curve
    weights: Weights
    periods: Periods
    gate: Address = ZERO_ADDRESS
    gate_rule: Bytes32 = ZERO_WORD
    audit_root: Bytes32 = ZERO_WORD
    audit_key_hash: Bytes32 = ZERO_WORD
    manifest: Bytes32

    @property
    def audited(self) -> bool:
        """Whether the campaign has an audit (design, section 6)."""
        return self.audit_root != ZERO_WORD

    def abi_tuple(self) -> tuple[Any, ...]:
        """The terms as nested tuples in the order of the contract's struct."""
        return _to_abi(self)

    @classmethod
    def from_abi(cls, values: Any) -> Terms:
        """The terms from nested sequences in the order of the contract's struct (the reverse of `abi_tuple`).

        Raises TermsError when the number of members is another, or there is no such metric.
        """
        terms = _from_abi(cls, values)
        assert isinstance(terms, Terms)
        return terms

    def validate(self, now: int | None = None) -> None:
        """Raise TermsError for what the contract rejects at creation, with the value and what would be right.

        `now` is the unix time of creation; without it `enroll_by` is not compared. The contract also refuses
        a batch that could not be refereed in one transaction; how large that is depends on its gas alone and
        is not known here.
        """
        _check_ranges(self)
        _check_labels(self)
        _check_curve(self.curve)
        _check_signals(self)
        if not MIN_COHORT <= self.cohort <= MAX_COHORT:
            raise TermsError(f"cohort is {self.cohort}; it must be {MIN_COHORT} to {MAX_COHORT} seats.")
        most = MAX_SEATS // self.cohort
        if not 1 <= self.batches <= most:
            seats = f"with cohorts of {self.cohort} it must be 1 to {most}"
            raise TermsError(f"batches is {self.batches}; {seats}.")
        if self.gate == ZERO_ADDRESS and self.gate_rule != ZERO_WORD:
            raise TermsError("gate_rule is given without a gate that could go by it.")
        if self.bond < 1:
            raise TermsError("bond is 0; a posting needs a bond that a false one can lose.")
        for period in _MEMBERS[Periods]:
            seconds = getattr(self.periods, period)
            if not 1 <= seconds <= MAX_PERIOD:
                raise TermsError(f"periods.{period} is {seconds} s; it must be 1 to {MAX_PERIOD} s.")
        if now is not None and not now < self.enroll_by <= now + MAX_PERIOD:
            raise TermsError(f"enroll_by is {self.enroll_by}; it must be {now + 1} to {now + MAX_PERIOD}.")


def campaign_id(experimenter: str, terms: Terms) -> int:
    """The campaign's id: `uint256(keccak256(abi.encode(experimenter, terms)))`.

    Raises TermsError when `experimenter` is no address or a member does not fit its type.
    """
    if not is_address(experimenter):
        raise TermsError(f"experimenter is {experimenter!r}; it must be an address.")
    _check_ranges(terms)
    encoded = encode(["address", TERMS_ABI], [experimenter, terms.abi_tuple()])
    return int.from_bytes(keccak(encoded), "big")


Record = Terms | Curve | Weights | Periods


def _typed_members(record: type[Any]) -> dict[str, str | type[Record]]:
    hints = get_type_hints(record, include_extras=True)
    return {name: get_args(hint)[1] if get_args(hint) else hint for name, hint in hints.items()}


# Each member's Solidity type, or its class where it is a struct; in the contract's order.
_MEMBERS: Final[dict[type[Any], dict[str, str | type[Record]]]] = {
    record: _typed_members(record) for record in (Curve, Weights, Periods, Terms)
}


def _abi_type(record: type[Record]) -> str:
    kinds = _MEMBERS[record].values()
    return f"({','.join(kind if isinstance(kind, str) else _abi_type(kind) for kind in kinds)})"


def _to_abi(record: Record) -> tuple[Any, ...]:
    values = ((kind, getattr(record, name)) for name, kind in _MEMBERS[type(record)].items())
    return tuple(
        _to_abi(value) if not isinstance(kind, str) else int(value) if isinstance(value, Metric) else value
        for kind, value in values
    )


def _from_abi(record: type[Record], values: Any) -> Record:
    members = _MEMBERS[record]
    if len(values) != len(members):
        raise TermsError(f"{record.__name__} has {len(members)} members, not {len(values)}.")
    found: dict[str, Any] = {}
    for (name, kind), value in zip(members.items(), values, strict=True):
        if not isinstance(kind, str):
            found[name] = _from_abi(kind, value)
        elif name == "metric":
            found[name] = _metric(value)
        else:
            found[name] = bytes(value) if kind == "bytes32" else value
    return record(**found)


def _metric(value: int) -> Metric:
    try:
        return Metric(value)
    except ValueError:
        raise TermsError(f"metric is {value}; it must be 0 (nominal), 1 (interval) or 2 (ranking).") from None


def _check_ranges(record: Record, prefix: str = "") -> None:
    for member, kind in _MEMBERS[type(record)].items():
        value = getattr(record, member)
        name = prefix + member
        if not isinstance(kind, str):
            _check_ranges(value, name + ".")
        elif kind == "address":
            if not (isinstance(value, str) and is_address(value)):
                raise TermsError(f"{name} is {value!r}; it must be an address.")
        elif kind == "bytes32":
            if not (isinstance(value, bytes) and len(value) == 32):
                raise TermsError(f"{name} is {value!r}; it must be 32 bytes.")
        else:
            _check_integer(name, kind, value)


def _check_integer(name: str, kind: str, value: Any) -> None:
    signed = kind.startswith("int")
    bits = int(kind.removeprefix("u").removeprefix("int"))
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    if not isinstance(value, int) or not low <= value <= high:
        raise TermsError(f"{name} is {value!r}; it must be an integer from {low} to {high}.")


def _check_labels(terms: Terms) -> None:
    metric = _metric(terms.metric)
    most = MAX_ITEMS if metric is Metric.RANKING else MAX_CLASSES
    if not MIN_CLASSES <= terms.classes <= most:
        raise TermsError(f"classes is {terms.classes}; for {metric.name} it must be {MIN_CLASSES} to {most}.")
    if not MIN_BATCH_SIZE <= terms.batch_size <= MAX_BATCH_SIZE:
        raise TermsError(
            f"batch_size is {terms.batch_size}; it must be {MIN_BATCH_SIZE} to {MAX_BATCH_SIZE}."
        )


def _check_curve(curve: Curve) -> None:
    scores = (curve.slash_full, curve.slash_from, curve.pay_from, curve.pay_full)
    if list(scores) != sorted(scores):
        raise TermsError(f"The curve is {scores}; it must be slash_full ≤ slash_from ≤ pay_from ≤ pay_full.")
    for score in (curve.slash_full, curve.pay_full, curve.floor):
        if not -BPS <= score <= BPS:
            raise TermsError(f"The curve holds the score {score}; scores are {-BPS} to {BPS}.")
    if curve.max_slash > curve.forfeit:
        raise TermsError(
            f"curve.max_slash is {curve.max_slash}; it must not be above forfeit, {curve.forfeit}: "
            "hiding is never cheaper than a bad score."
        )
    # Denouncing oneself costs half a stake: a larger forfeit would make that the cheap way out.
    if curve.forfeit > MAX_FORFEIT:
        raise TermsError(f"curve.forfeit is {curve.forfeit}; it must be at most {MAX_FORFEIT} bps.")


def _check_signals(terms: Terms) -> None:
    if (terms.audit_root == ZERO_WORD) != (terms.audit_key_hash == ZERO_WORD):
        raise TermsError("audit_root and audit_key_hash must both be given, or both be 0 for no audit.")
    weights = terms.weights
    if weights.peers == weights.gold == weights.repeats == 0:
        raise TermsError("weights are all 0; at least one signal must count.")
    if weights.peers == 0 and not terms.audited:
        raise TermsError("weights.peers is 0; without an audit peers are the only signal and must count.")


TERMS_ABI: Final = _abi_type(Terms)
