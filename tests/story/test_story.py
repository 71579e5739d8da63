"""From a dataset to a labelled dataset, by everybody's command line, on a node with a block time.

See `play.py` for what happens in which order, and `crowd.py` for whose labels they are. What must come of
them is computed here, from the crowd's own answers and by the plain copy of the rules.
"""

from __future__ import annotations

import pickle
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
from crowd import PEOPLE
from crowd import Campaign as Told
from crowd import campaigns as tell
from processes import played

from earnest.chain.records import BondReturned, PostingOpened, PostingVoided, Record, Refereed
from earnest.chain.state import Campaign, PostingStatus, State, rebuild
from earnest.manifest.manifest import Manifest
from earnest.protocol import audit, reference
from earnest.protocol.labels import label_count
from earnest.protocol.settlement import settle_batch
from earnest.protocol.terms import ZERO_ADDRESS

pytestmark = pytest.mark.anvil

PLAY = Path(__file__).with_name("play.py")
TOLD = {campaign.name: campaign for campaign in tell()}
CARRIED, FALSELY, HONESTLY = "rte", {"temp", "ranking"}, {"affect_valence"}
FALSE_SCORE = 9_999
ETHER = ZERO_ADDRESS


@dataclass(frozen=True)
class Outcome:
    """What the story left. `addresses` by role; `held`: the contract's ether at the end, in wei."""

    folder: Path
    records: list[Record]
    sink: str
    ids: dict[str, int]
    addresses: dict[str, str]
    held: int
    kills: list[str]

    @property
    def state(self) -> State:
        return rebuild(self.records, self.sink)

    def campaign(self, name: str) -> Campaign:
        return self.state.campaigns[self.ids[name]]

    def manifest(self, name: str) -> Manifest:
        digest = self.campaign(name).terms.manifest.hex()
        return Manifest.from_bytes((self.folder / "public" / f"{digest}.json").read_bytes())

    def of(self, name: str, kind: type) -> list:
        """A campaign's records of one kind."""
        return [each for each in self.records if isinstance(each, kind) and each.campaign == self.ids[name]]


@pytest.fixture(scope="module")
def outcome(tmp_path_factory) -> Outcome:
    folder = tmp_path_factory.mktemp("story")
    print(played(PLAY, folder, limit=1_200))
    return Outcome(folder=folder, **pickle.loads((folder / "outcome").read_bytes()))


def given(told: Told, manifest: Manifest, person: int, lane: int) -> bytes:
    """What a person really answered, as labels in the order of a lane's positions."""
    answers, question = told.answers[person], manifest.question
    tasks = [manifest.tasks[task].id for task in manifest.positions(0, lane)]
    return bytes(question.label(answers[task]) for task in tasks)


@pytest.mark.parametrize("name", TOLD)
def test_labels_are_what_the_people_answered(outcome, name):
    found, manifest = outcome.campaign(name), outcome.manifest(name)
    assert len(found.batches) == 1
    people = {outcome.addresses[f"labeler{person}"]: person for person in range(PEOPLE)}
    cohort = found.cohort(0)
    assert sorted(people[seat.labeler] for seat in cohort) == list(range(PEOPLE))
    for lane, seat in enumerate(cohort):
        assert seat.labels == given(TOLD[name], manifest, people[seat.labeler], lane)


@pytest.mark.parametrize("name", TOLD)
def test_scores_and_pay_are_what_the_rules_say(outcome, name):
    found, manifest = outcome.campaign(name), outcome.manifest(name)
    terms, cohort = found.terms, found.cohort(0)
    people = {outcome.addresses[f"labeler{person}"]: person for person in range(PEOPLE)}
    labelers = [seat.labeler for seat in cohort]
    labels = [
        given(TOLD[name], manifest, people[labeler], lane) for lane, labeler in enumerate(labelers)
    ]
    row = None
    if terms.audited:
        size = label_count(terms.metric, terms.classes)
        row = audit.open_row(manifest.audit_rows[0], found.audit_key, 0, terms.batch_size, size)
        assert len(row.gold) == 4
    scores = reference.scores(terms, labels, labelers, row)
    assert found.scores(0) == scores
    payouts = settle_batch(terms, scores)
    assert [seat.paid for seat in cohort] == list(payouts.paid)
    assert (found.batches[0].refund, found.batches[0].sunk) == (payouts.refund, payouts.sink)
    assert found.locked == 0
    # There is something to see: people are told apart, most of them are paid, none as the liar had it.
    assert len(set(payouts.paid)) > 2
    assert sum(paid > terms.stake for paid in payouts.paid) > PEOPLE / 2
    assert FALSE_SCORE not in scores


def test_somebody_is_slashed(outcome):
    slashed = [seat for name in TOLD for seat in outcome.campaign(name).seats if seat.paid < 2 * 10**17]
    assert slashed


@pytest.mark.parametrize("name", sorted(FALSELY))
def test_false_postings_are_void_and_the_watcher_has_refereed_them(outcome, name):
    liar, watcher = outcome.addresses["dishonest"], outcome.addresses["watcher"]
    (opened,), (voided,), (refereed,) = (
        outcome.of(name, kind) for kind in (PostingOpened, PostingVoided, Refereed)
    )
    assert opened.settler == liar
    assert voided.challenger == watcher
    assert refereed.caller == watcher
    (posting,) = outcome.campaign(name).postings.values()
    assert posting.status is PostingStatus.VOID


@pytest.mark.parametrize("name", sorted({CARRIED} | HONESTLY))
def test_right_postings_stand_and_their_bond_is_back(outcome, name):
    role = "experimenter" if name == CARRIED else "settler"
    (opened,) = outcome.of(name, PostingOpened)
    assert opened.settler == outcome.addresses[role]
    assert not outcome.of(name, PostingVoided)
    assert not outcome.of(name, Refereed)
    assert len(outcome.of(name, BondReturned)) == 1


def test_everybody_has_taken_home_what_is_theirs_and_only_the_sink_keeps_money_here(outcome):
    state = outcome.state
    terms = {name: outcome.campaign(name).terms for name in TOLD}
    taken, brought = Counter(), Counter()
    for record in outcome.records:
        match type(record).__name__:
            case "Withdrawn":
                taken[record.account] += record.amount
            case "Deposited":
                brought[record.account] += record.amount
    gain = {role: taken[each] - brought[each] for role, each in outcome.addresses.items()}

    false = [terms[name] for name in FALSELY]
    assert gain["watcher"] == sum(each.bond // 2 + each.fee for each in false)
    assert gain["dishonest"] == -sum(each.bond for each in false)
    assert gain["settler"] == sum(terms[name].fee for name in HONESTLY)
    paid = [settled(outcome, name) for name in TOLD]
    own = terms[CARRIED].fee  # posted by the experimenter
    assert gain["experimenter"] == own - sum(each.bounty + each.fee for each in terms.values()) + sum(
        each.refund for each in paid
    )
    for person in range(PEOPLE):
        labeler = outcome.addresses[f"labeler{person}"]
        seats = [seat for name in TOLD for seat in outcome.campaign(name).seats if seat.labeler == labeler]
        stakes = sum(each.stake for each in terms.values())
        assert gain[f"labeler{person}"] == sum(seat.paid for seat in seats) - stakes

    left = {account: amount for account, amount in state.balances[ETHER].items() if amount}
    sunk = sum(each.sink for each in paid) + sum(each.bond - each.bond // 2 for each in false)
    assert left == {outcome.sink: sunk}
    assert state.locked(ETHER) == 0
    assert outcome.held == state.held(ETHER) == sunk


def settled(outcome: Outcome, name: str):
    found = outcome.campaign(name)
    return settle_batch(found.terms, found.scores(0))


def test_one_command_carries_a_campaign_through_kills(outcome):
    assert len(outcome.kills) == 6
    assert {"prepared", "Enrolling", "Committing", "Settling"} <= set(outcome.kills)
    assert outcome.campaign(CARRIED).audit_key is not None
    assert outcome.state.campaigns.keys() == set(outcome.ids.values())  # none was created twice


@pytest.mark.parametrize("name", TOLD)
def test_a_stranger_rebuilds_the_same_bytes(outcome, name):
    """From the chain and the published manifest alone: all else is moved away meanwhile."""
    first = files_of(outcome.folder / "away" / "first" / name)
    assert files_of(outcome.folder / "stranger" / "again" / name) == first
    assert {"dataset.jsonl", "dataset.csv", "dataset.parquet", "labels.jsonl", "summary.json"} <= first.keys()
    assert len(first["labels.jsonl"].splitlines()) == PEOPLE * len(TOLD[name].rows)
    assert len(first["dataset.jsonl"].splitlines()) == len(TOLD[name].rows)


def test_the_stranger_found_nothing_but_the_published_manifests(outcome):
    """Nobody put anything back, either."""
    there = {path.name for path in outcome.folder.iterdir()}
    assert there == {"away", "errors", "outcome", "printed", "public", "stranger"}
    published = {f"{outcome.campaign(name).terms.manifest.hex()}.json" for name in TOLD}
    assert {path.name for path in (outcome.folder / "public").iterdir()} == published


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
