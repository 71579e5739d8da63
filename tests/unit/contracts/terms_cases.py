"""Which terms can be honoured, at both sides of each boundary, and what the referee says of the others."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from kit import TERMS

from earnest.protocol.terms import Metric, Terms, Weights

WORD = b"\x01" * 32
NOW = 1_800_000_000
YEAR = 365 * 24 * 3_600
GATE = "0x00000000000000000000000000000000000000A7"
SOUND = replace(TERMS, enroll_by=NOW + 1)


def sound(**changes: Any) -> Terms:
    return replace(SOUND, **changes)


def curve(**changes: int) -> Terms:
    return sound(curve=replace(SOUND.curve, **changes))


def scores(slash_full: int, slash_from: int, pay_from: int, pay_full: int) -> Terms:
    return curve(slash_full=slash_full, slash_from=slash_from, pay_from=pay_from, pay_full=pay_full)


def period(name: str, seconds: int) -> Terms:
    return sound(periods=replace(SOUND.periods, **{name: seconds}))


def audited(**changes: Any) -> Terms:
    return sound(audit_root=WORD, audit_key_hash=WORD, **changes)


PERIODS = ["draw", "commit", "reveal", "audit", "challenge"]
NO_PEERS = Weights(peers=0, gold=1, repeats=1)

ACCEPTED: dict[str, Terms] = {
    "cohort of 3": sound(cohort=3),
    "cohort of 15": sound(cohort=15),
    "2 positions": sound(batch_size=2),
    "2 classes": sound(classes=2),
    "255 classes": sound(classes=255),
    "255 levels": sound(metric=Metric.INTERVAL, classes=255),
    "2 items": sound(metric=Metric.RANKING, classes=2),
    "5 items": sound(metric=Metric.RANKING, classes=5),
    "1 batch": sound(batches=1),
    "most batches of 3": sound(batches=(2**32 - 1) // 3),
    "most batches of 15": sound(cohort=15, batches=(2**32 - 1) // 15),
    "bond of 1": sound(bond=1),
    "no money": sound(stake=0, bounty=0, fee=0),
    "most money": sound(stake=2**96 - 1, bounty=2**96 - 1, fee=2**96 - 1, bond=2**96 - 1),
    "a gate": sound(gate=GATE),
    "a gate with a rule": sound(gate=GATE, gate_rule=WORD),
    "widest curve": scores(-10_000, -10_000, 10_000, 10_000),
    "curve at the bottom": scores(-10_000, -10_000, -10_000, -10_000),
    "curve at the top": scores(10_000, 10_000, 10_000, 10_000),
    "lowest floor": curve(floor=-10_000),
    "highest floor": curve(floor=10_000),
    "nothing to lose": curve(max_slash=0, forfeit=0),
    "half to lose": curve(max_slash=5_000, forfeit=5_000),
    "only peers": sound(weights=Weights(peers=1, gold=0, repeats=0)),
    "heaviest weights": audited(weights=Weights(peers=65_535, gold=65_535, repeats=65_535)),
    "no peers but an audit": audited(weights=NO_PEERS),
    "only gold": audited(weights=Weights(peers=0, gold=1, repeats=0)),
    "only repeats": audited(weights=Weights(peers=0, gold=0, repeats=1)),
    "enrolling for a second": sound(enroll_by=NOW + 1),
    "enrolling for a year": sound(enroll_by=NOW + YEAR),
    **{f"{name} of a second": period(name, 1) for name in PERIODS},
    **{f"{name} of a year": period(name, YEAR) for name in PERIODS},
}

Case = tuple[Terms, str, dict[str, Any]]


def _cohort(value: int) -> Case:
    return sound(cohort=value), "CohortOutOfRange", {"cohort": value, "least": 3, "most": 15}


def _size(value: int) -> Case:
    about = {"batchSize": value, "least": 2, "most": 8_160}
    return sound(batch_size=value, cohort=3), "BatchSizeOutOfRange", about


def _classes(metric: Metric, value: int, most: int) -> Case:
    about = {"classes": value, "least": 2, "most": most}
    return sound(metric=metric, classes=value), "ClassesOutOfRange", about


def _batches(cohort: int, value: int) -> Case:
    about = {"batches": value, "least": 1, "most": (2**32 - 1) // cohort}
    return sound(cohort=cohort, batches=value), "BatchesOutOfRange", about


def _unordered(*four: int) -> Case:
    names = ["slashFull", "slashFrom", "payFrom", "payFull"]
    return scores(*four), "UnorderedCurve", dict(zip(names, four, strict=True))


def _score(terms: Terms, score: int) -> Case:
    return terms, "ScoreOutOfRange", {"score": score, "least": -10_000, "most": 10_000}


def _period(name: str, seconds: int) -> Case:
    about = {"period": seconds, "least": 1, "most": YEAR}
    return period(name, seconds), "PeriodOutOfRange", about


def _enroll_by(value: int) -> Case:
    about = {"enrollBy": value, "least": NOW + 1, "most": NOW + YEAR}
    return sound(enroll_by=value), "EnrollByOutOfRange", about


REFUSED: dict[str, Case] = {
    "cohort of 0": _cohort(0),
    "cohort of 2": _cohort(2),
    "cohort of 16": _cohort(16),
    "cohort of 255": _cohort(255),
    "no positions": _size(0),
    "1 position": _size(1),
    "too many positions": _size(8_161),
    "most positions the type holds": _size(65_535),
    "1 class": _classes(Metric.NOMINAL, 1, 255),
    "1 level": _classes(Metric.INTERVAL, 1, 255),
    "no items": _classes(Metric.RANKING, 0, 5),
    "1 item": _classes(Metric.RANKING, 1, 5),
    "6 items": _classes(Metric.RANKING, 6, 5),
    "no batches": _batches(3, 0),
    "too many batches of 3": _batches(3, (2**32 - 1) // 3 + 1),
    "too many batches of 15": _batches(15, (2**32 - 1) // 15 + 1),
    "no bond": (sound(bond=0), "ZeroBond", {}),
    "a rule without a gate": (sound(gate_rule=WORD), "RuleWithoutGate", {"gateRule": WORD}),
    "slash upside down": _unordered(501, 500, 1_000, 3_000),
    "slash above pay": _unordered(-500, 1_001, 1_000, 3_000),
    "pay upside down": _unordered(-500, 500, 3_001, 3_000),
    "score too low": _score(scores(-10_001, 500, 1_000, 3_000), -10_001),
    "score too high": _score(scores(-500, 500, 1_000, 10_001), 10_001),
    "floor too low": _score(curve(floor=-10_001), -10_001),
    "floor too high": _score(curve(floor=10_001), 10_001),
    "score that means unscored": _score(scores(-32_768, 500, 1_000, 3_000), -32_768),
    "slash above forfeit": (
        curve(max_slash=3_001, forfeit=3_000),
        "SlashAboveForfeit",
        {"maxSlash": 3_001, "forfeit": 3_000},
    ),
    "forfeit above half": (
        curve(forfeit=5_001),
        "ForfeitAboveHalf",
        {"forfeit": 5_001, "most": 5_000},
    ),
    "no weight": (sound(weights=Weights(peers=0, gold=0, repeats=0)), "NoSignal", {}),
    "no weight in spite of an audit": (audited(weights=Weights(peers=0, gold=0, repeats=0)), "NoSignal", {}),
    "weights of signals that no audit gives": (sound(weights=NO_PEERS), "NoSignal", {}),
    "a root without a key": (
        sound(audit_root=WORD),
        "HalfAnAudit",
        {"auditRoot": WORD, "auditKeyHash": bytes(32)},
    ),
    "a key without a root": (
        sound(audit_key_hash=WORD),
        "HalfAnAudit",
        {"auditRoot": bytes(32), "auditKeyHash": WORD},
    ),
    "enrolling until now": _enroll_by(NOW),
    "enrolling until yesterday": _enroll_by(0),
    "enrolling for more than a year": _enroll_by(NOW + YEAR + 1),
    **{f"no time to {name}": _period(name, 0) for name in PERIODS},
    **{f"too long to {name}": _period(name, YEAR + 1) for name in PERIODS},
}


def at(terms: Terms, now: int) -> Terms:
    """The terms as they would be were it `now` instead of `NOW`."""
    return replace(terms, enroll_by=terms.enroll_by - NOW + now if terms.enroll_by else 0)
