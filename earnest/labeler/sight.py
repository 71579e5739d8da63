"""What the chain says of a campaign as of one block, and how settled the end of its commit phase is.

A commit phase that ends early, with the last commitment, would be open again if a reorganisation took that
commitment away, and labels that are public then can be denounced or copied. So the end is believed when the
block that brought it has enough confirmations.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from earnest.chain.confirmations import CONFIRMATIONS, is_devnet
from earnest.chain.life import Life
from earnest.chain.records import Committed, Drawn, Record
from earnest.chain.state import Campaign, State, StateError, rebuild

if TYPE_CHECKING:
    from web3 import Web3

    from earnest.chain.client import Client

TAGS: Final = ("safe", "finalized")
DEVNET_CONFIRMATIONS: Final = 2

# Blocks that are read again at every look, so that a reorganisation up to this depth is seen.
DEPTH: Final = 64


@dataclass(frozen=True)
class Sight:
    """A campaign at the newest block, whose time is `now`.

    `drawn_at` is the time of the draw, `closed_in` the block of the newest commitment, None before; blocks up
    to `confirmed` are taken as settled.
    """

    campaign: Campaign
    now: int
    confirmed: int
    drawn_at: int | None = None
    closed_in: int | None = None

    @property
    def life(self) -> Life:
        """The campaign's life at that block."""
        return self.campaign.life_at(self.now)

    @property
    def committing_over_for_good(self) -> bool:
        """Whether no likely reorganisation opens the commit phase again: its full time is over, or the
        commitment that ended it early is settled.
        """
        if self.drawn_at is None:
            return False
        if self.now >= self.drawn_at + self.campaign.terms.periods.commit:
            return True
        return self.closed_in is not None and self.closed_in <= self.confirmed


class Lookout:
    """Reads the chain again and again, but what lies deep only once."""

    def __init__(self, client: Client, confirmations: int | str | None = None) -> None:
        """Take what has so many confirmations as settled, or what the node tags as `safe` or `finalized`."""
        self._client = client
        self._confirmations = usual_confirmations(client.web3) if confirmations is None else confirmations
        self._deep: list[Record] = []
        self._next = client.first_block

    def state(self) -> tuple[State, list[Record], int, int]:
        """The state as of the newest block, its records, and that block's time and number."""
        head = self._client.web3.eth.get_block("latest")
        number = int(head["number"])
        fresh = list(self._client.records(self._next, number)) if number >= self._next else []
        records = [*self._deep, *fresh]
        deep = number - DEPTH
        if deep >= self._next:
            self._deep = [record for record in records if record.place.block <= deep]
            self._next = deep + 1
        try:
            state = rebuild(records, self._client.sink)
        except StateError:  # a reorganisation deeper than DEPTH, or in the middle of reading
            self._deep, self._next = [], self._client.first_block
            raise
        return state, records, int(head["timestamp"]), number

    def look(self, number: int) -> Sight | None:
        """A campaign as of now; None when the chain does not have it."""
        state, records, now, head = self.state()
        campaign = state.campaigns.get(number)
        if campaign is None:
            return None
        drawn_at, closed_in = commit_phase(records, number)
        return Sight(campaign, now, self._confirmed(head), drawn_at, closed_in)

    def _confirmed(self, head: int) -> int:
        if isinstance(self._confirmations, int):
            return head - self._confirmations
        return int(self._client.web3.eth.get_block(self._confirmations)["number"])  # type: ignore[arg-type]


def commit_phase(records: Iterable[Record], campaign: int) -> tuple[int | None, int | None]:
    """When a campaign was drawn (unix time), and the block of its newest commitment."""
    drawn_at = closed_in = None
    for record in records:
        if isinstance(record, Drawn) and record.campaign == campaign:
            drawn_at = record.place.timestamp
        elif isinstance(record, Committed) and record.campaign == campaign:
            closed_in = record.place.block
    return drawn_at, closed_in


def usual_confirmations(web3: Web3) -> int:
    """How many confirmations to wait for, by what the node says it is."""
    return DEVNET_CONFIRMATIONS if is_devnet(web3) else CONFIRMATIONS


def seats_of(campaign: Campaign, labeler: str) -> list[int]:
    """The seats that a labeler has taken."""
    return [index for index, seat in enumerate(campaign.seats) if seat.labeler == labeler]
