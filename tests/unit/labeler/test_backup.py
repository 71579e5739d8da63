from __future__ import annotations

import pytest

from earnest.chain.messages import Opening
from earnest.labeler.backup import books_of, merged, open_sealed, seal
from earnest.labeler.batch import Slot
from earnest.labeler.errors import LabelerError
from earnest.labeler.journal import Book, Journal, Kept
from earnest.protocol.opening import Domain

DOMAIN = Domain(5, "0x" + "ab" * 20)
LABELER, SIGNATURE = "0x" + "11" * 20, bytes(range(65))
KEPT = Kept(Opening(seat=2, labels=b"\x01\x02", salt=bytes(32)), bytes([3]) * 32)


@pytest.fixture
def sealed(tmp_path):
    journal = Journal(tmp_path)
    book = Book(DOMAIN.chain_id, DOMAIN.contract, 77)
    journal.answer(book, 2, Slot("ä"), 1)
    journal.keep(book, KEPT)
    journal.answer(Book(6, DOMAIN.contract, 78), 0, Slot("b"), 1)
    journal.answer(book, 3, Slot("c"), 1)  # another account's
    books = books_of(journal, DOMAIN, lambda campaign, seat: (campaign, seat) == (77, 2))
    return seal(books, SIGNATURE, DOMAIN, LABELER)


def test_the_same_wallet_gets_everything_back(sealed):
    book = Book(DOMAIN.chain_id, DOMAIN.contract, 77)
    assert open_sealed(sealed, SIGNATURE) == {book: ({2: {Slot("ä"): 1}}, [KEPT])}


def test_merging_loses_no_opening_and_takes_the_newer_answers():
    book, other = Book(DOMAIN.chain_id, DOMAIN.contract, 77), Book(DOMAIN.chain_id, DOMAIN.contract, 78)
    newer = Kept(KEPT.opening, bytes([4]) * 32)
    a, b = Slot("a"), Slot("b")
    old = {book: ({2: {a: 0, b: 0}}, [KEPT]), other: ({0: {a: 1}}, [])}
    assert merged(old, {book: ({2: {a: 1}, 3: {b: 1}}, [KEPT, newer])}) == {
        book: ({2: {a: 1, b: 0}, 3: {b: 1}}, [KEPT, newer]),
        other: ({0: {a: 1}}, []),
    }


def test_another_wallet_gets_nothing(sealed):
    with pytest.raises(LabelerError, match="another wallet made it"):
        open_sealed(sealed, SIGNATURE[::-1])


def test_whose_it_is_cannot_be_changed(sealed):
    with pytest.raises(LabelerError, match="or it was changed"):
        open_sealed(sealed.replace(b'"chain": 5', b'"chain": 6'), SIGNATURE)


def test_the_labels_are_not_in_the_clear(sealed):
    assert KEPT.commitment.hex().encode() not in sealed


@pytest.mark.parametrize("data", [b"", b"{}", b"[1]", b"\xff"])
def test_something_else(data):
    with pytest.raises(LabelerError, match="no backup"):
        open_sealed(data, SIGNATURE)
