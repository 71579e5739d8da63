import pytest
from kit import Phase, reverts

from earnest.protocol import draw
from earnest.protocol.opening import revealed_record
from earnest.protocol.terms import ZERO_ADDRESS


def test_given_no_such_campaign(earnest, attacker):
    assert tuple(earnest.drawOf(7)) == (False, 0, bytes(32), bytes(32))
    assert earnest.termsOf(7).experimenter == ZERO_ADDRESS
    assert tuple(earnest.seatOf(7, 0)) == (ZERO_ADDRESS, bytes(32), 0)
    assert tuple(earnest.postingOf(7, 1)) == (ZERO_ADDRESS, 0, 0, 0)
    assert tuple(earnest.accountOf(attacker, attacker)) == (0, 0)
    with reverts(earnest.NoSuchBatch, batch=0, batches=0):
        earnest.batchOf(7, 0)


@pytest.mark.parametrize("batch", [2, 2**256 - 1])
def test_when_a_batch_was_not_drawn(earnest, stages, batch):
    with reverts(earnest.NoSuchBatch, batch=batch, batches=2):
        earnest.batchOf(stages[Phase.SETTLING].campaign.id, batch)


def test_given_seats_taken_drawn_and_revealed(stages, labelers):
    stage = stages[Phase.SETTLING]
    for seat in range(6):
        assert stage.campaign.labeler_of(seat) == labelers[seat].address
        assert stage.campaign.record(seat) == revealed_record(stage.openings[seat].labels)
        assert stage.campaign.revisions(seat) == 1
    assert stage.campaign.labeler_of(6) == ZERO_ADDRESS


def test_when_asked_which_batch_a_seat_got(stages):
    campaign = stages[Phase.SETTLING].campaign
    cohorts = [campaign.cohort(batch) for batch in range(2)]
    assert sorted(seat for cohort in cohorts for seat in cohort) == list(range(6))
    for seat in range(6):
        batch = draw.batch_of(campaign.seed(), campaign.life().seats, 3, seat)
        assert seat in cohorts[batch]
