"""Looking, deciding and acting, again and again; can be killed anywhere and started again.

Nothing is remembered that the chain does not show. Two processes of one account take turns (a file lock,
which ends with its process), and what an account has sent is awaited before anything else is decided.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from earnest.chain.doubts import doubts
from earnest.chain.errors import ODD_ANSWERS, ChainError, RecordsError, SentError, TokenError, short_id
from earnest.chain.failures import NODE_ERRORS, told
from earnest.chain.follow import Follower, Sight
from earnest.chain.money import Token
from earnest.chain.settle import open_batches
from earnest.chain.wallet import spendable, under_way
from earnest.files import locked
from earnest.manifest.errors import ManifestError
from earnest.protocol.errors import ProtocolError
from earnest.protocol.terms import ZERO_ADDRESS
from earnest.settler.act import act, is_passing
from earnest.settler.errors import SettlerError
from earnest.settler.metrics import Metrics
from earnest.settler.scores import Scorer, needs_scores
from earnest.settler.settled import settled
from earnest.settler.steps import (
    ALL_STEPS,
    WATCHING,
    Action,
    Me,
    Options,
    Right,
    Step,
    due,
    lacking,
    locks_long,
    posting_of,
    take_turns,
    to_referee,
    urgency,
    was_wrong,
)
from earnest.times import duration

if TYPE_CHECKING:
    from ape.api import AccountAPI

    from earnest.chain.client import Client
    from earnest.chain.sending import Sent

ACTION_ERRORS: Final = (ChainError, ManifestError, ProtocolError, SettlerError, *NODE_ERRORS)
LONGEST_PAUSE: Final = 300.0
LONGEST_ROUND: Final = 60.0  # seconds until the chain is looked at again, however much is due
STUCK: Final = 600.0  # seconds after which a pending transaction holds nothing up any more
SHORTEST_WAIT: Final = 0.5


@dataclass(frozen=True)
class Done:
    """An action that went through, and its transactions."""

    action: Action
    sent: tuple[Sent, ...]


@dataclass(frozen=True)
class Notice:
    """Something to tell; `key` names what it is about: the same about the same is told once."""

    key: tuple[object, ...]
    sentence: str


Tell = Callable[[Done | Notice], None]


def _silent(_: Done | Notice) -> None:
    pass


def _never(_: Sight) -> bool:
    return False


@dataclass
class Settler:
    """One account settling one contract. `deposit`: bonds may be taken from the wallet, beyond the free
    balance, in ether and `tokens`, and in any token for campaigns that are named; `max_gas_price` (wei) holds
    back everything but refereeing; `confirmations`: how settled scores must be that are posted, see
    `earnest.settler.settled`.
    """

    client: Client
    account: AccountAPI
    follower: Follower
    lock: Path
    scorer: Scorer = field(default_factory=Scorer)
    options: Options = field(default_factory=Options)
    deposit: bool = False
    tokens: Collection[str] = ()
    max_gas_price: int | None = None
    confirmations: int = 0
    metrics: Metrics = field(default_factory=Metrics)
    tell: Tell = _silent
    _barred: set[str] = field(default_factory=set)  # tokens that are deposited no more
    _told: dict[tuple[object, ...], str] = field(default_factory=dict)
    _tokens: dict[str, Token] = field(default_factory=dict)
    _reorganisations: int = 0
    _compared: tuple[int, int] | None = None  # the block and the forks as of which no records differed
    _reread: float = float("-inf")
    _pending: tuple[int, float] | None = None  # the nonce, and since when it is pending

    def run(
        self,
        poll: float,
        over: Callable[[Sight], bool] = _never,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Go on until `over`, asked after each round, says so.

        Looks every `poll` seconds, less often while the node does not answer.
        """
        pause = poll
        while True:
            try:
                self.once()
                if over(self.look()):
                    return
                pause = poll
            except Exception as error:  # whatever it is: who stops, leaves false scores to themselves
                self.metrics.errors.inc()
                self._notice(("node",), told(error))
                pause = min(2 * pause, max(poll, LONGEST_PAUSE))
            else:
                self._told.pop(("node",), None)
            sleep(pause)

    def once(self) -> list[Done]:
        """Do all that is due, and what becomes due by it. Raises one of NODE_ERRORS."""
        done: list[Done] = []
        tried: set[Action] = set()
        while True:
            with locked(self.lock) as mine:
                if mine:
                    self._told.pop(("lock",), None)
                else:
                    self._notice(("lock",), f"Another process acts for {self.account.address} now.")
                fresh, more = self._round(tried, mine)
            done += fresh
            if not fresh and not more:
                return done

    def look(self) -> Sight:
        """Read the chain up to its newest block."""
        sight = self.follower.look()
        if sight.reorganisations > self._reorganisations:
            self.metrics.reorganisations.inc(sight.reorganisations - self._reorganisations)
            sentence = "The chain was reorganised: read again from where it parted."
            self._notice(("forks", sight.reorganisations), sentence)
        self._reorganisations = sight.reorganisations
        self.metrics.saw(sight, sight.now)
        self.metrics.looked_at.set(time.time())
        return sight

    def right(self, sight: Sight) -> Right:
        """The right words of all campaigns that have scores to post or to check."""
        found: dict[int, list[int]] = {}
        unknown = false = 0
        wanted = [
            (campaign, urgency(campaign, sight.now), campaign)
            for campaign in sight.state.campaigns.values()
            if self.options.includes(campaign.number) and needs_scores(campaign, sight.time)
        ]
        self.scorer.begin({campaign.number for campaign, *_ in wanted})
        # Who never failed comes first.
        for campaign in sorted(take_turns(wanted), key=lambda each: self.scorer.put_off(each.number)):
            try:
                words = found[campaign.number] = self.scorer.words(campaign, sight.forks)
                false += len(to_referee(campaign, sight.now, words))
            except (SettlerError, *ODD_ANSWERS) as error:
                unknown += 1
                self._about(campaign.number, "scores", f"its scores cannot be computed: {error}")
        self.metrics.unknown.set(unknown)
        self.metrics.false.set(false)
        return found

    def _round(self, tried: set[Action], mine: bool) -> tuple[list[Done], bool]:
        """One look, and what is due by it and was not tried before, if the lock is `mine`; whether some of
        that is left over.
        """
        sight = self.look()
        try:
            doubtful = self._doubts(sight)
        except ChainError as error:  # what is false is refereed nevertheless
            self._notice(("doubts",), told(error))
            doubtful = dict.fromkeys(sight.state.campaigns, str(error))
        else:
            self._told.pop(("doubts",), None)
            if doubtful and self._reads_again(sight, doubtful):
                return [], True
        right = self.right(sight)
        acting = not self._is_waiting() and mine
        if acting:
            done, more = self._do_all(sight, self._due(sight, WATCHING, right), tried)
            if done or more:  # the rest can wait for the next look
                return done, more
        ready = settled(self.client.web3, sight, right.keys() - doubtful.keys(), self.confirmations)
        me = self._me(sight, right, ready)
        self._tell_unposted(sight, me, right)
        if not acting:
            return [], False
        rest = self._due(sight, ALL_STEPS - WATCHING, right, me, ready)
        if not rest or self._is_waiting() or not self._is_cheap():
            return [], False
        return self._do_all(sight, rest, tried)

    def _due(
        self,
        sight: Sight,
        steps: frozenset[Step],
        right: Right,
        me: Me | None = None,
        ready: Collection[int] = (),
    ) -> list[Action]:
        options = replace(self.options, steps=self.options.steps & steps)
        return due(sight.state, sight.now, me or Me(self.account.address), options, right, ready)

    def _do_all(self, sight: Sight, actions: Sequence[Action], tried: set[Action]) -> tuple[list[Done], bool]:
        """Do what was not tried before; whether some is left over."""
        done: list[Done] = []
        shown: set[tuple[int, int] | None] = set()  # the postings whose batches were refereed
        until = time.monotonic() + LONGEST_ROUND
        fresh = [action for action in actions if action not in tried]
        for position, action in enumerate(fresh, 1):
            posting = posting_of(sight.state, action)
            if posting is not None and posting in shown:
                continue
            tried.add(action)
            try:
                sent = self._do(sight, action)
            except SentError:  # what is sent beside it would take its place
                return done, False
            done += sent
            if sent:
                shown.add(posting)
            if time.monotonic() > until and position < len(fresh):
                return done, True  # something more urgent may have come up meanwhile
        return done, False

    def _doubts(self, sight: Sight) -> dict[int, str]:
        """Campaigns whose records are not what the contract holds: nothing is posted in them."""
        if (sight.block, sight.forks) == self._compared:
            return {}
        campaigns = filter(self.options.includes, sight.state.campaigns)
        found = doubts(self.client, sight, campaigns)
        for number, sentence in found.items():
            self._about(number, "records", sentence)
        self._compared = None if found else (sight.block, sight.forks)
        return found

    def _reads_again(self, sight: Sight, campaigns: Iterable[int]) -> bool:
        """Have some campaigns' records read again, not all the time; whether they will be."""
        if time.monotonic() < self._reread + LONGEST_PAUSE:
            return False
        self._reread = time.monotonic()
        self.follower.forget(min(sight.state.campaigns[number].created.block for number in campaigns))
        return True

    def _is_waiting(self) -> bool:
        """Whether something sent is still to be mined; not for ever, since with its nonce one of two that are
        sent is mined, and all that is due may be done twice.
        """
        nonce = under_way(self.client.web3, self.account.address)
        if nonce is None:
            self._pending = None
            self.metrics.pending.set(0)
            self._told.pop(("pending",), None)
            return False
        if self._pending is None or self._pending[0] != nonce:
            self._pending = (nonce, time.monotonic())
        self.metrics.pending.set(1)
        sentence = f"Transaction {nonce} of {self.account.address} is sent and not mined yet."
        self._notice(("pending",), sentence)
        return time.monotonic() < self._pending[1] + STUCK

    def _do(self, sight: Sight, action: Action) -> list[Done]:
        campaign = sight.state.campaigns[action.campaign]
        about = (action.step, *action.which)
        before = self.client.gas_used
        try:
            rows = self.scorer.rows(campaign) if action.step is Step.REFEREE else ()
            sent = act(self.client, self.account, campaign, action, rows)
        except ACTION_ERRORS as error:
            passing = is_passing(error)
            self.metrics.actions.labels(step=action.step, result="passed" if passing else "failed").inc()
            self._about(action.campaign, about, f"{action.step}: {told(error)}")
            if isinstance(error, RecordsError):
                self._reads_again(sight, [action.campaign])
            if isinstance(error, TokenError):  # what it costs is gas, each time
                self._barred.add(campaign.terms.token)
            if isinstance(error, SentError):
                raise
            return []
        finally:
            self.metrics.gas.inc(self.client.gas_used - before)
        self._told.pop((action.campaign, about), None)
        if not sent:
            return []
        self.metrics.actions.labels(step=action.step, result="done").inc()
        done = Done(action, tuple(sent))
        self.tell(done)
        return [done]

    def _me(self, sight: Sight, right: Right, ready: Collection[int]) -> Me:
        """The account, with what its wallet can add to bonds that the free balance does not pay."""
        state, now, me = sight.state, sight.now, Me(self.account.address)
        missing = lacking(state, now, me, self.options, right, ready)
        if missing and self.deposit:
            # Strangers choose tokens, and a token's own code runs for the gas of whoever deposits it.
            tokens = {state.campaigns[number].terms.token for number in missing} - self._barred
            if self.options.campaigns is None:
                tokens &= {ZERO_ADDRESS, *self.tokens}
            me = replace(me, purse={token: self._spendable(token) for token in tokens})
            missing = lacking(state, now, me, self.options, right, ready)
        self.metrics.unaffordable.set(len(missing))
        for number, amount in missing.items():
            written = self._token(state.campaigns[number].terms.token).write(amount)
            self._about(number, "bond", f"its bond cannot be paid: {written} more is needed.")
        return me

    def _spendable(self, token: str) -> int:
        """What the wallet has of a token; 0 of one that cannot be asked, whoever's fault that is."""
        try:
            return spendable(self.client, self.account.address, token)
        except (ChainError, *NODE_ERRORS) as error:
            self._notice(("token", token), f"Token {token} cannot be deposited: {told(error)}")
            return 0

    def _token(self, address: str) -> Token:
        """A token's symbol and decimals, asked once."""
        if address not in self._tokens:
            try:
                self._tokens[address] = self.client.token(address)
            except NODE_ERRORS:
                return Token(address, "units", 0, guessed=True)
        return self._tokens[address]

    def _tell_unposted(self, sight: Sight, me: Me, right: Right) -> None:
        for number in right:
            campaign = sight.state.campaigns[number]
            if was_wrong(campaign, me):
                self._about(number, "wrong", "a posting of this account was false: it posts no more there.")
            if locks_long(campaign, self.options) and open_batches(campaign):
                length = duration(campaign.terms.periods.challenge)
                self._about(
                    number, "lock", f"a bond would be locked for {length}: its scores are left to others."
                )

    def _is_cheap(self) -> bool:
        price = int(self.client.web3.eth.gas_price)
        cheap = self.max_gas_price is None or price <= self.max_gas_price
        if not cheap:
            most = (self.max_gas_price or 0) / 10**9
            sentence = f"Gas costs {price / 10**9:g} gwei, more than {most:g}: only refereeing goes on."
            self._notice(("gas",), sentence)
        else:
            self._told.pop(("gas",), None)
        return cheap

    def _about(self, campaign: int, what: object, sentence: str) -> None:
        self._notice((campaign, what), f"{short_id(campaign)} {sentence}")

    def _notice(self, key: tuple[object, ...], sentence: str) -> None:
        if self._told.get(key) != sentence:
            self._told[key] = sentence
            self.tell(Notice(key, sentence))
