"""The contract's decisions in plain Python, to be compared with the contract's own after every step.

A `Model` has one method for each function of `Earnest`, with the same arguments after the sender. It either
changes its books or raises `Refusal`, with the custom error that the contract must answer with. Whatever has
a rule in the package (terms, phases, the draw, openings, audits, scores, payouts) is taken from there.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final

from eth_account import Account
from eth_utils.crypto import keccak

from earnest.chain import life as lives
from earnest.chain.life import Life, Phase
from earnest.protocol import audit, draw, merkle, opening, score, settlement
from earnest.protocol.errors import LabelError
from earnest.protocol.labels import check_labels, label_count
from earnest.protocol.terms import BPS, ZERO_ADDRESS, ZERO_WORD, Terms, campaign_id

ETHER: Final = ZERO_ADDRESS
PENDING, READY, EXPIRED = range(3)  # a ticket
OPEN, POSTED, REFEREED, RELEASED = range(4)  # a batch
NONE, STANDING, VOID, CLOSED = range(4)  # a posting
MAX_POSTING: Final = 2**14 - 1


class Refusal(Exception):
    """What the contract must revert with: the error's name, and its values unless they are another's."""

    def __init__(self, name: str, *values: Any, exact: bool = True) -> None:
        super().__init__(name, *values)
        self.name = name
        self.values = values if exact else None


@dataclass
class Caller:
    """A mock that makes a prepared call, when it is asked to, and swallows an error."""

    address: str
    call: tuple[str, tuple[Any, ...]] | None = None


@dataclass
class Token:
    """How a token behaves. `holders` can pay for deposits, all others have approved nothing."""

    address: str
    fee: int = 0  # bps of a transfer
    refuses: set[str] = field(default_factory=set)
    holders: frozenset[str] = frozenset()
    caller: Caller | None = None

    def arrives(self, amount: int) -> int:
        return amount - amount * self.fee // BPS


@dataclass
class Gate:
    """A gate that says what it is told to."""

    caller: Caller
    answer: bool = True


@dataclass
class Seat:
    labeler: str = ZERO_ADDRESS
    record: int = 0
    revisions: int = 0
    labels: bytes = b""


@dataclass
class Batch:
    status: int = OPEN
    scores: int = 0
    posting: int = 0


@dataclass
class Posting:
    settler: str
    posted_at: int
    resting: int
    status: int = STANDING


@dataclass
class Campaign:
    experimenter: str
    terms: Terms
    life: Life
    requested: bool = False
    ticket: int = 0
    seed: bytes = ZERO_WORD
    key: bytes = ZERO_WORD
    seats: dict[int, Seat] = field(default_factory=dict)
    batches: dict[int, Batch] = field(default_factory=dict)
    postings: list[Posting] = field(default_factory=list)

    def __deepcopy__(self, memo: Any) -> Campaign:
        """Terms and life are frozen; the rest is one level deep."""
        return replace(
            self,
            seats={index: copy.copy(seat) for index, seat in self.seats.items()},
            batches={index: copy.copy(batch) for index, batch in self.batches.items()},
            postings=[copy.copy(posting) for posting in self.postings],
        )


NOWHERE: Final = Life(phase=Phase.NONE, deadline=0, seats=0, cohort=0)

# The functions that share the contract's lock.
LOCKED: Final = {"deposit", "withdraw", "enroll", "enrollSigned"}


@dataclass
class Model:
    """What the contract should hold and answer. `now` is the time of the block."""

    earnest: str
    sink: str
    domain: opening.Domain
    tokens: dict[str, Token]
    gates: dict[str, Gate] = field(default_factory=dict)
    wallets: dict[str, str] = field(default_factory=dict)  # ERC-1271: wallet → owner
    receivers: dict[str, Caller] = field(default_factory=dict)  # contracts that take ether and call back
    refusers: frozenset[str] = frozenset()  # contracts that take no ether
    now: int = 0
    balances: defaultdict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    nonces: defaultdict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    operators: set[tuple[str, str]] = field(default_factory=set)
    campaigns: dict[int, Campaign] = field(default_factory=dict)
    tickets: list[tuple[int, bytes]] = field(default_factory=list)
    called: list[tuple[str, str, tuple[Any, ...], bool]] = field(default_factory=list)  # by mocks: who, what
    is_locked: bool = False

    # ── Calling ──

    def call(self, sender: str, name: str, args: Sequence[Any], value: int = 0) -> None:
        """Do what the function does, all of it or, raising Refusal, nothing."""
        with self._atomic():
            if name == "deposit":
                self.deposit(sender, *args, value=value)
            else:
                getattr(self, _snake(name))(sender, *args)

    def multicall(self, sender: str, calls: Sequence[tuple[str, Sequence[Any]]]) -> None:
        with self._atomic():
            for name, args in calls:
                self.call(sender, name, args)

    def call_back(self, caller: Caller | None) -> None:
        """A mock makes its prepared call; whether that goes through is its own affair."""
        if caller is None or caller.call is None:
            return
        name, args = caller.call
        try:
            self.call(caller.address, name, args)
        except Refusal:
            self.called.append((caller.address, name, args, False))
        else:
            self.called.append((caller.address, name, args, True))

    @contextmanager
    def _atomic(self) -> Iterator[None]:
        books = ("balances", "nonces", "operators", "campaigns", "tickets", "called", "is_locked")
        kept = {book: copy.deepcopy(getattr(self, book)) for book in books}
        try:
            yield
        except Refusal:
            for book, value in kept.items():
                setattr(self, book, value)
            raise

    @contextmanager
    def _lock(self) -> Iterator[None]:
        require(not self.is_locked, "ReentrancyGuardReentrantCall")
        self.is_locked = True
        yield
        self.is_locked = False

    # ── Vault ──

    def deposit(self, sender: str, token: str, amount: int, account: str, *, value: int = 0) -> None:
        with self._lock():
            require(account != ZERO_ADDRESS, "ZeroAddress")
            due = amount if token == ETHER else 0
            require(value == due, "WrongValue", value, due)
            if token != ETHER:
                kind = self.tokens[token]
                if sender not in kind.holders and amount:
                    raise Refusal("any", exact=False)  # the token's own error
                if self.earnest in kind.refuses:
                    raise Refusal("ReceiverRefused", self.earnest)
                self.call_back(kind.caller)
                amount = kind.arrives(amount)
            self._credit(account, token, amount)

    def withdraw(self, sender: str, token: str, amount: int, to: str) -> None:
        with self._lock():
            require(to != ZERO_ADDRESS, "ZeroAddress")
            self._debit(sender, token, amount)
            if token == ETHER:
                require(to not in self.refusers and to != self.earnest, "EtherRefused", to, amount)
                self.call_back(self.receivers.get(to))
            else:
                kind = self.tokens[token]
                require(to not in kind.refuses, "ReceiverRefused", to)
                self.call_back(kind.caller)

    def set_operator(self, sender: str, operator: str, approved: bool) -> None:
        (self.operators.add if approved else self.operators.discard)((sender, operator))

    def use_nonce(self, sender: str, token: str) -> None:
        self.nonces[sender, token] += 1

    # ── Enrolling ──

    def create(self, sender: str, terms: tuple[Any, ...], uri: str) -> None:
        require(sender != self.sink, "SinkCannotExperiment", self.sink)
        promised = Terms.from_abi(terms)
        number = campaign_id(sender, promised)
        require(self.now < promised.enroll_by, "EnrollByOutOfRange",
                promised.enroll_by, self.now + 1, self.now + 365 * 86_400)
        require(number not in self.campaigns, "CampaignExists", number)
        self._debit(sender, promised.token, (promised.bounty + promised.fee) * promised.batches)
        self.campaigns[number] = Campaign(sender, promised, lives.begin(promised))

    def enroll(self, sender: str, campaign: int, labeler: str, count: int, proof: bytes) -> None:
        with self._lock():
            self._expect(campaign, Phase.ENROLLING)
            self._authorize(sender, labeler)
            self._enroll(campaign, labeler, count)
            self._close_enrolling(campaign)

    def enroll_signed(self, sender: str, campaign: int, enrolments: Sequence[tuple[Any, ...]]) -> None:
        with self._lock():
            token = self._expect(campaign, Phase.ENROLLING).terms.token
            for labeler, seats, nonce, deadline, _, signature in enrolments:
                expected = self.nonces[labeler, token]
                if nonce < expected:
                    continue
                require(nonce == expected, "WrongNonce", labeler, nonce, expected)
                digest = opening.enrolment_digest(self.domain, campaign, labeler, seats, nonce, deadline)
                self._check_signature(labeler, digest, deadline, signature)
                self.nonces[labeler, token] += 1
                self._enroll(campaign, labeler, seats)
            self._close_enrolling(campaign)

    def _enroll(self, campaign: int, labeler: str, count: int) -> None:
        c = self.campaigns[campaign]
        require(count != 0, "NoSeats")
        first, left = c.life.taken, c.life.seats - c.life.taken
        require(count <= left, "CampaignFull", count, left)
        if c.terms.gate != ZERO_ADDRESS:
            gate = self.gates[c.terms.gate]
            self.call_back(gate.caller)
            c = self.campaigns[campaign]  # what a call back fails to do is undone by putting copies in place
            require(gate.answer, "NotAdmitted", labeler)
        self._debit(labeler, c.terms.token, c.terms.stake * count)
        for seat in range(first, first + count):
            c.seats[seat] = Seat(labeler)
        c.life = replace(c.life, taken=first + count)

    def _close_enrolling(self, campaign: int) -> None:
        c = self.campaigns[campaign]
        if c.life.taken == c.life.seats:
            c.life = lives.close_enrolling(c.life, c.terms.periods, self.now)

    # ── Drawing ──

    def request_draw(self, sender: str, campaign: int) -> None:
        c = self._expect(campaign, Phase.DRAWING)
        if c.requested:
            require(self.tickets[c.ticket][0] == EXPIRED, "DrawAlreadyRequested", c.ticket)
        c.requested, c.ticket = True, len(self.tickets)
        self.tickets.append((PENDING, ZERO_WORD))

    def draw(self, sender: str, campaign: int) -> None:
        c = self._expect(campaign, Phase.DRAWING)
        require(c.requested, "DrawNotRequested")
        status, word = self.tickets[c.ticket]
        require(status == READY, "DrawNotReady", status)
        taken, cohort = c.life.taken, c.life.cohort
        drawn = taken // cohort
        self._credit(c.experimenter, c.terms.token, (c.terms.bounty + c.terms.fee) * (c.life.batches - drawn))
        c.seed = draw.seed(word, campaign)
        c.life = lives.enter(
            replace(c.life, seats=drawn * cohort), Phase.COMMITTING, self.now + c.terms.periods.commit
        )
        for seat in range(drawn * cohort, taken):
            self._free(c, seat)

    def refund(self, sender: str, campaign: int, seats: Sequence[int]) -> None:
        c = self.campaigns.get(campaign)
        unpaid = c is not None and c.life.phase is not Phase.CANCELLED
        c = self._expect(campaign, Phase.CANCELLED)
        if unpaid:
            self._credit(c.experimenter, c.terms.token, (c.terms.bounty + c.terms.fee) * c.life.batches)
        for seat in seats:
            self._free(c, seat)

    def _free(self, c: Campaign, index: int) -> None:
        seat = c.seats.get(index)
        if seat is not None and seat.labeler != ZERO_ADDRESS:
            self._credit(seat.labeler, c.terms.token, c.terms.stake)
            seat.labeler = ZERO_ADDRESS

    # ── Committing ──

    def commit(self, sender: str, campaign: int, seat: int, commitment: bytes) -> None:
        c = self._expect(campaign, Phase.COMMITTING)
        own = self._seat(c, seat)
        self._authorize(sender, own.labeler)
        self._commit(c, own, seat, commitment)
        self._close_committing(c)

    def commit_signed(self, sender: str, campaign: int, commitments: Sequence[tuple[Any, ...]]) -> None:
        c = self._expect(campaign, Phase.COMMITTING)
        for seat, commitment, revision, deadline, signature in commitments:
            own = self._seat(c, seat)
            if revision < own.revisions or own.record == opening.DENOUNCED:
                continue
            require(revision == own.revisions, "WrongRevision", seat, revision, own.revisions)
            digest = opening.commitment_digest(self.domain, campaign, seat, commitment, revision, deadline)
            self._check_signature(own.labeler, digest, deadline, signature)
            self._commit(c, own, seat, commitment)
        self._close_committing(c)

    def _commit(self, c: Campaign, own: Seat, seat: int, commitment: bytes) -> None:
        require(own.record != opening.DENOUNCED, "SeatDenounced", seat)
        record = opening.committed_record(commitment)
        require(record != opening.NOTHING, "InvalidCommitment", commitment)
        if own.record == opening.NOTHING:
            c.life = replace(c.life, committed=c.life.committed + 1)
        own.record = record
        own.revisions += 1

    def _close_committing(self, c: Campaign) -> None:
        if c.life.committed == c.life.seats:
            c.life = lives.close_committing(c.life, c.terms, self.now)

    def denounce(self, sender: str, campaign: int, opened: tuple[int, bytes, bytes]) -> None:
        seat, labels, salt = opened
        c = self._expect(campaign, Phase.COMMITTING)
        own = self._seat(c, seat)
        require(sender != own.labeler, "OwnSeat", seat)
        require(opening.has_committed(own.record), "NotCommitted", seat)
        self._check_opening(campaign, own, seat, labels, salt)
        own.record = opening.DENOUNCED
        c.life = replace(c.life, opened=c.life.opened + 1)
        self._split(sender, c.terms.token, c.terms.stake)

    # ── Revealing ──

    def reveal(self, sender: str, campaign: int, seat: int, labels: bytes, salt: bytes) -> None:
        c = self._expect(campaign, Phase.REVEALING)
        require(not opening.has_revealed(self._seat(c, seat).record), "AlreadyRevealed", seat)
        self._reveal(campaign, c, seat, labels, salt)
        self._close_revealing(c)

    def reveal_many(self, sender: str, campaign: int, opened: Sequence[tuple[int, bytes, bytes]]) -> None:
        c = self._expect(campaign, Phase.REVEALING)
        for seat, labels, salt in opened:
            if not opening.has_revealed(self._seat(c, seat).record):
                self._reveal(campaign, c, seat, labels, salt)
        self._close_revealing(c)

    def _reveal(self, campaign: int, c: Campaign, seat: int, labels: bytes, salt: bytes) -> None:
        own, terms = c.seats[seat], c.terms
        require(opening.has_committed(own.record), "NotCommitted", seat)
        require(len(labels) == terms.batch_size, "WrongLabelCount", seat, len(labels), terms.batch_size)
        try:
            check_labels(labels, terms.metric, terms.classes, terms.batch_size)
        except LabelError:
            size = label_count(terms.metric, terms.classes)
            position = next(at for at, label in enumerate(labels) if label >= size)
            raise Refusal("LabelOutOfRange", position, labels[position], size) from None
        self._check_opening(campaign, own, seat, labels, salt)
        own.record, own.labels = opening.revealed_record(labels), labels
        c.life = replace(c.life, opened=c.life.opened + 1)

    def _close_revealing(self, c: Campaign) -> None:
        if c.life.opened == c.life.committed:
            c.life = lives.close_revealing(c.life, c.terms, self.now)

    def disclose(self, sender: str, campaign: int, key: bytes) -> None:
        c = self._expect(campaign, Phase.AUDITING)
        required = c.terms.audit_key_hash
        require(keccak(key) == required and key != ZERO_WORD, "WrongAuditKey", keccak(key), required)
        c.key = key
        c.life = lives.enter(c.life, Phase.SETTLING, 0)

    # ── Settling ──

    def post(self, sender: str, campaign: int, batches: Sequence[int], scores: Sequence[int]) -> None:
        c = self._expect(campaign, Phase.SETTLING)
        require(len(batches) == len(scores), "LengthMismatch", len(batches), len(scores))
        number = len(c.postings) + 1
        require(number <= MAX_POSTING, "TooManyPostings", MAX_POSTING)
        self._debit(sender, c.terms.token, c.terms.bond)
        posting = Posting(sender, self.now, 0)
        c.postings.append(posting)
        for batch, word in zip(batches, scores, strict=True):
            if self.status_of(c, batch)[0] == OPEN:
                require(word >> 16 * c.life.cohort == 0, "InvalidScores", batch, word)
                c.batches[batch] = Batch(POSTED, word, number)
                posting.resting += 1
        require(posting.resting != 0, "NothingToPost")
        c.life = replace(
            c.life, scored=c.life.scored + posting.resting, deadline=self.now + c.terms.periods.challenge
        )

    def referee(
        self, sender: str, campaign: int, batch: int, labels: bytes, row: bytes, proof: Sequence[bytes]
    ) -> None:
        c = self._expect(campaign, Phase.SETTLING)
        status, final_at = self.status_of(c, batch)
        require(status == OPEN or (status == POSTED and self.now < final_at), "ScoresFinal", batch)
        word = self._score(c, batch, labels, row, proof)
        earner = sender
        if status == POSTED:
            posted = c.batches[batch]
            posting = c.postings[posted.posting - 1]
            if posted.scores == word:
                posting.resting -= 1
                earner = posting.settler
            else:
                posting.status = VOID
                c.life = replace(c.life, scored=c.life.scored - posting.resting + 1)
                self._split(sender, c.terms.token, c.terms.bond)
        else:
            c.life = replace(c.life, scored=c.life.scored + 1)
        c.batches[batch] = Batch(REFEREED, word)
        self._credit(earner, c.terms.token, c.terms.fee)

    def _score(self, c: Campaign, batch: int, labels: bytes, row: bytes, proof: Sequence[bytes]) -> int:
        size, end = c.terms.batch_size, 0
        seats = self.cohort(c, batch)
        for seat in seats:
            if opening.has_revealed(c.seats[seat].record):
                end += size
                given = labels[end - size : end]
                right = end <= len(labels) and given == c.seats[seat].labels
                require(right, "WrongLabels", seat)
        require(len(labels) == end, "LengthMismatch", len(labels), end)
        clear = None
        if c.key != ZERO_WORD:
            proven = merkle.verify(c.terms.audit_root, c.terms.batches, batch, row, proof)
            require(proven, "WrongAuditRow", batch)
            count = label_count(c.terms.metric, c.terms.classes)
            clear = audit.open_row(row, c.key, batch, size, count)
        return settlement.pack(self.right_scores(c, batch, clear))

    def right_scores(self, c: Campaign, batch: int, row: audit.AuditRow | None) -> list[int]:
        """The scores of a batch, given its audit row in the clear if there is one."""
        seats = [c.seats[seat] for seat in self.cohort(c, batch)]
        labels = [seat.labels if opening.has_revealed(seat.record) else b"" for seat in seats]
        return score.scores(c.terms, labels, [seat.labeler for seat in seats], row)

    def release(self, sender: str, campaign: int, batches: Sequence[int]) -> None:
        c = self._expect(campaign, Phase.SETTLING, Phase.FINAL)
        for batch in batches:
            status, final_at = self.status_of(c, batch)
            if status == RELEASED:
                continue
            require(status != OPEN and self.now >= final_at, "NotFinal", batch, final_at)
            self._release(c, batch)

    def _release(self, c: Campaign, index: int) -> None:
        batch, terms = c.batches[index], c.terms
        seats = [c.seats[seat] for seat in self.cohort(c, index)]
        denounced = [seat.record == opening.DENOUNCED for seat in seats]
        payouts = settlement.settle_batch(terms, effective_scores(batch.scores, seats), denounced)
        for seat, paid in zip(seats, payouts.paid, strict=True):
            self._credit(seat.labeler, terms.token, paid)
        self._credit(c.experimenter, terms.token, payouts.refund)
        self._credit(self.sink, terms.token, payouts.sink)
        if batch.status == POSTED:
            self._credit(c.postings[batch.posting - 1].settler, terms.token, terms.fee)
        batch.status = RELEASED
        c.life = replace(c.life, released=c.life.released + 1)

    def return_bond(self, sender: str, campaign: int, number: int) -> None:
        c = self.campaigns.get(campaign)
        posting = c.postings[number - 1] if c is not None and 0 < number <= len(c.postings) else None
        due_at = (posting.posted_at if posting else 0) + (c.terms.periods.challenge if c else 0)
        standing = posting is not None and posting.status == STANDING
        require(standing and self.now >= due_at, "BondNotDue", number, due_at)
        assert c is not None
        assert posting is not None
        posting.status = CLOSED
        self._credit(posting.settler, c.terms.token, c.terms.bond)

    # ── Common ground ──

    def life_of(self, campaign: int) -> Life:
        """A campaign's life at this moment."""
        c = self.campaigns.get(campaign)
        return NOWHERE if c is None else lives.at(c.life, c.terms, self.now)

    def cohort(self, c: Campaign, batch: int) -> list[int]:
        return draw.cohort_of(c.seed, c.life.seats, c.life.cohort, batch)

    def status_of(self, c: Campaign, batch: int) -> tuple[int, int]:
        """How far a batch has come, and when its scores are final."""
        require(batch < c.life.batches, "NoSuchBatch", batch, c.life.batches)
        held = c.batches.get(batch, Batch())
        if held.status != POSTED:
            return held.status, 0
        posting = c.postings[held.posting - 1]
        if posting.status == VOID:
            return OPEN, 0
        return POSTED, posting.posted_at + c.terms.periods.challenge

    def _expect(self, campaign: int, *phases: Phase) -> Campaign:
        life = self.life_of(campaign)
        require(life.phase in phases, "WrongPhase", campaign, int(life.phase), life.deadline)
        self.campaigns[campaign].life = life
        return self.campaigns[campaign]

    def _authorize(self, sender: str, labeler: str) -> None:
        require(sender == labeler or (labeler, sender) in self.operators, "NotAuthorized", sender, labeler)

    def _seat(self, c: Campaign, seat: int) -> Seat:
        require(seat < c.life.seats, "NoSuchSeat", seat, c.life.seats)
        return c.seats[seat]

    def _check_signature(self, signer: str, digest: bytes, deadline: int, signature: bytes) -> None:
        require(self.now <= deadline, "SignatureExpired", deadline)
        by = recover(digest, signature)
        require(by in (signer, self.wallets.get(signer, signer)), "InvalidSignature", signer)

    def _check_opening(self, campaign: int, own: Seat, seat: int, labels: bytes, salt: bytes) -> None:
        commitment = opening.opening_digest(self.domain, campaign, seat, labels, salt)
        require(own.record == opening.committed_record(commitment), "WrongOpening", seat, commitment)

    def _credit(self, account: str, token: str, amount: int) -> None:
        self.balances[account, token] += amount

    def _debit(self, account: str, token: str, amount: int) -> None:
        balance = self.balances[account, token]
        require(balance >= amount, "InsufficientBalance", account, token, balance, amount)
        self.balances[account, token] = balance - amount

    def _split(self, sender: str, token: str, amount: int) -> None:
        self._credit(sender, token, amount // 2)
        self._credit(self.sink, token, amount - amount // 2)


def require(condition: bool, name: str, *values: Any) -> None:
    if not condition:
        raise Refusal(name, *values)


def effective_scores(word: int, seats: Sequence[Seat]) -> list[int]:
    """What a word means for money, whatever a settler wrote into it: absence stands in the records alone."""
    lanes = [word >> 16 * lane & 0xFFFF for lane in range(len(seats))]
    signed = [lane - 0x10000 if lane & 0x8000 else lane for lane in lanes]
    return [
        score.ABSENT if not opening.has_revealed(seat.record)
        else given if given == score.UNSCORED
        else max(-BPS, min(BPS, given))
        for seat, given in zip(seats, signed, strict=True)
    ]


def recover(digest: bytes, signature: bytes) -> str | None:
    """Who signed, or None when it is no signature."""
    if len(signature) != 65 or signature[64] not in (27, 28):
        return None
    try:
        return str(Account._recover_hash(digest, signature=signature))
    except Exception:  # eth-account raises several kinds for r and s that are none
        return None


def _snake(name: str) -> str:
    return "".join("_" + letter.lower() if letter.isupper() else letter for letter in name)


