"""The question of a campaign, and how an answer becomes a label's byte (design, section 3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, Final

from earnest.manifest.errors import ManifestError
from earnest.protocol.labels import label_to_ranking, ranking_to_label
from earnest.protocol.terms import MAX_CLASSES, MAX_ITEMS, Metric

RANK_SEPARATOR: Final = ">"


class Kind(StrEnum):
    """What a labeler does with a task."""

    CHOICE = "choice"  # picks one of the options
    PREFERENCE = "preference"  # picks the better of two sides, or says why neither
    RATING = "rating"  # picks a level of an ordered scale
    RANKING = "ranking"  # orders the task's items, best first


METRICS: Final = {
    Kind.CHOICE: Metric.NOMINAL,
    Kind.PREFERENCE: Metric.NOMINAL,
    Kind.RATING: Metric.INTERVAL,
    Kind.RANKING: Metric.RANKING,
}

# The first two options of a preference are its sides; these may follow.
SIDES: Final = ("a", "b")
VERDICTS: Final = ("tie", "both bad", "can't tell")


@dataclass(frozen=True, kw_only=True)
class Question:
    """One question asked of every task.

    `options` are the labels in the order of their bytes: classes of a choice, `a`, `b` and verdicts of a
    preference, levels of a rating from the lowest. For a ranking they name the places of the items in a task,
    `1`, `2`, …
    """

    text: str
    kind: Kind
    options: tuple[str, ...]
    instructions: str = ""

    def __post_init__(self) -> None:
        most = MAX_ITEMS if self.kind is Kind.RANKING else MAX_CLASSES
        if not self.text.strip():
            raise ManifestError("The question has no text; say what is asked.")
        if not 2 <= len(self.options) <= most:
            raise ManifestError(f"A {self.kind} has {len(self.options)} options; it must have 2 to {most}.")
        names = self._names
        doubles = {name for name in names if names.count(name) > 1}
        if doubles:
            raise ManifestError(f"The option {min(doubles)!r} stands twice; each must be different.")
        if any(not name or RANK_SEPARATOR in name for name in names):
            raise ManifestError(f"An option is empty or contains {RANK_SEPARATOR!r}: {list(self.options)}.")
        if self.kind is Kind.PREFERENCE and (
            self.options[:2] != SIDES or not set(self.options[2:]) <= set(VERDICTS)
        ):
            raise ManifestError(
                f"The options of a preference are {list(self.options)};"
                f" they must be a, b, then any of {list(VERDICTS)}."
            )

    @property
    def metric(self) -> Metric:
        """How far apart two labels are."""
        return METRICS[self.kind]

    @property
    def classes(self) -> int:
        """Classes, levels, or items to rank."""
        return len(self.options)

    @property
    def _names(self) -> list[str]:
        """The options as people type them: without outer white space, which nobody sees."""
        return [option.strip() for option in self.options]

    def label(self, answer: str) -> int:
        """The byte of an answer: an option, or for a ranking its items best first, as `2>1>3`; outer white
        space does not count.

        Raises ManifestError when there is no such answer.
        """
        if self.kind is not Kind.RANKING:
            if answer.strip() not in self._names:
                raise ManifestError(f"{answer!r} is no option; it must be one of {', '.join(self._names)}.")
            return self._names.index(answer.strip())
        named = [part.strip() for part in answer.split(RANK_SEPARATOR)]
        if sorted(named) != sorted(self._names):
            best = RANK_SEPARATOR.join(self._names)
            raise ManifestError(f"{answer!r} is no ranking; it must order all of the items, as {best}.")
        return ranking_to_label([self._names.index(item) for item in named])

    def answer(self, label: int) -> str:
        """The answer that a byte stands for: the reverse of `label`."""
        if self.kind is Kind.RANKING:
            return RANK_SEPARATOR.join(self.options[item] for item in label_to_ranking(label, self.classes))
        if not 0 <= label < self.classes:
            raise ManifestError(f"Label {label} is out of range; it must be 0 to {self.classes - 1}.")
        return self.options[label]

    def to_json(self) -> dict[str, Any]:
        """The question as JSON members."""
        return {
            "text": self.text,
            "kind": str(self.kind),
            "options": list(self.options),
            "instructions": self.instructions,
        }

    @classmethod
    def from_json(cls, members: Mapping[str, Any]) -> Question:
        """The reverse of `to_json`; ManifestError when a member is missing, unknown or of another type."""
        known = {field.name for field in fields(cls)}
        if set(members) != known:
            odd = ", ".join(sorted(set(members) ^ known))
            raise ManifestError(
                f"The question's members differ at: {odd}; they must be {', '.join(sorted(known))}."
            )
        if members["kind"] not in set(Kind):
            raise ManifestError(f"The kind is {members['kind']!r}; it must be one of {', '.join(Kind)}.")
        options = members["options"]
        if not isinstance(options, list) or not all(isinstance(option, str) for option in options):
            raise ManifestError(f"The options are {options!r}; they must be a list of texts.")
        return cls(
            text=str(members["text"]),
            kind=Kind(members["kind"]),
            options=tuple(options),
            instructions=str(members["instructions"]),
        )
