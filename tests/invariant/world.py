"""Actors, tokens and gates of every habit around one contract, and the model that goes along with it.

`World.act` sends one transaction and lets the model do the same: the two must agree on whether it goes
through, with which error it does not, and on everything that the contract holds afterwards.
"""

from __future__ import annotations

from ast import literal_eval
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain as flatten
from typing import Any, Final

from ape.api import TestAccountAPI
from ape.contracts import ContractInstance
from eth_abi.abi import decode, encode
from eth_utils.crypto import keccak
from invariant import books as ledger
from invariant.books import Books
from invariant.model import ETHER, Caller, Gate, Model, Refusal, Token
from kit import System

from earnest.chain.records import Place, Record, decode_log

TX_GAS: Final = 12_000_000
FORTUNE: Final = 10**24
FEE: Final = 300  # bps
# Later than the machine's clock, which the in-process EVM never falls behind: so all runs are alike.
START: Final = 4_102_444_800
STAKES: Final = 3_500  # what somebody has to begin with: a few stakes
POCKET: Final = {"experimenter": 10**7, "rival": 40_000, "attacker": 10**4, "settler": 1_000, "pauper": 10}
CALLED_BACK: Final = keccak(text="CalledBack(bool,bytes)")


@dataclass(frozen=True)
class Stage:
    """What a session deploys once: the contract, hostile and plain tokens, a gate, contract accounts."""

    system: System
    accounts: Mapping[str, TestAccountAPI]  # by role
    tokens: Mapping[str, ContractInstance]  # by habit
    gate: ContractInstance
    wallet: ContractInstance
    receiver: ContractInstance
    refuser: ContractInstance

    @property
    def addresses(self) -> dict[str, str]:
        """All that can own money in the contract, by role."""
        contracts = {"wallet": self.wallet, "receiver": self.receiver, "refuser": self.refuser}
        return {role: str(owner.address) for role, owner in flatten(self.accounts.items(), contracts.items())}


def set_stage(
    system: System, project: Any, operator: TestAccountAPI, accounts: Mapping[str, TestAccountAPI]
) -> Stage:
    """Deploy. Experimenter and attacker get a fortune of every token, and approve all of it; the former fills
    everybody's vault account.
    """
    tokens = {
        "plain": operator.deploy(project.TokenMock),
        "fee": operator.deploy(project.FeeTokenMock, FEE),
        "silent": operator.deploy(project.SilentTokenMock),
        "refusing": operator.deploy(project.RefusingTokenMock),
        "callback": operator.deploy(project.CallbackTokenMock),
    }
    for token in tokens.values():
        for holder in (accounts["experimenter"], accounts["attacker"]):
            token.mint(holder, FORTUNE, sender=holder)
            token.approve(system.earnest, FORTUNE, sender=holder)
    stage = Stage(
        system,
        accounts,
        tokens,
        gate=operator.deploy(project.GateMock),
        wallet=operator.deploy(project.WalletMock, accounts["owner"]),
        receiver=operator.deploy(project.ReentrantReceiver),
        refuser=operator.deploy(project.RefusingReceiver),
    )
    stage.gate.setAnswer(True, sender=operator)
    for role, owner in stage.addresses.items():
        amount = POCKET.get(role, STAKES)
        system.earnest.deposit(ETHER, amount, owner, value=amount, sender=accounts["experimenter"])
        for token in tokens.values():
            system.earnest.deposit(token, amount, owner, sender=accounts["experimenter"])
    return stage


@dataclass(frozen=True)
class Call:
    """One function called, directly, within a `multicall` or by a mock, and whether it went through."""

    sender: str
    name: str
    args: tuple[Any, ...]


@dataclass(frozen=True)
class Step:
    """What happened from one moment to the next. `calls` are those that went through."""

    before: Books
    after: Books
    calls: tuple[Call, ...] = ()
    records: tuple[Record, ...] = ()


@dataclass
class World:
    """One run: the chain, the model, and what has been seen so far."""

    stage: Stage
    habits: Sequence[str]  # of the tokens in use, "ether" among them
    check: Callable[[World], None]  # after every step
    model: Model = field(init=False)
    reader: ledger.Reader = field(init=False)
    step: Step = field(init=False)
    history: list[Record] = field(default_factory=list)
    published: dict[int, Sequence[bytes]] = field(default_factory=dict)  # the audits' enciphered rows
    strays: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    statistics: Counter[tuple[str, str]] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        stage = self.stage
        self.addresses = stage.addresses
        self.roles = {address: role for role, address in self.addresses.items()}
        self.earnest = str(stage.system.earnest.address)
        self.provider = stage.system.chain.provider
        self.web3 = self.provider.web3
        self.reader = ledger.Reader(self.web3, self.earnest)
        self.tokens = {habit: ETHER for habit in self.habits if habit == "ether"} | {
            habit: str(stage.tokens[habit].address) for habit in self.habits if habit != "ether"
        }
        holders = frozenset({self.addresses["experimenter"], self.addresses["attacker"]})
        self.model = Model(
            earnest=self.earnest,
            sink=self.addresses["sink"],
            domain=stage.system.domain,
            tokens={
                address: Token(
                    address,
                    fee=FEE if habit == "fee" else 0,
                    holders=holders,
                    caller=Caller(address) if habit == "callback" else None,
                )
                for habit, address in self.tokens.items()
                if habit != "ether"
            },
            gates={str(stage.gate.address): Gate(Caller(str(stage.gate.address)), answer=True)},
            wallets={self.addresses["wallet"]: self.addresses["owner"]},
            receivers={self.addresses["receiver"]: Caller(self.addresses["receiver"])},
            refusers=frozenset({self.addresses["refuser"], self.addresses["wallet"]}),
        )
        self._types = {
            abi.name: [item.canonical_type for item in abi.inputs]
            for abi in stage.system.earnest.contract_type.mutable_methods
        }
        self._selectors = {
            abi.name: keccak(text=abi.selector)[:4]
            for abi in stage.system.earnest.contract_type.mutable_methods
        }
        self._errors = _errors(stage)
        self._tick(START)
        self.provider.mine(1)
        first = self.read()
        for key, (balance, nonce) in first.accounts.items():
            self.model.balances[key], self.model.nonces[key] = balance, nonce
        self.step = Step(first, first)

    # ── Acting ──

    def act(
        self, role: str, name: str, *args: Any, value: int = 0, refusal: str | None = None
    ) -> Step:
        """Call a function as somebody; with `refusal` it must fail so, which the model is not asked about.

        What it says of the wrong time or of another's data is for the model to judge.
        """
        calls = args[0] if name == "multicall" else [(name, args)]
        return self._transact(role, name, self.encode(name, args), calls, value, refusal)

    def encode(self, name: str, args: Sequence[Any]) -> bytes:
        if name == "multicall":
            args = ([self.encode(*call) for call in args[0]],)
        return bytes(self._selectors[name] + encode(self._types[name], args))

    def _transact(
        self,
        role: str,
        name: str,
        data: bytes,
        calls: Sequence[tuple[str, Sequence[Any]]],
        value: int,
        refusal: str | None,
    ) -> Step:
        sender = self.addresses[role]
        self._tick(self.now + 1)
        status, records, error, called = self.send(role, data, value)
        refused: Refusal | None
        if refusal is None:
            refused = self._model_does(sender, name, calls, value)
        else:
            refused = Refusal(refusal, exact=False)
        self._agree(role, name, calls, status, refused, error)
        self.statistics[name, "ok" if status else error.partition("(")[0]] += 1
        if refused is None:
            made = [Call(sender, inner, tuple(args)) for inner, args in calls]
            assert called == [went for *_, went in self.model.called], f"callbacks went {called}"
            self._note(calls)
            return self._advance((*made, *self._called_back()), records)
        return self.look()

    def _model_does(
        self, sender: str, name: str, calls: Sequence[tuple[str, Sequence[Any]]], value: int
    ) -> Refusal | None:
        self.model.called = []
        try:
            if name == "multicall":
                self.model.multicall(sender, calls)
            else:
                self.model.call(sender, name, calls[0][1], value)
        except Refusal as refusal:
            return refusal
        return None

    def _agree(
        self, role: str, name: str, calls: Any, status: int, refused: Refusal | None, error: str
    ) -> None:
        what = f"{role} calls {name}{tuple(calls)} at {self.now}"
        if refused is None:
            assert status == 1, f"{what}: must go through, but reverts with {error}"
            return
        assert status == 0, f"{what}: must revert with {refused}, but goes through"
        if refused.name != "any":
            wanted = refused.name if refused.values is None else _written(refused.name, refused.values)
            found = error.partition("(")[0] if refused.values is None else error
            assert found == wanted, f"{what}: must revert with {wanted}, but reverts with {error}"

    def send(
        self, role: str, data: bytes, value: int = 0
    ) -> tuple[int, tuple[Record, ...], str, list[bool]]:
        """Send to the contract: status, records, the error as text, how callbacks went."""
        transaction = self._transaction(role, data, value)
        receipt = self._sent(transaction)
        if receipt["status"] == 0:
            # At the same time and on the same state: the failed one has changed nothing.
            return 0, (), self.error_of(transaction), []
        called = [
            bool(decode(["bool", "bytes"], bytes(log["data"]))[0])
            for log in receipt["logs"]
            if bytes(log["topics"][0]) == CALLED_BACK
        ]
        return 1, tuple(self._records(receipt)), "", called

    def _transaction(self, role: str, data: bytes, value: int) -> dict[str, Any]:
        """A contract account is made to call by the relayer."""
        account = self.stage.accounts.get(role)
        if account is not None:
            return {"from": account.address, "to": self.earnest, "data": data, "value": value, "gas": TX_GAS}
        assert role == "receiver", f"{role} cannot call"
        data = keccak(text="execute(address,bytes)")[:4] + encode(["address", "bytes"], [self.earnest, data])
        relayer = self.addresses["relayer"]
        return {"from": relayer, "to": self.addresses[role], "data": data, "value": value, "gas": TX_GAS}

    def send_other(self, to: ContractInstance, name: str, *args: Any) -> None:
        """Call a mock; it must go through."""
        self._tick(self.now + 1)
        data = bytes(getattr(to, name).encode_input(*args))
        sent = {"from": self.addresses["relayer"], "to": to.address, "data": data, "gas": TX_GAS}
        assert self._sent(sent)["status"] == 1, f"{name}{args} of a mock reverts"

    def donate(self, habit: str, amount: int) -> Step:
        """Somebody sends tokens to the contract past `deposit`; ether it does not take."""
        attacker = self.addresses["attacker"]
        self._tick(self.now + 1)
        sent: dict[str, Any] = {"from": attacker, "gas": TX_GAS}
        if habit == "ether":
            sent |= {"to": self.earnest, "value": amount}
        else:
            selector = keccak(text="transfer(address,uint256)")[:4]
            data = selector + encode(["address", "uint256"], [self.earnest, amount])
            sent |= {"to": self.tokens[habit], "data": data}
        receipt = self._sent(sent)
        self.statistics["donate", habit] += 1
        self.model.called = []
        if habit == "ether":
            assert receipt["status"] == 0, "ether came in past deposit"
            return self.look()
        assert receipt["status"] == 1
        token = self.tokens[habit]
        self.model.call_back(self.model.tokens[token].caller)
        self.strays[token] += self.model.tokens[token].arrives(amount)
        return self._advance(tuple(self._called_back()), tuple(self._records(receipt)))

    def travel(self, time: int) -> Step:
        """Let time pass, without anyone doing anything."""
        self._tick(max(time, self.now + 1))
        self.provider.mine(1)
        return self.look()

    def arm(self, mock: ContractInstance, call: tuple[str, tuple[Any, ...]] | None) -> None:
        """Prepare what a mock calls when it is called; None: nothing."""
        caller = next(c for c in self.callers if c.address == str(mock.address))
        caller.call = call
        target, data = (ETHER, b"") if call is None else (self.earnest, self.encode(*call))
        self.send_other(mock, "setCallback", target, data)
        self.look()

    @property
    def callers(self) -> list[Caller]:
        found = [gate.caller for gate in self.model.gates.values()]
        found += [token.caller for token in self.model.tokens.values() if token.caller is not None]
        return found + list(self.model.receivers.values())

    # ── Looking ──

    def look(self) -> Step:
        """See how time has moved things, after what has not changed the contract: a call that failed, say."""
        self.step = Step(self.step.after, self.reader.read_times(self.step.after))
        self.check(self)
        return self.step

    @property
    def accounts(self) -> list[str]:
        """All that could own something, and some that never do: nobody, the contract, a gate, a token."""
        others = (ETHER, self.earnest, *self.model.gates, *self.model.tokens)
        return [*self.addresses.values(), *others]

    def read(self) -> Books:
        return self.reader.read(self.model, self.accounts, list(self.tokens.values()))

    def expected(self, held: dict[str, int]) -> Books:
        return ledger.expected(self.model, self.accounts, list(self.tokens.values()), held)

    def seen(self, kind: type[Record], campaign: int) -> Iterator[Any]:
        """The records of one kind that a campaign has left so far."""
        for record in self.history:
            if isinstance(record, kind) and getattr(record, "campaign", None) == campaign:
                yield record

    def error_of(self, transaction: dict[str, Any]) -> str:
        """With what error a call reverts, as text; empty when it goes through."""
        try:
            self.web3.eth.call(transaction)
        except Exception as raised:  # both providers' own kinds
            return self._decode_error(raised)
        return ""

    @contextmanager
    def elsewhere(self, time: int) -> Iterator[None]:
        """Look at the chain as of another time, and come back."""
        snapshot = self.provider.snapshot()
        try:
            self.provider.set_timestamp(time)
            self.provider.mine(1)
            yield
        finally:
            self.provider.restore(snapshot)

    def call(self, role: str, data: bytes) -> str:
        """With what error a call to the contract would revert now; empty when it would go through."""
        return self.error_of(self._transaction(role, data, 0))

    # ── Parts ──

    def _tick(self, time: int) -> None:
        self.now = self.model.now = time
        self.provider.set_timestamp(time)

    def _advance(self, calls: tuple[Call, ...], records: tuple[Record, ...]) -> Step:
        self.history.extend(records)
        self.step = Step(self.step.after, self.read(), calls, records)
        self.check(self)
        return self.step

    def _called_back(self) -> Iterator[Call]:
        """What mocks called meanwhile, as far as it went through."""
        for who, name, args, went in self.model.called:
            self.statistics[f"{name} by callback", "ok" if went else "refused"] += 1
            if went:
                yield Call(who, name, tuple(args))

    def _note(self, calls: Sequence[tuple[str, Sequence[Any]]]) -> None:
        """What somebody withdraws to the contract itself is stranded there."""
        for name, args in calls:
            if name == "withdraw" and args[2] == self.earnest:
                self.strays[args[0]] += self.model.tokens[args[0]].arrives(args[1])

    def _records(self, receipt: Any) -> Iterator[Record]:
        for log in receipt["logs"]:
            place = Place(receipt["blockNumber"], log["logIndex"], self.now, "", "")
            record = decode_log([bytes(topic) for topic in log["topics"]], bytes(log["data"]), place)
            if record is not None and log["address"] == self.earnest:
                yield record

    def _sent(self, transaction: dict[str, Any]) -> Any:
        """The receipt of a transaction, failed or not."""
        base_fee = int(self.web3.eth.get_block("latest")["baseFeePerGas"])
        found = self.web3.eth.send_transaction(transaction | {"gasPrice": 2 * base_fee + 1})
        # Anvil answers before it has mined.
        return self.web3.eth.wait_for_transaction_receipt(found, timeout=60, poll_latency=0.002)

    def _decode_error(self, raised: Exception) -> str:
        data = getattr(raised, "data", None) or (raised.args[0] if raised.args else b"")
        if isinstance(data, str):
            text = data.removeprefix("execution reverted: ")
            data = _from_literal(text)
        found = self._errors.get(bytes(data[:4]))
        if found is None:
            return f"unknown {raised}"
        name, kinds = found
        return _written(name, decode(kinds, bytes(data[4:])))


def _from_literal(text: str) -> bytes:
    """Revert data as the two providers write it: hexadecimal, or as Python writes bytes."""
    if text.startswith("0x"):
        return bytes.fromhex(text[2:])
    if text.startswith(("b'", 'b"')):
        return bytes(literal_eval(text))
    return text.encode()


def _errors(stage: Stage) -> dict[bytes, tuple[str, list[str]]]:
    contracts = [stage.system.earnest, stage.system.referee, stage.refuser, *stage.tokens.values()]
    return {
        keccak(text=abi.selector)[:4]: (abi.name, [item.canonical_type for item in abi.inputs])
        for contract in contracts
        for abi in contract.contract_type.errors
    }


def _written(name: str, values: Sequence[Any]) -> str:
    return f"{name}({', '.join(_plain(value) for value in values)})"


def _plain(value: Any) -> str:
    if isinstance(value, bytes):
        return value.hex()
    return str(value).lower() if isinstance(value, str) else str(int(value))

