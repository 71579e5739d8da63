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
from earnest.protocol.terms import (
    BPS,
    MAX_BATCH_SIZE,
    MAX_COHORT,
    MAX_FORFEIT,
    MAX_WEIGHT,
    MIN_BATCH_SIZE,
    MIN_COHORT,
    ZERO_ADDRESS,
    Curve,
    Periods,
    Weights,
)
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
    faults: list[str] = []
    found = _settings(Section(document, "", faults), path)
    if faults or found is None:
        raise ExperimenterError("\n".join(f"{path}: {fault}" for fault in faults))
    return found


def _settings(top: Section, path: Path) -> Settings | None:
    """What a campaign file holds; None where its question cannot be read. What is wrong is in its faults."""
    asked = _question(top)
    folder = path.parent.resolve()
    audit = _audit(top.section("audit"))
    enroll, periods = _periods(top.section("periods"))
    tasks = top.need("tasks", values.text, "", "it is the file with the tasks")
    found = {
        "tasks": (folder / tasks).resolve(),
        "columns": _columns(top.section("columns")),
        "seats": top.take("seats", values.integer(MIN_COHORT, MAX_COHORT), 5),
        "positions": top.take("positions", values.integer(MIN_BATCH_SIZE, MAX_BATCH_SIZE), 0) or None,
        "money": _money(top.section("money")),
        "enroll": enroll,
        "periods": periods,
        "curve": _curve(top.section("curve")),
        "weights": _weights(top.section("weights"), audit),
        "audit": audit,
        "publish": top.take("publish", values.place, "") or None,
        "uri": top.take("uri", values.text, "") or None,
        "gate": _gate(top.section("gate"), folder) if top.values.get("gate") not in (None, "") else None,
    }
    top.taken.add("gate")
    top.close()
    return Settings(question=asked, **found) if asked else None  # type: ignore[arg-type]


def _question(top: Section) -> Question | None:
    text = top.need("question", values.text, "", "it is what labelers are asked")
    kinds = [str(kind) for kind in Kind]
    kind = top.need("kind", values.one_of(kinds), "", f"it is one of {', '.join(kinds)}")
    instructions = top.take("instructions", values.text, "")
    nothing: tuple[str, ...] = ()
    known = len(top.faults)
    options = top.take("options", values.options, nothing)
    if not (text and kind) or len(top.faults) > known:
        return None
    if kind == Kind.PREFERENCE:
        options = options or (*SIDES, VERDICTS[0])
        options = options if options[:2] == SIDES else (*SIDES, *options)
    try:
        return Question(text=text, kind=Kind(kind), options=options, instructions=instructions)
    except ManifestError as error:
        top.faults.append(f"options: {error}")
        return None


def _columns(section: Section) -> Columns:
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


def _money(section: Section) -> Money:
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


def _periods(section: Section) -> tuple[int, Periods]:
    """The time to enroll, and the phases that follow."""
    enroll = section.take("enroll", values.period, 86_400)
    found = Periods(
        draw=section.take("draw", values.period, 86_400),
        commit=section.take("commit", values.period, 2 * 86_400),
        reveal=section.take("reveal", values.period, 86_400),
        audit=section.take("audit", values.period, 86_400),
        challenge=section.take("challenge", values.period, 86_400),
    )
    section.close()
    return enroll, found


def _curve(section: Section) -> Curve:
    score = values.integer(-BPS, BPS)
    usual = Curve(max_slash=0, forfeit=0)
    forfeit = section.take("forfeit", values.integer(0, MAX_FORFEIT), 2_000)
    found = Curve(
        slash_full=section.take("slash_full", score, usual.slash_full),
        slash_from=section.take("slash_from", score, usual.slash_from),
        pay_from=section.take("pay_from", score, usual.pay_from),
        pay_full=section.take("pay_full", score, usual.pay_full),
        floor=section.take("floor", score, usual.floor),
        max_slash=section.take("max_slash", values.integer(0, MAX_FORFEIT), min(1_000, forfeit)),
        forfeit=forfeit,
    )
    section.close()
    ascending = (found.slash_full, found.slash_from, found.pay_from, found.pay_full)
    if list(ascending) != sorted(ascending):
        section.faults.append(
            f"curve is {', '.join(map(str, ascending))};"
            " it must be slash_full ≤ slash_from ≤ pay_from ≤ pay_full."
        )
    if found.max_slash > found.forfeit:
        section.faults.append(
            f"curve.max_slash is {found.max_slash}; it must not be above curve.forfeit, {found.forfeit}."
        )
    return found


def _weights(section: Section, audit: AuditSettings) -> Weights:
    weight = values.integer(0, MAX_WEIGHT)
    found = Weights(
        peers=section.take("peers", weight, 1),
        gold=section.take("gold", weight, 1 if audit.gold else 0),
        repeats=section.take("repeats", weight, 1 if audit.repeats else 0),
    )
    section.close()
    for name, count in (("gold", audit.gold), ("repeats", audit.repeats)):
        if getattr(found, name) and count < LEAST_CHECKS:
            section.faults.append(
                f"weights.{name} is {getattr(found, name)}, but audit.{name} is {count}:"
                f" fewer than {LEAST_CHECKS} give no score."
            )
    if not (found.peers or found.gold or found.repeats):
        section.faults.append("weights are all 0; at least one signal must count.")
    return found


def _audit(section: Section) -> AuditSettings:
    found = AuditSettings(
        shared=section.take("shared", values.share, 1.0),
        gold=section.take("gold", values.integer(0, MAX_BATCH_SIZE), 0),
        repeats=section.take("repeats", values.integer(0, MAX_BATCH_SIZE // 2), 0),
    )
    section.close()
    return found


def _gate(section: Section, folder: Path) -> Gate:
    address = section.need("address", values.address, ZERO_ADDRESS, "it is the gate contract's")
    nobody: dict[str, int] = {}
    listed = "it is a list of addresses or a file"
    seats = section.need("allowlist", values.allowlist(folder), nobody, listed)
    section.close()
    return Gate(address=address, seats=seats)
