"""What a settler has to do: from the chain's state alone, never from what was done before.

So each step may be done by several processes, by a stranger, or twice: what the chain shows as done is not
due.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeVar

from earnest.chain import settle
from earnest.chain.gas import MOST_GAS
from earnest.chain.life import Phase
from earnest.chain.state import BatchStatus, Campaign, PostingStatus, State
from earnest.protocol.terms import ZERO_ADDRESS, Terms

T = TypeVar("T")

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


def due(
    state: State, now: int, me: Me, options: Options, right: Right, ready: Collection[int] | None = None
) -> list[Action]:
    """What can be done at unix time `now`, the most urgent first.

    `right` are the right words by campaign, for as many as are known: others are neither posted nor checked.
    `ready` are the campaigns whose scores may be posted; all of those unless given.
    """
    found = [
        action
        for campaign in state.campaigns.values()
        if options.includes(campaign.number)
        for action in _of(campaign, now, me, options, right.get(campaign.number))
        if action.step in options.steps
    ]
    found += _postings(state, now, me, options, right, ready)[0]
    order = list(Step)
    found.sort(key=lambda action: order.index(action.step))
    count = sum(action.step is Step.REFEREE for action in found)
    return _queue(state, found[:count]) + found[count:]


def lacking(
    state: State, now: int, me: Me, options: Options, right: Right, ready: Collection[int] | None = None
) -> dict[int, int]:
    """By campaign with batches to post, what is missing for a bond once all others that can be paid are, in
    its token's smallest units; arguments as `due`.
    """
    return _postings(state, now, me, options, right, ready)[1]


def posting_of(state: State, action: Action) -> tuple[int, int] | None:
    """The campaign and the posting that an action is to show as false: no second one can, once one has."""
    if action.step is not Step.REFEREE:
        return None
    batch = state.campaigns[action.campaign].batch(action.which[0])
    return (action.campaign, batch.posting) if batch.status is BatchStatus.POSTED else None


def take_turns(items: Iterable[tuple[Campaign, tuple[int, ...], T]]) -> list[T]:
    """What belongs to campaigns, with keys: by key those of one token, whose bonds can be compared; tokens
    take turns, ether first. So with the bond in the key, whoever floods the queue ahead of somebody puts as
    large a bond up for each place.
    """
    of: defaultdict[str, list[tuple[tuple[int, ...], T]]] = defaultdict(list)
    for campaign, key, item in items:
        of[campaign.terms.token].append((key, item))
    found = [
        ((rank, token != ZERO_ADDRESS), item)
        for token, some in of.items()
        for rank, (_, item) in enumerate(sorted(some, key=lambda each: each[0]))
    ]
    return [item for _, item in sorted(found, key=lambda each: each[0])]


def urgency(campaign: Campaign, now: int) -> tuple[int, ...]:
    """What sorts those campaigns first whose postings are to be checked first: the largest bond, then what
    is final first; what nobody has posted comes last.
    """
    ends = [posting.posted_at + campaign.terms.periods.challenge for posting in campaign.postings.values()]
    final_at = min((end for end in ends if end > now), default=0)
    return final_at == 0, -campaign.terms.bond, final_at


def _queue(state: State, referees: Sequence[Action]) -> list[Action]:
    """False batches in turn: the first of each posting, then the second ones, for when the first cannot be
    refereed; the largest bond first, and what is final first.
    """
    before: Counter[tuple[int, int] | None] = Counter()
    found = []
    for action in referees:
        campaign, posting = state.campaigns[action.campaign], posting_of(state, action)
        final_at = campaign.final_at(action.which[0]) or 0
        found.append((campaign, (before[posting], -campaign.terms.bond, final_at), action))
        before[posting] += 1
    return take_turns(found)


def to_referee(campaign: Campaign, now: int, right: Sequence[int]) -> list[int]:
    """The false batches that can still be shown to be. One of each posting does: the others are void with it,
    and are there in case that the first cannot be refereed.
    """
    return [batch for batch in settle.false_batches(campaign, right) if now < (campaign.final_at(batch) or 0)]


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
        """What of a token is left."""
        free = self._state.balance_of(self._me.address, token)
        return free + self._me.purse.get(token, 0) - self._spent[token]

    def take(self, token: str, amount: int) -> bool:
        """Put an amount up; False, and nothing, when there is not as much."""
        if self.left(token) < amount:
            return False
        self._spent[token] += amount
        return True


def _of(
    campaign: Campaign, now: int, me: Me, options: Options, right: Sequence[int] | None
) -> Iterator[Action]:
    """All but postings, for which there is one purse."""
    number = campaign.number
    match campaign.life_at(now).phase:
        case Phase.DRAWING:
            yield Action(Step.DRAW if campaign.tickets else Step.REQUEST_DRAW, number)
        case Phase.CANCELLED:
            yield from _refunds(campaign, options)
        case Phase.SETTLING | Phase.FINAL:
            for batch in to_referee(campaign, now, right or ()):
                yield Action(Step.REFEREE, number, (batch,))
            for some in portions(Step.RELEASE, campaign.terms, to_release(campaign, now), options.gas):
                yield Action(Step.RELEASE, number, some)
            for posting in _bonds(campaign, now, me):
                yield Action(Step.RETURN_BOND, number, (posting,))


def _postings(
    state: State, now: int, me: Me, options: Options, right: Right, ready: Collection[int] | None
) -> tuple[list[Action], dict[int, int]]:
    """What can be posted, and what is missing for the bonds of the rest, by campaign. What pays the highest
    fee comes first: a stranger's bond, however early, takes no place of that.
    """
    purse = _Purse(state, me)
    found: list[Action] = []
    missing: dict[int, int] = {}
    wanted = [
        campaign
        for number in right
        if ready is None or number in ready
        for campaign in [state.campaigns[number]]
        if _is_to_post(campaign, now, me, options)
    ]
    for campaign in sorted(wanted, key=lambda each: -each.terms.fee * len(settle.open_batches(each))):
        terms, words = campaign.terms, right[campaign.number]
        for some in portions(Step.POST, terms, settle.open_batches(campaign), options.gas):
            if not purse.take(terms.token, terms.bond):
                missing[campaign.number] = terms.bond - purse.left(terms.token)
                break
            found.append(Action(Step.POST, campaign.number, some, tuple(words[batch] for batch in some)))
    return found, missing


def _is_to_post(campaign: Campaign, now: int, me: Me, options: Options) -> bool:
    return (
        Step.POST in options.steps
        and options.includes(campaign.number)
        and campaign.life_at(now).phase is Phase.SETTLING
        and not was_wrong(campaign, me)
        and not locks_long(campaign, options)
    )


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
