from dataclasses import replace

import pytest
from kit import Opening, Phase, reverts

from earnest.protocol.opening import revealed_record


@pytest.fixture
def stage(stages):
    return stages[Phase.REVEALING]


@pytest.fixture
def refuses(earnest, stage, relayer):
    def refuses(opening, error, **values):
        arguments = (stage.campaign.id, opening.seat, opening.labels, opening.salt)
        with reverts(error if not isinstance(error, str) else getattr(earnest, error), **values):
            earnest.reveal.call(*arguments, sender=relayer)

    return refuses


@pytest.fixture
def partly(launch, by_address):
    """A campaign that is revealing though seats 4 and 5 never committed, and seat 3 was denounced."""

    def partly(denouncer, **changes):
        campaign = launch(Phase.COMMITTING, **changes).campaign
        openings = {seat: campaign.opening(seat) for seat in range(4)}
        for seat, opening in openings.items():
            campaign.commit(opening, by_address[campaign.labeler_of(seat)])
        campaign.denounce(openings[3], denouncer)
        campaign.system.travel(campaign.life().deadline)
        return campaign, openings

    return partly


def test_given_another_phase(earnest, wrong_phases, attacker):
    for campaign, about in wrong_phases(Phase.REVEALING):
        with reverts(earnest.WrongPhase, **about):
            earnest.reveal.call(campaign, 0, b"", bytes(32), sender=attacker)


@pytest.mark.parametrize("late", [False, True])
def test_given_the_reveal_period(system, earnest, stage, late):
    campaign = stage.campaign
    system.at(campaign.life().deadline - 1 + late)
    if late:
        about = {"campaign": campaign.id, "phase": Phase.SETTLING, "deadline": 0}
        with reverts(earnest.WrongPhase, **about):
            campaign.reveal(stage.openings[0])
    else:
        campaign.reveal(stage.openings[0])


def test_when_the_seat_was_not_drawn(stage, refuses):
    refuses(replace(stage.openings[0], seat=6), "NoSuchSeat", seat=6, seats=6)


def test_given_the_seat_has_no_commitment(earnest, partly, attacker, relayer):
    campaign, _ = partly(attacker)
    opening = campaign.opening(4)
    with reverts(earnest.NotCommitted, seat=4):
        earnest.reveal.call(campaign.id, *opening.abi, sender=relayer)


def test_given_the_seat_was_denounced(earnest, partly, attacker, relayer):
    campaign, openings = partly(attacker)
    with reverts(earnest.NotCommitted, seat=3):
        earnest.reveal.call(campaign.id, *openings[3].abi, sender=relayer)


def test_given_the_seat_has_revealed(stage, refuses):
    stage.campaign.reveal(stage.openings[2])
    refuses(stage.openings[2], "AlreadyRevealed", seat=2)


@pytest.mark.parametrize("count", [0, 3, 5, 36])
def test_when_there_are_too_few_or_too_many_labels(stage, refuses, count):
    opening = replace(stage.openings[0], labels=bytes(count))
    refuses(opening, "WrongLabelCount", seat=0, count=count, required=4)


@pytest.mark.parametrize(
    ("labels", "position", "label"), [(b"\0\0\0\3", 3, 3), (b"\0\xff\4\0", 1, 255), (b"\3\2\1\0", 0, 3)]
)
def test_when_a_label_is_out_of_range(earnest, referee, stage, refuses, labels, position, label):
    refuses(
        replace(stage.openings[0], labels=labels),
        referee.LabelOutOfRange,
        position=position,
        label=label,
        size=3,
    )


@pytest.mark.parametrize("wrong", ["labels", "salt"])
def test_when_labels_or_salt_are_not_the_commitments(stage, refuses, wrong):
    right = stage.openings[0]
    labels = bytes([(right.labels[0] + 1) % 3]) + right.labels[1:]
    opening = replace(right, labels=labels) if wrong == "labels" else replace(right, salt=bytes(32))
    refuses(opening, "WrongOpening", seat=0, commitment=stage.campaign.commitment(opening))


def test_given_a_commitment_copied_from_another_seat(earnest, launch, by_address, relayer):
    campaign = launch(Phase.COMMITTING).campaign
    original = campaign.opening(0)
    commitment = campaign.commitment(original)
    for seat in range(6):
        sender = by_address[campaign.labeler_of(seat)]
        earnest.commit(campaign.id, seat, commitment, sender=sender)
    campaign.reveal(original)
    copied = Opening(1, original.labels, original.salt)
    with reverts(earnest.WrongOpening, seat=1, commitment=campaign.commitment(copied)):
        earnest.reveal.call(campaign.id, *copied.abi, sender=relayer)


def test_given_a_commitment_made_for_another_campaign(earnest, stage, launch, by_address, relayer):
    campaign = launch(Phase.COMMITTING).campaign
    for seat, opening in stage.openings.items():
        foreign = stage.campaign.commitment(opening)
        earnest.commit(campaign.id, seat, foreign, sender=by_address[campaign.labeler_of(seat)])
    opening = stage.openings[0]
    with reverts(earnest.WrongOpening, seat=0, commitment=campaign.commitment(opening)):
        earnest.reveal.call(campaign.id, *opening.abi, sender=relayer)


def test_when_anybody_reveals_what_the_commitment_is_to(earnest, stage, attacker):
    campaign, opening = stage.campaign, stage.openings[4]
    before = campaign.life()
    tx = campaign.reveal(opening, sender=attacker)
    assert tx.events == [earnest.Revealed(campaign.id, 4, opening.labels)]
    assert campaign.record(4) == revealed_record(opening.labels)
    assert campaign.revisions(4) == 1
    life = campaign.life()
    assert (life.phase, life.opened, life.deadline) == (Phase.REVEALING, 1, before.deadline)


def test_given_the_last_commitment_without_an_audit(partly, attacker):
    campaign, openings = partly(attacker)
    for seat in range(2):
        campaign.reveal(openings[seat])
    assert campaign.phase() == Phase.REVEALING
    campaign.reveal(openings[2])
    life = campaign.life()
    assert (life.phase, life.deadline, life.opened, life.committed) == (Phase.SETTLING, 0, 4, 4)


def test_given_the_last_commitment_with_an_audit(system, partly, attacker):
    campaign, openings = partly(attacker, audited=True)
    for seat in range(2):
        campaign.reveal(openings[seat])
    time = system.chain.pending_timestamp + 44
    system.at(time)
    campaign.reveal(openings[2])
    life = campaign.life()
    assert (life.phase, life.deadline) == (Phase.AUDITING, time + campaign.terms.periods.audit)
