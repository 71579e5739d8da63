"""What labelers hand to others: openings, and enrolments and commitments that they signed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Opening:
    """What is behind a seat's commitment."""

    seat: int
    labels: bytes
    salt: bytes

    def abi_tuple(self) -> tuple[Any, ...]:
        """The members in the order of the contract's struct."""
        return (self.seat, self.labels, self.salt)


@dataclass(frozen=True, kw_only=True)
class SignedEnrolment:
    """A labeler's signed wish for seats, to be carried by anyone until `deadline` (unix time, included)."""

    labeler: str
    seats: int
    nonce: int
    deadline: int
    proof: bytes
    signature: bytes

    def abi_tuple(self) -> tuple[Any, ...]:
        """The members in the order of the contract's struct."""
        return (self.labeler, self.seats, self.nonce, self.deadline, self.proof, self.signature)


@dataclass(frozen=True, kw_only=True)
class SignedCommitment:
    """A labeler's signed commitment, to be carried by anyone until `deadline` (unix time, included)."""

    seat: int
    commitment: bytes
    revision: int
    deadline: int
    signature: bytes

    def abi_tuple(self) -> tuple[Any, ...]:
        """The members in the order of the contract's struct."""
        return (self.seat, self.commitment, self.revision, self.deadline, self.signature)
