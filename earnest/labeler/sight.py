"""What the chain says of a campaign as of one block, and how settled the end of its commit phase is.

A commit phase that ends early, with the last commitment, would be open again if a reorganisation took that
commitment away, and labels that are public then can be denounced or copied. So the end is believed when the
block that brought it has enough confirmations.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from earnest.chain.confirmations import CONFIRMATIONS, is_devnet
from earnest.chain.life import Life, Phase
from earnest.chain.state import Campaign

if TYPE_CHECKING:
    from web3 import Web3

    from earnest.chain.follow import Follower

TAGS: Final = ("safe", "finalized")
DEVNET_CONFIRMATIONS: Final = 2
NONE: Final = -1  # no block is settled


@dataclass(frozen=True)
class Sight:
    """A campaign at the newest block, whose time is `now`; blocks up to `confirmed` are taken as settled."""

    campaign: Campaign
    now: int
    confirmed: int

    @property
    def life(self) -> Life:
        """The campaign's life at that block."""
        return self.campaign.life_at(self.now)

    @property
    def committing_over_for_good(self) -> bool:
        """Whether no likely reorganisation opens the commit phase again: its full time is over, or the
        commitment that ended it early is settled.
        """
        campaign = self.campaign
        if campaign.drawn_at is None:
            return False
        if self.now >= campaign.drawn_at + campaign.terms.periods.commit:
            return True
        return campaign.committed_in is not None and campaign.committed_in <= self.confirmed


class Lookout:
    """Looks at one campaign after another through what follows the chain."""

    def __init__(self, follower: Follower, web3: Web3, confirmations: int | str | None = None) -> None:
        """Take what has so many confirmations as settled, or what the node tags as `safe` or `finalized`."""
        self._follower, self._web3 = follower, web3
        self._confirmations = usual_confirmations(web3) if confirmations is None else confirmations

    def look(self, number: int) -> Sight | None:
        """A campaign as of now; None when the chain does not have it."""
        sight = self._follower.look()
        campaign = sight.state.campaigns.get(number)
        if campaign is None:
            return None
        revealing = campaign.life_at(sight.time).phase is Phase.REVEALING  # in which alone it matters
        return Sight(campaign, sight.time, self._confirmed(sight.block) if revealing else NONE)

    def _confirmed(self, head: int) -> int:
        from web3.exceptions import BlockNotFound

        if isinstance(self._confirmations, int):
            return head - self._confirmations
        try:
            block = self._web3.eth.get_block(self._confirmations)  # type: ignore[arg-type]
        except BlockNotFound:  # a node that has no such tag, or not yet: it is revealed at last call
            return NONE
        return int(block["number"])


def usual_confirmations(web3: Web3) -> int:
    """How many confirmations to wait for, by what the node says it is."""
    return DEVNET_CONFIRMATIONS if is_devnet(web3) else CONFIRMATIONS


def seats_of(campaign: Campaign, labeler: str) -> list[int]:
    """The seats that a labeler has taken."""
    return [index for index, seat in enumerate(campaign.seats) if seat.labeler == labeler]
