"""A whole campaign as records, without a chain: prepared by the experimenter, played by labelers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eth_utils.address import to_checksum_address

from earnest.chain import records, settle
from earnest.chain.money import ETHER
from earnest.chain.state import Campaign, State
from earnest.experimenter.plan import make_plan
from earnest.experimenter.prepare import Prepared, prepare
from earnest.experimenter.settings import Settings, settings_of
from earnest.manifest.manifest import Task
from earnest.protocol.settlement import settle_batch, unpack
from earnest.protocol.terms import campaign_id
from earnest.tasks.columns import TaskFile

EXPERIMENTER = "0x00000000000000000000000000000000000000E1"
SINK = "0x000000000000000000000000000000000000dEaD"
START = 1_800_000_000
KEY = b"\x01" * 32  # which task only an absent labeler sees must not be left to chance

DOCUMENT: dict[str, Any] = {
    "question": "Is it a cat?",
    "kind": "choice",
    "options": ["no", "yes"],
    "tasks": "tasks.jsonl",
    "seats": 3,
    "positions": 20,
    "money": {"bounty": "0.3", "stake": "0.05", "fee": "0.01", "bond": "0.1"},
    "audit": {"gold": 4, "repeats": 4, "shared": "80%"},
    "columns": {"gold": "truth"},
    "publish": "public/",
}


def settings(**changes: Any) -> Settings:
    """The campaign file above with some members changed."""
    return settings_of(DOCUMENT | changes, Path("/nowhere/campaign.yaml"))


def tasks(number: int = 60, known: int = 20, classes: int = 2) -> TaskFile:
    """Tasks t0, t1, …, of which the first have a known answer."""
    listed = tuple(Task(f"t{index}", {"text": f"number {index}"}) for index in range(number))
    return TaskFile(listed, {index: index % classes for index in range(known)})


def labeler(index: int) -> str:
    """The address of one labeler."""
    return to_checksum_address(f"0x{0xA000 + index:040x}")


@dataclass
class Tale:
    """Records of one campaign, told one after another."""

    prepared: Prepared
    now: int = START
    told: list[records.Record] = field(default_factory=list)
    state: State = field(default_factory=lambda: State(SINK))

    @classmethod
    def begin(cls, found: Settings | None = None, given: TaskFile | None = None) -> Tale:
        found, given = found or settings(), given or tasks()
        tale = cls(prepare(found, given, make_plan(found, given, ETHER), START, KEY))
        terms = tale.prepared.terms
        cost = terms.batches * (terms.bounty + terms.fee)
        tale.deposit(EXPERIMENTER, cost)
        tale.tell(records.Created, experimenter=EXPERIMENTER, terms=terms, uri="file:///manifest.json")
        return tale

    @property
    def number(self) -> int:
        return campaign_id(EXPERIMENTER, self.prepared.terms)

    @property
    def campaign(self) -> Campaign:
        return self.state.campaigns[self.number]

    @property
    def rows(self) -> tuple[bytes, ...]:
        return self.prepared.manifest.audit_rows

    def tell(self, kind: type[records.Record], **members: Any) -> None:
        self.now += 1
        place = records.Place(len(self.told), 0, self.now, "0x00", "0x00")
        if issubclass(kind, records.CampaignRecord):
            members = {"campaign": self.number} | members
        record = kind(place=place, **members)
        self.told.append(record)
        self.state.apply(record)

    def deposit(self, account: str, amount: int) -> None:
        token = self.prepared.terms.token
        self.tell(records.Deposited, account=account, token=token, amount=amount, sender=account)

    def enroll(self, count: int) -> None:
        for index in range(count):
            self.deposit(labeler(index), self.prepared.terms.stake)
            self.tell(records.Enrolled, labeler=labeler(index), first_seat=index, seats=1)

    def draw(self) -> None:
        self.tell(records.DrawRequested, ticket=1)
        terms, taken = self.prepared.terms, self.campaign.life.taken
        batches = taken // terms.cohort
        refund = (terms.batches - batches) * (terms.bounty + terms.fee)
        self.tell(records.Drawn, seed=b"\x05" * 32, batches=batches, refund=refund)

    def tasks_of(self, seat: int) -> list[int]:
        batch = self.campaign.batch_of(seat)
        assert batch is not None
        lane = self.campaign.cohorts[batch].tolist().index(seat)
        return list(self.prepared.manifest.positions(batch, lane))

    def label(self, answer: Callable[[int, str], int], seats: Sequence[int] | None = None) -> None:
        """Commit and reveal; `answer` is a label by seat and task id."""
        seats = range(self.campaign.life.seats) if seats is None else seats
        listed = self.prepared.manifest.tasks
        labels = {s: bytes(answer(s, listed[task].id) for task in self.tasks_of(s)) for s in seats}
        for seat in seats:
            self.tell(records.Committed, seat=seat, commitment=bytes([seat + 1] * 32))
        if len(labels) < self.campaign.life.seats:
            self.now = self.campaign.life.deadline
        for seat in seats:
            self.tell(records.Revealed, seat=seat, labels=labels[seat])

    def disclose(self) -> None:
        self.tell(records.Disclosed, key=KEY)

    def post(self, settler: str, words: dict[int, int] | None = None) -> None:
        right = settle.words(self.campaign, self.rows)
        words = dict(enumerate(right)) if words is None else words
        posting = len(self.campaign.postings) + 1
        self.deposit(settler, self.prepared.terms.bond)
        self.tell(records.PostingOpened, posting=posting, settler=settler)
        for batch, word in words.items():
            self.tell(records.Posted, batch=batch, posting=posting, scores=word)

    def release(self) -> None:
        self.now += self.prepared.terms.periods.challenge
        terms = self.prepared.terms
        for batch in range(len(self.campaign.batches)):
            paid = settle_batch(terms, unpack(self.campaign.batch(batch).scores, terms.cohort))
            results = tuple(each - terms.stake for each in paid.paid)
            members = {"results": results, "refund": paid.refund, "sunk": paid.sink}
            self.tell(records.Released, batch=batch, **members)


def honest(_seat: int, task: str) -> int:
    """Odd numbers are cats."""
    return int(task.removeprefix("t")) % 2
