"""What a campaign takes and costs, and what is risky about it; shown before anything is signed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from earnest.chain.money import Token
from earnest.experimenter.errors import ExperimenterError
from earnest.experimenter.layout import Shape, choose_shape
from earnest.experimenter.settings import Settings
from earnest.tasks.columns import TaskFile

FAIR_SHARED: Final = 100
FAIR_SEATS: Final = 5
FEWEST_CHECKS: Final = 10
MOST_MONEY: Final = 2**96 - 1  # of each amount in the terms

# Gas of the experimenter's own transactions, as measured on anvil (cancun), and for each batch besides.
GAS: Final[Mapping[str, tuple[int, int]]] = {
    "deposit": (50_000, 0),
    "create": (310_000, 0),
    "draw": (125_000, 0),
    "disclose": (55_000, 0),
    "post": (75_000, 24_000),
    "release": (40_000, 30_000),
    "return bond": (41_000, 0),
}
RELEASE_SEAT: Final = 31_000


@dataclass(frozen=True, kw_only=True)
class Amounts:
    """The money of a campaign in the token's smallest units."""

    bounty: int
    stake: int
    fee: int
    bond: int


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A campaign before it is created."""

    shape: Shape
    tasks: int
    gold_known: int
    amounts: Amounts
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
        return self.shape.batches * (self.amounts.bounty + self.amounts.fee)

    @property
    def cohort_tasks(self) -> int:
        """Tasks that whole cohorts label: K labels each, or more."""
        shape = self.shape
        checks = min(self.gold_known, shape.batches * shape.gold)
        return min(self.tasks, shape.batches * shape.common + checks)

    @property
    def single_tasks(self) -> int:
        """Tasks that one seat labels."""
        return self.tasks - self.cohort_tasks


def make_plan(settings: Settings, tasks: TaskFile, token: Token) -> Plan:
    """The plan for a campaign file and its tasks. Raises ExperimenterError when it cannot be carried out."""
    amounts = read_amounts(settings, token)
    shape = choose_shape(
        len(tasks.tasks), len(tasks.gold), settings.seats, settings.positions, settings.audit
    )
    return Plan(
        shape=shape,
        tasks=len(tasks.tasks),
        gold_known=len(tasks.gold),
        amounts=amounts,
        gas=_gas(shape),
        warnings=tuple(_warnings(settings, tasks, shape, amounts)),
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


def _gas(shape: Shape) -> dict[str, int]:
    gas = {name: once + each * shape.batches for name, (once, each) in GAS.items()}
    gas["release"] += RELEASE_SEAT * shape.batches * shape.seats
    if not shape.audited:
        del gas["disclose"]
    return gas


def _warnings(settings: Settings, tasks: TaskFile, shape: Shape, amounts: Amounts) -> list[str]:
    found: list[str] = []
    slashes = settings.curve.max_slash > 0 and amounts.stake > 0
    if slashes and settings.weights.peers and shape.shared < FAIR_SHARED:
        found.append(
            f"Seats are compared on {shape.shared} shared positions: below about {FAIR_SHARED} honest"
            " labelers are slashed now and then. Take more positions, or set curve.max_slash to 0."
        )
    if slashes and shape.seats < FAIR_SEATS:
        found.append(
            f"A cohort has {shape.seats} seats: below {FAIR_SEATS} the median of peers is shaky."
            " Take 5 or better 7 seats, or set curve.max_slash to 0."
        )
    for name, count in (("gold", shape.gold), ("repeats", shape.repeats)):
        if 0 < count < FEWEST_CHECKS:
            found.append(
                f"A batch hides {count} {name}: over fewer than {FEWEST_CHECKS} the agreement"
                " of a guesser is far from 0."
            )
    found += _gold_warnings(tasks, shape)
    if settings.weights.peers and shape.shared < 2:
        found.append("Fewer than 2 positions are shared: no peers to compare with; raise audit.shared.")
    room = shape.batches * shape.room
    filled = room - (len(tasks.tasks) - min(len(tasks.gold), shape.batches * shape.gold))
    if filled * 5 > room:
        found.append(
            f"{filled} positions are left over and show tasks once more:"
            " take another number of positions to pay for fewer of them."
        )
    if settings.publish is None and settings.uri is None:
        found.append(
            "The manifest stays on this machine: name in `publish` (and `uri`) where labelers can fetch it."
        )
    return found


def _gold_warnings(tasks: TaskFile, shape: Shape) -> Sequence[str]:
    if not shape.gold:
        return ()
    counts: dict[int, int] = {}
    for label in tasks.gold.values():
        counts[label] = counts.get(label, 0) + 1
    if len(counts) < 2:
        return ("All known answers are of one class: agreement with them cannot be told from chance.",)
    if shape.gold < 2:
        return ("A batch has gold of one class only: agreement with it cannot be told from chance.",)
    if shape.batches * shape.gold > len(tasks.gold):
        return (
            f"{len(tasks.gold)} known answers serve {shape.batches} batches of {shape.gold}:"
            " some stand in several, where labelers with several seats may recognise them.",
        )
    return ()
