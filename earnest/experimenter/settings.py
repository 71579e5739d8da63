"""The campaign file: what is asked, of which tasks, for how much; YAML, TOML or JSON, checked all at once.

Amounts stay as written until the token's decimals are known. Every scalar may be written as text, so that
YAML's `yes` stays the option `yes`.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

import yaml  # type: ignore[import-untyped]
from eth_utils.address import (
    is_address,
    is_checksum_address,
    is_checksum_formatted_address,
    to_checksum_address,
)

from earnest.experimenter.errors import ExperimenterError
from earnest.manifest.errors import ManifestError
from earnest.manifest.question import SIDES, VERDICTS, Kind, Question
from earnest.protocol.terms import (
    MAX_CLASSES,
    MAX_COHORT,
    MAX_PERIOD,
    MIN_COHORT,
    ZERO_ADDRESS,
    Curve,
    Periods,
    Weights,
)
from earnest.tasks.columns import Columns
from earnest.times import DurationError, duration, seconds

USUAL_POSITIONS: Final = 100
DECOYS: Final = 0.1
LONGEST_RANGE: Final = 20  # characters of a range of whole numbers

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Money:
    """Amounts as written, in units of the token (address; 0 is ether)."""

    token: str = ZERO_ADDRESS
    bounty: str
    stake: str
    fee: str = "0"
    bond: str = ""  # as the stake unless given


@dataclass(frozen=True, kw_only=True)
class AuditSettings:
    """The hidden checks: the share of positions that the whole cohort shares, and checks a batch."""

    shared: float = 1.0
    gold: int = 0
    repeats: int = 0

    @property
    def wanted(self) -> bool:
        """Whether there is anything to hide."""
        return self.shared < 1 or self.gold > 0 or self.repeats > 0


@dataclass(frozen=True, kw_only=True)
class Gate:
    """Who may enroll: an allowlist gate's address, and how many seats each labeler may take."""

    address: str
    seats: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """A campaign file. `positions` is B, None to have it chosen; `seats` is K; durations in seconds."""

    question: Question
    tasks: Path
    columns: Columns
    seats: int
    positions: int | None
    money: Money
    enroll: int
    periods: Periods
    curve: Curve
    weights: Weights
    audit: AuditSettings
    publish: str | None = None
    uri: str | None = None
    gate: Gate | None = None
    seed: int | None = field(default=None)


def read_settings(path: Path) -> Settings:
    """The campaign file at `path`; paths in it are relative to its folder.

    Raises ExperimenterError with one sentence for everything that is wrong.
    """
    return settings_of(_document(path), path)


def settings_of(document: Any, path: Path) -> Settings:
    """As `read_settings`, from a document already read."""
    if not isinstance(document, Mapping):
        raise ExperimenterError(f"{path} must hold names and values, such as question, tasks and money.")
    return _Reader(document, path).settings()


def _document(path: Path) -> Any:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ExperimenterError(f"{path} cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise ExperimenterError(f"{path} is not in UTF-8: {error.reason} at byte {error.start}.") from error
    try:
        match path.suffix.lower():
            case ".yaml" | ".yml":
                return yaml.load(text, Loader=_Yaml)
            case ".toml":
                return tomllib.loads(text)
            case ".json":
                return json.loads(text, object_pairs_hook=_unique)
    except RecursionError as error:
        raise ExperimenterError(f"{path} cannot be read: it nests too deeply.") from error
    except (yaml.YAMLError, ValueError) as error:
        raise ExperimenterError(f"{path} cannot be read: {' '.join(str(error).split())}.") from error
    raise ExperimenterError(f"{path} must end in .yaml, .toml or .json, to say what it is.")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON; ValueError when a name stands twice, of which only the last would count."""
    names = [name for name, _ in pairs]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"{name} stands twice")
    return dict(pairs)


class _Yaml(yaml.BaseLoader):  # type: ignore[misc]
    """All scalars as text, and no name twice in a mapping."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        """As the base does. Raises YAMLError when a name stands twice."""
        names = [key.value for key, _ in node.value if isinstance(key.value, str)]
        for name in names:
            if names.count(name) > 1:
                raise yaml.YAMLError(f"{name} stands twice")
        return dict(super().construct_mapping(node, deep))


class _Section:
    """Takes values by name and gathers what is wrong with them."""

    def __init__(self, values: Mapping[str, Any], prefix: str, faults: list[str]) -> None:
        self.values, self.prefix, self.faults = values, prefix, faults
        self.taken: set[str] = set()

    def take(self, name: str, read: Callable[[str, Any], T], otherwise: T) -> T:
        """The value of `name` as `read` sees it; `otherwise` when it is missing or wrong."""
        self.taken.add(name)
        value = self.values.get(name)
        if value is None or value == "":
            return otherwise
        try:
            return read(self.prefix + name, value)
        except (ExperimenterError, DurationError) as error:
            self.faults.append(str(error))
            return otherwise

    def need(self, name: str, read: Callable[[str, Any], T], otherwise: T, why: str) -> T:
        """As `take`, but it must be there."""
        value = self.values.get(name)
        if value in (None, [], {}) or (isinstance(value, str) and not value.strip()):
            self.taken.add(name)
            self.faults.append(f"{self.prefix}{name} is missing; {why}.")
            return otherwise
        return self.take(name, read, otherwise)

    def section(self, name: str) -> _Section:
        """The section of that name, empty when it is missing."""
        self.taken.add(name)
        value = self.values.get(name)
        if value is None or value == "":
            value = {}
        if not isinstance(value, Mapping):
            fault = f"{self.prefix}{name} is {value!r}; it must hold names and values."
            if fault not in self.faults:
                self.faults.append(fault)
            return _Section({}, f"{self.prefix}{name}.", [])  # what it lacks need not be said besides
        return _Section(value, f"{self.prefix}{name}.", self.faults)

    def close(self) -> None:
        """Complain about names that mean nothing."""
        for name in self.values:
            if name not in self.taken:
                known = ", ".join(sorted(self.taken))
                self.faults.append(f"{self.prefix}{name} is unknown; there can be {known}.")


class _Reader:
    def __init__(self, document: Mapping[str, Any], path: Path) -> None:
        self.path = path
        self.faults: list[str] = []
        self.top = _Section(document, "", self.faults)

    def settings(self) -> Settings:
        top = self.top
        question = self._question()
        tasks = top.need("tasks", _text, "", "it is the file with the tasks")
        columns = self._columns()
        seats = top.take("seats", _integer(MIN_COHORT, MAX_COHORT), 5)
        positions = top.take("positions", _integer(2, 8_160), 0) or None
        audit = self._audit()
        seed = top.take("seed", _integer(0, 2**63), -1)
        found = {
            "tasks": self._beside(tasks),
            "columns": columns,
            "seats": seats,
            "positions": positions,
            "money": self._money(),
            "enroll": top.section("periods").take("enroll", seconds_of, 86_400),
            "periods": self._periods(),
            "curve": self._curve(),
            "weights": self._weights(audit),
            "audit": audit,
            "publish": top.take("publish", _text, "") or None,
            "uri": top.take("uri", _text, "") or None,
            "gate": self._gate(),
            "seed": None if seed < 0 else seed,
        }
        top.close()
        if self.faults or question is None:
            raise ExperimenterError("\n".join(f"{self.path}: {fault}" for fault in self.faults))
        return Settings(question=question, **found)  # type: ignore[arg-type]

    def _beside(self, name: str) -> Path:
        return (self.path.parent / name).resolve()

    def _question(self) -> Question | None:
        top = self.top
        text = top.need("question", _text, "", "it is what labelers are asked")
        kind = top.need("kind", _one_of([str(kind) for kind in Kind]), "", f"it is one of {', '.join(Kind)}")
        instructions = top.take("instructions", _text, "")
        nothing: tuple[str, ...] = ()
        known = len(self.faults)
        options = top.take("options", _options, nothing)
        if not (text and kind) or len(self.faults) > known:
            return None
        if kind == Kind.PREFERENCE:
            options = options or (*SIDES, VERDICTS[0])
            options = options if options[:2] == SIDES else (*SIDES, *options)
        try:
            return Question(text=text, kind=Kind(kind), options=options, instructions=instructions)
        except ManifestError as error:
            self.faults.append(f"options: {error}")
            return None

    def _columns(self) -> Columns:
        section = self.top.section("columns")
        items = section.take("items", _texts_or_text, None)
        found = Columns(
            id=section.take("id", _text, "id"),
            text=section.take("text", _text, "") or None,
            image=section.take("image", _text, "") or None,
            a=section.take("a", _text, "") or None,
            b=section.take("b", _text, "") or None,
            a_image=section.take("a_image", _text, "") or None,
            b_image=section.take("b_image", _text, "") or None,
            items=items,
            items_are_images=section.take("items_are_images", _boolean, False),
            gold=section.take("gold", _text, "") or None,
        )
        section.close()
        return found

    def _money(self) -> Money:
        section = self.top.section("money")
        stake = section.need("stake", _amount, "0", "it is what a labeler locks for a seat")
        money = Money(
            token=section.take("token", _token, ZERO_ADDRESS),
            bounty=section.need("bounty", _amount, "0", "it is what the seats of one batch share"),
            stake=stake,
            fee=section.take("fee", _amount, "0"),
            bond=section.take("bond", _amount, stake),
        )
        section.close()
        return money

    def _periods(self) -> Periods:
        section = self.top.section("periods")
        section.taken.add("enroll")
        found = Periods(
            draw=section.take("draw", seconds_of, 86_400),
            commit=section.take("commit", seconds_of, 2 * 86_400),
            reveal=section.take("reveal", seconds_of, 86_400),
            audit=section.take("audit", seconds_of, 86_400),
            challenge=section.take("challenge", seconds_of, 86_400),
        )
        section.close()
        return found

    def _curve(self) -> Curve:
        section = self.top.section("curve")
        score = _integer(-10_000, 10_000)
        usual = Curve(max_slash=0, forfeit=0)
        forfeit = section.take("forfeit", _integer(0, 5_000), 2_000)
        found = Curve(
            slash_full=section.take("slash_full", score, usual.slash_full),
            slash_from=section.take("slash_from", score, usual.slash_from),
            pay_from=section.take("pay_from", score, usual.pay_from),
            pay_full=section.take("pay_full", score, usual.pay_full),
            floor=section.take("floor", score, usual.floor),
            max_slash=section.take("max_slash", _integer(0, 5_000), min(1_000, forfeit)),
            forfeit=forfeit,
        )
        section.close()
        ascending = (found.slash_full, found.slash_from, found.pay_from, found.pay_full)
        if list(ascending) != sorted(ascending):
            self.faults.append(
                f"curve is {', '.join(map(str, ascending))};"
                " it must be slash_full ≤ slash_from ≤ pay_from ≤ pay_full."
            )
        if found.max_slash > found.forfeit:
            self.faults.append(
                f"curve.max_slash is {found.max_slash}; it must not be above curve.forfeit, {found.forfeit}."
            )
        return found

    def _weights(self, audit: AuditSettings) -> Weights:
        section = self.top.section("weights")
        weight = _integer(0, 65_535)
        found = Weights(
            peers=section.take("peers", weight, 1),
            gold=section.take("gold", weight, 1 if audit.gold else 0),
            repeats=section.take("repeats", weight, 1 if audit.repeats else 0),
        )
        section.close()
        for name, count in (("gold", audit.gold), ("repeats", audit.repeats)):
            if getattr(found, name) and not count:
                self.faults.append(f"weights.{name} is {getattr(found, name)}, but audit.{name} is 0.")
        if not (found.peers or found.gold or found.repeats):
            self.faults.append("weights are all 0; at least one signal must count.")
        return found

    def _audit(self) -> AuditSettings:
        section = self.top.section("audit")
        found = AuditSettings(
            shared=section.take("shared", _share, 1.0),
            gold=section.take("gold", _integer(0, 8_160), 0),
            repeats=section.take("repeats", _integer(0, 4_080), 0),
        )
        section.close()
        return found

    def _gate(self) -> Gate | None:
        if self.top.values.get("gate") in (None, ""):
            self.top.taken.add("gate")
            return None
        section = self.top.section("gate")
        address = section.need("address", _address, ZERO_ADDRESS, "it is the gate contract's")
        nobody: dict[str, int] = {}
        seats = section.need("allowlist", self._allowlist, nobody, "it is a list of addresses or a file")
        section.close()
        return Gate(address=address, seats=seats)

    def _allowlist(self, name: str, value: Any) -> dict[str, int]:
        """Addresses with the seats that each may take: a list, names and numbers, or a file of lines."""
        if isinstance(value, str):
            file = self._beside(value)
            try:
                lines = file.read_text(encoding="utf-8-sig").splitlines()
            except OSError as error:
                raise ExperimenterError(f"{name}: {file} cannot be read: {error.strerror}.") from error
            except UnicodeDecodeError as error:
                reason = f"{error.reason} at byte {error.start}"
                raise ExperimenterError(f"{name}: {file} is not in UTF-8: {reason}.") from error
            value = [line.partition("#")[0].strip() for line in lines]
            if not any(value):
                raise ExperimenterError(f"{name}: {file} names nobody; it must have a line for each labeler.")
        if not isinstance(value, Mapping | list | tuple):
            raise ExperimenterError(f"{name} is {value!r}; it must be a list of addresses or a file.")
        pairs = value.items() if isinstance(value, Mapping) else (_split(each) for each in value if each)
        admitted: dict[str, int] = {}
        for address, seats in pairs:
            found = _address(name, address)
            if found in admitted:
                raise ExperimenterError(f"{name} has {found} twice; each labeler stands once.")
            admitted[found] = _integer(1, 2**32 - 1)(f"{name}, {found}", seats)
        return admitted


def _split(entry: Any) -> tuple[str, str]:
    address, _, seats = str(entry).replace(",", " ").partition(" ")
    return address, seats.strip() or "1"


def _text(name: str, value: Any) -> str:
    if isinstance(value, Mapping | list | tuple):
        raise ExperimenterError(f"{name} is {value!r}; it must be one text.")
    return str(value).strip()


def _texts(name: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise ExperimenterError(f"{name} is {value!r}; it must be a list.")
    for each in value:
        if each is None or isinstance(each, bool):
            raise ExperimenterError(f"{name} has {json.dumps(each)}; put the text that is meant into quotes.")
    return tuple(_text(name, each) for each in value)


def _options(name: str, value: Any) -> tuple[str, ...]:
    """A list of options; whole numbers `1-5`; or, for a ranking, the number of items."""
    text = str(value).strip() if isinstance(value, str | int) else ""
    first, dash, last = text.partition("-")
    if text.isdecimal():
        first, dash, last = "1", "-", text
    if not (dash and first.isdecimal() and last.isdecimal()):
        return _texts(name, value)
    if not (len(text) <= LONGEST_RANGE and 0 < int(last) - int(first) < MAX_CLASSES):
        raise ExperimenterError(
            f"{name} is {text}; it must be a list, or 2 to {MAX_CLASSES} ascending whole numbers, as 1-5."
        )
    return tuple(map(str, range(int(first), int(last) + 1)))


def _texts_or_text(name: str, value: Any) -> str | tuple[str, ...]:
    return _text(name, value) if isinstance(value, str) else _texts(name, value)


def _boolean(name: str, value: Any) -> bool:
    known = {"true": True, "yes": True, "false": False, "no": False}
    if str(value).lower() not in known:
        raise ExperimenterError(f"{name} is {value!r}; it must be true or false.")
    return known[str(value).lower()]


def _integer(least: int, most: int) -> Callable[[str, Any], int]:
    def read(name: str, value: Any) -> int:
        try:
            number = int(str(value).replace("_", ""))
        except ValueError:
            raise ExperimenterError(f"{name} is {value!r}; it must be a whole number.") from None
        if isinstance(value, bool) or not least <= number <= most:
            raise ExperimenterError(f"{name} is {value}; it must be {least} to {most}.")
        return number

    return read


def _share(name: str, value: Any) -> float:
    text = str(value).strip()
    try:
        share = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        raise ExperimenterError(f"{name} is {value!r}; it must be a share such as 0.5 or 50%.") from None
    if not 0 <= share <= 1:
        raise ExperimenterError(f"{name} is {value}; it must be 0 to 1.")
    return share


def _amount(name: str, value: Any) -> str:
    text = _text(name, value)
    try:
        fits = float(text.replace("_", "")) >= 0
    except ValueError:
        fits = False
    if not fits:
        raise ExperimenterError(f"{name} is {value!r}; it must be an amount of the token, as 1.5.")
    return text.replace("_", "")


def _address(name: str, value: Any) -> str:
    text = str(value)
    if not is_address(text):
        raise ExperimenterError(f"{name} is {value!r}; it must be an address, 0x and 40 hexadecimal digits.")
    if is_checksum_formatted_address(text) and not is_checksum_address(text):
        raise ExperimenterError(
            f"{name} is {value!r}, but the case of its letters says that one is mistyped (ERC-55);"
            " write it in lower case if it is right."
        )
    return str(to_checksum_address(text))


def _token(name: str, value: Any) -> str:
    return ZERO_ADDRESS if str(value).lower() in ("eth", "ether", "0") else _address(name, value)


def seconds_of(name: str, value: Any) -> int:
    """A duration that a campaign can have. Raises ExperimenterError or DurationError."""
    length = seconds(value, name)
    if not 1 <= length <= MAX_PERIOD:
        raise ExperimenterError(f"{name} is {value}; it must be 1s to {duration(MAX_PERIOD)}.")
    return length


def _one_of(known: Sequence[str]) -> Callable[[str, Any], str]:
    def read(name: str, value: Any) -> str:
        if str(value) not in known:
            raise ExperimenterError(f"{name} is {value!r}; it must be one of {', '.join(known)}.")
        return str(value)

    return read
