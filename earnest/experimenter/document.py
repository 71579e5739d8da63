"""A file of names and values, as YAML, TOML or JSON, and taking it apart with all that is wrong with it.

Every scalar may be written as text, so that YAML's `yes` stays the option `yes`; no name stands twice.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import yaml  # type: ignore[import-untyped]

from earnest.experimenter.errors import ExperimenterError
from earnest.files import FileError, read_text
from earnest.json_text import parse_json, unique

T = TypeVar("T")


def read_document(path: Path) -> Any:
    """What a file of names and values holds. Raises ExperimenterError with one sentence."""
    try:
        text = read_text(path)
    except FileError as error:
        raise ExperimenterError(str(error)) from error
    try:
        match path.suffix.lower():
            case ".yaml" | ".yml":
                return yaml.load(text, Loader=_Yaml)
            case ".toml":
                return tomllib.loads(text)
            case ".json":
                return parse_json(text, unique)
    except RecursionError as error:
        raise ExperimenterError(f"{path} cannot be read: it nests too deeply.") from error
    except (yaml.YAMLError, ValueError) as error:
        raise ExperimenterError(f"{path} cannot be read: {' '.join(str(error).split())}.") from error
    raise ExperimenterError(f"{path} must end in .yaml, .toml or .json, to say what it is.")


class _Yaml(yaml.BaseLoader):  # type: ignore[misc]
    """All scalars as text, and no name twice in a mapping."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        """As the base does. Raises YAMLError when a name stands twice."""
        names = [key.value for key, _ in node.value if isinstance(key.value, str)]
        for name in names:
            if names.count(name) > 1:
                raise yaml.YAMLError(f"{name} stands twice")
        return dict(super().construct_mapping(node, deep))


class Section:
    """Some names and values: takes them by name and gathers what is wrong with them."""

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
        except ExperimenterError as error:
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

    def section(self, name: str) -> Section:
        """The section of that name, empty when it is missing."""
        self.taken.add(name)
        value = self.values.get(name)
        if value is None or value == "":
            value = {}
        if not isinstance(value, Mapping):
            fault = f"{self.prefix}{name} is {value!r}; it must hold names and values."
            if fault not in self.faults:
                self.faults.append(fault)
            return Section({}, f"{self.prefix}{name}.", [])  # what it lacks need not be said besides
        return Section(value, f"{self.prefix}{name}.", self.faults)

    def close(self) -> None:
        """Complain about names that mean nothing."""
        for name in self.values:
            if name not in self.taken:
                known = ", ".join(sorted(self.taken))
                self.faults.append(f"{self.prefix}{name} is unknown; there can be {known}.")
