"""Rows of a JSONL, CSV or Parquet file, each with the number by which people find it."""

from __future__ import annotations

import csv
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from earnest.files import long_fields
from earnest.json_text import parse_json, unique
from earnest.tasks.errors import TaskError


@dataclass(frozen=True)
class Row:
    """One row. `number` is its line in a text file, in a Parquet file its place from 1."""

    number: int
    values: dict[str, Any]


def read_rows(path: Path, wanted: Collection[str] | None = None) -> list[Row]:
    """All rows of a file, whose name ends in `.jsonl`, `.csv` or `.parquet`.

    `wanted` are the columns that are of use; others are named, and need not hold what can be read. Raises
    TaskError when the file cannot be read, is of another kind, holds no row, or a row is garbled.
    """
    readers = {".jsonl": _jsonl, ".csv": _csv, ".parquet": _parquet}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise TaskError(f"{path} must end in {', '.join(readers)}, to say what it is.")
    try:
        rows = list(reader(path, wanted))
    except OSError as error:
        raise TaskError(f"{path} cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise TaskError(f"{path} is not in UTF-8: {error.reason} at byte {error.start}.") from error
    if not rows:
        raise TaskError(f"{path} has no rows; it must have one for each task.")
    return rows


def _jsonl(path: Path, _: Collection[str] | None) -> Iterator[Row]:
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            try:
                values = parse_json(line, unique)
            except ValueError as error:
                raise TaskError(f"{path}, row {number}, is no JSON: {error}.") from error
            if not isinstance(values, dict):
                raise TaskError(f"{path}, row {number}, is {type(values).__name__}; it must be an object.")
            yield Row(number, values)


def _csv(path: Path, _: Collection[str] | None) -> Iterator[Row]:
    with long_fields(), path.open(newline="", encoding="utf-8-sig") as file:
        reader = csv.reader(file, strict=True)
        try:
            names = next(reader, [])
            doubles = {name for name in names if names.count(name) > 1}
            if doubles:
                raise TaskError(f"{path} has the column {min(doubles)!r} twice; names must differ.")
            before = reader.line_num
            for fields in reader:
                first, before = before + 1, reader.line_num  # a field may hold line breaks
                if fields and len(fields) != len(names):
                    raise TaskError(
                        f"{path}, row {first}, has {len(fields)} fields, and the head {len(names)}."
                    )
                if fields:
                    yield Row(first, dict(zip(names, fields, strict=True)))
        except csv.Error as error:
            raise TaskError(f"{path}, row {reader.line_num}, is no CSV: {error}.") from error


def _parquet(path: Path, wanted: Collection[str] | None) -> Iterator[Row]:
    try:
        import pyarrow as pa  # type: ignore[import-untyped]
        import pyarrow.parquet as pq  # type: ignore[import-untyped]
    except ImportError as error:
        raise TaskError("Parquet needs pyarrow: pip install 'earnest[io]'.") from error
    try:
        names = pq.read_schema(path).names
        used = [name for name in names if wanted is None or name in wanted]
        listed = pq.read_table(path, columns=used).to_pylist()
    except OSError:
        raise
    except Exception as error:  # what a column's type needs: a time zone that is known, another library
        kind = "" if isinstance(error, pa.ArrowException) else f"{type(error).__name__}, "
        reason = str(error).partition("\n")[0].rstrip(".")
        raise TaskError(f"{path} cannot be read as Parquet: {kind}{reason}.") from error
    for number, values in enumerate(listed, start=1):
        yield Row(number, dict.fromkeys(names) | values)
