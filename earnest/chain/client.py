"""Everything that can be done with campaigns, and every view, over Ape.

Every call is tried on the node first: what the contract would refuse raises a ChainError with a sentence, and
nothing is sent. `sender` is any Ape account: key file, mnemonic, hardware wallet, devnet account. Money is in
the token's smallest units, time in unix seconds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cached_property
from typing import Any, Final

import ape
from ape.api import AccountAPI
from ape.contracts import ContractInstance
from ape.exceptions import ApeException
from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError
from eth_account.messages import encode_typed_data
from hexbytes import HexBytes
from requests.exceptions import RequestException
from web3 import Web3
from web3.types import RPCEndpoint

from earnest.chain import events, header, views
from earnest.chain.errors import (
    ChainError,
    Refusals,
    Situation,
    TokenError,
    explain,
    revert_data,
    short_id,
)
from earnest.chain.failures import reason
from earnest.chain.gas import MOST_GAS
from earnest.chain.life import DrawStatus, Life
from earnest.chain.messages import Opening, SignedCommitment, SignedEnrolment
from earnest.chain.money import Token
from earnest.chain.records import Record
from earnest.chain.sending import Sent, mined
from earnest.chain.settle import Refereeing
from earnest.chain.state import Campaign, Posting, PostingStatus, State, rebuild
from earnest.chain.tokens import contract_of, token_at, told
from earnest.chain.views import AccountView, BatchView, DrawView, SeatView
from earnest.protocol import draw
from earnest.protocol.opening import (
    Domain,
    TypedData,
    backup_typed_data,
    commitment_typed_data,
    enrolment_typed_data,
    opening_digest,
    salt_from_signature,
    salt_typed_data,
)
from earnest.protocol.settlement import unpack
from earnest.protocol.terms import ZERO_ADDRESS, ZERO_WORD, Terms

MOST_TOKEN_GAS: Final = 600_000  # for what runs a token's own code: the dearest in use take a half of it

# What the contracts that `Earnest` calls may say no with.
_SAYING_NO: Final = ("Earnest", "Referee", "AllowlistGate", "BlockHashRandomness", "RandaoRandomness")

class Client:
    """One Earnest contract on the connected network."""

    def __init__(self, contract: ContractInstance, first_block: int = 0) -> None:
        """Speak with `contract`, whose first record is in block `first_block` or later."""
        self.contract = contract
        self.first_block = first_block
        self.gas_used = 0  # by all that was sent through this client, what failed included
        self._refusals = Refusals(error_abi())

    @classmethod
    def at(cls, address: str, first_block: int = 0) -> Client:
        """The contract at an address of the connected network."""
        return cls(ape.project.get_contract("Earnest").at(address, fetch_from_explorer=False), first_block)

    @property
    def address(self) -> str:
        """The contract's address."""
        return str(self.contract.address)

    @property
    def web3(self) -> Web3:
        """The node."""
        web3: Web3 = ape.networks.provider.web3
        return web3

    @cached_property
    def domain(self) -> Domain:
        """What all signatures and commitments are bound to."""
        return Domain(int(ape.networks.provider.chain_id), self.address)

    @cached_property
    def sink(self) -> str:
        """Where slashed money goes."""
        return str(self._view("SINK"))

    # ── Vault ───────────────────────────────────────────────────────────────────────────────────────────────

    def deposit(self, token: str, amount: int, *, sender: AccountAPI, account: str | None = None) -> Sent:
        """Put money of the sender's into a free balance, the sender's own unless `account` is given.

        A token's allowance must have been given: see `approve`.
        """
        value = amount if token == ZERO_ADDRESS else 0
        owner, most = account or sender.address, MOST_GAS if token == ZERO_ADDRESS else MOST_TOKEN_GAS
        return self._send("deposit", token, amount, owner, sender=sender, value=value, most=most)

    def approve(self, token: str, amount: int, *, sender: AccountAPI) -> Sent:
        """Allow the vault to take `amount` of a token from the sender, in all."""
        erc20 = contract_of(token)
        return self._send("approve", self.address, amount, sender=sender, contract=erc20, most=MOST_TOKEN_GAS)

    def withdraw(self, token: str, amount: int, *, sender: AccountAPI, to: str | None = None) -> Sent:
        """Send free balance of the sender's to them, or to `to`."""
        return self._send("withdraw", token, amount, to or sender.address, sender=sender)

    def set_operator(self, operator: str, approved: bool, *, sender: AccountAPI) -> Sent:
        """Let somebody enrol and commit for the sender, or no longer."""
        return self._send("setOperator", operator, approved, sender=sender)

    def use_nonce(self, token: str, *, sender: AccountAPI) -> Sent:
        """Make every enrolment signed with the current nonce void."""
        return self._send("useNonce", token, sender=sender)

    # ── Enrolling and the draw ──────────────────────────────────────────────────────────────────────────────

    def create(self, terms: Terms, uri: str, *, sender: AccountAPI) -> Sent:
        """Open a campaign; its id is in the record Created, and is `campaign_id(sender, terms)`."""
        return self._send("create", terms.abi_tuple(), uri, sender=sender)

    def enroll(
        self,
        campaign: int,
        seats: int = 1,
        *,
        sender: AccountAPI,
        labeler: str | None = None,
        proof: bytes = b"",
    ) -> Sent:
        """Take seats for the sender, or for a `labeler` who made them operator."""
        return self._send("enroll", campaign, labeler or sender.address, seats, proof, sender=sender)

    def enroll_signed(
        self, campaign: int, enrolments: Sequence[SignedEnrolment], *, sender: AccountAPI
    ) -> Sent:
        """Take seats for labelers who signed for it."""
        return self._send("enrollSigned", campaign, [e.abi_tuple() for e in enrolments], sender=sender)

    def request_draw(self, campaign: int, *, sender: AccountAPI) -> Sent:
        """Ask for the draw."""
        return self._send("requestDraw", campaign, sender=sender)

    def draw(self, campaign: int, *, sender: AccountAPI) -> Sent:
        """Draw, once the outcome is there; a source that goes by a block's header is shown it first."""
        self._prove(campaign, sender)
        return self._send("draw", campaign, sender=sender)

    def _prove(self, campaign: int, sender: AccountAPI) -> None:
        ticket = self.draw_of(campaign).ticket
        if ticket is None or ticket >= self.web3.eth.block_number:
            return
        address = self._view("RANDOMNESS")
        source = ape.project.get_contract("RandaoRandomness").at(address, fetch_from_explorer=False)
        if self._call(source, "outcome", ticket)[0] != DrawStatus.PENDING:
            return
        answer = self.web3.provider.make_request(RPCEndpoint("eth_getBlockByNumber"), [hex(ticket), False])
        if not answer.get("result"):
            raise ChainError(f"The node does not have block {ticket}, whose header decides the draw.")
        # A source of another kind takes no header; then the draw itself says that it is not ready.
        with suppress(ChainError):
            self._send("prove", ticket, header.encode(answer["result"]), sender=sender, contract=source)

    def refund(self, campaign: int, seats: Sequence[int], *, sender: AccountAPI) -> Sent:
        """Give a cancelled campaign's bounties back, and the stakes of these seats."""
        return self._send("refund", campaign, list(seats), sender=sender)

    # ── Committing and revealing ────────────────────────────────────────────────────────────────────────────

    def commit(self, campaign: int, seat: int, commitment: bytes, *, sender: AccountAPI) -> Sent:
        """Fix a seat's labels by the digest of their opening; again to replace them."""
        return self._send("commit", campaign, seat, commitment, sender=sender)

    def commit_signed(
        self, campaign: int, commitments: Sequence[SignedCommitment], *, sender: AccountAPI
    ) -> Sent:
        """Commit for labelers who signed for it."""
        return self._send("commitSigned", campaign, [c.abi_tuple() for c in commitments], sender=sender)

    def denounce(self, campaign: int, opening: Opening, *, sender: AccountAPI) -> Sent:
        """Show somebody else's labels before they may be known, for half of that seat's stake."""
        return self._send("denounce", campaign, opening.abi_tuple(), sender=sender)

    def reveal(self, campaign: int, opening: Opening, *, sender: AccountAPI) -> Sent:
        """Open a seat's commitment."""
        return self._send("reveal", campaign, *opening.abi_tuple(), sender=sender)

    def reveal_many(self, campaign: int, openings: Sequence[Opening], *, sender: AccountAPI) -> Sent:
        """Open several; those opened meanwhile are passed over."""
        return self._send("revealMany", campaign, [o.abi_tuple() for o in openings], sender=sender)

    def disclose(self, campaign: int, key: bytes, *, sender: AccountAPI) -> Sent:
        """Open the audit."""
        return self._send("disclose", campaign, key, sender=sender)

    # ── Settling ────────────────────────────────────────────────────────────────────────────────────────────

    def post(
        self, campaign: int, batches: Sequence[int], words: Sequence[int], *, sender: AccountAPI
    ) -> Sent:
        """Post packed scores under one bond; the posting's number is in the record PostingOpened."""
        return self._send("post", campaign, list(batches), list(words), sender=sender)

    def referee(self, campaign: int, batch: int, case: Refereeing, *, sender: AccountAPI) -> Sent:
        """Have the chain compute a batch's scores; `case` is from `settle.refereeing`."""
        arguments = (case.labels, case.row, list(case.proof))
        return self._send("referee", campaign, batch, *arguments, sender=sender)

    def release(self, campaign: int, batches: Sequence[int], *, sender: AccountAPI) -> Sent:
        """Pay batches out whose scores are final."""
        return self._send("release", campaign, list(batches), sender=sender)

    def return_bond(self, campaign: int, posting: int, *, sender: AccountAPI) -> Sent:
        """Give a posting's bond back to its settler."""
        return self._send("returnBond", campaign, posting, sender=sender)

    # ── Signing ─────────────────────────────────────────────────────────────────────────────────────────────

    def salt(self, campaign: int, seat: int, *, signer: AccountAPI) -> bytes:
        """A seat's salt, 32 bytes: always the same, from the wallet's signature."""
        return salt_from_signature(_sign(salt_typed_data(self.domain, campaign, seat), signer))

    def commitment(self, campaign: int, opening: Opening) -> bytes:
        """The digest to commit to, 32 bytes."""
        return opening_digest(self.domain, campaign, opening.seat, opening.labels, opening.salt)

    def sign_enrolment(
        self, campaign: int, seats: int, deadline: int, *, signer: AccountAPI, nonce: int, proof: bytes = b""
    ) -> SignedEnrolment:
        """A labeler's wish for seats, for anyone to carry; `nonce` is that of `nonce_of`."""
        labeler = signer.address
        document = enrolment_typed_data(self.domain, campaign, labeler, seats, nonce, deadline)
        return SignedEnrolment(
            labeler=labeler,
            seats=seats,
            nonce=nonce,
            deadline=deadline,
            proof=proof,
            signature=_sign(document, signer),
        )

    def sign_commitment(
        self,
        campaign: int,
        seat: int,
        commitment: bytes,
        deadline: int,
        *,
        signer: AccountAPI,
        revision: int = 0,
    ) -> SignedCommitment:
        """A labeler's commitment, for anyone to carry; `revision` counts those that the seat has had."""
        document = commitment_typed_data(self.domain, campaign, seat, commitment, revision, deadline)
        return SignedCommitment(
            seat=seat,
            commitment=commitment,
            revision=revision,
            deadline=deadline,
            signature=_sign(document, signer),
        )

    def backup_signature(self, *, signer: AccountAPI) -> bytes:
        """What the key of a labeler's backups is derived from, 65 bytes."""
        return _sign(backup_typed_data(self.domain, signer.address), signer)

    # ── Views ───────────────────────────────────────────────────────────────────────────────────────────────

    def now(self) -> int:
        """The time of the newest block."""
        return int(self.web3.eth.get_block("latest")["timestamp"])

    def token(self, address: str) -> Token:
        """A token's symbol and decimals; those that it does not tell are guessed."""
        return token_at(self.web3, address)

    def held(self, token: str) -> int:
        """What the contract holds of a token, as the token says."""
        return self.wallet_of(self.address, token)

    def wallet_of(self, account: str, token: str) -> int:
        """What an account itself holds of a token, outside the vault, as the token says."""
        if token == ZERO_ADDRESS:
            return int(self.web3.eth.get_balance(self.web3.to_checksum_address(account)))
        held = told(self.web3, token, "balanceOf", account)
        if held is None:
            raise ChainError(f"{token} does not tell balances: it is no ERC-20 token.")
        return int(held)

    def allowance_of(self, account: str, token: str) -> int:
        """What the vault may still take of a token from an account."""
        allowed = told(self.web3, token, "allowance", account, self.address)
        if allowed is None:
            raise ChainError(f"{token} does not tell allowances: it is no ERC-20 token.")
        return int(allowed)

    def balance_of(self, account: str, token: str) -> int:
        """An account's free balance."""
        return self.accounts([account], token)[0].balance

    def nonce_of(self, account: str, token: str) -> int:
        """The nonce that an account's next signed enrolment must carry."""
        return self.accounts([account], token)[0].nonce

    def accounts(self, accounts: Sequence[str], token: str) -> list[AccountView]:
        """Balances and nonces of many accounts in one token."""
        found = self._views("accountOf", [(account, token) for account in accounts])
        return [AccountView(int(balance), int(nonce)) for balance, nonce in found]

    def is_operator(self, labeler: str, operator: str) -> bool:
        """Whether `operator` may act for `labeler`."""
        return bool(self._view("isOperator", labeler, operator))

    def terms(self, campaign: int) -> Terms:
        """A campaign's terms. Raises ChainError when there is no such campaign."""
        return self.promise(campaign)[1]

    def experimenter(self, campaign: int) -> str:
        """Who created a campaign. Raises ChainError when there is no such campaign."""
        return self.promise(campaign)[0]

    def promise(self, campaign: int) -> tuple[str, Terms]:
        """Who created a campaign, and its terms. Raises ChainError when there is no such campaign."""
        experimenter, terms = self._view("termsOf", campaign)
        if str(experimenter) == ZERO_ADDRESS:
            raise ChainError(f"There is no campaign {short_id(campaign)} on this contract.")
        return str(experimenter), Terms.from_abi(_plain(terms))

    def life(self, campaign: int) -> Life:
        """Phase, its deadline and the counters, as of now."""
        return views.life_of(self._view("lifeOf", campaign))

    def draw_of(self, campaign: int) -> DrawView:
        """How far the draw is."""
        return views.draw_of(*self._view("drawOf", campaign))

    def standings(self, campaigns: Sequence[int], block: int) -> list[tuple[Life, DrawView]]:
        """`life` and `draw_of` of many campaigns, as of a block."""
        calls = [(campaign,) for campaign in campaigns]
        lives = map(views.life_of, self._views("lifeOf", calls, block))
        draws = (views.draw_of(*drawn) for drawn in self._views("drawOf", calls, block))
        return list(zip(lives, draws, strict=True))

    def seat(self, campaign: int, seat: int) -> SeatView:
        """A seat as stored."""
        return self.seats(campaign, [seat])[0]

    def seats(self, campaign: int, seats: Sequence[int]) -> list[SeatView]:
        """Many seats as stored."""
        found = self._views("seatOf", [(campaign, seat) for seat in seats])
        return [
            SeatView(_address(labeler), int.from_bytes(record, "big"), int(revisions))
            for labeler, record, revisions in found
        ]

    def batch(self, campaign: int, batch: int) -> BatchView:
        """A batch's standing, its scores as posted or refereed."""
        return self.batches(campaign, [batch])[0]

    def batches(self, campaign: int, batches: Sequence[int]) -> list[BatchView]:
        """The standing of many batches."""
        cohort = self.life(campaign).cohort
        found = self._views("batchOf", [(campaign, batch) for batch in batches])
        return [views.batch_of(cohort, *values) for values in found]

    def posting(self, campaign: int, posting: int) -> Posting:
        """A posting's standing."""
        view = self._view("postingOf", campaign, posting)
        return Posting(
            settler=str(view.settler),
            posted_at=int(view.postedAt),
            resting=int(view.resting),
            status=PostingStatus(view.status),
        )

    def batch_of(self, campaign: int, seat: int) -> int | None:
        """A seat's batch; None before the draw and for a benched seat."""
        seed, life = self.draw_of(campaign).seed, self.life(campaign)
        if seed is None:
            return None
        batch = draw.batch_of(seed, life.taken, life.cohort, seat)
        return None if batch == draw.BENCHED else batch

    def cohort(self, campaign: int, batch: int) -> list[int]:
        """A drawn batch's seats by lane. Raises ChainError before the draw."""
        seed, life = self.draw_of(campaign).seed, self.life(campaign)
        if seed is None:
            raise ChainError("The campaign is not drawn yet: no batch has seats.")
        return draw.cohort_of(seed, life.taken, life.cohort, batch)

    def referee_scores(self, campaign: Campaign, batch: int, case: Refereeing) -> list[int]:
        """A batch's scores as the referee contract computes them, without a transaction."""
        terms = campaign.terms
        weights = (terms.weights.peers, terms.weights.gold, terms.weights.repeats)
        rubric = (int(terms.metric), terms.classes, terms.batch_size, terms.audited, weights)
        labelers = [seat.labeler if seat.revealed else ZERO_ADDRESS for seat in campaign.cohort(batch)]
        key = campaign.audit_key or ZERO_WORD
        word = self._call(self._referee(), "score", rubric, labelers, case.labels, case.row, key, batch)
        return unpack(int(word), terms.cohort)

    def check_terms(self, terms: Terms, now: int) -> None:
        """Raise ChainError for terms that the contract would refuse at creation at unix time `now`."""
        referee, arguments = self._referee(), (terms.abi_tuple(), now)
        data = HexBytes(referee.checkTerms.encode_input(*arguments))
        self._try("checkTerms", arguments, {"to": referee.address, "data": data.to_0x_hex()})

    def admits(self, campaign: int, terms: Terms, labeler: str, seats: int, proof: bytes) -> bool:
        """Whether the gate of a campaign, there or to be, lets a labeler take so many seats, asked as the
        contract will.

        Raises ChainError where it refuses with a reason that is known.
        """
        gate = ape.project.get_contract("IGate").at(terms.gate, fetch_from_explorer=False)
        data = gate.admit.encode_input(campaign, terms.gate_rule, labeler, seats, proof)
        try:
            answer = self.web3.eth.call({"from": self.address, "to": gate.address, "data": HexBytes(data)})
        except Exception as error:  # the in-process node raises its own
            refused = self._refused("enroll", (), error)
            if refused.refusal is None and revert_data(error) is not None:
                return False
            raise refused from error
        try:
            return bool(decode(["bool"], bytes(answer))[0])
        except DecodingError:  # for which the contract reverts
            return False

    def records(self, first: int | None = None, last: int | None = None) -> Iterator[Record]:
        """What the contract recorded in these blocks (both included); all unless given."""
        return events.read(self.web3, self.address, self.first_block if first is None else first, last)

    def state(self) -> State:
        """The whole state, rebuilt from the records."""
        return rebuild(self.records(), self.sink)

    # ── Below ───────────────────────────────────────────────────────────────────────────────────────────────

    def _send(
        self,
        name: str,
        *arguments: Any,
        sender: AccountAPI,
        value: int = 0,
        contract: ContractInstance | None = None,
        most: int = MOST_GAS,
    ) -> Sent:
        to = contract or self.contract
        method = getattr(to, name)
        call = {
            "from": sender.address,
            "to": to.address,
            "data": HexBytes(method.encode_input(*arguments)).to_0x_hex(),
            "value": value,
        }
        estimate = self._try(name, arguments, call)
        if estimate > most:
            raise TokenError(f"{name} would take {estimate} gas, above {most}: that token is too dear.")
        # What others do meanwhile may make it dearer, such as closing a phase.
        gas = min(estimate + estimate // 4 + 20_000, MOST_GAS)
        own = {"sender": sender, "value": value, "gas": gas, "raise_on_revert": False}
        receipt = mined(self.web3, name, lambda fees: method(*arguments, **own, **fees))
        self.gas_used += int(receipt.gas_used)
        if receipt.failed:
            failed = str(receipt.txn_hash)
            try:
                self._try(name, arguments, call)
            except ChainError as error:
                error.transaction = failed
                raise
            sentence = f"{name} failed in transaction {failed}; it would pass now."
            raise ChainError(sentence, transaction=failed)
        logs = [log for log in receipt.logs if str(log["address"]).lower() == self.address.lower()]
        return Sent(
            str(receipt.txn_hash),
            int(receipt.block_number),
            int(receipt.gas_used),
            tuple(events.decode_all(logs, events.Clock(self.web3))),
        )

    def _try(self, name: str, arguments: Sequence[Any], call: dict[str, Any]) -> int:
        """The gas that a call would take. Raises ChainError when it would not pass."""
        try:
            return int(self.web3.eth.estimate_gas(call))  # type: ignore[arg-type]
        except RequestException:  # the node is away, which says nothing about the call
            raise
        except Exception as error:  # the in-process node raises its own
            raise self._refused(name, arguments, error) from error

    def _refused(self, name: str, arguments: Sequence[Any], error: Exception) -> ChainError:
        data = revert_data(error)
        if data is None:
            return ChainError(f"The node refused {name}: {reason(error)}")
        refusal = self._refusals.decode(data)
        if refusal is None:
            return ChainError(f"{name} was refused without a reason that is known (0x{data.hex()}).")
        token = refusal.values.get("token", arguments[0] if name == "deposit" else None)
        money = self.token(token).write if token is not None else str
        return ChainError(explain(refusal, Situation(name, self.now(), money)), refusal)

    def _view(self, name: str, *arguments: Any) -> Any:
        return self._call(self.contract, name, *arguments)

    def _views(self, name: str, calls: Sequence[tuple[Any, ...]], block: int | None = None) -> list[Any]:
        """Many views in one question to the node, as of a block or the newest."""
        method = getattr(self.contract, name)
        inputs = [method.encode_input(*arguments) for arguments in calls]
        answers = self._call(self.contract, "multicall", inputs, block=block)
        return [_decoded(method, bytes(answer)) for answer in answers]

    def _call(
        self, contract: ContractInstance, name: str, *arguments: Any, block: int | None = None
    ) -> Any:
        """What a call returns, by plain JSON-RPC: Ape loses why one fails, and prints its trace on stdout."""
        method = getattr(contract, name)
        data = HexBytes(method.encode_input(*arguments))
        call = {"to": contract.address, "data": data.to_0x_hex()}
        try:
            answer = self.web3.eth.call(call, "latest" if block is None else block)  # type: ignore[arg-type]
        except RequestException:  # the node is away, which says nothing about the call
            raise
        except Exception as error:  # the in-process node raises its own
            raise self._refused(name, arguments, error) from error
        return _decoded(method, bytes(answer))

    def _referee(self) -> ContractInstance:
        return ape.project.get_contract("Referee").at(self._view("REFEREE"), fetch_from_explorer=False)


def _decoded(method: Any, answer: bytes) -> Any:
    """What a function returned: its one value, or all by name."""
    ecosystem = ape.networks.provider.network.ecosystem
    try:
        values = ecosystem.decode_returndata(method.abis[0], HexBytes(answer))
    except ApeException as error:
        raise ChainError(f"{method.abis[0].name} answered nonsense: {reason(error)}") from error
    return values[0] if len(values) == 1 else values


def _sign(document: TypedData, signer: AccountAPI) -> bytes:
    signature = signer.sign_message(encode_typed_data(full_message=document))
    if signature is None:
        raise ChainError(f"{signer.address} did not sign.")
    return bytes(signature.encode_rsv())


def error_abi() -> Iterator[dict[str, Any]]:
    """The custom errors of all contracts that can say no to a caller, as ABI entries."""
    for name in _SAYING_NO:
        for error in ape.project.get_contract(name).contract_type.errors:
            yield error.model_dump(mode="json")


def _plain(value: Any) -> Any:
    """Structs as plain tuples, all the way down."""
    if isinstance(value, str | bytes | int):
        return value
    return tuple(_plain(member) for member in value)


def _address(address: Any) -> str | None:
    return None if str(address) == ZERO_ADDRESS else str(address)
