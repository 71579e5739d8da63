"""Text by strangers made harmless for a terminal: questions, tasks, URIs, names of tokens."""

from __future__ import annotations

import unicodedata
from typing import Final

# Line ends, tabs, and the (non-)joiners, without which Persian, Indic scripts and emoji are other texts.
HARMLESS: Final = "\n\t\u200c\u200d"


def visible(text: str) -> str:
    """A text whose control characters, those that belong to a text apart, are shown instead of obeyed."""
    return "".join(
        character if character in HARMLESS or unicodedata.category(character) not in ("Cc", "Cf") else "�"
        for character in text.replace("\r\n", "\n")
    )
