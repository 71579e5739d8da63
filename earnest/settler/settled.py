"""Which scores no likely reorganisation of the chain changes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from web3 import Web3

    from earnest.chain.follow import Sight


def settled(web3: Web3, sight: Sight, campaigns: Iterable[int], confirmations: int) -> set[int]:
    """Those campaigns in which so many blocks follow both the last record that their scores hang on and the
    moment from which no other could come; whatever was posted since.

    A reveal that a reorganisation drops, or lets in, would make a posting false, and its bond lost.
    Refereeing need not wait, since the chain itself computes.
    """
    campaigns = set(campaigns)
    if not confirmations or not campaigns:
        return campaigns
    deep = max(0, sight.block - confirmations)
    then = int(web3.eth.get_block(deep)["timestamp"])
    found = sight.state.campaigns
    return {
        each for each in campaigns if found[each].moved <= deep and found[each].settling_at(then) is not None
    }
