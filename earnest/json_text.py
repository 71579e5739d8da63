"""JSON from users and strangers: Python's own reader trusts it not to exhaust the stack, and would crash."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Final

DEEPEST: Final = 64
_BRACKETS: Final = re.compile(r'"(?:[^"\\]|\\.)*+"?|[\[\]{}]', re.DOTALL)  # or a string, which may have some
_STEPS: Final = {"[": 1, "{": 1, "]": -1, "}": -1}

Pairs = list[tuple[str, Any]]


def parse_json(text: str, of_pairs: Callable[[Pairs], Any] | None = None) -> Any:
    """The value of a JSON text, its objects as dicts, or as `of_pairs` makes them.

    Raises ValueError when it is none, or nests deeper than `DEEPEST` levels.
    """
    depth = 0
    for token in _BRACKETS.finditer(text):
        depth += _STEPS.get(token[0], 0)
        if depth > DEEPEST:
            raise ValueError(f"it nests deeper than {DEEPEST} levels at character {token.start()}")
    return json.loads(text, object_pairs_hook=of_pairs)


def unique(pairs: Pairs) -> dict[str, Any]:
    """An object as a dict; ValueError when a name stands twice, of which only the last would count."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(name for name in names if names.count(name) > 1)} stands twice")
    return found
