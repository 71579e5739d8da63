"""Text by strangers made harmless for a terminal: questions, tasks, URIs, names of tokens."""

from __future__ import annotations

import unicodedata


def visible(text: str) -> str:
    """A text whose control characters, line ends apart, are shown instead of obeyed."""
    return "".join(
        character if character == "\n" or unicodedata.category(character) not in ("Cc", "Cf") else "�"
        for character in text
    )
