"""Times and durations as people write them: `18:30:00`, `2h 30m`."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

SECONDS: Final = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
MOST_DIGITS: Final = 12  # more are no duration that anybody means


class DurationError(ValueError):
    """A duration that cannot be read; the message says what would be right."""


def seconds(text: object, name: str = "The duration") -> int:
    """The seconds of a duration such as `90`, `"2h"` or `"1d 12h"`. Raises DurationError when it is none."""
    written = str(text).strip().lower()
    if written.isdecimal() and len(written) <= MOST_DIGITS:
        return int(written)
    part = rf"(\d{{1,{MOST_DIGITS}}})\s*([dhms])"
    parts = re.findall(part, written)
    if not parts or re.sub(rf"{part}|\s", "", written):
        raise DurationError(f"{name} is {text!r}; it must be a duration such as 90s, 45m, 2h or 1d 12h.")
    return sum(int(count) * SECONDS[unit] for count, unit in parts)


def duration(length: int, parts: int = 2) -> str:
    """A number of seconds in its largest units, at most so many: `2h 30m`."""
    rest, found = max(0, length), []
    for unit, size in SECONDS.items():
        count, rest = divmod(rest, size)
        if count:
            found.append(f"{count}{unit}")
    return " ".join(found[:parts]) or "0s"


def clock(time: int, now: int | None = None) -> str:
    """A unix time as local time, without the date when that is today's."""
    moment = datetime.fromtimestamp(time)
    today = datetime.fromtimestamp(now).date() if now is not None else datetime.now().date()
    return moment.strftime("%H:%M:%S" if moment.date() == today else "%Y-%m-%d %H:%M:%S")
