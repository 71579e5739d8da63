"""What a campaign may bring and cost, before anything is staked; free of any chain."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from statistics import fmean
from typing import Final

from earnest.chain.state import State
from earnest.protocol.settlement import outlook
from earnest.protocol.terms import Terms
from earnest.times import duration

HOUR: Final = 3_600
ENOUGH: Final = 3  # own seats from which one's own past says more than everyone's
TINY_BOND: Final = 100  # a bond below this part of all bounties is tiny


@dataclass(frozen=True)
class Offer:
    """A seat's prospects, in the token's smallest units; `likely` is net of slashes, from `basis`."""

    max_loss: int
    max_win: int
    even_share: int
    likely: int
    basis: str
    warnings: tuple[str, ...]


def offer(terms: Terms, state: State, labeler: str | None) -> Offer:
    """What a seat may win and lose; what is likely, by what seats got in the campaigns of the past."""
    return offers([terms], state, labeler)[0]


def offers(campaigns: Iterable[Terms], state: State, labeler: str | None) -> list[Offer]:
    """As `offer`, of each of some campaigns."""
    ratio, basis = _likely(state, labeler)
    found = []
    for terms in campaigns:
        most, even = outlook(terms), terms.bounty // terms.cohort
        likely = round(even * Fraction(ratio))
        found.append(Offer(most.max_loss, most.max_win, even, likely, basis, tuple(warnings(terms))))
    return found


def warnings(terms: Terms) -> Iterator[str]:
    """What to think about before staking, a sentence each."""
    reasons = {
        "commit": "if the labels are not committed in that time",
        "reveal": "if they are not revealed in that time, this machine or the network being down, say",
        "challenge": "that scores posted falsely stand if nobody objects in that time",
    }
    for name, reason in reasons.items():
        length = getattr(terms.periods, name)
        if length < HOUR:
            risk = "there is the danger" if name == "challenge" else "the stake is in danger"
            yield f"The {name} period is short, {duration(length)}: {risk} {reason}."
    if terms.bond < terms.stake or terms.bond * TINY_BOND < terms.bounty * terms.batches:
        yield (
            "The bond of a posting is small beside the stake or the bounties: posting false scores risks"
            " little, so check yours before they are final (`earnest settle check`)."
        )


DENOUNCING: Final = (
    "Show your answers to nobody before the reveal phase: whoever holds them together with their salt can"
    " denounce the seat, which costs its whole stake. The journal has both, and a signature over a `Salt`"
    " message gives the salt: sign none that somebody else asks for."
)


def _likely(state: State, labeler: str | None) -> tuple[float, str]:
    """What a seat gets on top of its stake, in even shares, and by what that is told."""
    everyone = list(_past(state))
    own = [ratio for who, ratio in everyone if who == labeler]
    if len(own) >= ENOUGH:
        return fmean(own), f"your {len(own)} seats so far"
    if everyone:
        basis = f"the {len(everyone)} seats revealed and paid so far on this contract"
        return fmean(ratio for _, ratio in everyone), basis
    return 1.0, "an even share: nobody has been paid on this contract yet"


def _past(state: State) -> Iterator[tuple[str | None, float]]:
    """Who got what on top of the stake, in even shares, for each seat that was revealed and paid out."""
    for campaign in state.campaigns.values():
        terms = campaign.terms
        for seat in campaign.seats:
            if seat.paid is not None and seat.revealed and terms.bounty:
                yield seat.labeler, (seat.paid - terms.stake) * terms.cohort / terms.bounty
