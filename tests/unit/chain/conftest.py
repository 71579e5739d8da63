"""The contracts as `ape run deploy` leaves them, a small campaign to play, and a store to read it into."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from eth_utils.crypto import keccak

from earnest.chain import deployment
from earnest.chain.client import Client
from earnest.chain.messages import Opening
from earnest.chain.state import State
from earnest.chain.store import Store
from earnest.protocol import audit, merkle
from earnest.protocol.terms import Curve, Metric, Periods, Terms, Weights, campaign_id

HOUR = 3_600
KEY = keccak(b"audit key")
ROWS = [
    audit.AuditRow((0, 1, 2, 3, 4, 5), gold=((0, 1), (3, 2)), repeats=((1, 6), (2, 7))),
    audit.AuditRow((0, 1, 2, 4, 5, 6), gold=((1, 0), (4, 2)), repeats=((0, 3), (2, 7))),
    audit.AuditRow((2, 3, 4, 5, 6, 7), gold=((2, 1), (7, 0)), repeats=()),
]
SEALED = audit.seal(ROWS, KEY, 8, 3)
ANSWERS = [
    bytes([1, 0, 2, 2, 1, 0, 0, 2]),
    bytes([1, 0, 2, 2, 1, 0, 1, 2]),
    bytes([1, 2, 2, 2, 2, 0, 0, 1]),
    bytes([0, 0, 1, 1, 2, 2, 0, 1]),
    bytes([1, 0, 2, 2, 1, 1, 0, 2]),
    bytes([2, 2, 0, 1, 0, 1, 2, 0]),
]


@pytest.fixture(scope="session")
def deployed(operator, project):
    """Deploy in the way that users do."""
    params = deployment.read_params("ethereum.local")
    return deployment.deploy(params, sender=operator, record=False)


@pytest.fixture(scope="session")
def client(deployed) -> Client:
    return deployed.client()


@pytest.fixture(scope="session")
def purse(operator):
    """Who pays for everyone."""
    return operator


@pytest.fixture(scope="session")
def erc20(purse, client, project):
    """A token, of which the purse has plenty and has approved the vault for."""
    token = purse.deploy(project.TokenMock)
    token.mint(purse, 10**9, sender=purse)
    client.approve(str(token.address), 10**9, sender=purse)
    return token


@dataclass
class Game:
    """A campaign, its actors, and shorthands to play it."""

    client: Client
    chain: object
    purse: object
    experimenter: object
    labelers: Sequence
    terms: Terms
    id: int
    openings: dict[int, Opening] = field(default_factory=dict)
    _state: State | None = None
    _next: int = 0

    def travel(self, time: int) -> None:
        """Let the newest block have this time."""
        self.chain.pending_timestamp = time
        self.chain.mine()

    def pass_deadline(self) -> None:
        self.travel(self.client.life(self.id).deadline)

    def fund(self, account, amount: int) -> None:
        """From the operator's purse (see `erc20`)."""
        self.client.deposit(self.terms.token, amount, sender=self.purse, account=account.address)

    def create(self) -> None:
        self.fund(self.experimenter, (self.terms.bounty + self.terms.fee) * self.terms.batches)
        self.client.create(self.terms, "file:manifest.json", sender=self.experimenter)

    def enroll(self, count: int) -> None:
        for labeler in self.labelers[:count]:
            self.fund(labeler, self.terms.stake)
            self.client.enroll(self.id, sender=labeler)

    def draw(self) -> None:
        anyone = self.experimenter
        self.client.request_draw(self.id, sender=anyone)
        self.chain.mine(3)
        self.client.draw(self.id, sender=anyone)

    def opening(self, seat: int, labels: bytes) -> Opening:
        labeler = self.labelers[seat]
        salt = self.client.salt(self.id, seat, signer=labeler)
        self.openings[seat] = Opening(seat=seat, labels=labels, salt=salt)
        return self.openings[seat]

    def commit(self, seat: int, labels: bytes) -> None:
        commitment = self.client.commitment(self.id, self.opening(seat, labels))
        self.client.commit(self.id, seat, commitment, sender=self.labelers[seat])

    def state(self) -> State:
        """The state as of now, carried on from where it was when last asked for."""
        if self._state is None:
            self._state = State(self.client.sink)
        block = self.client.web3.eth.block_number
        for record in self.client.records(self._next, block):
            self._state.apply(record)
        self._next = block + 1
        return self._state

    @property
    def campaign(self):
        return self.state().campaigns[self.id]


@pytest.fixture
def game(client, chain, erc20, purse, experimenter, labelers) -> Game:
    """A campaign not created yet: three batches of three seats, with an audit and all signals."""
    terms = Terms(
        token=str(erc20.address),
        stake=1_001,
        bounty=10_007,
        fee=53,
        batch_size=8,
        cohort=3,
        metric=Metric.NOMINAL,
        classes=3,
        bond=501,
        batches=3,
        enroll_by=chain.pending_timestamp + HOUR,
        curve=Curve(floor=-10_000, max_slash=3_000, forfeit=5_000),
        weights=Weights(peers=2, gold=1, repeats=1),
        periods=Periods(draw=HOUR, commit=2 * HOUR, reveal=3 * HOUR, audit=4 * HOUR, challenge=5 * HOUR),
        audit_root=merkle.tree(SEALED)[0],
        audit_key_hash=audit.key_hash(KEY),
        manifest=keccak(b"manifest"),
    )
    number = campaign_id(experimenter.address, terms)
    return Game(client, chain, purse, experimenter, labelers, terms, number)


@pytest.fixture
def created(game) -> Game:
    """The same, created."""
    game.create()
    return game


@pytest.fixture
def drawn(created) -> Game:
    """The same with seven seats taken: two batches drawn, one seat benched."""
    created.enroll(7)
    created.travel(created.terms.enroll_by)
    created.draw()
    return created


@pytest.fixture
def revealed(drawn) -> Game:
    """The same with five of six seats revealed and the key disclosed."""
    for seat in range(5):
        drawn.commit(seat, ANSWERS[seat])
    drawn.pass_deadline()
    drawn.client.reveal_many(drawn.id, list(drawn.openings.values()), sender=drawn.experimenter)
    drawn.client.disclose(drawn.id, KEY, sender=drawn.experimenter)
    return drawn


@pytest.fixture
def path(tmp_path):
    return tmp_path / "earnest.sqlite"


@pytest.fixture
def store(path):
    found = Store(path, 0)
    yield found
    found.close()
