"""Everything that is due, until the campaign is over for the labeler; can be killed and started anywhere.

Each round looks at the chain and decides afresh. What fails is told in one sentence and decided anew in the
next round: a lost reply, a dropped or replaced transaction and a reorganisation all look the same from here,
the chain does not have it, or has it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from earnest.chain.errors import ChainError
from earnest.chain.failures import NODE_ERRORS, told
from earnest.chain.life import Phase
from earnest.chain.wallet import alone
from earnest.labeler.act import Desk, OtherAnswersError, act
from earnest.labeler.batch import batch_of
from earnest.labeler.errors import LabelerError
from earnest.labeler.history import outcome_of
from earnest.labeler.sight import Lookout, Sight, seats_of
from earnest.labeler.steps import Action, Notes, Step, due, last_call, paid, reveals_now
from earnest.manifest.errors import ManifestError
from earnest.manifest.manifest import Manifest
from earnest.protocol.opening import has_committed
from earnest.times import clock

if TYPE_CHECKING:
    from earnest.chain.sending import Sent

# What may be otherwise at the next look.
PASSING: Final = (ChainError, LabelerError, OSError, *NODE_ERRORS)
ATTEMPTS: Final = 5
PAUSE: Final = 1.0
LONGEST_PAUSE: Final = 60.0  # seconds between looks at a node that does not answer

# How a seat ended.
ENDS: Final = {
    "paid": "is paid",
    "slashed": "lost a part of its stake",
    "absent": "did not reveal and lost a part of its stake",
    "denounced": "was denounced and lost its stake",
    "benched": "was benched by the draw and has its stake back",
    "refunded": "has its stake back",
}


@dataclass
class Runner:
    """One labeler in one campaign. `tell` gets one sentence for each thing that happens.

    `manifest` is asked for where answers are to become labels; without it, what was committed is revealed.
    `collect`: take the money home, too.
    """

    desk: Desk
    manifest: Callable[[], Manifest]
    lookout: Lookout
    tell: Callable[[str], object]
    collect: bool = False
    sent: list[Sent] = field(default_factory=list)
    _given_up: set[tuple[object, ...]] = field(default_factory=set)
    _unread: str = ""  # why there is no manifest
    _said: str = ""

    def look(self) -> Sight:
        """The campaign as of now. Raises LabelerError when the chain does not have it."""
        sight = self.lookout.look(self.desk.book.campaign)
        if sight is None:
            raise LabelerError("The chain does not have the campaign (any more, or yet).")
        return sight

    def notes(self, sight: Sight) -> Notes:
        """What the journal knows of the labeler's seats."""
        journal, book, seats = self.desk.journal, self.desk.book, sight.campaign.seats
        openings, drawn = journal.openings(book), self._drawn(sight)
        unknown = [
            seat
            for seat in drawn
            if sight.life.phase is Phase.COMMITTING
            or (has_committed(seats[seat].record) and (seat, seats[seat].record) not in openings)
        ]
        editing = [seat for seat in drawn if journal.is_edited(book, seat)]
        labels = self._labels(sight, unknown)
        return Notes(labels=labels, openings=openings, editing=frozenset(editing))

    def _labels(self, sight: Sight, seats: Iterable[int]) -> dict[int, bytes]:
        """By seat the labels that its answers give, of the seats that have all answers."""
        self._unread = ""
        found = {}
        for seat in seats:
            answers = self.desk.journal.answers(self.desk.book, seat)
            if not answers:
                continue
            try:
                manifest = self.manifest()
            except ManifestError as error:
                self._unread = str(error)
                return {}
            labels = batch_of(sight.campaign, manifest, seat).labels(answers)
            if labels is not None:
                found[seat] = labels
        return found

    def seats(self, sight: Sight) -> list[int]:
        """The labeler's seats."""
        return seats_of(sight.campaign, self.desk.account.address)

    def due(self, sight: Sight, notes: Notes) -> list[Action]:
        """What is due now, less what was given up before."""
        address, token = self.desk.account.address, sight.campaign.terms.token
        free = self.desk.client.balance_of(address, token) if self.collect else 0
        actions = due(sight, address, notes, free, self.collect)
        return [each for each in actions if _case(sight, notes, each) not in self._given_up]

    def round(self, only: Iterable[Step] = tuple(Step)) -> tuple[Sight, int]:
        """Look, and do what is due of the steps in `only`; the sight, and how many steps were done.

        Sends only while nothing else is sent for the account, after another look: another process may have
        been faster.
        """
        sight = self.look()
        if not self._chosen(sight, only):
            return sight, 0
        done = 0
        with self._alone(sight):
            sight = self.look()
            refused: list[ChainError | LabelerError] = []  # which keeps nothing else from being done
            for action in self._chosen(sight, only):
                notes = self.notes(sight)
                try:
                    sent = act(self.desk, sight, action, notes)
                except LabelerError as error:
                    if isinstance(error, OtherAnswersError):
                        self._given_up.add(_case(sight, notes, action))
                    refused.append(error)
                    continue
                except ChainError as error:
                    # The receiver's or a token's own code said no, which may take the gas each time.
                    if action.step is Step.WITHDRAW and (error.refusal or error.transaction):
                        self._given_up.add(_case(sight, notes, action))
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
        with self._alone(self.look()):
            sight = self.look()
            self.sent += act(self.desk, sight, Action(Step.COMMIT, seat), self.notes(sight))

    def until_done(self, only: Iterable[Step]) -> Sight:
        """Do what is due of some steps, until the chain shows it. Raises what still fails in the end."""
        for attempt in range(ATTEMPTS):
            try:
                sight, done = self.round(only)
            except PASSING as error:
                refused = isinstance(error, LabelerError) or getattr(error, "refusal", None) is not None
                if refused or attempt == ATTEMPTS - 1:
                    raise
                self.say(f"{told(error)} Looking again.")
                time.sleep(PAUSE)
                continue
            if not done:
                return sight
        raise LabelerError("The chain does not show what was sent; look with `earnest label status`.")

    def run(self, poll: float, once: bool = False) -> Sight:
        """Do everything that is due and wait for more, until all is paid; less often while the node is away.

        `once`: do not wait. Raises LabelerError then where something that is due could not be done.
        """
        pause = poll
        while True:
            try:
                sight, done = self.round()
                pause = poll
                if done:
                    continue
                self.say(self.waiting(sight))
                if once or self.over(sight):
                    return sight
            except Exception as error:  # whatever it is: who stops, forfeits a stake
                if once:
                    if not isinstance(error, PASSING):
                        raise
                    raise LabelerError(told(error)) from error
                self.say(told(error))
                pause = min(2 * pause, max(poll, LONGEST_PAUSE))
            time.sleep(pause)

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
            ended = (f"seat {seat} {_end(outcome_of(sight.campaign, seat, sight.now))}" for seat in mine)
            kept = (Action(Step.WITHDRAW),) in self._given_up
            rest = " What is free stays in the vault." if kept else ""
            return f"{life.phase.title}: {'; '.join(ended)}.{rest}"
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
        drawn = [seat for seat in self._drawn(sight) if not sight.campaign.seats[seat].denounced]
        if self._unread:
            return self._unread
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

    def _alone(self, sight: Sight) -> AbstractContextManager[None]:
        """While nothing else is sent for the account; at last call, what is pending is replaced."""
        client, address = self.desk.client, self.desk.account.address
        return alone(client.web3, address, told=self.say, urgent=lambda: last_call(sight))


def _case(sight: Sight, notes: Notes, action: Action) -> tuple[object, ...]:
    """An action, and what must change before one that was given up is tried again."""
    if action.step is not Step.RECOGNISE:
        return (action,)
    return (action, sight.campaign.seats[action.which].record, notes.labels[action.which])


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


def _end(outcome: str) -> str:
    return ENDS.get(outcome, f"is {outcome}")


def _listed(seats: Iterable[int]) -> str:
    return ", ".join(map(str, seats))
