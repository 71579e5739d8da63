"""Honest and hostile actors, in any order: one rule for each function of the contract, by right and wrong
callers, early, late, twice, with other people's data, malformed.

No rule says what must happen: the model does (`World.act`). Rules lean towards what gets somewhere; `advance`
is what honest actors do next, so that campaigns get through all their phases while others interfere.
"""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import chain as flatten
from typing import Any, Final

from eth_utils.crypto import keccak
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from invariant import invariants
from invariant.books import differences
from invariant.invariants import evidence, way_out
from invariant.model import EXPIRED, OPEN, PENDING, POSTED, READY, STANDING, Campaign
from invariant.world import Stage, World
from kit import sign

from earnest.chain.life import Phase
from earnest.protocol import audit, merkle, opening, score, settlement
from earnest.protocol.labels import label_count
from earnest.protocol.terms import (
    BPS,
    ZERO_ADDRESS,
    ZERO_WORD,
    Curve,
    Metric,
    Periods,
    Terms,
    Weights,
    campaign_id,
)

MOST: Final = 6  # campaigns in a run
LONG: Final = 10**6
LABELERS: Final = ("first labeler", "second labeler", "third labeler", "fourth labeler", "owner")
SEATED: Final = (*LABELERS, "receiver", "wallet", "experimenter", "pauper", "sink")
# Whose key signs for an account; contract accounts have none, but for the wallet's owner.
KEYS: Final = {role: role for role in (*LABELERS, "experimenter", "attacker", "pauper")} | {"wallet": "owner"}
CALLERS: Final = (
    "experimenter", "rival", "settler", "challenger", "attacker", "relayer", "sink", "pauper", "receiver",
    *LABELERS,
)  # fmt: skip
HABITS: Final = ("plain", "fee", "silent", "refusing", "callback")

CURVES: Final = (
    Curve(max_slash=3_000, forfeit=5_000),
    Curve(
        slash_full=-500, slash_from=-500, pay_from=500, pay_full=500, floor=0, max_slash=5_000, forfeit=5_000
    ),
    Curve(
        slash_full=-BPS, slash_from=BPS, pay_from=BPS, pay_full=BPS, floor=1 - BPS, max_slash=77, forfeit=78
    ),
    Curve(max_slash=0, forfeit=0),
)
PERIODS: Final = (
    Periods(draw=400, commit=500, reveal=600, audit=700, challenge=800),
    Periods(draw=1_000, commit=1_000, reveal=1_000, audit=1_000, challenge=1_000),
    Periods(draw=60, commit=1, reveal=60, audit=1, challenge=1),
)
# Terms that cannot be honoured, and the error that says so.
FAULTS: Final[tuple[tuple[str, dict[str, Any]], ...]] = (
    ("CohortOutOfRange", {"cohort": 2}),
    ("CohortOutOfRange", {"cohort": 16}),
    ("BatchSizeOutOfRange", {"batch_size": 1}),
    ("ClassesOutOfRange", {"classes": 1}),
    ("ClassesOutOfRange", {"metric": Metric.RANKING, "classes": 6}),
    ("BatchesOutOfRange", {"batches": 0}),
    ("BatchesOutOfRange", {"batches": 2**32 - 1}),
    ("ZeroBond", {"bond": 0}),
    ("RuleWithoutGate", {"gate": ZERO_ADDRESS, "gate_rule": b"\1" * 32}),
    ("UnorderedCurve", {"curve": Curve(pay_from=400, max_slash=0, forfeit=0)}),
    ("ScoreOutOfRange", {"curve": Curve(pay_full=BPS + 1, max_slash=0, forfeit=0)}),
    ("SlashAboveForfeit", {"curve": Curve(max_slash=1_001, forfeit=1_000)}),
    ("ForfeitAboveHalf", {"curve": Curve(max_slash=0, forfeit=5_001)}),
    ("HalfAnAudit", {"audit_root": b"\1" * 32, "audit_key_hash": ZERO_WORD}),
    ("NoSignal", {"weights": Weights(peers=0, gold=0, repeats=0)}),
    ("PeriodOutOfRange", {"periods": Periods(draw=1, commit=0, reveal=1, audit=1, challenge=1)}),
    ("EnrollByOutOfRange", {"enroll_by": 1}),
    ("RefereeingTooCostly", {"batch_size": 8_160, "cohort": 15, "metric": Metric.RANKING, "classes": 5}),
)


@dataclass
class Secrets:
    """What only the people of a campaign know: the audit's key and rows, the openings by seat, in order."""

    key: bytes = ZERO_WORD
    rows: tuple[bytes, ...] = ()
    openings: dict[int, list[tuple[bytes, bytes]]] = field(default_factory=dict)


class Machine(RuleBasedStateMachine):
    """Plays on `stage`, adds to `statistics`; `machine_on` sets both."""

    stage: Stage
    statistics: Counter[tuple[str, str]]

    def __init__(self) -> None:
        super().__init__()
        self.provider = self.stage.system.chain.provider
        self.snapshot = self.provider.snapshot()
        self.world: World | None = None
        self.secrets: dict[int, Secrets] = {}

    @initialize(data=st.data(), first=st.sampled_from(HABITS), second=st.sampled_from(HABITS))
    def begin(self, data: st.DataObject, first: str, second: str) -> None:
        self.world = World(self.stage, ("ether", *dict.fromkeys((first, second))), self.check)
        self.world.statistics = self.statistics
        self.new_campaign(data, "experimenter")

    def teardown(self) -> None:
        try:
            if sys.exc_info()[0] is None and self.world is not None:
                self.wind_up()
        finally:
            self.provider.restore(self.snapshot)

    def check(self, world: World) -> None:
        """After every step."""
        after = world.step.after
        assert not (found := differences(after, world.expected(after.held))), "\n".join(found)
        for holds in invariants.ALL:
            holds(world)

    def wind_up(self) -> None:
        """Time passes, strangers free everything, owners take it home: the contract is left with nothing."""
        self.world.travel(self.world.now + 20 * 365 * 86_400)
        for number in self.world.model.campaigns:
            self.world.act("relayer", "multicall", way_out(self.world, number))
        after = self.world.step.after
        for token in self.world.tokens.values():
            assert after.held[token] == after.free(token) + self.world.strays[token]
        for role in ("first labeler", "receiver", "experimenter"):
            self.take_home(role)

    def take_home(self, role: str) -> None:
        address = self.world.addresses[role]
        for token in self.world.tokens.values():
            balance = self.world.step.after.balance(address, token)
            had = self.world.reader.balance_of(token, address)
            kind = self.world.model.tokens.get(token)
            refused = kind is not None and address in kind.refuses
            self.world.act(role, "withdraw", token, balance, address)
            assert self.world.step.after.balance(address, token) == (balance if refused else 0)
            if kind is not None and not refused:
                assert self.world.reader.balance_of(token, address) == had + kind.arrives(balance)

    # ── Vault ──

    @rule(data=st.data())
    def deposit(self, data: st.DataObject) -> None:
        token = self.pick(data, list(self.world.tokens.values()))
        amount = self.pick(data, [0, 1, 999, 5_000, 5_000])
        account = self.pick(data, [*self.world.addresses.values()] * 3 + [ZERO_ADDRESS])
        sender = self.pick(data, ["experimenter"] * 3 + ["attacker", "first labeler"])
        right = amount if token == ZERO_ADDRESS else 0
        value = self.pick(data, [right] * 5 + [amount + 1])
        self.world.act(sender, "deposit", token, amount, account, value=value)

    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        sender = self.pick(data, CALLERS)
        token = self.pick(data, list(self.world.tokens.values()))
        balance = self.world.model.balances[self.world.addresses[sender], token]
        amount = self.pick(data, [balance, balance // 2, 0, balance + 1])
        own = self.world.addresses[sender]
        to = self.pick(data, [own] * 3 + [*self.world.addresses.values(), self.world.earnest, ZERO_ADDRESS])
        self.world.act(sender, "withdraw", token, amount, to)

    @rule(data=st.data())
    def set_operator(self, data: st.DataObject) -> None:
        operator = self.world.addresses[self.pick(data, ["attacker", "relayer", "receiver"])]
        approved = self.pick(data, [True, True, False])
        self.world.act(self.pick(data, SEATED[:-4]), "setOperator", operator, approved)

    @rule(data=st.data())
    def use_nonce(self, data: st.DataObject) -> None:
        token = self.pick(data, list(self.world.tokens.values()))
        self.world.act(self.pick(data, LABELERS), "useNonce", token)

    @rule(data=st.data(), habit=st.sampled_from(("ether", *HABITS)), amount=st.sampled_from((1, 777)))
    def donate(self, data: st.DataObject, habit: str, amount: int) -> None:
        if habit in self.world.tokens:
            self.world.donate(habit, amount)

    @rule(data=st.data())
    def refuse(self, data: st.DataObject) -> None:
        """A token begins, or ceases, to refuse somebody."""
        if "refusing" in self.world.tokens:
            token = self.stage.tokens["refusing"]
            refuses = self.world.model.tokens[str(token.address)].refuses
            account = self.world.addresses[self.pick(data, ("first labeler", "experimenter", "sink"))]
            self.world.send_other(token, "refuse", account, account not in refuses)
            refuses.symmetric_difference_update({account})
            self.world.look()

    @rule(data=st.data())
    def arm(self, data: st.DataObject) -> None:
        """A token, a gate or a receiver is told what to call back."""
        mocks = [self.stage.gate, self.stage.receiver]
        mocks += [self.stage.tokens["callback"]] * (2 if "callback" in self.world.tokens else 0)
        mock = self.pick(data, mocks)
        token = self.pick(data, list(self.world.tokens.values()))
        number = self.any_number(data)
        self.world.arm(mock, self.pick(data, [
            ("withdraw", (token, 0, str(mock.address))),
            ("withdraw", (token, 1, str(mock.address))),
            ("deposit", (token, 0, str(mock.address))),
            ("enroll", (number, str(mock.address), 1, b"")),
            ("refund", (number, [0, 1])),
            ("draw", (number,)),
            ("release", (number, [0])),
            ("returnBond", (number, 1)),
            None,
        ]))  # fmt: skip

    # ── Enrolling ──

    def may_create(self) -> bool:
        return self.world is not None and len(self.world.model.campaigns) < MOST

    @precondition(may_create)
    @rule(data=st.data())
    def create(self, data: st.DataObject) -> None:
        self.new_campaign(data, self.pick(data, ["experimenter", "rival", "rival", "sink", "pauper"]))

    @rule(data=st.data())
    def create_again(self, data: st.DataObject) -> None:
        number = self.any_number(data)
        if number in self.world.model.campaigns:
            terms = self.world.model.campaigns[number].terms
            self.world.act(self.pick(data, ["experimenter", "rival"]), "create", terms.abi_tuple(), "")
            self.adopt(number)

    @rule(data=st.data(), fault=st.sampled_from(FAULTS))
    def create_badly(self, data: st.DataObject, fault: tuple[str, dict[str, Any]]) -> None:
        error, changes = fault
        terms, _ = self.draw_terms(data)
        bad = replace(terms, **changes)
        self.world.act("experimenter", "create", bad.abi_tuple(), "", refusal=error)

    def new_campaign(self, data: st.DataObject, role: str) -> None:
        terms, secrets = self.draw_terms(data)
        self.world.act(role, "create", terms.abi_tuple(), "file:manifest.json")
        self.secrets[campaign_id(self.world.addresses[role], terms)] = secrets
        self.world.published |= {number: known.rows for number, known in self.secrets.items()}

    def adopt(self, number: int) -> None:
        """The same terms by somebody else are another campaign."""
        for other, c in self.world.model.campaigns.items():
            if other not in self.secrets:
                known = self.secrets[number]
                self.secrets[other] = Secrets(known.key, known.rows)
                self.world.published[other] = known.rows
                assert c.terms == self.world.model.campaigns[number].terms

    def draw_terms(self, data: st.DataObject) -> tuple[Terms, Secrets]:
        metric = self.pick(data, list(Metric))
        batches = self.pick(data, [1, 2, 2])
        terms = Terms(
            token=self.pick(data, list(self.world.tokens.values())),
            stake=self.pick(data, [999, 999, 1, 0]),
            bounty=self.pick(data, [10_001, 10_001, 3, 0]),
            fee=self.pick(data, [53, 0]),
            batch_size=self.pick(data, [4, 9]),
            cohort=self.pick(data, [3, 3, 4]),
            metric=metric,
            classes=self.pick(data, [2, 3]),
            bond=self.pick(data, [201, 1]),
            batches=batches,
            enroll_by=self.world.now + self.pick(data, [300, 1_000, 1_000]),
            curve=self.pick(data, CURVES),
            weights=Weights(peers=1, gold=0, repeats=0),
            periods=self.pick(data, PERIODS),
            gate=self.pick(data, [ZERO_ADDRESS] * 2 + [str(self.stage.gate.address)]),
            manifest=keccak(b"%d" % len(self.world.model.campaigns)),
        )
        kind = self.pick(data, ["none", "none", "audit", "broken audit"])
        if kind == "none":
            return terms, Secrets()
        return self.with_audit(data, terms, broken=kind == "broken audit")

    def with_audit(self, data: st.DataObject, terms: Terms, broken: bool) -> tuple[Terms, Secrets]:
        key = keccak(b"key %d" % len(self.secrets))
        size = label_count(terms.metric, terms.classes)
        row = audit.AuditRow(
            shared=tuple(range(terms.batch_size)), gold=((0, 0), (1, size - 1)), repeats=((0, 2), (1, 3))
        )
        rows = audit.seal([row] * terms.batches, key, terms.batch_size, size)
        if broken:
            rows[-1] = rows[-1][:-1] + bytes([rows[-1][-1] ^ 0xFF])
        root, key_hash = merkle.tree(rows)[0], audit.key_hash(key)
        weights = self.pick(data, [Weights(peers=1, gold=1, repeats=1), Weights(peers=0, gold=2, repeats=1)])
        audited = replace(terms, audit_root=root, audit_key_hash=key_hash, weights=weights)
        return audited, Secrets(key, tuple(rows))

    @rule(data=st.data())
    def enroll(self, data: st.DataObject) -> None:
        number = self.number(data, Phase.ENROLLING)
        labeler = self.pick(data, SEATED)
        sender = self.pick(data, [labeler] * 3 + ["attacker", "relayer"])
        count = self.pick(data, [1, 1, 1, 2, 0, 9])
        if sender == "wallet":
            sender = "attacker"
        self.world.act(sender, "enroll", number, self.world.addresses[labeler], count, b"proof")

    @rule(data=st.data())
    def enroll_signed(self, data: st.DataObject) -> None:
        number = self.number(data, Phase.ENROLLING)
        roles = data.draw(st.lists(st.sampled_from(list(KEYS)), min_size=1, max_size=3))
        tamper = self.pick(data, ["", "", "", "signer", "seats", "late", "nonce", "old nonce", "garbage"])
        signed = [self.enrolment(number, role, index) for index, role in enumerate(roles)]
        signed[0] = self.enrolment(number, roles[0], 0, tamper)
        self.world.act(self.pick(data, ["relayer", "attacker"]), "enrollSigned", number, signed)

    @rule(data=st.data())
    def answer(self, data: st.DataObject) -> None:
        """The gate changes its mind."""
        self.turn_gate()

    def turn_gate(self) -> None:
        gate = self.world.model.gates[str(self.stage.gate.address)]
        gate.answer = not gate.answer
        self.world.send_other(self.stage.gate, "setAnswer", gate.answer)
        self.world.look()

    def enrolment(self, number: int, role: str, index: int, tamper: str = "") -> tuple[Any, ...]:
        """Somebody's signed wish for one seat; `index` counts those of one transaction."""
        labeler = self.world.addresses[role]
        c = self.world.model.campaigns.get(number)
        token = ZERO_ADDRESS if c is None else c.terms.token
        nonce = self.world.model.nonces[labeler, token] + {"nonce": 1, "old nonce": -1}.get(tamper, 0)
        nonce = max(0, nonce)
        deadline = self.world.now + (-1 if tamper == "late" else 10)
        digest = opening.enrolment_digest(self.stage.system.domain, number, labeler, 1, nonce, deadline)
        signer = "attacker" if tamper == "signer" else KEYS[role]
        signature = sign(self.stage.accounts[signer], digest)
        if tamper == "garbage":
            signature = b"\x12" * (64 + index)
        return (labeler, 2 if tamper == "seats" else 1, nonce, deadline, b"", signature)

    # ── Drawing ──

    @rule(data=st.data())
    def request_draw(self, data: st.DataObject) -> None:
        number = self.number(data, Phase.DRAWING)
        self.world.act(self.pick(data, CALLERS), "requestDraw", number)

    @rule(data=st.data(), fate=st.sampled_from((READY, READY, PENDING, EXPIRED)), word=st.integers(0, 2**32))
    def roll(self, data: st.DataObject, fate: int, word: int) -> None:
        """The randomness source decides on a ticket. Once ready, it does not change its mind."""
        tickets = self.world.model.tickets
        undecided = [index for index, (status, _) in enumerate(tickets) if status == PENDING]
        if undecided:
            self.decide(self.pick(data, undecided), fate, word)
            self.world.look()

    def decide(self, ticket: int, fate: int, word: int) -> None:
        outcome = word.to_bytes(32, "big")
        self.world.send_other(self.stage.system.randomness, "set", ticket, fate, outcome)
        self.world.model.tickets[ticket] = (fate, outcome)

    @rule(data=st.data())
    def draw(self, data: st.DataObject) -> None:
        number = self.number(data, Phase.DRAWING)
        self.world.act(self.pick(data, CALLERS), "draw", number)

    @rule(data=st.data())
    def refund(self, data: st.DataObject) -> None:
        number = self.number(data, Phase.CANCELLED)
        seats = data.draw(st.lists(st.integers(0, 8), max_size=5))
        self.world.act(self.pick(data, CALLERS), "refund", number, seats)

    # ── Committing ──

    @rule(data=st.data())
    def commit(self, data: st.DataObject) -> None:
        number = self.number(data, Phase.COMMITTING)
        seat = self.seat(data, number)
        commitment = self.commitment(data, number, seat)
        sender = self.pick(data, [self.owner(number, seat)] * 3 + ["attacker", "relayer"])
        self.world.act(sender, "commit", number, seat, commitment)

    @rule(data=st.data())
    def commit_signed(self, data: st.DataObject) -> None:
        number = self.number(data, Phase.COMMITTING)
        seats = data.draw(st.lists(st.integers(0, 8), min_size=1, max_size=3))
        tamper = self.pick(data, ["", "", "", "signer", "late", "revision", "old revision", "garbage"])
        signed = [self.signed(number, seat, self.commitment(data, number, seat)) for seat in seats]
        signed[0] = self.signed(number, seats[0], self.commitment(data, number, seats[0]), tamper)
        self.world.act("relayer", "commitSigned", number, signed)

    def signed(self, number: int, seat: int, commitment: bytes, tamper: str = "") -> tuple[Any, ...]:
        """A seat's signed commitment."""
        c = self.world.model.campaigns.get(number)
        revision = c.seats[seat].revisions if c and seat in c.seats else 0
        revision = max(0, revision + {"revision": 1, "old revision": -1}.get(tamper, 0))
        deadline = self.world.now + (-1 if tamper == "late" else 10)
        digest = opening.commitment_digest(
            self.stage.system.domain, number, seat, commitment, revision, deadline
        )
        owner = self.owner(number, seat)
        signer = "attacker" if tamper == "signer" or owner not in KEYS else KEYS[owner]
        signature = sign(self.stage.accounts[signer], digest)
        return (seat, commitment, revision, deadline, b"\x34" * 65 if tamper == "garbage" else signature)

    @rule(data=st.data())
    def denounce(self, data: st.DataObject) -> None:
        number = self.number(data, Phase.COMMITTING)
        seat = self.seat(data, number)
        if self.pick(data, [True] * 4 + [False]) and self.waits(number, seat):
            commitment = self.prepare(number, seat, "good")
            self.world.act(self.owner(number, seat), "commit", number, seat, commitment)
        opened = self.opening(data, number, seat)
        sender = self.pick(data, ["attacker", "challenger", "experimenter", self.owner(number, seat)])
        self.world.act(sender, "denounce", number, opened)

    def commitment(self, data: st.DataObject, number: int, seat: int) -> bytes:
        """To labels of some quality, or to somebody else's, or to nothing."""
        kind = self.pick(data, ["new"] * 9 + ["copied", "none"])
        if kind == "none":
            return self.pick(data, [ZERO_WORD, bytes(31) + b"\1", b"\xff" * 32])
        if kind == "copied":
            records = [other.record for other in self.seats(number).values() if other.record > 1]
            if records:
                return self.pick(data, records).to_bytes(32, "big")
        quality = self.pick(data, ["good", "random", "same", "good", "good", "long", "out of range"])
        return self.prepare(number, seat, quality)

    def prepare(self, number: int, seat: int, quality: str) -> bytes:
        """Choose labels and salt for a seat, write them down, and return the commitment."""
        openings = self.secrets.get(number, Secrets()).openings.setdefault(seat, [])
        labels = self.labels(number, seat, quality)
        salt = keccak(b"salt %d %d" % (seat, len(openings)))
        openings.append((labels, salt))
        return opening.opening_digest(self.stage.system.domain, number, seat, labels, salt)

    def labels(self, number: int, seat: int, quality: str) -> bytes:
        c = self.world.model.campaigns.get(number)
        if c is None:
            return b"\0"
        size = label_count(c.terms.metric, c.terms.classes)
        count = c.terms.batch_size + (quality == "long")
        source = {"good": b"truth", "same": b""}.get(quality, b"noise %d" % seat)
        labels = bytearray(byte % size for byte in keccak(source)[:count]) if source else bytearray(count)
        if quality == "good":
            labels[seat % count] = seat % size
        if quality == "out of range":
            labels[-1] = size
        return bytes(labels)

    # ── Revealing ──

    @rule(data=st.data())
    def reveal(self, data: st.DataObject) -> None:
        number = self.number(data, Phase.REVEALING)
        opened = self.opening(data, number, self.seat(data, number))
        self.world.act(self.pick(data, CALLERS), "reveal", number, *opened)

    @rule(data=st.data())
    def reveal_many(self, data: st.DataObject) -> None:
        number = self.number(data, Phase.REVEALING)
        seats = data.draw(st.lists(st.integers(0, 8), max_size=4))
        opened = [self.opening(data, number, seat) for seat in seats]
        self.world.act(self.pick(data, CALLERS), "revealMany", number, opened)

    def opening(self, data: st.DataObject, number: int, seat: int) -> tuple[int, bytes, bytes]:
        """A seat's latest opening, or an earlier one, another seat's, or one with a flaw."""
        openings = self.secrets[number].openings if number in self.secrets else {}
        kind = self.pick(data, ["last"] * 6 + ["first", "other", "labels", "salt", "short"])
        source = openings.get(seat, [])
        if kind == "other":
            source = list(flatten.from_iterable(openings.values()))
        labels, salt = (source[0] if kind == "first" else source[-1]) if source else (bytes(4), ZERO_WORD)
        if kind == "labels":
            labels = bytes([labels[0] ^ 1]) + labels[1:]
        if kind == "short":
            labels = labels[:-1]
        return (seat, labels, keccak(salt) if kind == "salt" else salt)

    @rule(data=st.data())
    def disclose(self, data: st.DataObject) -> None:
        number = self.number(data, Phase.AUDITING)
        key = self.secrets[number].key if number in self.secrets else ZERO_WORD
        sender = self.pick(data, ["experimenter", "attacker"])
        self.world.act(sender, "disclose", number, self.pick(data, [key, key, ZERO_WORD, keccak(key)]))

    # ── Settling ──

    @rule(data=st.data())
    def post(self, data: st.DataObject) -> None:
        number = self.number(data, Phase.SETTLING)
        batches = data.draw(st.lists(st.integers(0, 2), max_size=3))
        words = [self.word(data, number, batch) for batch in batches]
        if self.pick(data, [False] * 8 + [True]):
            words.append(0)
        sender = self.pick(data, ["settler", "attacker", "rival", "pauper"])
        self.world.act(sender, "post", number, batches, words)

    @rule(data=st.data())
    def post_all(self, data: st.DataObject) -> None:
        number = self.number(data, Phase.SETTLING)
        batches = list(range(self.batches(number)))
        words = [self.word(data, number, batch) for batch in batches]
        self.world.act(self.pick(data, ["settler", "attacker"]), "post", number, batches, words)

    def word(self, data: st.DataObject, number: int, batch: int) -> int:
        """A batch's scores, right ones or any that someone may claim."""
        c, cohort = self.world.model.campaigns.get(number), self.cohort(number)
        kind = self.pick(data, ["right"] * 4 + ["all", "nothing", "noise", "too wide"])
        if kind == "right" and c is not None and self.settles(number) and batch < c.life.batches:
            return settlement.pack(self.right_scores(number, c, batch))
        if kind == "too wide":
            return 1 << 16 * cohort
        if kind == "noise":
            return data.draw(st.integers(0, 2 ** (16 * cohort) - 1))
        return settlement.pack([{"all": BPS, "nothing": -BPS}.get(kind, score.UNSCORED)] * cohort)

    def right_scores(self, number: int, c: Campaign, batch: int) -> list[int]:
        rows = self.secrets[number].rows
        size = label_count(c.terms.metric, c.terms.classes)
        clear = c.key != ZERO_WORD and audit.open_row(rows[batch], c.key, batch, c.terms.batch_size, size)
        return self.world.model.right_scores(c, batch, clear or None)

    @rule(data=st.data())
    def referee(self, data: st.DataObject) -> None:
        number = self.number(data, Phase.SETTLING)
        batch = self.pick(data, [0, 0, 1, 1, 2])
        sender = self.pick(data, ["challenger", "settler", "attacker", "receiver"])
        self.world.act(sender, "referee", *self.tampered(data, number, batch))

    def tampered(self, data: st.DataObject, number: int, batch: int) -> tuple[Any, ...]:
        """The evidence on a batch, sometimes with a flaw."""
        if not self.settles(number) or batch >= self.batches(number):
            return (number, batch, b"", b"", [])
        _, _, labels, row, proof = evidence(self.world, number, batch)
        kind = self.pick(data, ["right"] * 5 + ["labels", "more", "less", "row", "other row", "proof"])
        if kind == "labels" and labels:
            labels = bytes([labels[0] ^ 1]) + labels[1:]
        if kind == "more":
            labels += b"\0"
        if kind == "less":
            labels = labels[:-1]
        if kind == "row":
            row += b"\0"
        if kind == "other row" and row:
            row = self.secrets[number].rows[batch - 1]
        if kind == "proof":
            proof = [*proof, keccak(row)]
        return (number, batch, labels, row, proof)

    @rule(data=st.data())
    def post_falsely(self, data: st.DataObject) -> None:
        number = self.number(data, Phase.SETTLING)
        batches = list(range(self.batches(number)))
        words = [settlement.pack([BPS] * self.cohort(number)) for _ in batches]
        self.world.act(self.pick(data, ["attacker", "settler"]), "post", number, batches, words)

    @rule(data=st.data())
    def challenge(self, data: st.DataObject) -> None:
        """The right evidence on a posted batch, sometimes in its last second or a second too late."""
        number = self.number(data, Phase.SETTLING)
        if not self.settles(number):
            return
        c = self.world.model.campaigns[number]
        standing = [self.world.model.status_of(c, batch) for batch in range(c.life.batches)]
        posted = [batch for batch, (status, _) in enumerate(standing) if status == POSTED]
        if not posted:
            batches = list(range(c.life.batches))
            words = [self.word(data, number, batch) for batch in batches]
            self.world.act("settler", "post", number, batches, words)
            return
        batch = self.pick(data, posted)
        when = self.pick(data, ["now", "now", "last second", "too late"])
        if when != "now":
            # The transaction comes a second after.
            self.world.travel(standing[batch][1] - (2 if when == "last second" else 1))
        sender = self.pick(data, ["challenger", "settler"])
        self.world.act(sender, "referee", *evidence(self.world, number, batch))

    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        number = self.number(data, Phase.SETTLING, Phase.FINAL)
        every = list(range(self.batches(number)))
        batches = data.draw(st.one_of(st.just(every), st.lists(st.integers(0, 2), max_size=3)))
        self.world.act(self.pick(data, CALLERS), "release", number, batches)

    @rule(data=st.data())
    def return_bond(self, data: st.DataObject) -> None:
        number = self.number(data, Phase.SETTLING, Phase.FINAL)
        self.world.act(self.pick(data, CALLERS), "returnBond", number, self.pick(data, [1, 1, 2, 3, 0]))

    # ── Several at once, and time ──

    @rule(data=st.data())
    def multicall(self, data: st.DataObject) -> None:
        token = self.pick(data, list(self.world.tokens.values()))
        sender = self.pick(data, LABELERS)
        own = self.world.addresses[sender]
        number = self.any_number(data)
        calls = data.draw(st.lists(st.sampled_from([
            ("setOperator", (self.world.addresses["attacker"], True)),
            ("useNonce", (token,)),
            ("withdraw", (token, 1, own)),
            ("deposit", (token, 0, own)),
            ("deposit", (ZERO_ADDRESS, 1, own)),
            ("enroll", (number, own, 1, b"")),
            ("requestDraw", (number,)),
            ("draw", (number,)),
            ("refund", (number, [0, 1, 2])),
            ("release", (number, [0])),
            ("returnBond", (number, 1)),
        ]), min_size=1, max_size=4))  # fmt: skip
        self.world.act(sender, "multicall", calls)

    @rule(data=st.data())
    def time_passes(self, data: st.DataObject) -> None:
        deadlines = [self.world.model.life_of(number).deadline for number in self.world.model.campaigns]
        bonds = [
            posting.posted_at + c.terms.periods.challenge
            for c in self.world.model.campaigns.values()
            for posting in c.postings
        ]
        due = [time for time in (*deadlines, *bonds) if time > self.world.now + 1]
        # The last second of a phase and the first of the next (the transaction that follows comes one later).
        times = [time + after for time in due for after in (-2, -1, 0)] + [self.world.now + 50]
        self.world.travel(self.pick(data, times))

    # ── What honest actors do next ──

    @rule(data=st.data())
    def advance(self, data: st.DataObject) -> None:
        """Somewhere things go on, with everybody or without some."""
        model = self.world.model
        going = [number for number, c in model.campaigns.items() if self.is_going(number, c)]
        if going:
            self.take_turn(self.pick(data, going), self.pick(data, [0, 1, 2]))
        else:
            self.new_campaign(data, "experimenter")

    def take_turn(self, number: int, spare: int) -> None:
        """What a campaign waits for, but for `spare` of the seats."""
        c = self.world.model.campaigns[number]
        turns = {
            Phase.ENROLLING: self.fill,
            Phase.DRAWING: self.draw_lots,
            Phase.COMMITTING: self.commit_rest,
            Phase.REVEALING: self.reveal_rest,
            Phase.AUDITING: self.disclose_key,
            Phase.SETTLING: self.settle,
            Phase.FINAL: self.finish,
            Phase.CANCELLED: self.give_back,
        }
        turns[self.world.model.life_of(number).phase](number, c, spare)

    def is_going(self, number: int, c: Campaign) -> bool:
        """Whether something is left to do in a campaign."""
        life = self.world.model.life_of(number)
        if life.phase is Phase.CANCELLED:
            return any(seat.labeler != ZERO_ADDRESS for seat in c.seats.values())
        standing = any(posting.status == STANDING for posting in c.postings)
        return life.phase is not Phase.FINAL or life.released < life.batches or standing

    def fill(self, number: int, c: Campaign, spare: int) -> None:
        if c.terms.gate != ZERO_ADDRESS and not self.world.model.gates[c.terms.gate].answer:
            self.turn_gate()
        free = c.life.seats - c.life.taken - spare
        roles = [role for role in LABELERS if self.can_stake(role, c)][: max(0, free)]
        signed = [self.enrolment(number, role, index) for index, role in enumerate(roles)]
        if signed:
            self.world.act("relayer", "enrollSigned", number, signed)
        else:
            self.world.travel(c.terms.enroll_by)

    def can_stake(self, role: str, c: Campaign) -> bool:
        return self.world.model.balances[self.world.addresses[role], c.terms.token] >= c.terms.stake

    def draw_lots(self, number: int, c: Campaign, spare: int) -> None:
        if not c.requested or self.world.model.tickets[c.ticket][0] == EXPIRED:
            self.world.act("relayer", "requestDraw", number)
        elif self.world.model.tickets[c.ticket][0] == PENDING:
            self.decide(c.ticket, READY, number & 0xFFFF)
            self.world.look()
        else:
            self.world.act("relayer", "draw", number)

    def commit_rest(self, number: int, c: Campaign, spare: int) -> None:
        waiting = [seat for seat in range(c.life.seats) if c.seats[seat].record == 0][spare:]
        signed = [seat for seat in waiting if self.owner(number, seat) in KEYS]
        if signed or not waiting:
            given = [self.signed(number, seat, self.prepare(number, seat, "good")) for seat in signed]
            self.world.act("relayer", "commitSigned", number, given)
        else:
            seat = waiting[0]
            commitment = self.prepare(number, seat, "random")
            self.world.act(self.owner(number, seat), "commit", number, seat, commitment)

    def reveal_rest(self, number: int, c: Campaign, spare: int) -> None:
        opened = []
        for seat in range(c.life.seats):
            for labels, salt in self.secrets[number].openings.get(seat, []):
                digest = opening.opening_digest(self.stage.system.domain, number, seat, labels, salt)
                size = label_count(c.terms.metric, c.terms.classes)
                fits = len(labels) == c.terms.batch_size and max(labels) < size
                if fits and c.seats[seat].record == opening.committed_record(digest):
                    opened.append((seat, labels, salt))
        if opened[spare:]:
            self.world.act("relayer", "revealMany", number, opened[spare:])
        else:
            self.world.travel(self.world.model.life_of(number).deadline)

    def disclose_key(self, number: int, c: Campaign, spare: int) -> None:
        self.world.act("experimenter", "disclose", number, self.secrets[number].key)

    def settle(self, number: int, c: Campaign, spare: int) -> None:
        c.life = self.world.model.life_of(number)
        standing = [self.world.model.status_of(c, batch)[0] for batch in range(c.life.batches)]
        waiting = [batch for batch, status in enumerate(standing) if status == OPEN][spare:]
        if waiting:
            words = [settlement.pack(self.right_scores(number, c, batch)) for batch in waiting]
            self.world.act("settler", "post", number, waiting, words)
        else:
            self.world.travel(c.life.deadline)

    def finish(self, number: int, c: Campaign, spare: int) -> None:
        life = self.world.model.life_of(number)
        standing = [index for index, posting in enumerate(c.postings, 1) if posting.status == STANDING]
        if life.released == life.batches and standing:
            self.world.act("relayer", "returnBond", number, standing[0])
        else:
            self.world.act("relayer", "release", number, list(range(spare, life.batches)))

    def give_back(self, number: int, c: Campaign, spare: int) -> None:
        self.world.act("relayer", "refund", number, list(range(spare, len(c.seats))))

    # ── Parts ──

    @staticmethod
    def pick(data: st.DataObject, options: Any) -> Any:
        return data.draw(st.sampled_from(options))

    def number(self, data: st.DataObject, *phases: Phase) -> int:
        """A campaign, most often one in these phases, to which honest actors lead one if there is none."""
        if not self.pick(data, [True] * 24 + [False]):
            return self.any_number(data)
        for _ in range(len(Phase)):
            known = self.world.model.campaigns
            lives = {number: self.world.model.life_of(number).phase for number in known}
            if fitting := [number for number, phase in lives.items() if phase in phases]:
                return int(self.pick(data, fitting))
            if Phase.CANCELLED in phases:
                failing = [number for number, phase in lives.items() if phase <= Phase.DRAWING]
                if not failing:
                    break
                self.world.travel(self.world.model.life_of(failing[-1]).deadline)
            elif earlier := [number for number, phase in lives.items() if phase < max(phases)]:
                self.take_turn(earlier[-1], 0)
            elif len(known) < MOST:
                self.new_campaign(data, "experimenter")
            else:
                break
        return self.any_number(data)

    def any_number(self, data: st.DataObject) -> int:
        """A campaign, or the number of none."""
        return int(self.pick(data, [*self.world.model.campaigns, 12_345]))

    def seats(self, number: int) -> dict[int, Any]:
        c = self.world.model.campaigns.get(number)
        return {} if c is None else c.seats

    def seat(self, data: st.DataObject, number: int) -> int:
        return int(self.pick(data, list(self.seats(number)) * 3 + [99]))

    def batches(self, number: int) -> int:
        c = self.world.model.campaigns.get(number)
        return 1 if c is None else c.life.batches

    def cohort(self, number: int) -> int:
        c = self.world.model.campaigns.get(number)
        return 3 if c is None else c.life.cohort

    def settles(self, number: int) -> bool:
        return self.world.model.life_of(number).phase is Phase.SETTLING

    def waits(self, number: int, seat: int) -> bool:
        """Whether a seat has still to commit, and its owner can send."""
        seats = self.seats(number)
        committing = self.world.model.life_of(number).phase is Phase.COMMITTING
        own = committing and seat in seats and seats[seat].record == opening.NOTHING
        return own and self.owner(number, seat) in CALLERS

    def owner(self, number: int, seat: int) -> str:
        """Whose seat it is: the role of an account that can send."""
        known = self.seats(number).get(seat)
        role = self.world.roles.get(known.labeler, "attacker") if known else "attacker"
        return "relayer" if role == "refuser" else role


def machine_on(stage: Stage, statistics: Counter[tuple[str, str]]) -> type[Machine]:
    """The machine, bound to a stage."""
    return type("Machine", (Machine,), {"stage": stage, "statistics": statistics})
