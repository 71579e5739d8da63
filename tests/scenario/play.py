"""A campaign played from its first to its last act, with everybody's money watched.

Acts are the contract's functions (see `kit.Campaign`), many seats at a time. What they must pay is computed
by `earnest.protocol`; what they did pay is the difference of two `Play.purses()`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from ape.api import TestAccountAPI
from eth_utils.crypto import keccak
from kit import Campaign, Opening, Phase, System

from earnest.protocol.labels import label_count
from earnest.protocol.score import ABSENT
from earnest.protocol.settlement import Payouts
from earnest.protocol.terms import Terms

PURSE: Final = 10**7  # what everybody has in the vault to begin with, of each token
WORD: Final = keccak(b"outcome")

Purses = dict[str, int]


@dataclass
class Play:
    """`people` are all that own money in the vault, by role. `openings` are those committed to, by seat."""

    system: System
    campaign: Campaign
    people: Mapping[str, TestAccountAPI]
    token: Any  # the contract, or ether
    openings: dict[int, Opening] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.start = self.purses(escrow=self.campaign.escrow)

    # ── Who, when, how much ──

    @property
    def terms(self) -> Terms:
        return self.campaign.terms

    @property
    def phase(self) -> Phase:
        return self.campaign.phase()

    @property
    def deadline(self) -> int:
        return int(self.campaign.life().deadline)

    @property
    def now(self) -> int:
        return int(self.system.chain.blocks.head.timestamp)

    @property
    def batches(self) -> range:
        """Those drawn."""
        return range(int(self.campaign.life().seats) // self.terms.cohort)

    @property
    def seats(self) -> range:
        """Those drawn."""
        return range(int(self.campaign.life().seats))

    def role_of(self, seat: int) -> str:
        labeler = self.campaign.labeler_of(seat)
        return next(role for role, account in self.people.items() if account.address == labeler)

    def owner_of(self, seat: int) -> TestAccountAPI:
        return self.people[self.role_of(seat)]

    def purses(self, escrow: int = 0) -> Purses:
        """Everybody's free balance; `escrow` is the experimenter's that has just gone into the campaign."""
        account_of = self.campaign.earnest.accountOf
        asked = [account_of.encode_input(account, self.terms.token) for account in self.people.values()]
        found = self.campaign.earnest.multicall.call(asked)
        balances = (int.from_bytes(data[:32], "big") for data in found)
        purses = dict(zip(self.people, balances, strict=True))
        purses["experimenter"] += escrow
        return purses

    def gains(self, before: Purses | None = None) -> Purses:
        """Who has won or lost how much since then, by default since before the campaign."""
        start = self.start if before is None else before
        return {role: now - start[role] for role, now in self.purses().items() if now != start[role]}

    def pass_deadline(self) -> None:
        """Nobody does anything more in this phase."""
        self.system.travel(self.deadline)

    # ── Acts ──

    def seat(self, roles: Iterable[str]) -> Play:
        """Seats for these, in this order, carried by the relayer."""
        signed = [self.campaign.enrolment(self.people[role], self.people[role]) for role in roles]
        self.campaign.enroll_signed(signed)
        return self

    def draw(self, word: bytes = WORD) -> Play:
        if self.phase is Phase.ENROLLING:
            self.pass_deadline()
        self.campaign.request_draw()
        self.campaign.draw(word)
        return self

    def commit(self, seats: Iterable[int] | None = None, labels: Mapping[int, bytes] | None = None) -> Play:
        """Commitments of all or some drawn seats, to good labels unless others are given."""
        chosen = list(self.seats if seats is None else seats)
        opened = [
            self.campaign.opening(seat, (labels or {}).get(seat, self.good(seat))) for seat in chosen
        ]
        self.openings |= {one.seat: one for one in opened}
        self.campaign.commit_signed(
            self.campaign.signed_commitment(one, self.owner_of(one.seat)) for one in opened
        )
        return self

    def reveal(self, seats: Iterable[int] | None = None) -> Play:
        """Openings of all or some committed seats; of the others nothing will be known."""
        chosen = list(self.openings if seats is None else seats)
        if chosen:
            self.campaign.reveal_many([self.openings[seat] for seat in chosen])
        self.openings = {seat: self.openings[seat] for seat in chosen}
        return self

    def referee_all(self, sender: TestAccountAPI | None = None) -> Play:
        for batch in self.batches:
            self.campaign.referee(batch, self.openings, sender)
        return self

    def release_all(self) -> Play:
        self.campaign.release(list(self.batches))
        return self

    # ── Labels and scores ──

    def truth(self) -> bytes:
        """What is right, the same for all batches."""
        size = label_count(self.terms.metric, self.terms.classes)
        return bytes((5 * at + at // 3) % size for at in range(self.terms.batch_size))

    def good(self, seat: int) -> bytes:
        """The truth with one mistake, another one for each seat."""
        labels = bytearray(self.truth())
        size = label_count(self.terms.metric, self.terms.classes)
        at = seat % len(labels)
        labels[at] = (labels[at] + 1) % size
        return bytes(labels)

    def bad(self, seat: int) -> bytes:
        """Every label wrong."""
        size = label_count(self.terms.metric, self.terms.classes)
        return bytes((label + 1 + seat % (size - 1)) % size for label in self.truth())

    def noise(self, seat: int) -> bytes:
        """Labels that have nothing to do with anybody's."""
        size = label_count(self.terms.metric, self.terms.classes)
        stream = b"".join(keccak(b"noise %d %d" % (seat, at)) for at in range(self.terms.batch_size))
        return bytes(byte % size for byte in stream[: self.terms.batch_size])

    def scores(self, disclosed: bool = True) -> dict[int, list[int]]:
        """The right scores of every batch."""
        return {batch: self.campaign.scores(batch, self.openings, disclosed) for batch in self.batches}

    def false_scores(self, batches: Iterable[int] | None = None) -> dict[int, list[int]]:
        """Scores that nobody earned, as bad as can be."""
        chosen = self.batches if batches is None else batches
        return {batch: [-10_000] * self.terms.cohort for batch in chosen}

    def payouts(
        self, scores: Mapping[int, Sequence[int]] | None = None, denounced: Iterable[int] = ()
    ) -> dict[int, Payouts]:
        """What every batch must pay at these scores, by default the right ones."""
        gone = list(denounced)
        # Absence stands in the seats' records; a posted score of an absent seat means nothing.
        return {
            batch: self.campaign.payouts(batch, [
                score if seat in self.openings else ABSENT
                for seat, score in zip(self.campaign.cohort(batch), lanes, strict=True)
            ], gone)
            for batch, lanes in (self.scores() if scores is None else scores).items()
        }  # fmt: skip

    def due(self, payouts: Mapping[int, Payouts], **others: int) -> Purses:
        """What everybody must have won or lost in the end by these payouts, fees and stakes included.

        `others` are fees, bonds and rewards for the role that got them, which no payout names.
        """
        due = dict.fromkeys(self.people, 0)
        for batch, payout in payouts.items():
            for seat, paid in zip(self.campaign.cohort(batch), payout.paid, strict=True):
                due[self.role_of(seat)] += paid - self.terms.stake
            due["experimenter"] += payout.refund - self.terms.bounty - self.terms.fee
            due["sink"] += payout.sink
        for role, amount in others.items():
            due[role] += amount
        return {role: amount for role, amount in due.items() if amount}

    def assert_closed(self) -> None:
        """Nothing is locked any more: the contract holds exactly what is free."""
        assert self.system.held(self.token) == sum(self.purses().values())


def loss(terms: Terms, share: int) -> int:
    """A share of the stake, in bps, rounded up."""
    return -(-terms.stake * share // 10_000)

