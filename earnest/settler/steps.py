"""What a settler has to do: from the chain's state alone, never from what was done before.

So each step may be done by several processes, by a stranger, or twice: what the chain shows as done is not
due.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from earnest.chain import settle
from earnest.chain.life import Phase
from earnest.chain.state import BatchStatus, Campaign, PostingStatus, State
from earnest.protocol.terms import ZERO_ADDRESS, Terms

MOST_GAS: Final = 1 << 24

# Seconds by which this machine's clock may be ahead of the chain's: so long after its challenge period a
# false batch is still worth a try.
SKEW: Final = 3_600

# Strangers choose how long a bond is locked, up to a year.
LONGEST_LOCK: Final = 30 * 86_400

# No transaction is filled to the brim.
ROOM: Final = 4

# More than the gas of a transaction (cancun): once, for each thing that it is about, for each seat of those.
GAS: Final[Mapping[str, tuple[int, int, int]]] = {
    "post": (120_000, 30_000, 0),
    "release": (120_000, 50_000, 45_000),
    "refund": (120_000, 45_000, 0),
}


class Step(StrEnum):
    """Something that a settler can do."""

    REFEREE = "referee"
    REQUEST_DRAW = "request draw"
    DRAW = "draw"
    POST = "post"
    RELEASE = "release"
    RETURN_BOND = "return bond"
    REFUND = "refund"


ALL_STEPS: Final = frozenset(Step)
WATCHING: Final = frozenset({Step.REFEREE})


@dataclass(frozen=True)
class Action:
    """One transaction. `which`: the batches, seats or posting that it is about; `words` to post."""

    step: Step
    campaign: int
    which: tuple[int, ...] = ()
    words: tuple[int, ...] = ()


@dataclass(frozen=True)
class Me:
    """Whom it is due for; `purse` is what can still be deposited for bonds, by token."""

    address: str
    purse: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Options:
    """Which steps to take, for which campaigns (None: all), with how much gas in one transaction at most.

    `longest_lock`: for how many seconds a bond may be locked in a campaign that was not named.
    """

    steps: frozenset[Step] = ALL_STEPS
    campaigns: frozenset[int] | None = None
    gas: int = MOST_GAS
    longest_lock: int = LONGEST_LOCK

    def includes(self, campaign: int) -> bool:
        """Whether a campaign is to be settled."""
        return self.campaigns is None or campaign in self.campaigns


Right = Mapping[int, Sequence[int]]


def due(state: State, now: int, me: Me, options: Options, right: Right) -> list[Action]:
    """What can be done at unix time `now`, the most urgent first.

    `right` are the right words by campaign, for as many as are known: others are neither posted nor checked.
    """
    purse = _Purse(state, me)
    found = [
        action
        for campaign in state.campaigns.values()
        if options.includes(campaign.number)
        for action in _of(campaign, now, me, options, right.get(campaign.number), purse)
        if action.step in options.steps
    ]
    order, ranks = list(Step), _ranks(state, found)
    return sorted(found, key=lambda action: (order.index(action.step), ranks.get(action, (0, 0))))


def _ranks(state: State, actions: Sequence[Action]) -> dict[Action, tuple[int, int]]:
    """Where false postings stand in the queue: of each token that with the largest bond first, ether's before
    other tokens'. So whoever floods the queue ahead of a posting loses as large a bond for each place.
    """

    def urgency(action: Action) -> tuple[int, int]:
        campaign = state.campaigns[action.campaign]
        return -campaign.terms.bond, campaign.final_at(action.which[0]) or 0

    found: dict[Action, tuple[int, int]] = {}
    of: defaultdict[str, list[Action]] = defaultdict(list)
    for action in actions:
        if action.step is Step.REFEREE:
            of[state.campaigns[action.campaign].terms.token].append(action)
    for token, some in of.items():
        for rank, action in enumerate(sorted(some, key=urgency)):
            found[action] = (rank, token != ZERO_ADDRESS)
    return found


def lacking(state: State, now: int, me: Me, options: Options, right: Right) -> dict[int, int]:
    """By campaign with batches to post, what is missing for a bond, in its token's smallest units."""
    purse = _Purse(state, me)
    found = {}
    for campaign in state.campaigns.values():
        terms = campaign.terms
        wanted = Step.POST in options.steps and options.includes(campaign.number)
        wanted = wanted and not was_wrong(campaign, me) and not locks_long(campaign, options)
        if wanted and campaign.number in right and _is_settling(campaign, now):
            missing = terms.bond - purse.left(terms.token)
            if settle.open_batches(campaign) and missing > 0:
                found[campaign.number] = missing
    return found


def to_referee(campaign: Campaign, now: int, right: Sequence[int]) -> list[int]:
    """One false batch for each false posting, that which comes first: the others are void with it."""
    first: dict[int, int] = {}
    for batch in settle.false_batches(campaign, right):
        if (campaign.final_at(batch) or 0) + SKEW > now:
            first.setdefault(campaign.batch(batch).posting, batch)
    return list(first.values())


def was_wrong(campaign: Campaign, me: Me) -> bool:
    """Whether a posting of mine was false: what was computed here is not to be trusted with another bond."""
    return any(
        posting.settler == me.address and posting.status is PostingStatus.VOID
        for posting in campaign.postings.values()
    )


def locks_long(campaign: Campaign, options: Options) -> bool:
    """Whether a bond would be locked for longer than is wanted, in a campaign that was not named."""
    return options.campaigns is None and campaign.terms.periods.challenge > options.longest_lock


def to_release(campaign: Campaign, now: int) -> list[int]:
    """The batches whose scores are final and that are not paid out."""
    found = []
    for batch in range(len(campaign.batches)):
        final_at = campaign.final_at(batch)
        released = campaign.batch(batch).status is BatchStatus.RELEASED
        if final_at is not None and final_at <= now and not released:
            found.append(batch)
    return found


def portions(step: Step, terms: Terms, which: Sequence[int], gas: int) -> list[tuple[int, ...]]:
    """What a step is about, cut so that each transaction stays well below `gas`."""
    once, each, seat = GAS[step]
    most = max(1, (gas - gas // ROOM - once) // (each + seat * terms.cohort))
    return [tuple(which[at : at + most]) for at in range(0, len(which), most)]


class _Purse:
    """What `me` can put up as bonds: free balance and what may be deposited, less what is put up already."""

    def __init__(self, state: State, me: Me) -> None:
        self._state, self._me = state, me
        self._spent: defaultdict[str, int] = defaultdict(int)

    def left(self, token: str) -> int:
        free = self._state.balance_of(self._me.address, token)
        return free + self._me.purse.get(token, 0) - self._spent[token]

    def take(self, token: str, amount: int) -> bool:
        if self.left(token) < amount:
            return False
        self._spent[token] += amount
        return True


def _of(
    campaign: Campaign, now: int, me: Me, options: Options, right: Sequence[int] | None, purse: _Purse
) -> Iterator[Action]:
    number = campaign.number
    match campaign.life_at(now).phase:
        case Phase.DRAWING:
            yield Action(Step.DRAW if campaign.tickets else Step.REQUEST_DRAW, number)
        case Phase.CANCELLED:
            yield from _refunds(campaign, options)
        case Phase.SETTLING | Phase.FINAL:
            if right is not None:
                for batch in to_referee(campaign, now, right):
                    yield Action(Step.REFEREE, number, (batch,))
                if Step.POST in options.steps:
                    yield from _posts(campaign, now, me, options, right, purse)
            for some in portions(Step.RELEASE, campaign.terms, to_release(campaign, now), options.gas):
                yield Action(Step.RELEASE, number, some)
            for posting in _bonds(campaign, now, me):
                yield Action(Step.RETURN_BOND, number, (posting,))


def _is_settling(campaign: Campaign, now: int) -> bool:
    return campaign.life_at(now).phase is Phase.SETTLING


def _posts(
    campaign: Campaign, now: int, me: Me, options: Options, right: Sequence[int], purse: _Purse
) -> Iterator[Action]:
    if not _is_settling(campaign, now) or was_wrong(campaign, me):
        return
    if locks_long(campaign, options):
        return
    terms = campaign.terms
    for some in portions(Step.POST, terms, settle.open_batches(campaign), options.gas):
        if not purse.take(terms.token, terms.bond):
            return
        yield Action(Step.POST, campaign.number, some, tuple(right[batch] for batch in some))


def _bonds(campaign: Campaign, now: int, me: Me) -> list[int]:
    return [
        number
        for number, posting in sorted(campaign.postings.items())
        if posting.settler == me.address
        and posting.status is PostingStatus.STANDING
        and posting.posted_at + campaign.terms.periods.challenge <= now
    ]


def _refunds(campaign: Campaign, options: Options) -> Iterator[Action]:
    staked = [index for index, seat in enumerate(campaign.seats) if seat.staked]
    found = portions(Step.REFUND, campaign.terms, staked, options.gas)
    if campaign.escrowed and not found:
        found = [()]
    for some in found:
        yield Action(Step.REFUND, campaign.number, some)
