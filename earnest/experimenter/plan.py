"""What a campaign takes and costs, and what is risky about it; shown before anything is signed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from earnest.chain.gas import MOST_GAS
from earnest.chain.money import Token
from earnest.experimenter import allowlist
from earnest.experimenter.errors import ExperimenterError
from earnest.experimenter.layout import FAIR_SHARED, Deal, Shape, choose_shape, gold_by_class
from earnest.experimenter.settings import LEAST_CHECKS, Settings
from earnest.protocol.terms import ZERO_ADDRESS, ZERO_WORD, Terms
from earnest.settler.steps import Step, portions
from earnest.tasks.columns import TaskFile

FAIR_SEATS: Final = 5
FEWEST_CHECKS: Final = 10
MOST_MONEY: Final = 2**96 - 1  # of each amount in the terms

# Gas of the experimenter's own transactions, as measured on anvil (cancun): of each, and for each batch and
# each seat besides.
GAS: Final[Mapping[str, tuple[int, int, int]]] = {
    "approve": (50_000, 0, 0),  # of a token
    "deposit": (50_000, 0, 0),
    "create": (310_000, 0, 0),
    "draw": (125_000, 0, 0),
    "prove": (80_000, 0, 0),  # where the draw goes by a block's header
    "disclose": (55_000, 0, 0),
    "post": (75_000, 24_000, 0),
    "release": (40_000, 30_000, 31_000),
    "return bond": (41_000, 0, 0),
}
TOKEN_DEPOSIT: Final = 40_000  # more than of ether

# Stands for the audit's root and key, which there are when the campaign is prepared.
TO_COME: Final = b"\xff" * 32


@dataclass(frozen=True, kw_only=True)
class Amounts:
    """The money of a campaign in the token's smallest units."""

    bounty: int
    stake: int
    fee: int
    bond: int


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A campaign before it is created.

    `terms` lack what is fixed when it is prepared: manifest, audit, and the time to enroll. `postings` is how
    many bonds a settler puts up who posts the scores of all batches.
    """

    shape: Shape
    tasks: int
    gold_known: int
    terms: Terms
    postings: int
    gas: Mapping[str, int]
    warnings: tuple[str, ...]

    @property
    def seats(self) -> int:
        """All seats: batches · K."""
        return self.shape.batches * self.shape.seats

    @property
    def labels(self) -> int:
        """All labels bought, second showings included."""
        return self.seats * self.shape.positions

    @property
    def cost(self) -> int:
        """What is escrowed at creation, in the token's smallest units."""
        return cost(self.terms)

    @property
    def cohort_tasks(self) -> int:
        """Tasks that whole cohorts label: K labels each, or more."""
        return min(self.tasks, self.shape.batches * (self.shape.gold + self.shape.common))

    @property
    def single_tasks(self) -> int:
        """Tasks that one seat labels."""
        return self.tasks - self.cohort_tasks


def cost(terms: Terms) -> int:
    """What a campaign's creation escrows, in the token's smallest units."""
    return terms.batches * (terms.bounty + terms.fee)


def make_plan(settings: Settings, tasks: TaskFile, token: Token) -> Plan:
    """The plan for a campaign file and its tasks.

    Raises ExperimenterError when it cannot be carried out, TermsError for terms that no campaign can have.
    """
    amounts = read_amounts(settings, token)
    shape = choose_shape(
        len(tasks.tasks), len(tasks.gold), settings.seats, settings.positions, settings.audit
    )
    if settings.weights.peers and shape.shared < LEAST_CHECKS:
        raise ExperimenterError(
            f"weights.peers is {settings.weights.peers}, but seats share {shape.shared} positions to be"
            f" compared on: share at least {LEAST_CHECKS} (audit.shared), or set weights.peers to 0."
        )
    terms = _terms(settings, shape, amounts)
    terms.validate()
    postings = len(portions(Step.POST, terms, range(terms.batches), MOST_GAS))
    return Plan(
        shape=shape,
        tasks=len(tasks.tasks),
        gold_known=len(tasks.gold),
        terms=terms,
        postings=postings,
        gas=_gas(terms, postings),
        warnings=tuple(_warnings(settings, tasks, shape, terms)),
    )


def _terms(settings: Settings, shape: Shape, amounts: Amounts) -> Terms:
    sealed = TO_COME if shape.audited else ZERO_WORD
    return Terms(
        **vars(amounts),
        token=settings.money.token,
        batch_size=shape.positions,
        cohort=shape.seats,
        metric=settings.question.metric,
        classes=settings.question.classes,
        batches=shape.batches,
        enroll_by=0,
        curve=settings.curve,
        weights=settings.weights,
        periods=settings.periods,
        gate=settings.gate.address if settings.gate else ZERO_ADDRESS,
        gate_rule=allowlist.root(settings.gate.seats) if settings.gate else ZERO_WORD,
        audit_root=sealed,
        audit_key_hash=sealed,
        manifest=TO_COME,
    )


def read_amounts(settings: Settings, token: Token) -> Amounts:
    """The money in the token's smallest units. Raises ExperimenterError with what is wrong."""
    found: dict[str, int] = {}
    faults: list[str] = []
    for name in ("bounty", "stake", "fee", "bond"):
        try:
            found[name] = token.parse(getattr(settings.money, name))
        except ValueError as error:
            faults.append(f"money.{name}: {error}")
            continue
        if found[name] > MOST_MONEY:
            faults.append(
                f"money.{name} is {token.write(found[name])}; it must be at most {token.write(MOST_MONEY)}."
            )
    if not faults and found["bounty"] == 0:
        faults.append(f"money.bounty is 0 {token.symbol}; labelers work for it.")
    if not faults and found["bond"] == 0:
        faults.append(f"money.bond is 0 {token.symbol}; a posting needs a bond that a false one can lose.")
    if faults:
        raise ExperimenterError("\n".join(faults))
    return Amounts(**found)


def _gas(terms: Terms, postings: int) -> dict[str, int]:
    """Of all transactions that it takes, by kind; somebody else may send some of them."""
    seats = terms.batches * terms.cohort
    releases = len(portions(Step.RELEASE, terms, range(terms.batches), MOST_GAS))
    times = {"post": postings, "return bond": postings, "release": releases}
    gas = {
        name: times.get(name, 1) * once + batch * terms.batches + seat * seats
        for name, (once, batch, seat) in GAS.items()
    }
    if not terms.audited:
        del gas["disclose"]
    if terms.token == ZERO_ADDRESS:
        del gas["approve"]
    else:
        gas["deposit"] += TOKEN_DEPOSIT
    return gas


def _warnings(settings: Settings, tasks: TaskFile, shape: Shape, terms: Terms) -> Iterator[str]:
    slashes = terms.curve.max_slash > 0 and terms.stake > 0
    if slashes and terms.weights.peers and shape.shared < FAIR_SHARED:
        yield (
            f"Seats are compared on {shape.shared} shared positions: below about {FAIR_SHARED} honest"
            " labelers are slashed now and then. Take more positions, or set curve.max_slash to 0."
        )
    if slashes and shape.seats < FAIR_SEATS:
        yield (
            f"A cohort has {shape.seats} seats: below {FAIR_SEATS} the median of peers is shaky."
            " Take 5 or better 7 seats, or set curve.max_slash to 0."
        )
    for name, count in (("gold", shape.gold), ("repeats", shape.repeats)):
        if 0 < count < FEWEST_CHECKS:
            yield (
                f"A batch hides {count} {name}: over fewer than {FEWEST_CHECKS} the agreement"
                " of a guesser is far from 0."
            )
    if shape.gold:
        yield from _gold_warnings(tasks, shape)
    room = shape.batches * shape.tasks
    filled = room - len(tasks.tasks)
    if filled * 5 > room:
        yield (
            f"{filled} positions are left over and show tasks once more:"
            " take another number of positions to pay for fewer of them."
        )
    if settings.publish is None and settings.uri is None:
        yield "The manifest stays on this machine: name in `publish` (and `uri`) where labelers can fetch it."


def _gold_warnings(tasks: TaskFile, shape: Shape) -> Iterator[str]:
    """What the known answers are too few, or too much alike, for."""
    classes = gold_by_class(tasks.gold, shape.batches * shape.gold, Deal(bytes(32)))
    rarer = sum(map(len, classes[1:]))
    if len(classes) == 1:
        yield "All known answers are of one class: agreement with them cannot be told from chance."
    elif shape.gold < LEAST_CHECKS or rarer < shape.batches:
        yield (
            f"Of the gold {rarer} answers are not of the commonest class, for {shape.batches} batches of"
            f" {shape.gold}: where a batch has gold of one class only, agreement with it cannot be told from"
            " chance."
        )
