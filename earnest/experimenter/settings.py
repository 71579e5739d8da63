"""The campaign file: what is asked, of which tasks, for how much; checked all at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from earnest.experimenter import values
from earnest.experimenter.document import Section, read_document
from earnest.experimenter.errors import ExperimenterError
from earnest.manifest.errors import ManifestError
from earnest.manifest.question import SIDES, VERDICTS, Kind, Question
from earnest.protocol.terms import MAX_COHORT, MIN_COHORT, ZERO_ADDRESS, Curve, Periods, Weights
from earnest.tasks.columns import Columns

LEAST_CHECKS: Final = 2  # fewer answers to compare give no signal (design, section 4)


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


def read_settings(path: Path) -> Settings:
    """The campaign file at `path`; paths in it are relative to its folder.

    Raises ExperimenterError with one sentence for everything that is wrong.
    """
    return settings_of(read_document(path), path)


def settings_of(document: Any, path: Path) -> Settings:
    """As `read_settings`, from a document already read."""
    if not isinstance(document, Mapping):
        raise ExperimenterError(f"{path} must hold names and values, such as question, tasks and money.")
    return _Reader(document, path).settings()


class _Reader:
    def __init__(self, document: Mapping[str, Any], path: Path) -> None:
        self.path = path
        self.faults: list[str] = []
        self.top = Section(document, "", self.faults)

    def settings(self) -> Settings:
        top = self.top
        question = self._question()
        tasks = top.need("tasks", values.text, "", "it is the file with the tasks")
        columns = self._columns()
        seats = top.take("seats", values.integer(MIN_COHORT, MAX_COHORT), 5)
        positions = top.take("positions", values.integer(2, 8_160), 0) or None
        audit = self._audit()
        found = {
            "tasks": self._beside(tasks),
            "columns": columns,
            "seats": seats,
            "positions": positions,
            "money": self._money(),
            "enroll": top.section("periods").take("enroll", values.period, 86_400),
            "periods": self._periods(),
            "curve": self._curve(),
            "weights": self._weights(audit),
            "audit": audit,
            "publish": top.take("publish", values.text, "") or None,
            "uri": top.take("uri", values.text, "") or None,
            "gate": self._gate(),
        }
        top.close()
        if self.faults or question is None:
            raise ExperimenterError("\n".join(f"{self.path}: {fault}" for fault in self.faults))
        return Settings(question=question, **found)  # type: ignore[arg-type]

    def _beside(self, name: str) -> Path:
        return (self.path.parent / name).resolve()

    def _question(self) -> Question | None:
        top = self.top
        text = top.need("question", values.text, "", "it is what labelers are asked")
        kinds = [str(kind) for kind in Kind]
        kind = top.need("kind", values.one_of(kinds), "", f"it is one of {', '.join(kinds)}")
        instructions = top.take("instructions", values.text, "")
        nothing: tuple[str, ...] = ()
        known = len(self.faults)
        options = top.take("options", values.options, nothing)
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
        items = section.take("items", values.text_or_texts, None)
        found = Columns(
            id=section.take("id", values.text, "id"),
            text=section.take("text", values.text, "") or None,
            image=section.take("image", values.text, "") or None,
            a=section.take("a", values.text, "") or None,
            b=section.take("b", values.text, "") or None,
            a_image=section.take("a_image", values.text, "") or None,
            b_image=section.take("b_image", values.text, "") or None,
            items=items,
            items_are_images=section.take("items_are_images", values.boolean, False),
            gold=section.take("gold", values.text, "") or None,
        )
        section.close()
        return found

    def _money(self) -> Money:
        section = self.top.section("money")
        stake = section.need("stake", values.amount, "0", "it is what a labeler locks for a seat")
        money = Money(
            token=section.take("token", values.token, ZERO_ADDRESS),
            bounty=section.need("bounty", values.amount, "0", "it is what the seats of one batch share"),
            stake=stake,
            fee=section.take("fee", values.amount, "0"),
            bond=section.take("bond", values.amount, stake),
        )
        section.close()
        return money

    def _periods(self) -> Periods:
        section = self.top.section("periods")
        section.taken.add("enroll")
        found = Periods(
            draw=section.take("draw", values.period, 86_400),
            commit=section.take("commit", values.period, 2 * 86_400),
            reveal=section.take("reveal", values.period, 86_400),
            audit=section.take("audit", values.period, 86_400),
            challenge=section.take("challenge", values.period, 86_400),
        )
        section.close()
        return found

    def _curve(self) -> Curve:
        section = self.top.section("curve")
        score = values.integer(-10_000, 10_000)
        usual = Curve(max_slash=0, forfeit=0)
        forfeit = section.take("forfeit", values.integer(0, 5_000), 2_000)
        found = Curve(
            slash_full=section.take("slash_full", score, usual.slash_full),
            slash_from=section.take("slash_from", score, usual.slash_from),
            pay_from=section.take("pay_from", score, usual.pay_from),
            pay_full=section.take("pay_full", score, usual.pay_full),
            floor=section.take("floor", score, usual.floor),
            max_slash=section.take("max_slash", values.integer(0, 5_000), min(1_000, forfeit)),
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
        weight = values.integer(0, 65_535)
        found = Weights(
            peers=section.take("peers", weight, 1),
            gold=section.take("gold", weight, 1 if audit.gold else 0),
            repeats=section.take("repeats", weight, 1 if audit.repeats else 0),
        )
        section.close()
        for name, count in (("gold", audit.gold), ("repeats", audit.repeats)):
            if getattr(found, name) and count < LEAST_CHECKS:
                self.faults.append(
                    f"weights.{name} is {getattr(found, name)}, but audit.{name} is {count}:"
                    f" fewer than {LEAST_CHECKS} give no score."
                )
        if not (found.peers or found.gold or found.repeats):
            self.faults.append("weights are all 0; at least one signal must count.")
        return found

    def _audit(self) -> AuditSettings:
        section = self.top.section("audit")
        found = AuditSettings(
            shared=section.take("shared", values.share, 1.0),
            gold=section.take("gold", values.integer(0, 8_160), 0),
            repeats=section.take("repeats", values.integer(0, 4_080), 0),
        )
        section.close()
        return found

    def _gate(self) -> Gate | None:
        if self.top.values.get("gate") in (None, ""):
            self.top.taken.add("gate")
            return None
        section = self.top.section("gate")
        address = section.need("address", values.address, ZERO_ADDRESS, "it is the gate contract's")
        allowlist = values.allowlist(self.path.parent.resolve())
        nobody: dict[str, int] = {}
        seats = section.need("allowlist", allowlist, nobody, "it is a list of addresses or a file")
        section.close()
        return Gate(address=address, seats=seats)
