"""What campaigns cost in gas: every step of whole ones, on anvil, with transactions as people send them."""

from __future__ import annotations

import socket
import subprocess
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random
from time import sleep
from typing import Any, Final, Self

import numpy as np
from ape import project
from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils.crypto import keccak
from web3 import Web3
from web3.contract import Contract
from web3.exceptions import ContractLogicError, Web3RPCError
from web3.types import RPCEndpoint, TxReceipt

from earnest.protocol import audit, draw, merkle, opening, score, settlement
from earnest.protocol.labels import label_count, stack_labels
from earnest.protocol.terms import ZERO_ADDRESS, Curve, Metric, Periods, Terms, Weights, campaign_id

PERIOD: Final = 36_000  # seconds of every phase
ETHER: Final = 10**18
EVM: Final = "cancun"  # as ape-config.yaml says
MOST_GAS: Final = 2**24  # of one transaction (EIP-7825)
RELAYED: Final = 20  # seats in one transaction of a relayer
SETTLED: Final = 10  # batches in one transaction that releases


@dataclass(frozen=True)
class Shape:
    """The size of a campaign, and whether everything in it is also audited."""

    metric: Metric = Metric.NOMINAL
    classes: int = 4
    cohort: int = 7
    batch_size: int = 128
    batches: int = 20
    audited: bool = False
    each: int = 1  # seats that a labeler takes

    def __str__(self) -> str:
        audited = ", all audited" if self.audited else ""
        each = f", {self.each} seats each" if self.each > 1 else ""
        name = f"{self.metric.name.capitalize()} of {self.classes}"
        return f"{name}, K={self.cohort}, B={self.batch_size}{audited}{each}"

    @property
    def seats(self) -> int:
        """Of all batches."""
        return self.cohort * self.batches

    @property
    def labelers(self) -> int:
        """Who take them."""
        return -(-self.seats // self.each)

    @property
    def labels(self) -> int:
        """Of all seats."""
        return self.seats * self.batch_size

    @property
    def rubric(self) -> tuple[Any, ...]:
        """What the referee is told of it."""
        return (int(self.metric), self.classes, self.batch_size, self.audited, (1, 1, 1))


# What the goals for the referee speak of.
SCORED: Final = (Shape(), Shape(Metric.INTERVAL, 5), Shape(Metric.RANKING, 4))


@dataclass(frozen=True)
class Used:
    """The gas of a transaction, and what is left of it without sending it and its data."""

    gas: int
    bare: int


class Node:
    """An anvil of its own that signs for anybody, with the contracts on it; books what each step uses.

    Not Ape's: that one keeps every step of every transaction in memory, gigabytes for one large batch.
    """

    def __init__(self) -> None:
        self.used: dict[str, list[Used]] = defaultdict(list)
        port = _free_port()
        options = ["--port", str(port), "--hardfork", EVM, "--auto-impersonate", "--silent"]
        self._anvil = subprocess.Popen(["anvil", *options], stdout=subprocess.DEVNULL)
        self.web3 = Web3(Web3.HTTPProvider(f"http://127.0.0.1:{port}"))
        while not self.web3.is_connected():
            if self._anvil.poll() is not None:
                raise RuntimeError(f"anvil ended with {self._anvil.returncode}.")
            sleep(0.05)
        operator, sink = self.web3.eth.accounts[:2]
        self.referee = self._deploy("Referee", operator)
        randomness = self._deploy("BlockHashRandomness", operator, 2)
        self.earnest = self._deploy("Earnest", operator, randomness.address, self.referee.address, sink)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._anvil.terminate()
        self._anvil.wait()

    def send(self, step: str, sender: str, name: str, *arguments: Any, value: int = 0) -> None:
        """Call a function of Earnest in a transaction; its gas is booked under the step."""
        self.used[step].append(self.transact(self.earnest, sender, name, *arguments, value=value))

    def transact(
        self, contract: Contract, sender: str, name: str, *arguments: Any, value: int = 0
    ) -> Used:
        """Send a transaction for anybody. Raises RuntimeError when it fails."""
        data = encode(contract, name, *arguments)
        call = {"from": sender, "to": contract.address, "data": _hex(data), "value": value}
        gas = self._mine(call)["gasUsed"]
        return Used(gas, gas - intrinsic(data))

    def fund(self, step: str, accounts: Iterable[str], amount: int) -> None:
        """Let accounts deposit ether."""
        for account in accounts:
            self.request("anvil_setBalance", [account, hex(10**9 * ETHER)])
            self.send(step, account, "deposit", ZERO_ADDRESS, amount, account, value=amount)

    def request(self, method: str, parameters: list[Any]) -> Any:
        """What anvil answers to a raw request."""
        answer = self.web3.provider.make_request(RPCEndpoint(method), parameters)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def _deploy(self, name: str, sender: str, *arguments: Any) -> Contract:
        kind = getattr(project, name).contract_type
        contract = self.web3.eth.contract(
            abi=[member.model_dump(by_alias=True, mode="json") for member in kind.abi],
            bytecode=kind.deployment_bytecode.bytecode,
        )
        creation = contract.constructor(*arguments).data_in_transaction
        return contract(self._mine({"from": sender, "data": creation})["contractAddress"])

    def _mine(self, call: dict[str, Any]) -> TxReceipt:
        sent = self.web3.eth.send_transaction({**call, "gas": MOST_GAS, "gasPrice": 10**10})
        receipt = self.web3.eth.wait_for_transaction_receipt(sent, poll_latency=0.001)
        if receipt["status"] != 1:
            raise RuntimeError(f"{call['data'][:10]} failed after {receipt['gasUsed']} gas.")
        return receipt


def encode(contract: Contract, name: str, *arguments: Any) -> bytes:
    """The data of a call."""
    return bytes.fromhex(contract.encode_abi(name, arguments)[2:])


def intrinsic(data: bytes) -> int:
    """The gas of a transaction before anything is computed: 21,000, and 16 a byte of data, 4 if it is 0."""
    return 21_000 + 16 * len(data) - 12 * data.count(0)


@dataclass
class Campaign:
    """One campaign of a shape on a node, whose people have money in the vault."""

    node: Node
    shape: Shape
    number: int = 0  # another campaign of a shape has other people

    def __post_init__(self) -> None:
        shape = self.shape
        self.random = Random(f"{shape} {self.number}")
        self.labelers = [self._person(f"labeler {self.number} {shape} {i}") for i in range(shape.labelers)]
        self.seated = [self.labelers[seat // shape.each] for seat in range(shape.seats)]
        self.experimenter = self._person(f"experimenter {self.number} {shape}").address
        self.settler = self._person("settler").address
        self.relayer = self._person("relayer").address
        self.challenger = self._person(f"challenger {self.number} {shape}").address
        self.key = keccak(b"audit key")
        self.size = label_count(shape.metric, shape.classes)
        self.truth = [self._answers() for _ in range(shape.batches)]
        self.rows = [self._row(truth) for truth in self.truth] if shape.audited else []
        sealed = [audit.encipher(row, self.key, batch) for batch, row in enumerate(self.rows)]
        self.sealed, self.tree = sealed, merkle.tree(sealed) if sealed else []
        self.terms = self._terms(self.tree[0] if sealed else bytes(32))
        self.id = campaign_id(self.experimenter, self.terms)
        self.domain = opening.Domain(self.node.web3.eth.chain_id, self.node.earnest.address)

    # The steps, one transaction each or, through a relayer, one for many seats

    def create(self) -> None:
        """Deposit and create."""
        terms = self.terms
        escrow = (terms.bounty + terms.fee) * terms.batches
        self.node.fund("deposit, experimenter", [self.experimenter], escrow)
        self._send("create", self.experimenter, "create", terms.abi_tuple(), "ipfs://" + 46 * "Q")
        self.node.fund("deposit, labeler", [labeler.address for labeler in self.labelers], 10 * terms.stake)
        self.node.fund("deposit, settler", [self.settler], terms.bond)

    def enroll(self) -> None:
        """Let each labeler enrol."""
        for labeler in self.labelers:
            self._send("enroll", labeler.address, "enroll", self.id, labeler.address, self.shape.each, b"")

    def enroll_signed(self) -> None:
        """Carry the labelers' signed enrolments."""
        signed = [self._enrolment(labeler) for labeler in self.labelers]
        self._relay("enrollSigned", signed, RELAYED // self.shape.each)

    def draw(self) -> None:
        """Ask for the draw, wait two blocks, draw."""
        self._send("requestDraw", self.relayer, "requestDraw", self.id)
        self.node.request("anvil_mine", ["0x3"])
        self._send("draw", self.relayer, "draw", self.id)
        seed = self.node.earnest.functions.drawOf(self.id).call()[2]
        self.cohorts = draw.cohorts(seed, self.shape.seats, self.shape.cohort).tolist()
        batch_of = {seat: batch for batch, lanes in enumerate(self.cohorts) for seat in lanes}
        self.openings = [
            (seat, self._labels(self.truth[batch_of[seat]]), keccak(b"salt %d" % seat))
            for seat in range(self.shape.seats)
        ]

    def commit(self) -> None:
        """Let each labeler commit."""
        for labeler, opened in zip(self.seated, self.openings, strict=True):
            self._send("commit", labeler.address, "commit", self.id, opened[0], self._commitment(opened))

    def commit_signed(self) -> None:
        """Carry the labelers' signed commitments."""
        signed = [self._signed(*pair) for pair in zip(self.seated, self.openings, strict=True)]
        self._relay("commitSigned", signed, RELAYED)

    def reveal(self) -> None:
        """Let each labeler reveal."""
        for labeler, opened in zip(self.seated, self.openings, strict=True):
            self._send("reveal", labeler.address, "reveal", self.id, *opened)

    def reveal_many(self) -> None:
        """Carry the labelers' openings."""
        self._relay("revealMany", self.openings, RELAYED)

    def disclose(self) -> None:
        """Open the audit, if there is one."""
        if self.shape.audited:
            self._send("disclose", self.experimenter, "disclose", self.id, self.key)

    def post(self, offset: int = 0) -> None:
        """Post the scores of all batches, wrong by an `offset`."""
        words = [word ^ offset for word in settlement.pack_campaign(self._scores())]
        self._send("post", self.settler, "post", self.id, list(range(self.shape.batches)), words)

    def referee(self, batch: int) -> None:
        """Have a batch refereed, and see that the chain's scores are Python's."""
        self._send("referee", self.challenger, "referee", self.id, batch, *self.evidence(batch))
        found = self.node.earnest.functions.batchOf(self.id, batch).call()[2]
        assert found == settlement.pack_campaign(self._scores())[batch], f"batch {batch} of {self.shape}"

    def evidence(self, batch: int) -> tuple[bytes, bytes, list[bytes]]:
        """Labels, audit row and proof of a batch."""
        labels = b"".join(self.openings[seat][1] for seat in self.cohorts[batch])
        if not self.shape.audited:
            return labels, b"", []
        return labels, self.sealed[batch], merkle.proof(self.tree, batch)

    def release(self) -> None:
        """Wait for the end of the challenge period, release all batches, return the bond."""
        self.node.request("evm_increaseTime", [self.terms.periods.challenge + 1])
        for batches in _parts(range(self.shape.batches), SETTLED):
            self._send("release", self.relayer, "release", self.id, list(batches))
        self._send("returnBond", self.relayer, "returnBond", self.id, 1)

    def withdraw(self) -> None:
        """Let each labeler withdraw everything."""
        for labeler in self.labelers:
            balance = self.node.earnest.functions.accountOf(labeler.address, ZERO_ADDRESS).call()[0]
            arguments = (ZERO_ADDRESS, balance, labeler.address)
            self._send("withdraw", labeler.address, "withdraw", *arguments)

    # What is behind them

    def _send(self, step: str, sender: str, name: str, *arguments: Any) -> None:
        self.node.send(step, sender, name, *arguments)

    def _relay(self, name: str, items: Sequence[Any], at_once: int) -> None:
        for part in _parts(items, at_once):
            self._send(name, self.relayer, name, self.id, list(part))

    def _person(self, name: str) -> LocalAccount:
        person: LocalAccount = Account.from_key(keccak(text=name))
        self.node.request("anvil_setBalance", [person.address, hex(10**9 * ETHER)])
        return person

    def _terms(self, root: bytes) -> Terms:
        shape, now = self.shape, self.node.web3.eth.get_block("latest")["timestamp"]
        return Terms(
            stake=ETHER,
            bounty=shape.cohort * ETHER,
            fee=ETHER // 10,
            batch_size=shape.batch_size,
            cohort=shape.cohort,
            metric=shape.metric,
            classes=shape.classes,
            bond=ETHER,
            batches=shape.batches,
            enroll_by=now + PERIOD,
            curve=Curve(max_slash=5_000, forfeit=5_000),
            weights=Weights(peers=1, gold=1, repeats=1),
            periods=Periods(**dict.fromkeys(("draw", "commit", "reveal", "audit", "challenge"), PERIOD)),
            audit_root=root,
            audit_key_hash=audit.key_hash(self.key) if shape.audited else bytes(32),
            manifest=keccak(b"manifest"),
        )

    def _answers(self) -> list[int]:
        return [self.random.randrange(self.size) for _ in range(self.shape.batch_size)]

    def _labels(self, truth: Sequence[int]) -> bytes:
        """Right three times in four, and spread over all classes otherwise: zero bytes would be cheaper."""
        random = self.random
        return bytes(label if random.random() < 0.75 else random.randrange(self.size) for label in truth)

    def _row(self, truth: Sequence[int]) -> bytes:
        """The longest row that parses: everything shared, gold, and repeated."""
        size = self.shape.batch_size
        gold = tuple(enumerate(truth))
        repeats = tuple((first, self.random.randrange(first + 1, size)) for first in range(size - 1))
        row = audit.AuditRow(tuple(range(size)), gold, repeats)
        return audit.encode_row(row, size, self.size, audit.max_row(size))

    def _scores(self) -> Any:
        shape = self.shape
        lanes = [[self.openings[seat][1] for seat in cohort] for cohort in self.cohorts]
        stacked, revealed = stack_labels(lanes, shape.metric, shape.classes, shape.batch_size)
        rows = [audit.parse_row(row, shape.batch_size, self.size) for row in self.rows] or None
        return score.score_campaign(self.terms, stacked, revealed, np.array(self.cohorts), rows)

    def _commitment(self, opened: tuple[int, bytes, bytes]) -> bytes:
        return opening.opening_digest(self.domain, self.id, *opened)

    def _enrolment(self, labeler: LocalAccount) -> tuple[Any, ...]:
        each, deadline = self.shape.each, self.terms.enroll_by
        digest = opening.enrolment_digest(self.domain, self.id, labeler.address, each, 0, deadline)
        return (labeler.address, each, 0, deadline, b"", _sign(labeler, digest))

    def _signed(self, labeler: LocalAccount, opened: tuple[int, bytes, bytes]) -> tuple[Any, ...]:
        commitment, deadline = self._commitment(opened), self.terms.enroll_by + 10 * PERIOD
        digest = opening.commitment_digest(self.domain, self.id, opened[0], commitment, 0, deadline)
        return (opened[0], commitment, 0, deadline, _sign(labeler, digest))


def direct(node: Node, shape: Shape, number: int = 0) -> dict[str, list[Used]]:
    """The gas of all transactions of a campaign in which everybody sends their own, by step."""
    return _play(Campaign(node, shape, number), Campaign.enroll, Campaign.commit, Campaign.reveal)


def relayed(node: Node, shape: Shape, number: int = 0) -> dict[str, list[Used]]:
    """The same when labelers sign and a relayer sends."""
    campaign = Campaign(node, shape, number)
    return _play(campaign, Campaign.enroll_signed, Campaign.commit_signed, Campaign.reveal_many)


def _play(
    campaign: Campaign,
    enroll: Callable[[Campaign], None],
    commit: Callable[[Campaign], None],
    reveal: Callable[[Campaign], None],
) -> dict[str, list[Used]]:
    campaign.node.used.clear()
    campaign.create()
    enroll(campaign)
    campaign.draw()
    commit(campaign)
    reveal(campaign)
    campaign.disclose()
    campaign.post()
    campaign.release()
    campaign.withdraw()
    return dict(campaign.node.used)


def snapshot(node: Node) -> dict[str, dict[str, Any]]:
    """What each step of a campaign of one batch takes (each amount once), and the referee, by kind of labels.

    Without the gas of sending a transaction and its data, in which the zeros of hashes differ: what is left
    is the same every time, to the last unit.
    """
    shape = Shape(batches=1)
    played = {"own transactions": direct(node, shape, 1), "signed and relayed": relayed(node, shape, 2)}
    node.used.clear()
    refereeing(node, replace(shape, audited=True), 3)
    steps = {name: {step: _bare(used) for step, used in each.items()} for name, each in played.items()}
    steps["own transactions"]["referee, audited"] = _bare(node.used["referee"])
    return {
        "steps": steps,
        "referee": {str(each): computing(node, each, 4) for each in SCORED},
    }


def _bare(used: Sequence[Used]) -> list[int]:
    return list(dict.fromkeys(each.bare for each in used))


def computing(node: Node, shape: Shape, number: int = 0) -> int:
    """The gas of `Referee.score` for one batch of a shape, without that of sending a transaction."""
    campaign = Campaign(node, replace(shape, batches=1), number)
    labels = [campaign._labels(campaign.truth[0]) for _ in range(shape.cohort)]
    people = [labeler.address for labeler in campaign.labelers]
    row = campaign.sealed[0] if shape.audited else b""
    arguments = (shape.rubric, people, b"".join(labels), row, campaign.key, 0)
    return node.transact(node.referee, campaign.relayer, "score", *arguments).bare


def refereeing(node: Node, shape: Shape, number: int = 0) -> tuple[int, int]:
    """The least gas limit with which a wrong posting of a shape can be refereed, and the referee's bound."""
    campaign = Campaign(node, replace(shape, batches=1), number)
    campaign.create()
    campaign.enroll()
    campaign.draw()
    campaign.commit()
    campaign.reveal()
    campaign.disclose()
    campaign.post(offset=1)
    needed = _least_gas(node, campaign)
    campaign.referee(0)
    return needed, node.referee.functions.gasBound(shape.rubric, shape.cohort).call()


def _least_gas(node: Node, campaign: Campaign) -> int:
    """By bisection: a call hands on at most 63/64 of what is left, so that what it uses is not enough."""
    data = encode(node.earnest, "referee", campaign.id, 0, *campaign.evidence(0))
    call = {"from": campaign.challenger, "to": node.earnest.address, "data": _hex(data)}
    low, high = intrinsic(data), MOST_GAS
    while high - low > 1_000:
        middle = (low + high) // 2
        try:
            node.web3.eth.call({**call, "gas": middle})
            high = middle
        except (ContractLogicError, Web3RPCError):
            low = middle
    return max(high, 21_000 + sum(10 if byte == 0 else 40 for byte in data))  # EIP-7623


def _hex(data: bytes) -> str:
    return "0x" + data.hex()


def _free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


def _sign(signer: LocalAccount, digest: bytes) -> bytes:
    return bytes(Account.unsafe_sign_hash(digest, private_key=signer.key).signature)


def _parts(items: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    return (items[start : start + size] for start in range(0, len(items), size))
