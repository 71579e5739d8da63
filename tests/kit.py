"""Drives the protocol in tests: deploys it, takes campaigns through their life, and reads what it holds.

A `System` is one deployment, a `Campaign` one campaign of it together with what only its experimenter knows.
What acts sends one transaction and returns its receipt; `System.fund` and `Campaign.draw` prepare theirs.
What the chain should answer is left to `earnest.protocol`, the independent implementation of the rules.
"""

from __future__ import annotations

import re
from ast import literal_eval
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import IntEnum
from functools import cached_property
from typing import Any, Final
from unittest.mock import patch

from ape.api import ReceiptAPI, TestAccountAPI
from ape.contracts import ContractInstance
from ape.exceptions import ContractLogicError, CustomError
from ape.managers.chain import ChainManager
from ape.managers.project import ProjectManager
from ape_ethereum.trace import Trace
from eth_abi.abi import decode
from eth_account import Account
from eth_utils.crypto import keccak

from earnest.protocol import audit, draw, merkle, opening, score, settlement
from earnest.protocol.labels import label_count
from earnest.protocol.terms import (
    ZERO_ADDRESS,
    ZERO_WORD,
    Curve,
    Metric,
    Periods,
    Terms,
    Weights,
    campaign_id,
)

ETHER: Final = ZERO_ADDRESS
HOUR: Final = 3_600

# No two periods alike, and odd amounts, so that one taken for another, or rounded the wrong way, shows.
TERMS: Final = Terms(
    token=ETHER,
    stake=999,
    bounty=10_001,
    fee=53,
    batch_size=4,
    cohort=3,
    metric=Metric.NOMINAL,
    classes=3,
    bond=201,
    batches=2,
    enroll_by=0,
    curve=Curve(max_slash=3_000, forfeit=5_000),
    weights=Weights(peers=1, gold=0, repeats=0),
    periods=Periods(draw=2 * HOUR, commit=3 * HOUR, reveal=4 * HOUR, audit=5 * HOUR, challenge=6 * HOUR),
    manifest=keccak(b"manifest"),
)


class Phase(IntEnum):
    NONE = 0
    ENROLLING = 1
    DRAWING = 2
    COMMITTING = 3
    REVEALING = 4
    AUDITING = 5
    SETTLING = 6
    FINAL = 7
    CANCELLED = 8


class Outcome(IntEnum):
    """A ticket's status at the randomness source."""

    PENDING = 0
    READY = 1
    EXPIRED = 2


class BatchStatus(IntEnum):
    OPEN = 0
    POSTED = 1
    REFEREED = 2
    RELEASED = 3


class PostingStatus(IntEnum):
    NONE = 0
    STANDING = 1
    VOID = 2
    CLOSED = 3


@dataclass(frozen=True)
class Opening:
    """What is behind a seat's commitment."""

    seat: int
    labels: bytes
    salt: bytes

    @property
    def abi(self) -> tuple[int, bytes, bytes]:
        return (self.seat, self.labels, self.salt)


@dataclass(frozen=True)
class System:
    """One deployment. `relayer` sends what anybody may send."""

    chain: ChainManager
    earnest: ContractInstance
    referee: ContractInstance
    randomness: ContractInstance
    sink: TestAccountAPI
    relayer: TestAccountAPI

    @cached_property
    def domain(self) -> opening.Domain:
        return opening.Domain(self.chain.chain_id, self.earnest.address)

    def at(self, timestamp: int) -> None:
        """Let the next transaction's block have this time."""
        self.chain.pending_timestamp = timestamp

    def travel(self, timestamp: int) -> None:
        """Mine a block of this time, so that calls see it too."""
        self.at(timestamp)
        self.chain.mine()

    def balance(self, account: Any, token: Any = ETHER) -> int:
        """An account's free balance in the vault."""
        return int(self.earnest.accountOf(account, token).balance)

    def nonce(self, account: Any, token: Any = ETHER) -> int:
        return int(self.earnest.accountOf(account, token).nonce)

    def held(self, token: Any = ETHER) -> int:
        """What the vault holds of a token."""
        if _address(token) == ETHER:
            return int(self.earnest.balance)
        return int(token.balanceOf(self.earnest))

    def fund(self, account: TestAccountAPI, amount: int, token: Any = ETHER) -> ReceiptAPI:
        """Deposit for an account; a token is minted and approved first."""
        if _address(token) == ETHER:
            return self.earnest.deposit(ETHER, amount, account, value=amount, sender=account)
        token.mint(account, amount, sender=account)
        token.approve(self.earnest, amount, sender=account)
        return self.earnest.deposit(token, amount, account, sender=account)

    def create(
        self,
        experimenter: TestAccountAPI,
        terms: Terms,
        key: bytes = ZERO_WORD,
        rows: Sequence[bytes] = (),
        uri: str = "file:manifest.json",
    ) -> Campaign:
        """Create a campaign from the experimenter's balance; `key` and enciphered `rows` are its audit's."""
        self.earnest.create(terms.abi_tuple(), uri, sender=experimenter)
        return Campaign(self, experimenter, terms, key, tuple(rows))

    def terms(self, enroll_in: int = HOUR, **changes: Any) -> Terms:
        """The usual terms, enrolling for so many seconds, with some members changed."""
        return replace(TERMS, **({"enroll_by": self.chain.pending_timestamp + enroll_in} | changes))

    def audited_terms(
        self, key: bytes, rows: Sequence[audit.AuditRow], **changes: Any
    ) -> tuple[Terms, list[bytes]]:
        """Terms with an audit of which all signals count, and its rows enciphered."""
        usual = {"weights": Weights(peers=1, gold=1, repeats=1), "batches": len(rows)}
        plain = self.terms(**(usual | changes))
        sealed = audit.seal(rows, key, plain.batch_size, label_count(plain.metric, plain.classes))
        root = merkle.tree(sealed)[0]
        return replace(plain, audit_root=root, audit_key_hash=audit.key_hash(key)), sealed


@dataclass(frozen=True)
class Campaign:
    """One campaign, and its audit's key and enciphered rows."""

    system: System
    experimenter: TestAccountAPI
    terms: Terms
    key: bytes = ZERO_WORD
    rows: tuple[bytes, ...] = ()

    @cached_property
    def id(self) -> int:
        return campaign_id(self.experimenter.address, self.terms)

    @property
    def earnest(self) -> ContractInstance:
        return self.system.earnest

    # What the chain says

    def life(self) -> Any:
        return self.earnest.lifeOf(self.id)

    def phase(self) -> Phase:
        return Phase(self.life().phase)

    def seed(self) -> bytes:
        return bytes(self.earnest.drawOf(self.id).seed)

    def labeler_of(self, seat: int) -> str:
        return str(self.earnest.seatOf(self.id, seat).labeler)

    def record(self, seat: int) -> int:
        return int.from_bytes(self.earnest.seatOf(self.id, seat).record, "big")

    def revisions(self, seat: int) -> int:
        return int(self.earnest.seatOf(self.id, seat).revisions)

    def batch(self, batch: int) -> Any:
        return self.earnest.batchOf(self.id, batch)

    def balances(self, accounts: Iterable[Any]) -> list[int]:
        """Free balances in the campaign's token."""
        return [self.system.balance(account, self.terms.token) for account in accounts]

    # What the rules say

    @property
    def escrow(self) -> int:
        """What creating it costs."""
        return (self.terms.bounty + self.terms.fee) * self.terms.batches

    def cohort(self, batch: int) -> list[int]:
        """A drawn batch's seats, by lane."""
        return draw.cohort_of(self.seed(), int(self.life().seats), self.terms.cohort, batch)

    def opening(self, seat: int, labels: bytes | None = None) -> Opening:
        """A seat's opening; labels of its own unless given, a salt of its own always."""
        size = label_count(self.terms.metric, self.terms.classes)
        stream = keccak(b"labels %d" % seat) * (1 + self.terms.batch_size // 32)
        own = bytes(byte % size for byte in stream[: self.terms.batch_size])
        return Opening(seat, own if labels is None else labels, keccak(b"salt %d" % seat))

    def commitment(self, opened: Opening) -> bytes:
        return opening.opening_digest(self.system.domain, self.id, opened.seat, opened.labels, opened.salt)

    def scores(self, batch: int, openings: Mapping[int, Opening], disclosed: bool = True) -> list[int]:
        """A batch's scores by lane; seats without an opening did not reveal."""
        lanes = self.cohort(batch)
        labels = [openings[seat].labels if seat in openings else b"" for seat in lanes]
        labelers = [self.labeler_of(seat) for seat in lanes]
        return score.scores(self.terms, labels, labelers, self.row(batch) if disclosed else None)

    def row(self, batch: int) -> audit.AuditRow | None:
        """A batch's audit row in the clear."""
        if not self.rows:
            return None
        size = label_count(self.terms.metric, self.terms.classes)
        return audit.open_row(self.rows[batch], self.key, batch, self.terms.batch_size, size)

    def payouts(self, batch: int, scores: Sequence[int], denounced: Iterable[int] = ()) -> settlement.Payouts:
        """What a batch of these scores pays; `denounced` are seats."""
        gone = set(denounced)
        return settlement.settle_batch(self.terms, scores, [seat in gone for seat in self.cohort(batch)])

    # What people do

    def enroll(
        self, labeler: Any, seats: int = 1, sender: TestAccountAPI | None = None, proof: bytes = b""
    ) -> ReceiptAPI:
        return self.earnest.enroll(self.id, labeler, seats, proof, sender=sender or labeler)

    def enroll_signed(
        self, enrolments: Iterable[tuple[Any, ...]], sender: TestAccountAPI | None = None
    ) -> ReceiptAPI:
        return self.earnest.enrollSigned(self.id, list(enrolments), sender=sender or self.system.relayer)

    def request_draw(self) -> ReceiptAPI:
        return self.earnest.requestDraw(self.id, sender=self.system.relayer)

    def draw(self, word: bytes | None = None) -> ReceiptAPI:
        """Draw; with a `word` the source, a mock, is told to answer the ticket with it first."""
        if word is not None:
            ticket = self.earnest.drawOf(self.id).ticket
            self.system.randomness.set(ticket, Outcome.READY, word, sender=self.system.relayer)
        return self.earnest.draw(self.id, sender=self.system.relayer)

    def refund(self, seats: Sequence[int] = (), sender: TestAccountAPI | None = None) -> ReceiptAPI:
        return self.earnest.refund(self.id, list(seats), sender=sender or self.system.relayer)

    def commit(self, opened: Opening, sender: TestAccountAPI) -> ReceiptAPI:
        return self.earnest.commit(self.id, opened.seat, self.commitment(opened), sender=sender)

    def commit_signed(
        self, commitments: Iterable[tuple[Any, ...]], sender: TestAccountAPI | None = None
    ) -> ReceiptAPI:
        return self.earnest.commitSigned(self.id, list(commitments), sender=sender or self.system.relayer)

    def denounce(self, opened: Opening, sender: TestAccountAPI) -> ReceiptAPI:
        return self.earnest.denounce(self.id, opened.abi, sender=sender)

    def reveal(self, opened: Opening, sender: TestAccountAPI | None = None) -> ReceiptAPI:
        sender = sender or self.system.relayer
        return self.earnest.reveal(self.id, opened.seat, opened.labels, opened.salt, sender=sender)

    def reveal_many(self, openings: Iterable[Opening], sender: TestAccountAPI | None = None) -> ReceiptAPI:
        opened = [one.abi for one in openings]
        return self.earnest.revealMany(self.id, opened, sender=sender or self.system.relayer)

    def disclose(self, sender: TestAccountAPI | None = None) -> ReceiptAPI:
        return self.earnest.disclose(self.id, self.key, sender=sender or self.experimenter)

    def post(self, scores: Mapping[int, Sequence[int]], sender: TestAccountAPI) -> ReceiptAPI:
        """Post scores by batch and lane."""
        words = [settlement.pack(lanes) for lanes in scores.values()]
        return self.earnest.post(self.id, list(scores), words, sender=sender)

    def referee(
        self, batch: int, openings: Mapping[int, Opening], sender: TestAccountAPI | None = None
    ) -> ReceiptAPI:
        return self.earnest.referee(*self.evidence(batch, openings), sender=sender or self.system.relayer)

    def evidence(self, batch: int, openings: Mapping[int, Opening]) -> tuple[Any, ...]:
        """The arguments of `referee`: what was revealed, and the audit row with its proof."""
        labels = b"".join(openings[seat].labels for seat in self.cohort(batch) if seat in openings)
        if not self.rows:
            return (self.id, batch, labels, b"", [])
        return (self.id, batch, labels, self.rows[batch], merkle.proof(merkle.tree(self.rows), batch))

    def release(self, batches: Sequence[int], sender: TestAccountAPI | None = None) -> ReceiptAPI:
        return self.earnest.release(self.id, list(batches), sender=sender or self.system.relayer)

    def return_bond(self, posting: int, sender: TestAccountAPI | None = None) -> ReceiptAPI:
        return self.earnest.returnBond(self.id, posting, sender=sender or self.system.relayer)

    # What people sign

    def enrolment(
        self, labeler: Any, signer: TestAccountAPI, seats: int = 1, proof: bytes = b"", **changes: Any
    ) -> tuple[Any, ...]:
        """A signed enrolment. `nonce` and `deadline` may be given, and `campaign`: another one's id."""
        nonce = changes.get("nonce", self.system.nonce(labeler, self.terms.token))
        deadline = changes.get("deadline", self.terms.enroll_by)
        digest = opening.enrolment_digest(
            self.system.domain, changes.get("campaign", self.id), _address(labeler), seats, nonce, deadline
        )
        return (_address(labeler), seats, nonce, deadline, proof, sign(signer, digest))

    def signed_commitment(self, opened: Opening, signer: TestAccountAPI, **changes: Any) -> tuple[Any, ...]:
        """A signed commitment. `revision`, `deadline`, `campaign` and `seat` may be given."""
        revision = changes.get("revision", self.revisions(opened.seat))
        deadline = changes.get("deadline", int(self.life().deadline))
        commitment = self.commitment(opened)
        signed_seat = changes.get("seat", opened.seat)
        digest = opening.commitment_digest(
            self.system.domain, changes.get("campaign", self.id), signed_seat, commitment, revision, deadline
        )
        return (opened.seat, commitment, revision, deadline, sign(signer, digest))


def deploy(
    chain: ChainManager,
    project: ProjectManager,
    operator: TestAccountAPI,
    sink: TestAccountAPI,
    relayer: TestAccountAPI,
    randomness: ContractInstance | None = None,
) -> System:
    """The contracts, with a randomness source to set unless another is given."""
    referee = operator.deploy(project.Referee)
    source = randomness or operator.deploy(project.RandomnessMock)
    earnest = operator.deploy(project.Earnest, source, referee, sink)
    return System(chain, earnest, referee, source, sink, relayer)


def sign(signer: TestAccountAPI, digest: bytes) -> bytes:
    """A key's signature over 32 bytes, as wallets write it: r, s, v (27 or 28)."""
    return bytes(Account.unsafe_sign_hash(digest, private_key=signer.private_key).signature)


@contextmanager
def reverts(error: Any, **values: Any) -> Iterator[None]:
    """Expect the block to revert with exactly this error and all of its values.

    `error` is an error of a contract, or the raw bytes of a revert. (Ape's own check passes whenever the
    error is one that the called contract does not declare itself, such as the referee's.)
    """
    found = None
    try:
        with patch.object(Trace, "show"):  # Ape shows each revert's trace, which takes it a second or two
            yield
    except ContractLogicError as raised:
        found = raised
    assert found is not None, "did not revert"
    if isinstance(error, bytes):
        assert _revert_data(found) == error, f"reverted otherwise: {found}"
        return
    name, given = _decode(found, error.abi)
    assert name == error.abi.name, f"reverted with {name or found}, not {error.abi.name}"
    expected = {key: _plain(value) for key, value in values.items()}
    assert given == expected, f"{name} carries {given}, not {expected}"


def _decode(found: ContractLogicError, abi: Any) -> tuple[str | None, dict[str, Any]]:
    """The error's name and values, from what Ape has recognised or from the raw revert."""
    if isinstance(found, CustomError):
        return found.abi.name, {name: _plain(value) for name, value in found.inputs.items()}
    data = _revert_data(found)
    if data[:4] != keccak(text=abi.selector)[:4]:
        return None, {}
    kinds = [member.canonical_type for member in abi.inputs]
    values = decode(kinds, data[4:])
    return abi.name, {member.name: _plain(value) for member, value in zip(abi.inputs, values, strict=True)}


def _revert_data(found: ContractLogicError) -> bytes:
    """What the EVM returned, from what the two nodes make of it where Ape does not know the error."""
    cause: Any = found
    while cause.__cause__ is not None:
        cause = cause.__cause__
    data = getattr(cause, "data", None)
    if isinstance(data, str):
        return bytes.fromhex(data.removeprefix("0x"))
    message = str(cause.args[0]) if cause.args else ""
    if custom := _ANVIL_ERROR.fullmatch(message):  # values in hexadecimal, or as the text they happen to be
        values = custom["values"] or ""
        plain = bytes.fromhex(values) if _WORDS.fullmatch(values) else values.encode()
        return bytes.fromhex(custom["selector"]) + plain
    if raw := _IN_PROCESS_ERROR.fullmatch(message):
        return bytes(literal_eval(raw["data"]))
    return message.removeprefix("execution reverted").removeprefix(": ").encode()  # anvil: all of it is text


_ANVIL_ERROR: Final = re.compile(
    r"execution reverted: custom error 0x(?P<selector>[0-9a-f]{8})(: (?P<values>.*))?", re.DOTALL
)
_IN_PROCESS_ERROR: Final = re.compile(r"execution reverted: (?P<data>b(?P<quote>['\"]).*(?P=quote))")
_WORDS: Final = re.compile(r"([0-9a-f]{64})+")


def _plain(value: Any) -> Any:
    """A value to compare: addresses in lower case, bytes as bytes, all integers alike."""
    if isinstance(value, bytes):
        return bytes(value)
    if isinstance(value, bool | int):
        return int(value)
    return str(_address(value)).lower()


def _address(account: Any) -> str:
    return account if isinstance(account, str) else str(account.address)
