"""The campaign, played: from the empty devnet to balances withdrawn, with the books checked on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

import ape
import numpy as np
from ape.api import AccountAPI

from earnest.chain import deployment, settle
from earnest.chain.client import Client
from earnest.chain.demo.cast import AUDIT_KEY, NO_SHOW, SPAMMER, Cast, Labeler, terms
from earnest.chain.errors import ChainError
from earnest.chain.life import Phase
from earnest.chain.messages import Opening
from earnest.chain.money import Token
from earnest.chain.records import Created, Enrolled, PostingOpened, PostingVoided
from earnest.chain.sending import Sent
from earnest.chain.state import Campaign, State
from earnest.protocol.score import ABSENT
from earnest.protocol.settlement import pack, settle_campaign
from earnest.protocol.terms import BPS, Terms

Tell = Callable[[str], None]

FIRST_LABELER: Final = 10  # of the devnet's accounts; those before have other roles


class CheckFailed(Exception):
    """Something that must hold does not."""


@dataclass(frozen=True)
class Step:
    """One step of the campaign and its transactions."""

    name: str
    sent: tuple[Sent, ...]


@dataclass
class Stage:
    """The devnet, its actors, and the one campaign that they play."""

    cast: Cast
    tell: Tell
    steps: list[Step] = field(default_factory=list)
    checks: list[str] = field(default_factory=list)
    campaign: int = 0
    seats: dict[str, int] = field(default_factory=dict)

    # ── Actors ──────────────────────────────────────────────────────────────────────────────────────────────

    def __post_init__(self) -> None:
        accounts = ape.accounts.test_accounts
        self.experimenter, self.settler, self.dishonest = accounts[0], accounts[1], accounts[2]
        self.operator = accounts[5]
        self.wallets: dict[str, AccountAPI] = {
            labeler.name: accounts[FIRST_LABELER + number]
            for number, labeler in enumerate(self.cast.labelers)
        }

    @cached_property
    def deployment(self) -> deployment.Deployment:
        """The contracts, deployed on first use by an operator who has no power afterwards."""
        params = deployment.read_params(deployment.network_name())
        return deployment.deploy(params, sender=self.operator, record=False)

    @cached_property
    def client(self) -> Client:
        """A client of the contract."""
        return self.deployment.client()

    @cached_property
    def erc20(self) -> Any:
        """A test token, which anyone can mint."""
        return self.operator.deploy(ape.project.get_contract("TokenMock"))

    @cached_property
    def token(self) -> Token:
        """The same token, to write amounts with."""
        return self.client.token(str(self.erc20.address))

    @cached_property
    def terms(self) -> Terms:
        """The campaign's terms."""
        return terms(
            self.cast.manifest, self.token.address, 10**self.token.decimals, self.client.now()
        )

    @property
    def actors(self) -> list[AccountAPI]:
        """All who bring money."""
        return [self.experimenter, self.settler, self.dishonest, *self.wallets.values()]

    def name_of(self, address: str) -> str:
        """Who an address is, for people."""
        names = {wallet.address: name for name, wallet in self.wallets.items()}
        return names.get(address, address)

    # ── The play ────────────────────────────────────────────────────────────────────────────────────────────

    def play(self) -> Campaign:
        """The whole campaign; its final state, from the chain's events alone."""
        self.deploy()
        self.fund()
        self.enroll()
        self.draw()
        self.commit()
        self.reveal()
        self.post_falsely()
        self.settle()
        self.release()
        self.withdraw()
        return self.state().campaigns[self.campaign]

    def deploy(self) -> None:
        """Contracts and a token."""
        found = self.deployment
        self.tell(f"Earnest is at {self.client.address}, from {sum(found.gas.values()):,} gas")

    def fund(self) -> None:
        """Everyone brings what they need; the experimenter creates the campaign."""
        needs = {actor.address: self.terms.stake for actor in self.wallets.values()}
        needs[self.experimenter.address] = (self.terms.bounty + self.terms.fee) * self.terms.batches
        needs |= {actor.address: self.terms.bond for actor in (self.settler, self.dishonest)}
        for actor in self.actors:
            self.erc20.mint(actor.address, needs[actor.address], sender=self.operator)
        token = self.token.address
        self.do("approve", [self.client.approve(token, needs[a.address], sender=a) for a in self.actors])
        self.do("deposit", [self.client.deposit(token, needs[a.address], sender=a) for a in self.actors])
        created = self.client.create(self.terms, "demo:manifest", sender=self.experimenter)
        self.do("create", [created])
        self.campaign = created.only(Created).campaign
        self.minted = sum(needs.values())
        self.tell(f"{len(needs)} accounts deposited {self.write(self.minted)}; the campaign is created")
        self.check_books("deposits")

    def enroll(self) -> None:
        """Every labeler stakes one seat."""
        enrolled = {
            name: self.client.enroll(self.campaign, sender=wallet) for name, wallet in self.wallets.items()
        }
        self.do("enroll", enrolled.values())
        self.seats = {name: sent.only(Enrolled).first_seat for name, sent in enrolled.items()}
        self.tell(f"{len(enrolled)} labelers staked {self.write(self.terms.stake)} each; all seats are taken")
        self.check_books("enrolling")

    def draw(self) -> None:
        """The hash of a block that nobody knew when the draw was asked for puts seats into batches."""
        asked = self.client.request_draw(self.campaign, sender=self.operator)
        ticket = self.client.draw_of(self.campaign).ticket or 0
        ape.chain.mine(ticket - asked.block + 1)
        drawn = self.client.draw(self.campaign, sender=self.operator)
        self.do("draw", [asked, drawn])
        self.tell(f"Block {ticket} drew them into {self.terms.batches} batches of {self.terms.cohort}")
        self.check_books("drawing")

    def commit(self) -> None:
        """Everyone but the no-show commits, with the salt that their own wallet's signature gives."""
        self.openings = {labeler.name: self.opening(labeler) for labeler in self.labeling()}
        sent = [
            self.client.commit(
                self.campaign,
                opening.seat,
                self.client.commitment(self.campaign, opening),
                sender=self.wallets[name],
            )
            for name, opening in self.openings.items()
        ]
        self.do("commit", sent)
        self.pass_deadline()
        self.tell(f"{len(sent)} labelers committed to {self.cast.tasks} labels each; the time is over")
        self.expect_refusal(
            "a commitment that comes too late",
            lambda: self.client.commit(
                self.campaign, self.seats[NO_SHOW], b"\x11" * 32, sender=self.wallets[NO_SHOW]
            ),
        )

    def reveal(self) -> None:
        """They show exactly what they committed to; the experimenter opens the audit."""
        sent = [
            self.client.reveal(self.campaign, opening, sender=self.wallets[name])
            for name, opening in self.openings.items()
        ]
        self.do("reveal", sent)
        self.do("disclose", [self.client.disclose(self.campaign, AUDIT_KEY, sender=self.experimenter)])
        self.tell(f"{len(sent)} labelers revealed {len(sent) * self.cast.tasks:,} labels; the audit opened")
        campaign = self.check_books("revealing")
        for labeler in self.labeling():
            shown = campaign.seats[self.seats[labeler.name]].labels
            self.check(shown == labeler.labels, f"what {labeler.name} answered is on chain", quiet=True)
        self.check(True, "every label on chain is the one that the worker gave")

    def post_falsely(self) -> None:
        """A dishonest settler posts what is right, but for an accomplice: the spammer gets the best score."""
        campaign = self.state().campaigns[self.campaign]
        scores = settle.scores(campaign, self.rows)
        self.check_referee(campaign, scores)
        seat = self.seats[SPAMMER]
        batch = campaign.batch_of(seat) or 0
        lane = campaign.cohorts[batch].tolist().index(seat)
        bent = scores.copy()
        bent[batch, lane] = BPS
        words = [pack(row.tolist()) for row in bent]
        posted = self.client.post(self.campaign, range(len(words)), words, sender=self.dishonest)
        self.do("post", [posted])
        self.tell(
            f"A dishonest settler posted the scores, but {scores[batch, lane] / BPS:+.2f} of a spammer "
            f"in batch {batch} became {bent[batch, lane] / BPS:+.2f}"
        )
        self.check_books("the false posting")

    def settle(self) -> None:
        """An honest settler recomputes everything, has the false batch refereed, and posts the rest."""
        campaign = self.state().campaigns[self.campaign]
        right = settle.words(campaign, self.rows)
        (false,) = settle.false_batches(campaign, right)
        case = settle.refereeing(campaign, false, self.rows)
        refereed = self.client.referee(self.campaign, false, case, sender=self.settler)
        self.do("referee", [refereed])
        void = refereed.only(PostingVoided)
        self.tell(
            f"An honest one recomputed everything and had the chain recompute batch {false}: "
            f"the posting is void, its bond of {self.write(self.terms.bond)} lost"
        )
        self.check_books("refereeing")
        campaign = self.state().campaigns[self.campaign]
        left = settle.open_batches(campaign)
        posted = self.client.post(self.campaign, left, [right[batch] for batch in left], sender=self.settler)
        self.do("post", [posted])
        self.postings = (void.posting, posted.only(PostingOpened).posting)
        self.tell(f"The honest settler posted the other {len(left)} batches, and nobody objected")
        self.expect_refusal(
            "a release before the scores are final",
            lambda: self.client.release(self.campaign, left, sender=self.operator),
        )
        self.pass_deadline()

    def release(self) -> None:
        """Batches are paid out and the honest settler's bond returned; the other's is gone."""
        released = self.client.release(self.campaign, range(self.terms.batches), sender=self.operator)
        self.do("release", [released])
        lost, good = self.postings
        self.do("return bond", [self.client.return_bond(self.campaign, good, sender=self.settler)])
        self.expect_refusal(
            "the false posting's bond",
            lambda: self.client.return_bond(self.campaign, lost, sender=self.dishonest),
        )
        campaign = self.check_books("releasing")
        self.check(campaign.locked == 0, "nothing is locked any more")
        self.check_payouts(campaign)
        self.tell(f"{self.terms.batches} batches are released")

    def withdraw(self) -> None:
        """Everyone takes their money home; what remains is the sink's."""
        token, state = self.token.address, self.state()
        free = {a.address: state.balance_of(a.address, token) for a in self.actors}
        owners = [actor for actor in self.actors if free[actor.address]]
        sent = [self.client.withdraw(token, free[actor.address], sender=actor) for actor in owners]
        self.do("withdraw", sent)
        self.check_books("withdrawing")
        sunk = self.state().balance_of(self.client.sink, token)
        self.check(self.client.held(token) == sunk, "only the sink's money is left in the contract")
        home = sum(int(self.erc20.balanceOf(actor.address)) for actor in self.actors)
        self.check(home + sunk == self.minted, "what was minted is with its owners or the sink, to the wei")
        self.tell(f"{len(sent)} accounts withdrew {self.write(sum(free.values()))}")

    # ── Below ───────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def rows(self) -> Sequence[bytes]:
        """The audit's rows as published, enciphered."""
        return self.cast.manifest.audit_rows

    def labeling(self) -> list[Labeler]:
        """Those who answer."""
        return [labeler for labeler in self.cast.labelers if labeler.labels]

    def opening(self, labeler: Labeler) -> Opening:
        """A labeler's opening."""
        seat = self.seats[labeler.name]
        salt = self.client.salt(self.campaign, seat, signer=self.wallets[labeler.name])
        return Opening(seat=seat, labels=labeler.labels, salt=salt)

    def state(self) -> State:
        """The state from the chain's events alone."""
        return self.client.state()

    def do(self, name: str, sent: Iterable[Sent]) -> None:
        """Note what a step took."""
        self.steps.append(Step(name, tuple(sent)))

    def pass_deadline(self) -> None:
        """Let time pass until the phase is over."""
        ape.chain.mine(timestamp=max(self.client.life(self.campaign).deadline, self.client.now() + 1))

    def write(self, amount: int) -> str:
        """An amount with its symbol."""
        return self.token.write(amount)

    def check(self, holds: bool, what: str, quiet: bool = False) -> None:
        """Raise CheckFailed unless something holds, else note that it does."""
        if not holds:
            raise CheckFailed(what)
        if not quiet:
            self.checks.append(what)

    def check_books(self, when: str) -> Campaign:
        """Tokens held = Σ balances + Σ locked, by events alone; and the contract's own view of both."""
        state, token = self.state(), self.token.address
        campaign = state.campaigns[self.campaign]
        held = self.client.held(token)
        self.check(
            held == state.held(token) == state.free(token) + state.locked(token),
            f"after {when} the contract holds {self.write(held)} = free {self.write(state.free(token))} "
            f"+ locked {self.write(state.locked(token))}",
        )
        for actor in self.actors:
            same = state.balance_of(actor.address, token) == self.client.balance_of(actor.address, token)
            self.check(same, f"the balance of {self.name_of(actor.address)} follows from events", quiet=True)
        now = self.client.now()
        same = campaign.life_at(now) == self.client.life(self.campaign)
        self.check(same, f"after {when} the campaign's life follows from events", quiet=True)
        return campaign

    def check_referee(self, campaign: Campaign, scores: Any) -> None:
        """Python's scores are the contract's, batch by batch."""
        for batch in range(len(campaign.batches)):
            case = settle.refereeing(campaign, batch, self.rows)
            computed = self.client.referee_scores(campaign, batch, case)
            self.check(computed == scores[batch].tolist(), f"scores of batch {batch}", quiet=True)
        self.check(True, "the scores computed off chain are those that the referee contract computes")

    def check_payouts(self, campaign: Campaign) -> None:
        """What was released is what the right scores pay."""
        scores = settle.scores(campaign, self.rows)
        payouts = settle_campaign(campaign.terms, scores)
        results = np.array([batch.results for batch in campaign.batches], dtype=object)
        expected = payouts.reward - payouts.slash - payouts.forfeit
        self.check((results == expected).all(), "every labeler got what the right scores pay")
        self.check(campaign.life_at(self.client.now()).phase is Phase.FINAL, "the campaign is final")
        absent = campaign.seats[self.seats[NO_SHOW]]
        self.check(scores.min() == ABSENT and not absent.revealed, "only the no-show is absent")

    def expect_refusal(self, what: str, call: Callable[[], Sent]) -> None:
        """Something that must not work, and the sentence that says why."""
        try:
            call()
        except ChainError as error:
            self.check(error.refusal is not None, f"{what} is refused", quiet=True)
            self.tell(f"Refused, {what}: “{error}”")
        else:
            raise CheckFailed(f"{what} must be refused")
