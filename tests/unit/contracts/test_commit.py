import pytest
from kit import Phase, reverts

from earnest.protocol.opening import committed_record

COMMITMENT = b"\xab" * 32  # odd: its lowest bit does not count


@pytest.fixture
def campaign(stages):
    return stages[Phase.COMMITTING].campaign


@pytest.fixture
def labeler(campaign, by_address):
    """Whose seat 0 is."""
    return by_address[campaign.labeler_of(0)]


def test_given_another_phase(earnest, wrong_phases, attacker):
    for campaign, about in wrong_phases(Phase.COMMITTING):
        with reverts(earnest.WrongPhase, **about):
            earnest.commit.call(campaign, 0, COMMITMENT, sender=attacker)


@pytest.mark.parametrize("late", [False, True])
def test_given_the_commit_period(system, earnest, campaign, labeler, late):
    earnest.commit(campaign.id, 0, COMMITMENT, sender=labeler)
    deadline = campaign.life().deadline
    system.at(deadline - 1 + late)
    if late:
        about = {"phase": Phase.REVEALING, "deadline": deadline + campaign.terms.periods.reveal}
        with reverts(earnest.WrongPhase, campaign=campaign.id, **about):
            earnest.commit(campaign.id, 0, COMMITMENT, sender=labeler)
    else:
        earnest.commit(campaign.id, 0, COMMITMENT, sender=labeler)


@pytest.mark.parametrize("seat", [6, 2**256 - 1])
def test_when_the_seat_was_not_drawn(earnest, campaign, attacker, seat):
    with reverts(earnest.NoSuchSeat, seat=seat, seats=6):
        earnest.commit.call(campaign.id, seat, COMMITMENT, sender=attacker)


def test_when_the_caller_is_neither_the_labeler_nor_an_operator_of_theirs(
    earnest, campaign, labeler, attacker, by_address
):
    neighbour = by_address[campaign.labeler_of(1)]
    for caller in (attacker, neighbour, campaign.experimenter):
        with reverts(earnest.NotAuthorized, caller=caller, labeler=labeler):
            earnest.commit.call(campaign.id, 0, COMMITMENT, sender=caller)


def test_given_the_seat_was_denounced(earnest, campaign, labeler, attacker):
    opening = campaign.opening(0)
    campaign.commit(opening, labeler)
    campaign.denounce(opening, attacker)
    with reverts(earnest.SeatDenounced, seat=0):
        earnest.commit.call(campaign.id, 0, COMMITMENT, sender=labeler)


@pytest.mark.parametrize("commitment", [0, 1])
def test_when_the_commitment_is_one_that_no_digest_can_be(earnest, campaign, labeler, commitment):
    word = commitment.to_bytes(32, "big")
    with reverts(earnest.InvalidCommitment, commitment=word):
        earnest.commit.call(campaign.id, 0, word, sender=labeler)


def test_given_the_seat_has_no_commitment(earnest, campaign, labeler):
    before = campaign.life()
    tx = earnest.commit(campaign.id, 0, COMMITMENT, sender=labeler)
    assert tx.events == [earnest.Committed(campaign.id, 0, COMMITMENT)]
    assert campaign.record(0) == committed_record(COMMITMENT)
    assert (campaign.revisions(0), campaign.record(1)) == (1, 0)
    life = campaign.life()
    assert (life.phase, life.committed, life.opened) == (Phase.COMMITTING, 1, 0)
    assert life.deadline == before.deadline


def test_given_the_seat_has_a_commitment(earnest, campaign, labeler):
    for revision, byte in enumerate([b"\x10", b"\x20", b"\x10"]):
        assert campaign.revisions(0) == revision
        tx = earnest.commit(campaign.id, 0, byte * 32, sender=labeler)
        assert tx.events == [earnest.Committed(campaign.id, 0, byte * 32)]
        assert campaign.record(0) == committed_record(byte * 32)
    assert (campaign.revisions(0), campaign.life().committed) == (3, 1)


def test_when_an_operator_commits(earnest, campaign, labeler, operator):
    earnest.setOperator(operator, True, sender=labeler)
    earnest.commit(campaign.id, 0, COMMITMENT, sender=operator)
    assert campaign.record(0) == committed_record(COMMITMENT)


def test_given_every_other_seat_has_committed(system, campaign, by_address):
    openings = [campaign.opening(seat) for seat in range(6)]
    for opening in openings[:5]:
        campaign.commit(opening, by_address[campaign.labeler_of(opening.seat)])
    assert campaign.phase() == Phase.COMMITTING
    time = system.chain.pending_timestamp + 33
    system.at(time)
    campaign.commit(openings[5], by_address[campaign.labeler_of(5)])
    life = campaign.life()
    assert (life.phase, life.committed, life.opened) == (Phase.REVEALING, 6, 0)
    assert life.deadline == time + campaign.terms.periods.reveal


def test_given_every_other_seat_has_been_denounced(campaign, by_address, attacker):
    for seat in range(6):
        opening = campaign.opening(seat)
        campaign.commit(opening, by_address[campaign.labeler_of(seat)])
        if seat < 5:
            campaign.denounce(opening, attacker)
    life = campaign.life()
    assert (life.phase, life.committed, life.opened) == (Phase.REVEALING, 6, 5)
    campaign.reveal(campaign.opening(5))
    assert campaign.phase() == Phase.SETTLING
