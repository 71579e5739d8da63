from dataclasses import replace

import pytest
from kit import Phase, reverts

from earnest.protocol.opening import revealed_record


@pytest.fixture
def stage(stages):
    return stages[Phase.REVEALING]


def test_given_another_phase(earnest, wrong_phases, attacker):
    for campaign, about in wrong_phases(Phase.REVEALING):
        with reverts(earnest.WrongPhase, **about):
            earnest.revealMany.call(campaign, [], sender=attacker)


def test_when_there_is_nothing_to_reveal(stage):
    before = stage.campaign.life()
    assert stage.campaign.reveal_many([]).events == []
    assert stage.campaign.life() == before


def test_when_a_seat_was_not_drawn(earnest, stage, relayer):
    openings = [stage.openings[0].abi, replace(stage.openings[1], seat=6).abi]
    with reverts(earnest.NoSuchSeat, seat=6, seats=6):
        earnest.revealMany.call(stage.campaign.id, openings, sender=relayer)


def test_given_a_seat_without_a_commitment(system, earnest, launch, by_address, relayer):
    campaign = launch(Phase.COMMITTING).campaign
    opening = campaign.opening(0)
    campaign.commit(opening, by_address[campaign.labeler_of(0)])
    system.travel(campaign.life().deadline)
    with reverts(earnest.NotCommitted, seat=1):
        earnest.revealMany.call(campaign.id, [opening.abi, campaign.opening(1).abi], sender=relayer)


def test_when_one_opening_is_wrong(earnest, stage, relayer):
    wrong = replace(stage.openings[1], salt=bytes(32))
    with reverts(earnest.WrongOpening, seat=1, commitment=stage.campaign.commitment(wrong)):
        earnest.revealMany(stage.campaign.id, [stage.openings[0].abi, wrong.abi], sender=relayer)
    assert stage.campaign.life().opened == 0


def test_when_a_seat_has_been_revealed_before_or_in_the_same_call(earnest, stage):
    campaign, openings = stage.campaign, stage.openings
    campaign.reveal(openings[0])
    tx = campaign.reveal_many([openings[seat] for seat in (0, 1, 1, 2)])
    assert tx.events == [earnest.Revealed(campaign.id, seat, openings[seat].labels) for seat in (1, 2)]
    assert campaign.life().opened == 3


def test_when_all_are_right(earnest, stage):
    campaign, openings = stage.campaign, stage.openings
    tx = campaign.reveal_many(openings.values())
    assert tx.events == [earnest.Revealed(campaign.id, seat, openings[seat].labels) for seat in range(6)]
    records = [revealed_record(openings[seat].labels) for seat in range(6)]
    assert [campaign.record(seat) for seat in range(6)] == records
    life = campaign.life()
    assert (life.phase, life.opened, life.deadline) == (Phase.SETTLING, 6, 0)
