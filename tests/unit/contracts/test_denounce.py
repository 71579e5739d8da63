import pytest
from kit import Opening, Phase, reverts

from earnest.protocol.opening import DENOUNCED


@pytest.fixture
def campaign(stages):
    return stages[Phase.COMMITTING].campaign


@pytest.fixture
def labeler(campaign, by_address):
    """Whose seat 0 is."""
    return by_address[campaign.labeler_of(0)]


@pytest.fixture
def committed(campaign, labeler):
    """The opening that seat 0 is committed to."""
    opening = campaign.opening(0)
    campaign.commit(opening, labeler)
    return opening


@pytest.fixture
def refuses(earnest, campaign, attacker):
    def refuses(opening, error, sender=attacker, **values):
        with reverts(getattr(earnest, error), **values):
            earnest.denounce.call(campaign.id, opening.abi, sender=sender)

    return refuses


def test_given_another_phase(earnest, wrong_phases, attacker):
    for campaign, about in wrong_phases(Phase.COMMITTING):
        with reverts(earnest.WrongPhase, **about):
            earnest.denounce.call(campaign, (0, b"", bytes(32)), sender=attacker)


def test_when_the_seat_was_not_drawn(campaign, refuses):
    refuses(campaign.opening(6), "NoSuchSeat", seat=6, seats=6)


def test_when_the_caller_is_the_labeler(committed, labeler, refuses):
    refuses(committed, "OwnSeat", sender=labeler, seat=0)


def test_given_the_seat_has_no_commitment(campaign, refuses):
    refuses(campaign.opening(0), "NotCommitted", seat=0)


def test_given_the_seat_was_denounced_before(campaign, committed, challenger, refuses):
    campaign.denounce(committed, challenger)
    refuses(committed, "NotCommitted", seat=0)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda right: Opening(right.seat, bytes([right.labels[0] ^ 1]) + right.labels[1:], right.salt),
        lambda right: Opening(right.seat, right.labels + b"\0", right.salt),
        lambda right: Opening(right.seat, right.labels, bytes([right.salt[0] ^ 1]) + right.salt[1:]),
    ],
    ids=["labels", "length", "salt"],
)
def test_when_the_opening_is_not_the_commitments(campaign, committed, refuses, wrong):
    opening = wrong(committed)
    refuses(opening, "WrongOpening", seat=0, commitment=campaign.commitment(opening))


def test_given_the_labeler_has_replaced_the_commitment(campaign, committed, labeler, refuses):
    campaign.commit(campaign.opening(0, b"\0\1\2\0"), labeler)
    refuses(committed, "WrongOpening", seat=0, commitment=campaign.commitment(committed))


def test_when_the_opening_is_the_commitments(earnest, campaign, committed, attacker, labeler, sink):
    people = [attacker, labeler, sink, campaign.experimenter]
    before = campaign.balances(people)
    tx = campaign.denounce(committed, attacker)
    assert tx.events == [earnest.Denounced(campaign.id, 0, attacker, committed.labels)]
    assert campaign.terms.stake == 999
    assert campaign.balances(people) == [before[0] + 499, before[1], before[2] + 500, before[3]]
    assert campaign.record(0) == DENOUNCED
    life = campaign.life()
    assert (life.phase, life.committed, life.opened) == (Phase.COMMITTING, 1, 1)


@pytest.mark.parametrize("labels", [b"", b"\xff" * 4, b"\0" * 100], ids=["none", "out of range", "too many"])
def test_when_the_labels_are_none_that_could_be_revealed(campaign, labeler, attacker, labels):
    opening = campaign.opening(0, labels)
    campaign.commit(opening, labeler)
    campaign.denounce(opening, attacker)
    assert campaign.record(0) == DENOUNCED


def test_when_the_labelers_operator_denounces(earnest, campaign, committed, labeler, operator):
    earnest.setOperator(operator, True, sender=labeler)
    campaign.denounce(committed, operator)
    assert campaign.record(0) == DENOUNCED
