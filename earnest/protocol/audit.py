"""The audit (design, section 6): the experimenter's hidden checks, written, enciphered and opened."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from eth_utils.crypto import keccak

from earnest.protocol.errors import AuditError

BYTE: Final = 8


@dataclass(frozen=True)
class AuditRow:
    """One batch's checks: positions that the whole cohort shares, known answers, and tasks shown twice.

    `shared` positions ascend; `gold` is (position, label) by position, `repeats` (first, second) by first.
    """

    shared: tuple[int, ...]
    gold: tuple[tuple[int, int], ...] = ()
    repeats: tuple[tuple[int, int], ...] = ()


def max_row(batch_size: int) -> int:
    """The longest row, in bytes: `MAX_ROW`."""
    return _bitmap_length(batch_size) + 4 + 7 * batch_size


def row_length(row: AuditRow, batch_size: int) -> int:
    """A row's length in bytes without padding."""
    return _bitmap_length(batch_size) + 4 + 3 * len(row.gold) + 4 * len(row.repeats)


def check_row(row: AuditRow, batch_size: int, label_count: int) -> None:
    """Raise AuditError unless the row keeps the rules by which rows parse.

    `label_count` is how many different labels the campaign has (`labels.label_count`).
    """
    if not _ascends(row.shared) or (row.shared and not 0 <= row.shared[0] <= row.shared[-1] < batch_size):
        raise AuditError(f"Shared positions are {row.shared}; they must ascend within 0 to {batch_size - 1}.")
    positions = [position for position, _ in row.gold]
    if not _ascends(positions):
        raise AuditError(f"Gold positions are {positions}; they must ascend strictly.")
    shared = set(row.shared)
    for position, label in row.gold:
        if position not in shared:
            raise AuditError(f"Gold position {position} is not shared; gold positions must be.")
        if not 0 <= label < label_count:
            raise AuditError(f"Gold label {label} at position {position} must be 0 to {label_count - 1}.")
    firsts = [first for first, _ in row.repeats]
    if not _ascends(firsts):
        raise AuditError(f"First positions of repeats are {firsts}; they must ascend strictly.")
    for first, second in row.repeats:
        if not 0 <= first < second < batch_size:
            raise AuditError(f"Repeat ({first}, {second}) must have 0 ≤ first < second < {batch_size}.")


def encode_row(row: AuditRow, batch_size: int, label_count: int, length: int | None = None) -> bytes:
    """The row in the clear, padded with zeros to `length` bytes if that is given.

    Rows padded to one length do not tell how many checks they hold. Raises AuditError as `check_row`, and
    for a length shorter than the row or above `max_row`.
    """
    check_row(row, batch_size, label_count)
    least, most = row_length(row, batch_size), max_row(batch_size)
    if length is not None and not least <= length <= most:
        raise AuditError(f"The row's length is {length}; it must be {least} to {most} bytes.")
    bits = np.zeros(batch_size, dtype=np.bool_)
    bits[list(row.shared)] = True
    data = np.packbits(bits).tobytes()
    data += _uint16(len(row.gold)) + b"".join(_uint16(at) + bytes([label]) for at, label in row.gold)
    data += _uint16(len(row.repeats)) + b"".join(_uint16(at) + _uint16(again) for at, again in row.repeats)
    return data.ljust(length or 0, b"\0")


def parse_row(data: bytes, batch_size: int, label_count: int) -> AuditRow:
    """The row from its bytes in the clear. Raises AuditError, saying why, when it does not parse."""
    if len(data) > max_row(batch_size):
        raise AuditError(f"The row has {len(data)} bytes; at most {max_row(batch_size)} are allowed.")
    reader = _Reader(data)
    bits = np.unpackbits(np.frombuffer(reader.take(_bitmap_length(batch_size)), dtype=np.uint8))
    if bits[batch_size:].any():
        raise AuditError(f"The bitmap has bits beyond position {batch_size - 1}; they must be 0.")
    gold = [(reader.uint16(), reader.uint8()) for _ in range(reader.uint16())]
    repeats = [(reader.uint16(), reader.uint16()) for _ in range(reader.uint16())]
    if any(data[reader.at :]):
        raise AuditError(f"The padding from byte {reader.at} on is not zero; it must be.")
    row = AuditRow(tuple(np.flatnonzero(bits).tolist()), tuple(gold), tuple(repeats))
    check_row(row, batch_size, label_count)
    return row


def encipher(data: bytes, key: bytes, batch: int) -> bytes:
    """A batch's row XOR the key's stream for that batch: enciphers, and deciphers what was enciphered.

    Raises AuditError when the key is no 32 bytes.
    """
    start = _check_key(key) + batch.to_bytes(32, "big")
    blocks = -(-len(data) // 32)
    stream = b"".join(keccak(start + block.to_bytes(32, "big")) for block in range(blocks))[: len(data)]
    return (int.from_bytes(data, "big") ^ int.from_bytes(stream, "big")).to_bytes(len(data), "big")


def seal(rows: Sequence[AuditRow], key: bytes, batch_size: int, label_count: int) -> list[bytes]:
    """All rows, in the order of their batches, enciphered and padded to the length of the longest.

    Their `merkle.tree` has the campaign's `audit_root` on top. Raises AuditError as `encode_row` and
    `encipher`.
    """
    length = max((row_length(row, batch_size) for row in rows), default=0)
    clear = (encode_row(row, batch_size, label_count, length) for row in rows)
    return [encipher(data, key, batch) for batch, data in enumerate(clear)]


def open_rows(
    enciphered: Sequence[bytes], key: bytes, batch_size: int, label_count: int
) -> list[AuditRow | None]:
    """All rows, in the order of their batches, in the clear; None for one that does not parse.

    Raises AuditError when the key is no 32 bytes.
    """
    return [open_row(row, key, batch, batch_size, label_count) for batch, row in enumerate(enciphered)]


def open_row(enciphered: bytes, key: bytes, batch: int, batch_size: int, label_count: int) -> AuditRow | None:
    """One batch's row in the clear; None when it does not parse.

    Raises AuditError when the key is no 32 bytes.
    """
    data = encipher(enciphered, key, batch)
    try:
        return parse_row(data, batch_size, label_count)
    except AuditError:
        return None


def key_hash(key: bytes) -> bytes:
    """What the terms say of the key: its hash, 32 bytes. Raises AuditError when the key is no 32 bytes."""
    return keccak(_check_key(key))


class _Reader:
    """Takes bytes from the front; raises AuditError when they run out."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def take(self, count: int) -> bytes:
        taken = self.data[self.at : self.at + count]
        if len(taken) < count:
            raise AuditError(f"The row ends after {len(self.data)} bytes; more are missing.")
        self.at += count
        return taken

    def uint8(self) -> int:
        return self.take(1)[0]

    def uint16(self) -> int:
        return int.from_bytes(self.take(2), "big")


def _bitmap_length(batch_size: int) -> int:
    return -(-batch_size // BYTE)


def _uint16(value: int) -> bytes:
    return value.to_bytes(2, "big")


def _ascends(values: Sequence[int]) -> bool:
    return all(before < after for before, after in pairwise(values))


def _check_key(key: bytes) -> bytes:
    if len(key) != 32:
        raise AuditError(f"The key has {len(key)} bytes; it must have 32.")
    return key
