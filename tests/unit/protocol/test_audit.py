from __future__ import annotations

from random import Random

import pytest
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from earnest.protocol.audit import (
    AuditRow,
    encipher,
    encode_row,
    key_hash,
    max_row,
    open_row,
    open_rows,
    parse_row,
    row_length,
    seal,
)
from earnest.protocol.errors import AuditError

from .campaigns import audit_row

KEY = bytes(range(32))


def test_a_row_by_hand() -> None:
    # 10 positions, 4 labels. Shared 0, 3, 9: the bitmap is 1001 0000, then 01 and six unused bits.
    row = AuditRow(shared=(0, 3, 9), gold=((3, 2), (9, 0)), repeats=((1, 2), (4, 8)))
    data = bytes.fromhex("9040 0002 0003 02 0009 00 0002 0001 0002 0004 0008")
    assert encode_row(row, 10, 4) == data
    assert parse_row(data, 10, 4) == row
    assert row_length(row, 10) == len(data) == 20
    assert max_row(10) == 2 + 4 + 70
    assert parse_row(data + bytes(max_row(10) - len(data)), 10, 4) == row


def test_an_empty_row() -> None:
    assert encode_row(AuditRow(()), 8, 4) == bytes(5)
    assert parse_row(bytes(5), 8, 4) == AuditRow(())


@given(
    batch_size=st.integers(2, 70),
    labels=st.integers(2, 255),
    random=st.integers(0, 2**32),
    padding=st.integers(0, 8),
)
def test_rows_come_back(batch_size: int, labels: int, random: int, padding: int) -> None:
    row = audit_row(Random(random), batch_size, labels)
    data = encode_row(row, batch_size, labels, row_length(row, batch_size) + padding)
    assert len(data) == row_length(row, batch_size) + padding <= max_row(batch_size)
    assert parse_row(data, batch_size, labels) == row


def test_the_fullest_row_fits() -> None:
    size = 65_535
    row = AuditRow(
        tuple(range(size)),
        tuple((position, 254) for position in range(size)),
        tuple((first, size - 1) for first in range(size - 1)),
    )
    data = encode_row(row, size, 255)
    assert len(data) == max_row(size) - 4
    assert parse_row(data, size, 255) == row


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("", "ends after 0 bytes"),
        ("90", "ends after 1 bytes"),
        ("9040 00", "ends after 3 bytes"),
        ("9040 0001 0003", "ends after 6 bytes"),
        ("9040 0001 0003 02", "ends after 7 bytes"),
        ("9040 0000 0001 0001 00", "ends after 9 bytes"),
        ("90c0 0000 0000", None),
        ("9044 0000 0000", "bits beyond position 9"),
        ("9001 0000 0000", "bits beyond position 9"),
        ("9040 0002 0009 00 0003 00 0000", "Gold positions are .9, 3.; they must ascend"),
        ("9040 0002 0003 00 0003 00 0000", "Gold positions are .3, 3."),
        ("9040 0001 0001 00 0000", "Gold position 1 is not shared"),
        ("9040 0001 000a 00 0000", "Gold position 10 is not shared"),
        ("9040 0001 0003 04 0000", "Gold label 4 at position 3 must be 0 to 3"),
        ("9040 0000 0001 0001 0001", r"Repeat \(1, 1\) must have 0 ≤ first < second < 10"),
        ("9040 0000 0001 0002 0001", r"Repeat \(2, 1\)"),
        ("9040 0000 0001 0001 000a", r"Repeat \(1, 10\)"),
        ("9040 0000 0002 0001 0005 0001 0006", "First positions of repeats are .1, 1."),
        ("9040 0000 0002 0003 0005 0001 0006", "First positions of repeats are .3, 1."),
        ("9040 0000 0000 00 01", "padding from byte 6 on is not zero"),
        ("9040 0000 0000" + "00" * 70, None),
        ("9040 0000 0000" + "00" * 71, "has 77 bytes; at most 76"),
    ],
)
def test_what_parses(data: str, message: str | None) -> None:
    raw = bytes.fromhex(data)
    if message is None:
        parse_row(raw, 10, 4)
        return
    with pytest.raises(AuditError, match=message):
        parse_row(raw, 10, 4)
    assert open_row(encipher(raw, KEY, 3), KEY, 3, 10, 4) is None


@given(data=st.binary(max_size=90), batch_size=st.integers(2, 12))
def test_whatever_parses_is_written_the_same(data: bytes, batch_size: int) -> None:
    try:
        row = parse_row(data, batch_size, 4)
    except AuditError:
        return
    assert encode_row(row, batch_size, 4, len(data)) == data


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (AuditRow((3, 0)), "Shared positions are"),
        (AuditRow((0, 0)), "Shared positions are"),
        (AuditRow((-1, 0)), "Shared positions are"),
        (AuditRow((0, 10)), "must ascend within 0 to 9"),
        (AuditRow((1,), gold=((1, -1),)), "Gold label -1"),
        (AuditRow((), repeats=((-1, 3),)), "Repeat"),
    ],
)
def test_rows_that_cannot_be_written(row: AuditRow, message: str) -> None:
    with pytest.raises(AuditError, match=message):
        encode_row(row, 10, 4)


def test_padding_has_limits() -> None:
    row = AuditRow((0,))
    assert len(encode_row(row, 10, 4, 76)) == 76
    for length in (5, 77):
        with pytest.raises(AuditError, match=f"length is {length}; it must be 6 to 76"):
            encode_row(row, 10, 4, length)


def test_the_cipher_by_hand() -> None:
    # 40 zero bytes become the stream itself: block 0, then 8 bytes of block 1, of batch 5.
    batch = bytes(31) + b"\5"
    blocks = [keccak(KEY + batch + bytes(31) + bytes([block])) for block in (0, 1)]
    assert encipher(bytes(40), KEY, 5) == blocks[0] + blocks[1][:8]
    assert encipher(b"", KEY, 5) == b""
    assert encipher(encipher(b"row", KEY, 5), KEY, 5) == b"row"
    assert encipher(bytes(40), KEY, 6) != encipher(bytes(40), KEY, 5)
    with pytest.raises(AuditError, match="key has 3 bytes; it must have 32"):
        encipher(b"row", b"key", 5)


def test_sealing_and_opening() -> None:
    rows = [audit_row(Random(batch), 20, 6) for batch in range(12)]
    sealed = seal(rows, KEY, 20, 6)
    assert len({len(row) for row in sealed}) == 1, "lengths must not tell how many checks a row holds"
    assert open_rows(sealed, KEY, 20, 6) == rows
    assert open_row(sealed[7], KEY, 7, 20, 6) == rows[7]
    assert seal([], KEY, 20, 6) == []
    other_key = key_hash(KEY)
    assert open_rows(sealed, other_key, 20, 6) == [None] * 12
    assert open_row(sealed[7], KEY, 8, 20, 6) is None


def test_the_hash_of_the_key() -> None:
    assert key_hash(KEY) == keccak(KEY)
    with pytest.raises(AuditError, match="key has 0 bytes"):
        key_hash(b"")
