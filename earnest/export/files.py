"""Rows to files: JSONL, CSV or Parquet, whole or not at all, always the same bytes for the same rows."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping, Sequence
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any, TypeAlias

from earnest.files import write_atomic

Row: TypeAlias = Mapping[str, Any]


def write_rows(path: str | Path, rows: Sequence[Row]) -> None:
    """Write rows in the format that the path's suffix names: `.jsonl`, `.csv` or `.parquet`."""
    writers = {".jsonl": write_jsonl, ".csv": write_csv, ".parquet": write_parquet}
    suffix = Path(path).suffix.lower()
    if suffix not in writers:
        raise ValueError(f"{path}: the name must end in {', '.join(writers)}, not {suffix or 'nothing'!r}")
    writers[suffix](path, rows)


def write_jsonl(path: str | Path, rows: Sequence[Row]) -> None:
    """One JSON object a line, UTF-8, keys in the order given; a number that is not finite becomes null."""
    write_text(path, "".join(to_json(row) + "\n" for row in rows))


def write_csv(path: str | Path, rows: Sequence[Row]) -> None:
    """A header and one line for each row (RFC 4180, but with LF); what is not a string or a number is JSON,
    and what is missing or not finite is empty.
    """
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    names = columns(rows)
    writer.writerow(names)
    writer.writerows([[_cell(row.get(name)) for name in names] for row in rows])
    write_text(path, text.getvalue())


def write_parquet(path: str | Path, rows: Sequence[Row]) -> None:
    """Parquet with zstd compression; lists and objects stay what they are. Needs `pyarrow`."""
    try:
        import pyarrow as pa  # type: ignore[import-untyped]
        import pyarrow.parquet as pq  # type: ignore[import-untyped]
    except ImportError as error:
        raise ValueError("Parquet needs pyarrow: pip install 'earnest[io]'") from error
    names = columns(rows)
    plain = [clean(row) for row in rows]
    arrays = []
    for name in names:
        try:
            arrays.append(pa.array([row.get(name) for row in plain]))
        except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
            raise ValueError(f"column {name!r} mixes types that Parquet keeps apart: {error}") from error
    data = BytesIO()
    pq.write_table(pa.table(arrays, names=names), data, compression="zstd")
    _write(path, data.getvalue())


def write_json(path: str | Path, value: Any) -> None:
    """One JSON document, indented, UTF-8."""
    write_text(path, json.dumps(clean(value), ensure_ascii=False, indent=1, allow_nan=False) + "\n")


def write_text(path: str | Path, text: str) -> None:
    """A text, UTF-8."""
    _write(path, text.encode())


def to_json(value: Any) -> str:
    """Compact JSON of plain or NumPy values; a number that is not finite becomes null."""
    return json.dumps(clean(value), ensure_ascii=False, allow_nan=False)


def columns(rows: Sequence[Row]) -> list[str]:
    """Every key of the rows, in the order of first appearance."""
    return list(dict.fromkeys(name for row in rows for name in row))


def clean(value: Any) -> Any:
    """NumPy scalars and arrays as plain Python, numbers that are not finite as None, all the way down."""
    if isinstance(value, Mapping):
        return {str(key): clean(each) for key, each in value.items()}
    if isinstance(value, str) or value is None:
        return value if value is None else str(value)
    if hasattr(value, "tolist"):
        return clean(value.tolist())
    if isinstance(value, list | tuple):
        return [clean(each) for each in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value


def _cell(value: Any) -> str | int | float:
    plain = clean(value)
    if plain is None:
        return ""
    if isinstance(plain, str) or (isinstance(plain, int | float) and not isinstance(plain, bool)):
        return plain
    return json.dumps(plain, ensure_ascii=False)


def _write(path: str | Path, data: bytes) -> None:
    target = Path(path)
    if not target.parent.is_dir():
        raise ValueError(f"{target.parent} is not a folder: create it first, to write {target.name}")
    write_atomic(target, data)
