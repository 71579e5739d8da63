"""The whole state of the contract, rebuilt from its records alone (design, section 9): no node, no Ape.

`State.apply` takes records in the order of their places and keeps what the contract keeps: every free
balance, and of each campaign its life, seats, commitments, labels, scores, postings and payouts. Only the
sink's address stands in no record; it is fixed at deployment.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from earnest.chain import life as lives
from earnest.chain import records as events
from earnest.chain.life import Life, Phase
from earnest.chain.records import Place, Record
from earnest.protocol import draw
from earnest.protocol.opening import (
    DENOUNCED,
    NOTHING,
    committed_record,
    has_committed,
    has_revealed,
    revealed_record,
)
from earnest.protocol.score import ABSENT
from earnest.protocol.settlement import LANE_BITS, Outlook, outlook, settle_batch
from earnest.protocol.terms import BPS, Terms, campaign_id

REFEREED_POSTING: Final = 0

# What scores hang on.
_MOVING: Final = (events.Drawn, events.Denounced, events.Revealed, events.Disclosed)


class StateError(ValueError):
    """Records that do not follow from each other: some are missing, doubled or out of order."""


class BatchStatus(IntEnum):
    """How far a batch has come."""

    OPEN = 0
    POSTED = 1
    REFEREED = 2
    RELEASED = 3


class PostingStatus(IntEnum):
    """What became of a posting's bond: locked, lost, or back with the settler."""

    NONE = 0
    STANDING = 1
    VOID = 2
    CLOSED = 3


@dataclass(frozen=True, kw_only=True)
class Seat:
    """A seat. `staked`: its stake is locked. `paid`: what it got back of stake and pay, None while open."""

    labeler: str
    record: int = NOTHING
    revisions: int = 0
    labels: bytes = b""
    denouncer: str | None = None
    staked: bool = True
    paid: int | None = None

    @property
    def committed(self) -> bool:
        """Whether it holds a commitment that is not opened yet."""
        return has_committed(self.record)

    @property
    def revealed(self) -> bool:
        """Whether its labels are revealed."""
        return has_revealed(self.record)

    @property
    def denounced(self) -> bool:
        """Whether its stake is gone."""
        return self.record == DENOUNCED


@dataclass(frozen=True, kw_only=True)
class Batch:
    """A batch: the packed word of its scores and the posting they came with (0: refereed).

    `results`, once released, by lane: what the seat got on top of its stake, or (negative) lost of it.
    """

    status: BatchStatus = BatchStatus.OPEN
    scores: int = 0
    posting: int = REFEREED_POSTING
    results: tuple[int, ...] = ()
    refund: int = 0
    sunk: int = 0


@dataclass(frozen=True, kw_only=True)
class Posting:
    """The scores that one settler posted at once. `resting`: batches that live by it."""

    settler: str
    posted_at: int
    resting: int = 0
    status: PostingStatus = PostingStatus.STANDING


@dataclass(kw_only=True)
class Campaign:
    """One campaign. `life` is as of the last record; `life_at` carries it further.

    `drawn_at`: the time of the draw (unix); `committed_in`: the block of the newest commitment; `moved`: that
    of the last record that its scores hang on; `settling_from`: when Settling began, None while no record is
    later (see `settling_at`).
    """

    number: int
    experimenter: str
    terms: Terms
    uri: str
    life: Life
    created: Place
    tickets: list[int] = field(default_factory=list)
    seed: bytes | None = None
    audit_key: bytes | None = None
    drawn_at: int | None = None
    committed_in: int | None = None
    moved: int = 0
    settling_from: int | None = None
    escrowed: bool = True  # whether bounties and fees are; no longer once a cancelled campaign is refunded
    seats: list[Seat] = field(default_factory=list)
    batches: list[Batch] = field(default_factory=list)
    postings: dict[int, Posting] = field(default_factory=dict)
    cohorts: NDArray[np.int64] = field(default_factory=lambda: np.zeros((0, 0), dtype=np.int64))
    assignment: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))

    def life_at(self, now: int) -> Life:
        """The life at unix time `now`."""
        return lives.at(self.life, self.terms, now)

    def settling_at(self, now: int) -> int | None:
        """When Settling began (unix time), whatever was posted since; None when it has not by `now`."""
        if self.settling_from is not None:
            return self.settling_from if self.settling_from <= now else None
        return dict(lives.passing(self.life, self.terms, now)).get(Phase.SETTLING)

    def cohort(self, batch: int) -> list[Seat]:
        """A drawn batch's seats, by lane. Raises StateError for a batch that was not drawn."""
        if not 0 <= batch < len(self.batches):
            raise StateError(f"There is no batch {batch}: {len(self.batches)} are drawn.")
        return [self.seats[seat] for seat in self.cohorts[batch]]

    def batch_of(self, seat: int) -> int | None:
        """A seat's batch; None before the draw and for a benched one."""
        if self.seed is None or self.assignment[seat] == draw.BENCHED:
            return None
        return int(self.assignment[seat])

    def batch(self, batch: int) -> Batch:
        """A batch as it counts: scores of a void posting are none."""
        found = self.batches[batch]
        if found.status is BatchStatus.POSTED and self.postings[found.posting].status is PostingStatus.VOID:
            return Batch()
        return found

    def final_at(self, batch: int) -> int | None:
        """From when (unix time) a batch's scores are final; 0: they are; None: there are none."""
        found = self.batch(batch)
        if found.status is BatchStatus.OPEN:
            return None
        if found.status is not BatchStatus.POSTED:
            return 0
        return self.postings[found.posting].posted_at + self.terms.periods.challenge

    def scores(self, batch: int) -> list[int] | None:
        """A batch's scores by lane, in bps, UNSCORED or ABSENT; None while there are none.

        As posted: what nobody has challenged yet may be any 16-bit number.
        """
        found = self.batch(batch)
        return None if found.status is BatchStatus.OPEN else lanes(found.scores, self.terms.cohort)

    @property
    def locked(self) -> int:
        """What is locked behind the campaign, in token units: bounties, fees, stakes and bonds."""
        terms = self.terms
        standing = sum(posting.status is PostingStatus.STANDING for posting in self.postings.values())
        money = terms.stake * sum(seat.staked for seat in self.seats) + terms.bond * standing
        if self.escrowed:
            released = sum(batch.status is BatchStatus.RELEASED for batch in self.batches)
            refereed = sum(self._fee_paid_early(batch) for batch in self.batches)
            money += terms.bounty * (self.life.batches - released)
            money += terms.fee * (self.life.batches - released - refereed)
        return money

    @staticmethod
    def _fee_paid_early(batch: Batch) -> bool:
        return batch.status is BatchStatus.REFEREED

    def outlook(self, seat: int, now: int) -> Outlook:
        """What a seat can still lose and win at time `now`, being denounced apart, in token units.

        What is decided is exact: absence, scores that are final, a released batch (nothing either way).
        Raises StateError for a seat that was not taken, ScoreError where nonsense posted became final.
        """
        if not 0 <= seat < len(self.seats):
            raise StateError(f"Seat {seat} was not taken: {len(self.seats)} are.")
        found, life = self.seats[seat], self.life_at(now)
        if not found.staked or life.phase is Phase.CANCELLED:
            return Outlook(0, 0)
        if self._is_absent(found, life):
            return self._absent()
        batch = self.batch_of(seat)
        if batch is None:
            return outlook(self.terms)
        final_at = self.final_at(batch)
        if final_at is not None and now >= final_at:
            return self._decided(batch, seat)
        if found.revealed:
            most = settle_batch(self.terms, [-BPS] + [BPS] * (self.terms.cohort - 1)).slash[0]
            return replace(outlook(self.terms), max_loss=most)
        return outlook(self.terms)

    @staticmethod
    def _is_absent(seat: Seat, life: Life) -> bool:
        uncommitted = life.phase >= Phase.REVEALING and seat.record == NOTHING
        return uncommitted or (life.phase >= Phase.AUDITING and not seat.revealed)

    def _absent(self) -> Outlook:
        return Outlook(settle_batch(self.terms, [ABSENT] * self.terms.cohort).forfeit[0], 0)

    def _decided(self, batch: int, seat: int) -> Outlook:
        lane = self.cohorts[batch].tolist().index(seat)
        cohort = self.cohort(batch)
        # The contract goes by the seats' records, whatever was posted for who is absent.
        scores = [
            score if other.revealed else ABSENT
            for score, other in zip(lanes(self.batch(batch).scores, len(cohort)), cohort, strict=True)
        ]
        payouts = settle_batch(self.terms, scores, [other.denounced for other in cohort])
        return Outlook(payouts.slash[lane] + payouts.forfeit[lane], payouts.reward[lane])


@dataclass
class State:
    """Everything that the contract holds. `balances` are free balances by token and account."""

    sink: str
    balances: defaultdict[str, defaultdict[str, int]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(int))
    )
    deposited: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    withdrawn: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    nonces: dict[tuple[str, str], int] = field(default_factory=dict)
    operators: set[tuple[str, str]] = field(default_factory=set)
    campaigns: dict[int, Campaign] = field(default_factory=dict)
    last: Place | None = None

    def balance_of(self, account: str, token: str) -> int:
        """An account's free balance, in token units."""
        return self.balances[token][account] if account in self.balances.get(token, {}) else 0

    def nonce_of(self, account: str, token: str) -> int:
        """The nonce that an account's next signed enrolment must carry."""
        return self.nonces.get((account, token), 0)

    def held(self, token: str) -> int:
        """What came in less what went out, in token units: what the contract must hold."""
        return self.deposited[token] - self.withdrawn[token]

    def free(self, token: str) -> int:
        """The sum of all free balances, in token units."""
        return sum(self.balances[token].values())

    def locked(self, token: str) -> int:
        """The sum of all that is locked behind campaigns, in token units."""
        return sum(campaign.locked for campaign in self.campaigns.values() if campaign.terms.token == token)

    def apply(self, record: Record) -> None:
        """Carry the state past one record. Raises StateError for one that cannot follow."""
        if self.last is not None and record.place <= self.last:
            raise StateError(f"{record} is not after {self.last}.")
        self.last = record.place
        try:
            self._apply(record)
        except (LookupError, ValueError) as error:
            if isinstance(error, StateError):
                raise
            raise StateError(f"{record} does not fit what came before it: {error!r}.") from error

    def _apply(self, record: Record) -> None:
        match record:
            case events.Deposited():
                self.deposited[record.token] += record.amount
                self._credit(record.account, record.token, record.amount)
            case events.Withdrawn():
                self.withdrawn[record.token] += record.amount
                self._credit(record.account, record.token, -record.amount)
            case events.NonceUsed():
                self.nonces[record.labeler, record.token] = record.nonce + 1
            case events.OperatorSet():
                change = self.operators.add if record.approved else self.operators.discard
                change((record.labeler, record.operator))
            case events.Created():
                self._create(record)
            case events.CampaignRecord():
                self._carry(record)

    def _create(self, record: events.Created) -> None:
        terms = record.terms
        if campaign_id(record.experimenter, terms) != record.campaign:
            raise StateError(f"Campaign {record.campaign:#x} is not the hash of its experimenter and terms.")
        self.campaigns[record.campaign] = Campaign(
            number=record.campaign,
            experimenter=record.experimenter,
            terms=terms,
            uri=record.uri,
            life=lives.begin(terms),
            created=record.place,
        )
        self._credit(record.experimenter, terms.token, -(terms.bounty + terms.fee) * terms.batches)

    def _carry(self, record: events.CampaignRecord) -> None:
        campaign = self.campaigns.get(record.campaign)
        if campaign is None:
            name = type(record).__name__
            raise StateError(f"{name} of campaign {record.campaign:#x}, which was not created.")
        now = record.place.timestamp
        campaign.settling_from = campaign.settling_at(now)
        campaign.life = campaign.life_at(now)
        if isinstance(record, _MOVING):
            campaign.moved = record.place.block
        match record:
            case events.Enrolled():
                self._enroll(campaign, record)
            case events.DrawRequested():
                campaign.tickets.append(record.ticket)
            case events.Drawn():
                campaign.drawn_at = record.place.timestamp
                self._draw(campaign, record)
            case events.SeatFreed():
                self._free(campaign, record)
            case events.Cancelled():
                campaign.escrowed = False
                self._pay(campaign, campaign.experimenter, record.refund)
            case events.Committed():
                campaign.committed_in = record.place.block
                _commit(campaign, record)
            case events.Denounced():
                self._denounce(campaign, record)
            case events.Revealed():
                _reveal(campaign, record)
            case events.Disclosed():
                campaign.audit_key = record.key
                campaign.life = lives.enter(campaign.life, Phase.SETTLING, 0)
            case events.PostingOpened():
                self._open_posting(campaign, record)
            case events.Posted():
                _post(campaign, record)
            case events.PostingVoided():
                self._void(campaign, record)
            case events.Refereed():
                self._referee(campaign, record)
            case events.BondReturned():
                posting = campaign.postings[record.posting]
                campaign.postings[record.posting] = replace(posting, status=PostingStatus.CLOSED)
                self._pay(campaign, posting.settler, campaign.terms.bond)
            case events.Released():
                self._release(campaign, record)
        if campaign.life.phase is Phase.SETTLING and campaign.settling_from is None:
            campaign.settling_from = now

    def _enroll(self, campaign: Campaign, record: events.Enrolled) -> None:
        if record.first_seat != len(campaign.seats):
            raise StateError(f"Seat {record.first_seat} was taken after {len(campaign.seats)} seats.")
        campaign.seats.extend([Seat(labeler=record.labeler)] * record.seats)
        life = replace(campaign.life, taken=len(campaign.seats))
        if life.taken == life.seats:
            life = lives.close_enrolling(life, campaign.terms.periods, record.place.timestamp)
        campaign.life = life
        self._pay(campaign, record.labeler, -campaign.terms.stake * record.seats)

    def _draw(self, campaign: Campaign, record: events.Drawn) -> None:
        terms, taken = campaign.terms, campaign.life.taken
        if record.batches != taken // terms.cohort:
            raise StateError(f"{record.batches} batches were drawn of {taken} seats: enrolments are missing.")
        campaign.seed = record.seed
        campaign.cohorts = draw.cohorts(record.seed, taken, terms.cohort)
        campaign.assignment = draw.assignment(record.seed, taken, terms.cohort)
        campaign.batches = [Batch()] * record.batches
        drawn = replace(campaign.life, seats=record.batches * terms.cohort)
        campaign.life = lives.enter(drawn, Phase.COMMITTING, record.place.timestamp + terms.periods.commit)
        self._pay(campaign, campaign.experimenter, record.refund)

    def _free(self, campaign: Campaign, record: events.SeatFreed) -> None:
        terms = campaign.terms
        campaign.seats[record.seat] = replace(campaign.seats[record.seat], staked=False, paid=terms.stake)
        self._pay(campaign, record.labeler, terms.stake)

    def _denounce(self, campaign: Campaign, record: events.Denounced) -> None:
        stake = campaign.terms.stake
        seat = campaign.seats[record.seat]
        campaign.seats[record.seat] = replace(
            seat, record=DENOUNCED, labels=b"", denouncer=record.denouncer, staked=False, paid=0
        )
        campaign.life = replace(campaign.life, opened=campaign.life.opened + 1)
        self._split(campaign, record.denouncer, stake)

    def _open_posting(self, campaign: Campaign, record: events.PostingOpened) -> None:
        now = record.place.timestamp
        campaign.postings[record.posting] = Posting(settler=record.settler, posted_at=now)
        campaign.life = replace(campaign.life, deadline=now + campaign.terms.periods.challenge)
        self._pay(campaign, record.settler, -campaign.terms.bond)

    def _void(self, campaign: Campaign, record: events.PostingVoided) -> None:
        posting = campaign.postings[record.posting]
        campaign.postings[record.posting] = replace(posting, status=PostingStatus.VOID)
        campaign.life = replace(campaign.life, scored=campaign.life.scored - posting.resting)
        self._split(campaign, record.challenger, campaign.terms.bond)

    def _referee(self, campaign: Campaign, record: events.Refereed) -> None:
        before = campaign.batch(record.batch)
        earner = record.caller
        if before.status is BatchStatus.POSTED:  # rightly: otherwise its posting would be void
            posting = campaign.postings[before.posting]
            campaign.postings[before.posting] = replace(posting, resting=posting.resting - 1)
            earner = posting.settler
        else:
            campaign.life = replace(campaign.life, scored=campaign.life.scored + 1)
        campaign.batches[record.batch] = Batch(status=BatchStatus.REFEREED, scores=record.scores)
        self._pay(campaign, earner, campaign.terms.fee)

    def _release(self, campaign: Campaign, record: events.Released) -> None:
        batch, stake = campaign.batch(record.batch), campaign.terms.stake
        for index, result in zip(campaign.cohorts[record.batch].tolist(), record.results, strict=True):
            seat = campaign.seats[index]
            if seat.staked:
                campaign.seats[index] = replace(seat, staked=False, paid=stake + result)
                self._pay(campaign, seat.labeler, stake + result)
        self._pay(campaign, campaign.experimenter, record.refund)
        self._pay(campaign, self.sink, record.sunk)
        if batch.status is BatchStatus.POSTED:
            self._pay(campaign, campaign.postings[batch.posting].settler, campaign.terms.fee)
        campaign.batches[record.batch] = replace(
            batch, status=BatchStatus.RELEASED, results=record.results, refund=record.refund, sunk=record.sunk
        )
        campaign.life = replace(campaign.life, released=campaign.life.released + 1)

    def _split(self, campaign: Campaign, finder: str, amount: int) -> None:
        """Half to who found something wrong, the rest to the sink."""
        self._pay(campaign, finder, amount // 2)
        self._pay(campaign, self.sink, amount - amount // 2)

    def _pay(self, campaign: Campaign, account: str, amount: int) -> None:
        self._credit(account, campaign.terms.token, amount)

    def _credit(self, account: str, token: str, amount: int) -> None:
        balance = self.balances[token][account] + amount
        if balance < 0:
            raise StateError(f"{account} would owe {-balance} of token {token}: records are missing.")
        self.balances[token][account] = balance


def lanes(word: int, cohort: int) -> list[int]:
    """The signed 16-bit lanes of a word of scores, whatever was posted in them."""
    found = [word >> LANE_BITS * lane & 0xFFFF for lane in range(cohort)]
    return [lane - 0x10000 if lane & 0x8000 else lane for lane in found]


def rebuild(records: Iterable[Record], sink: str) -> State:
    """The state after all these records, which begin with the contract's first."""
    state = State(sink)
    for record in records:
        state.apply(record)
    return state


def _commit(campaign: Campaign, record: events.Committed) -> None:
    seat, life = campaign.seats[record.seat], campaign.life
    if seat.record == NOTHING:
        life = replace(life, committed=life.committed + 1)
    campaign.seats[record.seat] = replace(
        seat, record=committed_record(record.commitment), revisions=seat.revisions + 1
    )
    if life.committed == life.seats and life.phase is Phase.COMMITTING:
        life = lives.close_committing(life, campaign.terms, record.place.timestamp)
    campaign.life = life


def _reveal(campaign: Campaign, record: events.Revealed) -> None:
    seat = campaign.seats[record.seat]
    campaign.seats[record.seat] = replace(seat, record=revealed_record(record.labels), labels=record.labels)
    life = replace(campaign.life, opened=campaign.life.opened + 1)
    if life.opened == life.committed:
        life = lives.close_revealing(life, campaign.terms, record.place.timestamp)
    campaign.life = life


def _post(campaign: Campaign, record: events.Posted) -> None:
    posting = campaign.postings[record.posting]
    campaign.postings[record.posting] = replace(posting, resting=posting.resting + 1)
    campaign.batches[record.batch] = Batch(
        status=BatchStatus.POSTED, scores=record.scores, posting=record.posting
    )
    campaign.life = replace(campaign.life, scored=campaign.life.scored + 1)
