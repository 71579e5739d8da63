"""Everything that is due, until the campaign is over for the labeler; can be killed and started anywhere.

Each round looks at the chain and decides afresh. What fails is told in one sentence and decided anew in the
next round: a lost reply, a dropped or replaced transaction and a reorganisation all look the same from here,
the chain does not have it, or has it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ape.exceptions import ApeException
from eth_abi.exceptions import DecodingError
from requests import RequestException
from web3.exceptions import Web3Exception

from earnest.chain.errors import ODD_ANSWERS, ChainError, FollowError, clock
from earnest.chain.life import Phase
from earnest.chain.state import StateError
from earnest.chain.wallet import wait_for_pending
from earnest.labeler.act import Desk, act
from earnest.labeler.batch import batch_of
from earnest.labeler.errors import LabelerError
from earnest.labeler.sight import Lookout, Sight, seats_of
from earnest.labeler.steps import Action, Notes, Step, Wishes, due, paid, reveals_now
from earnest.manifest.manifest import Manifest

if TYPE_CHECKING:
    from earnest.chain.client import Sent

# What may be otherwise at the next look.
PASSING: Final = (
    ApeException,
    ChainError,
    DecodingError,
    FollowError,
    LabelerError,
    OSError,
    RequestException,
    Web3Exception,
    *ODD_ANSWERS,
)
ATTEMPTS: Final = 5
PAUSE: Final = 1.0


@dataclass
class Runner:
    """One labeler in one campaign. `tell` gets one sentence for each thing that happens."""

    desk: Desk
    manifest: Manifest
    lookout: Lookout
    tell: Callable[[str], object]
    wishes: Wishes = field(default_factory=Wishes)
    sent: list[Sent] = field(default_factory=list)
    _strange: set[tuple[int, int, bytes]] = field(default_factory=set)
    _dear: set[Action] = field(default_factory=set)
    _said: str = ""

    def look(self) -> Sight:
        """The campaign as of now. Raises LabelerError when the chain does not have it."""
        sight = self.lookout.look(self.desk.book.campaign)
        if sight is None:
            raise LabelerError("The chain does not have the campaign (any more, or yet).")
        return sight

    def notes(self, sight: Sight) -> Notes:
        """What the journal knows of the labeler's seats."""
        labels: dict[int, bytes] = {}
        editing = set()
        for seat in self.seats(sight):
            if sight.campaign.batch_of(seat) is None:
                continue
            batch = batch_of(sight.campaign, self.manifest, seat)
            whole = batch.labels(self.desk.journal.answers(self.desk.book, seat))
            if whole is not None:
                labels[seat] = whole
            if self.desk.journal.is_locked(self.desk.editing(seat)):
                editing.add(seat)
        openings = self.desk.journal.openings(self.desk.book)
        return Notes(labels=labels, openings=openings, editing=frozenset(editing))

    def seats(self, sight: Sight) -> list[int]:
        """The labeler's seats."""
        return seats_of(sight.campaign, self.desk.account.address)

    def due(self, sight: Sight, notes: Notes) -> list[Action]:
        """What is due now, less the commitments of others' making that were looked at before."""
        address, token = self.desk.account.address, sight.campaign.terms.token
        free = self.desk.client.balance_of(address, token) if self.wishes.collect else 0
        actions = due(sight, address, notes, free, self.wishes)
        return [
            each
            for each in actions
            if each not in self._dear and self._strangeness(sight, notes, each) not in self._strange
        ]

    def round(self, only: Iterable[Step] = tuple(Step)) -> tuple[Sight, int]:
        """Look, and do what is due of the steps in `only`; the sight, and how many steps were done.

        Sends under the wallet's lock only, after another look: another process may have been faster.
        """
        sight = self.look()
        if not self._chosen(sight, only):
            return sight, 0
        done = 0
        with self.desk.journal.locked(self.desk.acting, self._wait_for_process):
            wait_for_pending(self.desk.client, self.desk.account.address, waiting=self._wait_for_chain)
            sight = self.look()
            refused: list[ChainError | LabelerError] = []  # which keeps nothing else from being done
            for action in self._chosen(sight, only):
                notes = self.notes(sight)
                try:
                    sent = act(self.desk, sight, action, notes)
                except LabelerError as error:
                    self._strange.add(self._strangeness(sight, notes, action))
                    refused.append(error)
                    continue
                except ChainError as error:
                    if error.transaction is not None and action.step is Step.WITHDRAW:
                        self._dear.add(action)  # a token's own code, which takes the gas each time
                    if error.refusal is None:
                        raise
                    refused.append(error)
                    continue
                self.sent += sent
                done += 1
                for each in sent:
                    self.say(f"{_did(action)} in transaction {each.transaction}.")
        if refused:
            raise refused[0]
        return sight, done

    def replace(self, seat: int) -> None:
        """Put the answers here in the place of a commitment to others that was made elsewhere."""
        with self.desk.journal.locked(self.desk.acting, self._wait_for_process):
            wait_for_pending(self.desk.client, self.desk.account.address, waiting=self._wait_for_chain)
            sight = self.look()
            self.sent += act(self.desk, sight, Action(Step.COMMIT, seat), self.notes(sight))

    def settle(self, only: Iterable[Step]) -> Sight:
        """Do what is due of some steps, until the chain shows it. Raises what still fails in the end."""
        for attempt in range(ATTEMPTS):
            try:
                sight, done = self.round(only)
            except PASSING as error:
                refused = isinstance(error, LabelerError) or getattr(error, "refusal", None) is not None
                if refused or attempt == ATTEMPTS - 1:
                    raise
                self.say(f"{_sentence(error)} Looking again.")
                time.sleep(PAUSE)
                continue
            if not done:
                return sight
        raise LabelerError("The chain does not show what was sent; look with `earnest label status`.")

    def run(self, poll: float, once: bool = False) -> Sight:
        """Do everything that is due and wait for more, until all is paid.

        `once`: do not wait. Raises LabelerError then where something that is due could not be done.
        """
        while True:
            try:
                sight, done = self.round()
                if done:
                    continue
                self.say(self.waiting(sight))
                if once or self.over(sight):
                    return sight
            except PASSING as error:
                if once:
                    raise LabelerError(_sentence(error)) from error
                self.say(_sentence(error))
            time.sleep(poll)

    def over(self, sight: Sight) -> bool:
        """Whether there is nothing left to do or to wait for."""
        phase = sight.life.phase
        if phase in (Phase.ENROLLING, Phase.DRAWING):
            return False
        if not self.seats(sight):
            return True
        return paid(sight, self.desk.account.address)

    def waiting(self, sight: Sight) -> str:
        """What is waited for, in one sentence."""
        life, now = sight.life, sight.now
        mine = self.seats(sight)
        ends = f" until {clock(life.deadline, now)}" if life.deadline else ""
        state = f"{life.phase.title}{ends}"
        if not mine:
            return f"{state}: this account has no seat in the campaign."
        if life.phase is Phase.ENROLLING:
            return f"{state}: {life.taken} of {life.seats} seats are taken."
        if life.phase is Phase.DRAWING:
            return f"{state}: waiting for the draw."
        if self.over(sight):
            benched = sight.campaign.seed is not None and not self._drawn(sight)
            what = "the stake is back, the draw has benched the seat" if benched else "everything is paid"
            return f"{life.phase.title}: {what}."
        match life.phase:
            case Phase.COMMITTING:
                return f"{state}: {self._uncommitted(sight)}"
            case Phase.REVEALING:
                return f"{state}: {self._unrevealed(sight)}"
            case Phase.CANCELLED:
                return f"{state}: waiting for the stake to be refunded; --collect does it."
        return f"{state}: waiting for scores to be final and released."

    def lost(self, sight: Sight) -> list[int]:
        """The seats that hold a commitment whose opening is not in the journal."""
        openings, seats = self.desk.journal.openings(self.desk.book), sight.campaign.seats
        return [
            seat
            for seat in self.seats(sight)
            if seats[seat].committed and (seat, seats[seat].record) not in openings
        ]

    def _drawn(self, sight: Sight) -> list[int]:
        return [seat for seat in self.seats(sight) if sight.campaign.batch_of(seat) is not None]

    def _uncommitted(self, sight: Sight) -> str:
        notes, life = self.notes(sight), sight.life
        drawn = self._drawn(sight)
        if lacking := [seat for seat in drawn if seat not in notes.labels]:
            return f"seat {_listed(lacking)} lacks answers; `earnest label work` asks for them."
        if editing := [seat for seat in drawn if seat in notes.editing]:
            return f"seat {_listed(editing)} is being answered; it commits when that is done."
        return f"{life.committed} of {life.seats} seats have committed."

    def _unrevealed(self, sight: Sight) -> str:
        if lost := self.lost(sight):
            return f"seat {_listed(lost)} has no opening in the journal; `earnest label recover` brings it."
        if any(sight.campaign.seats[seat].committed for seat in self.seats(sight)) and not reveals_now(sight):
            return "waiting until the end of the commit phase is settled."
        return f"{sight.life.opened} of {sight.life.committed} commitments are opened."

    def say(self, sentence: str) -> None:
        """Tell something, unless it is what was told last."""
        if sentence != self._said:
            self._said = sentence
            self.tell(sentence)

    def _chosen(self, sight: Sight, only: Iterable[Step]) -> list[Action]:
        wanted = set(only)
        return [each for each in self.due(sight, self.notes(sight)) if each.step in wanted]

    @staticmethod
    def _strangeness(sight: Sight, notes: Notes, action: Action) -> tuple[int, int, bytes]:
        if action.step is not Step.RECOGNISE:
            return (-1, 0, b"")
        record = sight.campaign.seats[action.which].record
        return (action.which, record, notes.labels[action.which])

    def _wait_for_process(self) -> None:
        self.say("Another process is sending for this wallet; waiting for it.")

    def _wait_for_chain(self) -> None:
        self.say("A transaction of this wallet is still pending; waiting for it.")


def _did(action: Action) -> str:
    match action.step:
        case Step.COMMIT:
            return f"Seat {action.which} has committed"
        case Step.REVEAL:
            return f"Seat {action.which} has revealed"
        case Step.RELEASE:
            return f"Batch {action.which} is released"
        case Step.REFUND:
            return f"The stake of seat {action.which} is back"
    return "Everything free is withdrawn"


def _listed(seats: Iterable[int]) -> str:
    return ", ".join(map(str, seats))


def _sentence(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    if not isinstance(error, ChainError | LabelerError | StateError):
        text = f"The node does not answer as it should: {text}"
    return text if text.endswith(".") else f"{text}."
