"""Campaigns, scores and times as people read and type them, and values as JSON has them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from earnest.chain.life import Life
from earnest.chain.state import Campaign
from earnest.cli.errors import InputError
from earnest.protocol.score import ABSENT, UNSCORED
from earnest.times import clock, duration

MOST_LISTED: Final = 5  # ids in a sentence


def until(deadline: int, now: int) -> str:
    """A time to come or past, local, with what remains: `18:30:00 (in 2h 5m)`."""
    if not deadline:
        return "–"
    distance = f"in {duration(deadline - now)}" if deadline > now else f"{duration(now - deadline)} ago"
    return f"{clock(deadline, now)} ({distance})"


def phase_text(life: Life, now: int) -> str:
    """A phase, and when it ends where that is known: `Committing, ends 18:30:00 (in 2h 5m)`."""
    return f"{life.phase.title}, ends {until(life.deadline, now)}" if life.deadline else life.phase.title


def plain(value: Any) -> Any:
    """A value as JSON has it: bytes in hexadecimal, integers beyond 2^53 as texts, paths as texts."""
    if isinstance(value, Mapping):
        return {str(name): plain(each) for name, each in value.items()}
    if isinstance(value, bytes | bytearray):
        return "0x" + bytes(value).hex()
    if isinstance(value, bool) or value is None or isinstance(value, str | float):
        return value
    if isinstance(value, int):
        return int(value) if abs(value) < 2**53 else str(int(value))
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    return [plain(each) for each in value]


def campaign_text(campaign: int) -> str:
    """A campaign's id in full, as every command takes it."""
    return f"0x{campaign:064x}"


def short(hexadecimal: str) -> str:
    """An address, or a text that begins as an id does, as it stands in tables."""
    return hexadecimal[:10] + "…"


def parse_campaign(
    text: str, known: Iterable[int], is_mine: Callable[[int], bool] | None = None
) -> int:
    """The campaign that `text` is the id of, or the beginning of the id of one that is `known`; where it is
    that of several, of the only one that `is_mine`.

    Raises InputError when it is neither, or the beginning of several: anybody can make ids that begin alike.
    """
    digits = text.lower().removeprefix("0x").removesuffix("…")
    if not 1 <= len(digits) <= 64 or set(digits) - set("0123456789abcdef"):
        raise InputError(f"{text!r} is no campaign; it must be 0x and up to 64 hexadecimal digits.")
    if len(digits) == 64:
        return int(digits, 16)
    found = [campaign for campaign in known if f"{campaign:064x}".startswith(digits)]
    if not found:
        raise InputError(f"No campaign begins with 0x{digits}; it must be one.")
    chosen = list(filter(is_mine, found)) if is_mine and len(found) > 1 else found
    if len(chosen) != 1:
        listed = sorted(map(campaign_text, chosen or found))
        named = ", ".join(listed[:MOST_LISTED] + ["…"] * (len(listed) > MOST_LISTED))
        raise InputError(f"{len(found)} campaigns begin with 0x{digits}: {named}; say which.")
    return chosen[0]


def known_campaign(text: str, known: Mapping[int, Campaign], where: str = "on this contract") -> Campaign:
    """The campaign that `text` names. Raises InputError when there is none such among those `known`."""
    number = parse_campaign(text, known)
    if number not in known:
        raise InputError(f"There is no campaign {campaign_text(number)} {where}.")
    return known[number]


def score_text(score: int | None) -> str:
    """A score in basis points, as it stands in tables."""
    if score is None:
        return "–"
    return {ABSENT: "absent", UNSCORED: "unscored"}.get(score, f"{score:+d}")


def scores_text(scores: Sequence[int] | None) -> str:
    """A batch's scores by lane, as they stand in tables."""
    return " ".join(map(score_text, scores)) if scores else "–"
