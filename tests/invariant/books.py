"""Everything that the contract says of itself at one moment, and the same as the model has it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

from eth_abi.abi import decode, encode
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak
from invariant.model import ETHER, REFEREED, RELEASED, STANDING, Batch, Model, Seat

from earnest.chain.life import Life, Phase
from earnest.protocol import draw, opening
from earnest.protocol.terms import TERMS_ABI, Terms

LIFE = "(uint256,uint256,uint256,uint256,uint256,uint256,uint256,uint8,uint256)"
POSTING = "(address,uint40,uint32,uint8)"
GAS = 25_000_000


@dataclass(frozen=True)
class CampaignBooks:
    """One campaign. `seats` are (labeler, record, revisions), `batches` (status, final at, scores, posting),
    `postings` (settler, posted at, resting, status), from number 1 on.
    """

    experimenter: str
    terms: Terms
    life: Life
    requested: bool
    ticket: int
    seed: bytes
    key: bytes
    seats: tuple[tuple[str, int, int], ...]
    batches: tuple[tuple[int, int, int, int], ...]
    postings: tuple[tuple[str, int, int, int], ...]

    @property
    def drawn(self) -> bool:
        return self.seed != bytes(32)

    @cached_property
    def cohorts(self) -> list[list[int]]:
        """The seats of every drawn batch, by lane."""
        if not self.drawn:
            return []
        return draw.cohorts(self.seed, self.life.seats, self.life.cohort).tolist()

    def revealed(self, seat: int) -> bool:
        return opening.has_revealed(self.seats[seat][1])

    def denounced(self, seat: int) -> bool:
        return self.seats[seat][1] == opening.DENOUNCED


@dataclass(frozen=True)
class Books:
    """The whole contract. `accounts` are (balance, nonce) by account and token; `held` is what it has of each
    token.
    """

    time: int
    accounts: dict[tuple[str, str], tuple[int, int]]
    held: dict[str, int]
    campaigns: dict[int, CampaignBooks]

    def balance(self, account: str, token: str) -> int:
        return self.accounts[account, token][0]

    def free(self, token: str) -> int:
        """The sum of all free balances."""
        return sum(balance for (_, kind), (balance, _) in self.accounts.items() if kind == token)


@dataclass(frozen=True)
class Reader:
    """Reads a contract's books: one call for all views, through its own `multicall`."""

    web3: Any
    earnest: str

    def read(self, model: Model, accounts: Iterable[str], tokens: Sequence[str]) -> Books:
        """The books as the chain has them; `model` tells how many seats, batches and postings to ask for."""
        pairs = [(account, token) for account in accounts for token in tokens]
        asked = [_data("accountOf(address,address)", *pair) for pair in pairs]
        for number, c in model.campaigns.items():
            asked += [_data("termsOf(uint256)", number), _data("lifeOf(uint256)", number)]
            asked += [_data("drawOf(uint256)", number)]
            asked += [_data("seatOf(uint256,uint256)", number, seat) for seat in range(_seats(c))]
            asked += [_data("batchOf(uint256,uint256)", number, batch) for batch in range(c.life.batches)]
            asked += [
                _data("postingOf(uint256,uint256)", number, 1 + index) for index in range(len(c.postings))
            ]
        answers = iter(self.call_many(asked))
        found = {pair: _decode("uint256,uint256", next(answers)) for pair in pairs}
        campaigns = {
            number: CampaignBooks(
                *_terms(next(answers)),
                _life(next(answers)),
                *_decode("bool,uint256,bytes32,bytes32", next(answers)),
                seats=tuple(_seat(next(answers)) for _ in range(_seats(c))),
                batches=tuple(
                    _decode("uint8,uint256,uint256,uint256", next(answers)) for _ in range(c.life.batches)
                ),
                postings=tuple(_posting(next(answers)) for _ in range(len(c.postings))),
            )
            for number, c in model.campaigns.items()
        }
        return Books(self.time(), found, {token: self.held(token) for token in tokens}, campaigns)

    def read_times(self, books: Books) -> Books:
        """The books after nothing but time has passed: only lives move by themselves."""
        lives = self.call_many([_data("lifeOf(uint256)", number) for number in books.campaigns])
        campaigns = {
            number: replace(c, life=_life(data))
            for (number, c), data in zip(books.campaigns.items(), lives, strict=True)
        }
        return replace(books, time=self.time(), campaigns=campaigns)

    def time(self) -> int:
        return int(self.web3.eth.get_block("latest")["timestamp"])

    def call_many(self, calls: Sequence[bytes]) -> list[bytes]:
        """The answers to several calls made in one."""
        data = _selector("multicall(bytes[])") + encode(["bytes[]"], [calls])
        answer = self.web3.eth.call({"to": self.earnest, "data": data, "gas": GAS})
        return list(decode(["bytes[]"], answer)[0])

    def held(self, token: str) -> int:
        if token == ETHER:
            return int(self.web3.eth.get_balance(self.earnest))
        return self.balance_of(token, self.earnest)

    def balance_of(self, token: str, account: str) -> int:
        """What an account has outside the contract."""
        if token == ETHER:
            return int(self.web3.eth.get_balance(account))
        data = _data("balanceOf(address)", account)
        return int.from_bytes(self.web3.eth.call({"to": token, "data": data}), "big")


def expected(model: Model, accounts: Iterable[str], tokens: Sequence[str], held: dict[str, int]) -> Books:
    """The books as the model has them."""
    found = {
        (account, token): (model.balances[account, token], model.nonces[account, token])
        for account in accounts
        for token in tokens
    }
    return Books(model.now, found, held, {number: _campaign(model, number) for number in model.campaigns})


def _campaign(model: Model, number: int) -> CampaignBooks:
    c = model.campaigns[number]
    seats = [c.seats.get(index, Seat()) for index in range(_seats(c))]
    batches = []
    for index in range(c.life.batches):
        batch = c.batches.get(index, Batch())
        status, final_at = model.status_of(c, index)
        batches.append((status, final_at, batch.scores, batch.posting) if status else (0, 0, 0, 0))
    return CampaignBooks(
        c.experimenter, c.terms, model.life_of(number), c.requested, c.ticket, c.seed, c.key,
        tuple((seat.labeler, seat.record, seat.revisions) for seat in seats),
        tuple(batches),
        tuple((p.settler, p.posted_at, p.resting, p.status) for p in c.postings),
    )  # fmt: skip


def differences(found: Books, wanted: Books) -> list[str]:
    """Where the chain's books are not as the model has them, as lines to print."""
    lines = [
        f"account {key}: {entry} instead of {wanted.accounts[key]}"
        for key, entry in found.accounts.items()
        if entry != wanted.accounts[key]
    ]
    if found.time != wanted.time:
        lines.append(f"time: {found.time} instead of {wanted.time}")
    for number, c in found.campaigns.items():
        for member in fields(CampaignBooks):
            is_, should = (getattr(side, member.name) for side in (c, wanted.campaigns[number]))
            if is_ != should:
                lines.append(f"{member.name} of campaign {number}: {is_} instead of {should}")
    return lines


def locked(books: CampaignBooks, refunded: bool) -> int:
    """What a campaign still has under lock; `refunded` says that its cancelled bounties are back already."""
    terms, life = books.terms, books.life
    bonds = sum(terms.bond for _, _, _, status in books.postings if status == STANDING)
    if not books.drawn:
        stakes = sum(terms.stake for labeler, _, _ in books.seats if int(labeler, 16))
        return bonds + stakes + (0 if refunded else (terms.bounty + terms.fee) * life.batches)
    total = bonds
    for (status, *_), cohort in zip(books.batches, books.cohorts, strict=True):
        if status != RELEASED:
            total += terms.bounty + (0 if status == REFEREED else terms.fee)
            total += sum(terms.stake for seat in cohort if not books.denounced(seat))
    return total


def _seats(c: Any) -> int:
    return len(c.seats)


def _selector(signature: str) -> bytes:
    return keccak(text=signature)[:4]


def _data(signature: str, *values: Any) -> bytes:
    return _selector(signature) + encode(signature[signature.index("(") + 1 : -1].split(","), values)


def _decode(kinds: str, data: bytes) -> tuple[Any, ...]:
    return decode(kinds.split(","), data)


def _terms(data: bytes) -> tuple[str, Terms]:
    experimenter, terms = decode(["address", TERMS_ABI], data)
    found = Terms.from_abi(terms)
    token, gate = to_checksum_address(found.token), to_checksum_address(found.gate)
    return to_checksum_address(experimenter), replace(found, token=token, gate=gate)


def _life(data: bytes) -> Life:
    seats, taken, committed, opened, scored, released, deadline, phase, cohort = decode([LIFE], data)[0]
    return Life(
        phase=Phase(phase), deadline=deadline, seats=seats, cohort=cohort, taken=taken, committed=committed,
        opened=opened, scored=scored, released=released,
    )  # fmt: skip


def _seat(data: bytes) -> tuple[str, int, int]:
    labeler, record, revisions = decode(["address", "bytes32", "uint256"], data)
    return to_checksum_address(labeler), int.from_bytes(record, "big"), revisions


def _posting(data: bytes) -> tuple[str, int, int, int]:
    settler, posted_at, resting, status = decode([POSTING], data)[0]
    return to_checksum_address(settler), posted_at, resting, status

