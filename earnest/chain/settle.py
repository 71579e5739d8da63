"""What a settler posts and a challenger has refereed, from a campaign's state and its audit rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from earnest.chain.state import BatchStatus, Campaign
from earnest.protocol import audit, merkle
from earnest.protocol.errors import AuditError
from earnest.protocol.labels import label_count, stack_labels
from earnest.protocol.score import score_campaign
from earnest.protocol.settlement import pack_campaign


@dataclass(frozen=True)
class Refereeing:
    """The arguments with which anyone has the chain compute one batch's scores."""

    labels: bytes
    row: bytes
    proof: tuple[bytes, ...]


@dataclass(frozen=True)
class Sealed:
    """The audit rows of the drawn batches, with their paths to the root that the terms fix."""

    rows: tuple[bytes, ...]
    proofs: tuple[tuple[bytes, ...], ...]


Enciphered = Sequence[bytes] | Sealed


def sealed(campaign: Campaign, enciphered: Enciphered) -> Sealed:
    """Of the audit rows as published, of all batches offered, what settling those drawn takes; nothing
    without an audit. Raises AuditError when they are not those that the terms fix.
    """
    if isinstance(enciphered, Sealed):
        return enciphered
    terms, drawn = campaign.terms, len(campaign.batches)
    if not terms.audited or (campaign.audit_key is None and not enciphered):
        return Sealed((), ())
    nodes = merkle.tree(enciphered)
    if len(enciphered) != terms.batches or nodes[0] != terms.audit_root:
        raise AuditError(
            f"The {len(enciphered)} audit rows have the root 0x{nodes[0].hex()}; "
            f"the terms have 0x{terms.audit_root.hex()} for {terms.batches} rows."
        )
    proofs = (tuple(merkle.proof(nodes, batch)) for batch in range(drawn))
    return Sealed(tuple(enciphered[:drawn]), tuple(proofs))


def scores(campaign: Campaign, enciphered: Enciphered = ()) -> NDArray[np.int16]:
    """The scores of all drawn batches by lane, shape (batches, K), as the chain would compute them.

    `enciphered` are the audit rows as published, of all batches offered, or `sealed`; none when there is no
    audit. Raises AuditError when they are not those that the terms fix.
    """
    terms = campaign.terms
    found = sealed(campaign, enciphered)
    batches = range(len(campaign.batches))
    cohorts = [campaign.cohort(batch) for batch in batches]
    labels = [[seat.labels for seat in cohort] for cohort in cohorts]
    labelers = np.array([[seat.labeler for seat in cohort] for cohort in cohorts])
    stacked, revealed = stack_labels(labels, terms.metric, terms.classes, terms.batch_size)
    return score_campaign(terms, stacked, revealed, labelers, _opened(campaign, found.rows))


def words(campaign: Campaign, enciphered: Enciphered = ()) -> list[int]:
    """The packed scores of all drawn batches, to be posted; arguments and errors as `scores`."""
    return pack_campaign(scores(campaign, enciphered))


def open_batches(campaign: Campaign) -> list[int]:
    """The drawn batches that hold no scores and wait for a settler."""
    return [
        batch for batch in range(len(campaign.batches)) if campaign.batch(batch).status is BatchStatus.OPEN
    ]


def false_batches(campaign: Campaign, right: Sequence[int]) -> list[int]:
    """The batches posted with other scores than the right words, whose bonds can be won."""
    return [
        batch
        for batch, word in enumerate(right)
        if campaign.batch(batch).status is BatchStatus.POSTED and campaign.batch(batch).scores != word
    ]


def refereeing(campaign: Campaign, batch: int, enciphered: Enciphered = ()) -> Refereeing:
    """What `referee` takes for one batch; errors as `scores`, and StateError for a batch not drawn."""
    found = sealed(campaign, enciphered)
    labels = b"".join(seat.labels for seat in campaign.cohort(batch) if seat.revealed)
    if campaign.audit_key is None:
        return Refereeing(labels, b"", ())
    return Refereeing(labels, found.rows[batch], found.proofs[batch])


def _opened(campaign: Campaign, rows: Sequence[bytes]) -> list[audit.AuditRow | None] | None:
    terms = campaign.terms
    if campaign.audit_key is None:
        return None
    size = label_count(terms.metric, terms.classes)
    return audit.open_rows(rows, campaign.audit_key, terms.batch_size, size)
