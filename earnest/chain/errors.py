"""What the contract refuses, as one clear sentence with the values that explain it; without Ape or a node."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from string import Formatter
from typing import Any, Final

from eth_abi.abi import decode
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from earnest.chain.life import DrawStatus, Phase
from earnest.times import clock


class ChainError(Exception):
    """A call that did not go through; nothing of it has happened, unless it is a SentError. The message is a
    sentence for people.

    `refusal` is what the contract said, None where the node or the wallet refused; `transaction` is the one
    that failed on the chain and cost its gas, None where none was sent.
    """

    def __init__(self, sentence: str, refusal: Refusal | None = None, transaction: str | None = None) -> None:
        super().__init__(sentence)
        self.refusal, self.transaction = refusal, transaction


class TokenError(ChainError):
    """A token that does not do what tokens do; asking it again would only cost gas again."""


class BusyError(ChainError):
    """Something else of the account's is being sent; nothing was sent beside it."""


class SentError(ChainError):
    """A transaction that was sent and not mined in time: it still may be, so it must not be sent again before
    that is known. `transaction` is its hash.
    """


class RecordsError(ChainError):
    """What was read of a campaign is not what the contract holds; nothing was sent by it."""


class FollowError(Exception):
    """The chain cannot be followed: its node contradicts itself, or the records kept of it cannot be used."""


# What comes of a node's answers that lack or garble something.
ODD_ANSWERS: Final = (LookupError, TypeError, ValueError)


@dataclass(frozen=True)
class Refusal:
    """A custom error: its name, and its values by name as the contract gave them."""

    name: str
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Situation:
    """What a refusal does not say: which function was called, when, and how money is written."""

    action: str = "the call"
    now: int | None = None
    money: Callable[[int], str] = str


# Errors of others that reach a caller through `Earnest`: Solidity's own and those of ERC-6093 tokens.
_FOREIGN: Final = (
    "Error(string reason)",
    "Panic(uint256 code)",
    "ERC20InsufficientBalance(address sender,uint256 balance,uint256 required)",
    "ERC20InsufficientAllowance(address spender,uint256 allowance,uint256 required)",
)

_DRAWS: Final = {
    DrawStatus.PENDING: "still pending",
    DrawStatus.READY: "ready",
    DrawStatus.EXPIRED: "expired: ask for the draw again",
}

_NEEDS: Final = {
    "enroll": Phase.ENROLLING,
    "enrollSigned": Phase.ENROLLING,
    "requestDraw": Phase.DRAWING,
    "draw": Phase.DRAWING,
    "refund": Phase.CANCELLED,
    "commit": Phase.COMMITTING,
    "commitSigned": Phase.COMMITTING,
    "denounce": Phase.COMMITTING,
    "reveal": Phase.REVEALING,
    "revealMany": Phase.REVEALING,
    "disclose": Phase.AUDITING,
    "post": Phase.SETTLING,
    "referee": Phase.SETTLING,
    "release": Phase.SETTLING,
}

# Fields may say how they are written: `:time`, `:money`, `:campaign`, `:hex`. `missing` is required less
# balance.
SENTENCES: Final[dict[str, str]] = {
    # vault
    "ZeroAddress": "The address is 0; it must be somebody's.",
    "WrongValue": "{value} wei of ether came with {action}; it must be {required}.",
    "BalanceOverflow": "The balance of {account} in token {token} would not fit into 128 bits.",
    "InsufficientBalance":
        "{account} has {balance:money} free in the vault and {action} takes {required:money}: "
        "deposit {missing:money} more.",
    "EtherRefused": "{receiver} does not accept ether: withdraw the {amount} wei to another address.",
    "SafeERC20FailedOperation":
        "Token {token} refused the transfer: the balance or the allowance may be too small.",
    "ERC20InsufficientBalance":
        "{sender} holds {balance:money} and {required:money} are to move: {missing:money} more are needed.",
    "ERC20InsufficientAllowance":
        "{spender} may move {allowance:money} and needs {required:money}: approve more.",
    # campaigns
    "CampaignExists": "Campaign {campaign:campaign} exists already: the same experimenter, the same terms.",
    "SinkCannotExperiment": "{sink} receives what is slashed and so cannot be an experimenter.",
    "NotAuthorized": "{caller} may not act for {labeler}, who did not make it an operator.",
    "LengthMismatch": "Two lists that belong together have {left} and {right} entries; both need as many.",
    # enrolling
    "NoSeats": "An enrolment of no seats; it must be 1 or more.",
    "CampaignFull": "{wanted} seats are wanted and {left} are left.",
    "NotAdmitted": "The campaign's gate does not admit {labeler} with this proof.",
    "TooManySeats": "The campaign's allowlist gives {labeler} {most} seats at most; it would be {wanted}.",
    "SignatureExpired": "The signature was good until {deadline:time}.",
    "WrongNonce": "The enrolment of {labeler} carries nonce {nonce}; the next one is {expected}.",
    "InvalidSignature": "The signature is not {signer}'s over these very values.",
    # drawing
    "DrawAlreadyRequested": "The draw was asked for already: ticket {ticket} is still good.",
    "DrawNotRequested": "The draw was not asked for yet.",
    "DrawNotReady": "The outcome of the draw is {status:status}.",
    "WrongHeader": "The header is not that of block {ticket}, whose randomness decides the draw.",
    "RLPInvalidEncoding": "The header is not RLP-encoded.",
    # committing and revealing
    "NoSuchSeat": "There is no seat {seat}: {seats} are drawn, numbered from 0.",
    "InvalidCommitment": "0x{commitment:hex} cannot be a commitment; commit with another salt.",
    "SeatDenounced": "Seat {seat} was denounced; its stake is gone.",
    "WrongRevision": "The commitment is revision {revision} of seat {seat}; the next one is {expected}.",
    "WrongLabelCount": "Seat {seat} reveals {count} labels; a batch has {required}.",
    "LabelOutOfRange": "Label {label} at position {position} is out of range; it must be below {size}.",
    "NotCommitted": "Seat {seat} has no commitment that could be opened.",
    "AlreadyRevealed": "Seat {seat} has been revealed.",
    "WrongOpening": "These labels and this salt are not what seat {seat} committed to.",
    "OwnSeat": "Seat {seat} is the caller's own; only others can denounce it.",
    "WrongAuditKey":
        "The key is not the audit's: its hash is 0x{keyHash:hex}, the terms have 0x{required:hex}.",
    # settling
    "NoSuchBatch": "There is no batch {batch}: {batches} are drawn, numbered from 0.",
    "InvalidScores":
        "The word {scores:hex} posted for batch {batch} has something beyond the cohort's lanes.",
    "NothingToPost": "Every one of these batches holds scores already.",
    "TooManyPostings": "The campaign has had its {most} postings; its batches must be refereed.",
    "ScoresFinal": "The scores of batch {batch} are final.",
    "WrongLabels": "The labels given for seat {seat} are not those that it revealed.",
    "WrongAuditRow":
        "The audit row or its proof is not the one under the campaign's audit root, batch {batch}.",
    "BondNotDue": "The bond of posting {posting} is not to be returned: {dueAt:due}.",
    # terms
    "CohortOutOfRange": "cohort is {cohort}; it must be {least} to {most} seats.",
    "CohortTooLarge": "The cohort has {cohort} seats; it can be at most {most}.",
    "BatchSizeOutOfRange": "batchSize is {batchSize}; it must be {least} to {most} positions.",
    "ClassesOutOfRange": "classes is {classes}; for this metric it must be {least} to {most}.",
    "BatchesOutOfRange": "batches is {batches}; it must be {least} to {most}.",
    "UnorderedCurve":
        "The curve is {slashFull}, {slashFrom}, {payFrom}, {payFull}; "
        "it must be slashFull ≤ slashFrom ≤ payFrom ≤ payFull.",
    "ScoreOutOfRange": "The curve has the score {score}; scores are {least} to {most} bps.",
    "SlashAboveForfeit":
        "maxSlash is {maxSlash} bps; it must not be above forfeit, {forfeit}: hiding is never cheaper.",
    "ForfeitAboveHalf": "forfeit is {forfeit} bps; it must be at most {most}.",
    "NoSignal": "No signal counts: give a weight to peers, or with an audit to gold or repeats.",
    "PeriodOutOfRange": "A period is {period} s; it must be {least} to {most} s.",
    "EnrollByOutOfRange": "enrollBy is {enrollBy:time}; it must be {least:time} to {most:time}.",
    "ZeroBond": "bond is 0; a posting needs a bond that a false one can lose.",
    "HalfAnAudit": "auditRoot and auditKeyHash must both be given, or both be 0 for no audit.",
    "RuleWithoutGate": "gateRule is 0x{gateRule:hex} and there is no gate; it must be 0.",
    "RefereeingTooCostly":
        "Refereeing such a batch could take {gasBound} gas and a transaction has {most}: "
        "take fewer positions, seats or classes.",
    "WrongLength": "A byte string has {length} bytes; it must have {required}.",
    # the rest
    "DelayOutOfRange": "The delay is {delay} blocks; it must be 1 to {most}.",
    "ReentrancyGuardReentrantCall": "A token, gate or receiver tried to call back in.",
    "AddressEmptyCode": "There is no contract at {target}.",
    "FailedCall": "One of the calls inside failed without saying why.",
    "Error": "{action} was refused: {reason}.",
    "Panic": "{action} ran into Solidity's panic {code:hex}.",
}  # fmt: skip


class Refusals:
    """Knows custom errors by their selectors."""

    def __init__(self, abi: Iterable[Mapping[str, Any]]) -> None:
        """Learn the errors of an ABI, its JSON entries."""
        self._by_selector: dict[bytes, tuple[str, list[str], list[str]]] = {}
        for entry in abi:
            if entry.get("type") == "error":
                inputs = entry.get("inputs", [])
                self._learn(entry["name"], [i["type"] for i in inputs], [i["name"] for i in inputs])
        for signature in _FOREIGN:
            name, inner = signature[:-1].split("(")
            pairs = [member.split(" ") for member in inner.split(",")]
            self._learn(name, [kind for kind, _ in pairs], [member for _, member in pairs])

    def _learn(self, name: str, kinds: list[str], names: list[str]) -> None:
        self._by_selector[keccak(text=f"{name}({','.join(kinds)})")[:4]] = (name, kinds, names)

    def decode(self, data: bytes) -> Refusal | None:
        """The custom error in a call's return data; None when it is none that is known."""
        found = self._by_selector.get(data[:4])
        if found is None:
            return None
        name, kinds, names = found
        try:
            values = decode(kinds, data[4:])
        except Exception:  # a stranger's contract may put anything behind a selector
            return None
        return Refusal(name, dict(zip(names, map(_plain, kinds, values), strict=True)))


def explain(refusal: Refusal, situation: Situation = Situation()) -> str:
    """The sentence for a refusal."""
    try:
        return _explained(refusal, situation)
    except (ArithmeticError, LookupError, OSError, ValueError):  # values that no contract of ours gives
        return _listed(refusal, situation)


def _explained(refusal: Refusal, situation: Situation) -> str:
    if refusal.name == "WrongPhase":
        return _wrong_phase(refusal.values, situation)
    if refusal.name == "NotFinal":
        return _not_final(refusal.values, situation)
    template = SENTENCES.get(refusal.name)
    if template is None:
        return _listed(refusal, situation)
    values: dict[str, Any] = {**refusal.values, "action": situation.action}
    if "required" in values and "balance" in values:
        values["missing"] = values["required"] - values["balance"]
    return _Sentence(situation).vformat(template, (), values)


def _listed(refusal: Refusal, situation: Situation) -> str:
    listed = ", ".join(f"{name} {value}" for name, value in refusal.values.items())
    return f"{situation.action} was refused: {refusal.name}{f' ({listed})' if listed else ''}."


def revert_data(error: BaseException) -> bytes | None:
    """What a call returned when it reverted, from the exception of a JSON-RPC node or of the in-process one.

    None when the error is no revert.
    """
    data = getattr(error, "data", None)
    if isinstance(data, dict):
        data = data.get("data")
    if isinstance(data, str) and re.fullmatch(r"0x([0-9a-fA-F]{2})*", data):
        return bytes.fromhex(data[2:])
    text = str(error.args[0]) if error.args else ""
    if found := re.match(r"execution reverted: (b'.*'|b\".*\")$", text, re.DOTALL):
        literal = ast.literal_eval(found[1])
        return literal if isinstance(literal, bytes) else None
    return b"" if "revert" in text.lower() else None


def short_id(campaign: int) -> str:
    """A campaign's id as it stands in sentences and tables."""
    return f"0x{campaign:064x}"[:10] + "…"


class _Sentence(Formatter):
    """Writes times, money and hashes the way people read them."""

    def __init__(self, situation: Situation) -> None:
        self.situation = situation

    def format_field(self, value: Any, format_spec: str) -> Any:
        match format_spec:
            case "time":
                return clock(value, self.situation.now)
            case "due":
                return _due(value, self.situation)
            case "money":
                return self.situation.money(value)
            case "campaign":
                return short_id(value)
            case "status":
                return _DRAWS[DrawStatus(value)]
            case "hex":
                return value.hex() if isinstance(value, bytes) else f"{value:#x}"
        return super().format_field(value, format_spec)


def _wrong_phase(values: Mapping[str, Any], situation: Situation) -> str:
    campaign, phase = short_id(values["campaign"]), Phase(values["phase"])
    if phase is Phase.NONE:
        return f"There is no campaign {campaign} on this contract."
    until = f" until {clock(values['deadline'], situation.now)}" if values["deadline"] else ""
    needed = _NEEDS.get(situation.action)
    if needed is None:
        return f"Campaign {campaign} is {phase.title}{until}; {situation.action} is not for this phase."
    ended = phase is Phase.CANCELLED or (needed < phase and needed is not Phase.CANCELLED)
    when = "which is over" if ended else "which has not begun"
    return f"Campaign {campaign} is {phase.title}{until}; {situation.action} needs {needed.title}, {when}."


def _not_final(values: Mapping[str, Any], situation: Situation) -> str:
    batch, final_at = values["batch"], values["finalAt"]
    if final_at == 0:
        return f"Batch {batch} holds no scores yet: they must be posted or refereed first."
    return f"The scores of batch {batch} can be challenged until {clock(final_at, situation.now)}."


def _due(due_at: int, situation: Situation) -> str:
    if situation.now is not None and situation.now < due_at:
        return f"it can be challenged until {clock(due_at, situation.now)}"
    return "it is lost, back already, or there is no such posting"


def _plain(kind: str, value: Any) -> Any:
    return to_checksum_address(value) if kind == "address" else value
