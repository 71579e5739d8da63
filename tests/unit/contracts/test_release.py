import pytest
from kit import BatchStatus, Phase, reverts

from earnest.protocol.score import ABSENT, UNSCORED
from earnest.protocol.settlement import pack


@pytest.fixture
def stage(stages):
    return stages[Phase.SETTLING]


@pytest.fixture
def pays(earnest, by_address, sink):
    """Release a batch and compare event and balances with what the rules say."""

    def pays(campaign, batch, scores, settler=None, denounced=()):
        payouts = campaign.payouts(batch, scores, denounced)
        seats = campaign.cohort(batch)
        labelers = [campaign.labeler_of(seat) for seat in seats]
        others = [campaign.experimenter, sink] + ([settler] if settler else [])
        before = campaign.balances([*labelers, *others])

        tx = campaign.release([batch])

        stake = campaign.terms.stake
        results = [
            0 if seat in denounced else paid - stake
            for seat, paid in zip(seats, payouts.paid, strict=True)
        ]
        assert tx.events == [
            earnest.Released(campaign.id, batch, results, payouts.refund, payouts.sink),
        ]
        due = [*payouts.paid, payouts.refund, payouts.sink] + ([payouts.fee] if settler else [])
        assert campaign.balances([*labelers, *others]) == [
            had + more for had, more in zip(before, due, strict=True)
        ]
        assert campaign.batch(batch).status == BatchStatus.RELEASED
        assert campaign.batch(batch).scores == pack(scores)

    return pays


def test_given_neither_settling_nor_final(earnest, wrong_phases, attacker):
    for campaign, about in wrong_phases(Phase.SETTLING, Phase.FINAL):
        with reverts(earnest.WrongPhase, **about):
            earnest.release.call(campaign, [0], sender=attacker)


def test_when_a_batch_was_not_drawn(earnest, stages, attacker):
    with reverts(earnest.NoSuchBatch, batch=2, batches=2):
        earnest.release.call(stages[Phase.FINAL].campaign.id, [2], sender=attacker)


def test_given_the_batch_has_no_scores(earnest, stage, attacker):
    stage.campaign.referee(0, stage.openings)
    with reverts(earnest.NotFinal, batch=1, finalAt=0):
        earnest.release.call(stage.campaign.id, [0, 1], sender=attacker)


def test_given_the_challenge_period_runs(system, earnest, stage, settler):
    campaign = stage.campaign
    campaign.post({1: [0, 0, 0]}, settler)
    final_at = campaign.batch(1).finalAt
    system.at(final_at - 1)
    with reverts(earnest.NotFinal, batch=1, finalAt=final_at):
        campaign.release([1])
    system.at(final_at)
    campaign.release([1])
    assert campaign.batch(1).status == BatchStatus.RELEASED
    assert campaign.phase() == Phase.SETTLING


SCORES = [
    [3_000, 3_000, 3_000],
    [10_000, 2_999, 1_001],
    [1_000, 1_000, 500],
    [2_000, 1_000, 499],
    [5_000, 1_000, -499],
    [5_000, 1_000, -500],
    [5_000, 4_000, -10_000],
    [-10_000, 999, 5_000],
    [1_000, -10_000, -10_000],
    [-10_000, -10_000, -10_000],
    [UNSCORED, -10_000, 10_000],
    [UNSCORED, UNSCORED, -10_000],
    [UNSCORED, UNSCORED, UNSCORED],
]


@pytest.mark.parametrize("scores", SCORES, ids=str)
def test_given_posted_scores_that_are_final(system, stage, settler, pays, scores):
    stage.campaign.post({0: scores}, settler)
    system.travel(stage.campaign.batch(0).finalAt)
    pays(stage.campaign, 0, scores, settler)
    assert stage.campaign.life().released == 1


def test_given_refereed_scores(stages, pays):
    stage = stages[Phase.FINAL]
    for batch in range(2):
        pays(stage.campaign, batch, stage.campaign.scores(batch, stage.openings))
    life = stage.campaign.life()
    assert (life.phase, life.released) == (Phase.FINAL, 2)


@pytest.mark.parametrize("reveals", [0, 1, 2])
def test_given_seats_that_did_not_reveal(system, launch, pays, reveals):
    stage = launch(Phase.REVEALING, batches=1)
    campaign = stage.campaign
    revealed = {seat: stage.openings[seat] for seat in range(reveals)}
    if revealed:
        campaign.reveal_many(revealed.values())
    system.travel(campaign.life().deadline)
    campaign.referee(0, revealed)
    pays(campaign, 0, campaign.scores(0, revealed))


def test_given_a_denounced_seat(system, launch, by_address, attacker, settler, pays):
    campaign = launch(Phase.COMMITTING, batches=1).campaign
    openings = {seat: campaign.opening(seat) for seat in range(2)}
    for seat, opening in openings.items():
        campaign.commit(opening, by_address[campaign.labeler_of(seat)])
    campaign.denounce(openings[0], attacker)
    system.travel(campaign.life().deadline)
    campaign.reveal(openings[1])
    revealed = {1: openings[1]}
    campaign.referee(0, revealed)
    scores = campaign.scores(0, revealed)
    assert sorted(scores) == sorted([ABSENT, ABSENT, UNSCORED])
    pays(campaign, 0, scores, denounced=[0])


def test_given_nobody_committed(system, launch, pays):
    campaign = launch(Phase.COMMITTING, batches=1).campaign
    system.travel(campaign.life().deadline)
    assert campaign.phase() == Phase.SETTLING
    campaign.referee(0, {})
    payouts = campaign.payouts(0, [ABSENT] * 3)
    assert (payouts.refund, payouts.forfeit) == (campaign.terms.bounty, (500, 500, 500))
    pays(campaign, 0, [ABSENT] * 3)


def test_when_a_batch_is_named_twice_or_was_released(earnest, stages, labelers, sink):
    campaign = stages[Phase.FINAL].campaign
    campaign.release([0])
    people = [campaign.labeler_of(seat) for seat in campaign.cohort(0)] + [sink]
    before = campaign.balances(people)
    tx = campaign.release([0, 1, 1, 0])
    assert [event.batch for event in tx.events] == [1]
    gained = campaign.balances(people)
    assert gained[:3] == before[:3]
    assert campaign.life().released == 2


def test_when_no_batch_is_named(stages, sink):
    campaign = stages[Phase.FINAL].campaign
    before = campaign.balances([campaign.experimenter, sink])
    assert campaign.release([]).events == []
    assert campaign.balances([campaign.experimenter, sink]) == before
    assert campaign.life().released == 0


def test_when_several_batches_are_named(stages, sink, by_address):
    stage = stages[Phase.FINAL]
    campaign = stage.campaign
    payouts = [campaign.payouts(batch, campaign.scores(batch, stage.openings)) for batch in range(2)]
    people = [campaign.experimenter, sink]
    before = campaign.balances(people)
    tx = campaign.release([1, 0])
    assert [event.batch for event in tx.events] == [1, 0]
    assert campaign.balances(people) == [
        before[0] + sum(payout.refund for payout in payouts),
        before[1] + sum(payout.sink for payout in payouts),
    ]
