"""The journal of one contract as an enciphered file, which the wallet alone opens.

The key is derived (HKDF, RFC 5869, with SHA-256) from the wallet's signature over `Backup(address labeler)`
in the contract's EIP-712 domain, and enciphers with AES-256-GCM (NIST SP 800-38D). It needs a wallet that
signs the same message the same way each time, which is tried before anything is written.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from typing import Any, Final

from Crypto.Cipher import AES
from Crypto.Hash import SHA256
from Crypto.Protocol.KDF import HKDF

from earnest.chain.messages import Opening
from earnest.json_text import parse_json
from earnest.labeler.batch import Answers, Slot
from earnest.labeler.errors import LabelerError
from earnest.labeler.journal import Book, Journal, Kept
from earnest.protocol.opening import Domain

FORMAT: Final = "earnest-labeler-backup-1"
NONCE_BYTES: Final = 12
KEY_BYTES: Final = 32

Books = dict[Book, tuple[Mapping[int, Answers], list[Kept]]]


def books_of(journal: Journal, domain: Domain, is_mine: Callable[[int, int], bool]) -> Books:
    """What the journal has of one contract, of the seats that `is_mine` knows, by campaign and number."""
    books: Books = {}
    for book in journal.books():
        if (book.chain, book.contract) != (domain.chain_id, domain.contract):
            continue
        seats = [seat for seat in journal.seats(book) if is_mine(book.campaign, seat)]
        if seats:
            kept = [each for each in journal.kept(book) if each.opening.seat in seats]
            books[book] = ({seat: journal.answers(book, seat) for seat in seats}, kept)
    return books


def merged(older: Books, newer: Books) -> Books:
    """Every opening of both; of two answers to the same the newer."""
    books = dict(older)
    for book, (answers, kept) in newer.items():
        there, held = books.get(book, ({}, []))
        seats = {seat: {**there.get(seat, {}), **answers.get(seat, {})} for seat in {*there, *answers}}
        books[book] = (seats, [*held, *(each for each in kept if each not in held)])
    return books


def seal(books: Books, signature: bytes, domain: Domain, labeler: str) -> bytes:
    """The file, a JSON object: whose it is in the clear (and authenticated), all else enciphered."""
    head = {
        "format": FORMAT,
        "chain": domain.chain_id,
        "contract": domain.contract,
        "labeler": labeler,
    }
    nonce = os.urandom(NONCE_BYTES)
    cipher = AES.new(_key(signature), AES.MODE_GCM, nonce=nonce)
    cipher.update(_head_bytes(head))
    sealed, tag = cipher.encrypt_and_digest(json.dumps([_plain(*each) for each in books.items()]).encode())
    document = head | {"nonce": nonce.hex(), "tag": tag.hex(), "sealed": sealed.hex()}
    return (json.dumps(document, indent=1) + "\n").encode()


def read_head(data: bytes) -> dict[str, Any]:
    """A backup's members. Raises LabelerError when it is none."""
    try:
        document = parse_json(data.decode())
    except ValueError:
        document = None
    names = {"format", "chain", "contract", "labeler", "nonce", "tag", "sealed"}
    if not isinstance(document, dict) or set(document) != names or document["format"] != FORMAT:
        raise LabelerError("The file is no backup of a labeler's journal.")
    return document


def open_sealed(data: bytes, signature: bytes) -> Books:
    """What a backup holds. Raises LabelerError when the wallet is another, or the file was changed."""
    document = read_head(data)
    head = {name: document[name] for name in ("format", "chain", "contract", "labeler")}
    try:
        nonce, tag, sealed = (bytes.fromhex(document[name]) for name in ("nonce", "tag", "sealed"))
        cipher = AES.new(_key(signature), AES.MODE_GCM, nonce=nonce)
        cipher.update(_head_bytes(head))
        listed = json.loads(cipher.decrypt_and_verify(sealed, tag))
    except (TypeError, ValueError) as error:
        raise LabelerError(
            f"The backup of {document['labeler']} does not open: another wallet made it, or it was changed."
        ) from error
    return dict(_book(each, int(head["chain"]), str(head["contract"])) for each in listed)


def _key(signature: bytes) -> bytes:
    derived = HKDF(signature, KEY_BYTES, b"", SHA256, context=FORMAT.encode())
    assert isinstance(derived, bytes)
    return derived


def _head_bytes(head: Mapping[str, Any]) -> bytes:
    return json.dumps(head, sort_keys=True).encode()


def _plain(book: Book, held: tuple[Mapping[int, Answers], list[Kept]]) -> dict[str, Any]:
    answers, kept = held
    return {
        "campaign": f"0x{book.campaign:064x}",
        "answers": [
            [seat, slot.task, slot.showing, label]
            for seat, given in answers.items()
            for slot, label in given.items()
        ],
        "openings": [
            [each.opening.seat, each.commitment.hex(), each.opening.labels.hex(), each.opening.salt.hex()]
            for each in kept
        ],
    }


def _book(
    members: Mapping[str, Any], chain: int, contract: str
) -> tuple[Book, tuple[dict[int, dict[Slot, int]], list[Kept]]]:
    answers: dict[int, dict[Slot, int]] = {}
    for seat, task, showing, label in members["answers"]:
        answers.setdefault(seat, {})[Slot(task, showing)] = label
    kept = [
        Kept(
            Opening(seat=seat, labels=bytes.fromhex(labels), salt=bytes.fromhex(salt)),
            bytes.fromhex(commitment),
        )
        for seat, commitment, labels, salt in members["openings"]
    ]
    return Book(chain, contract, int(members["campaign"], 16)), (answers, kept)
