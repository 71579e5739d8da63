import pytest
from kit import HOUR, Phase

TRUE = [1_000, 2_000, 3_000]
YEARS = 10 * 365 * 24 * HOUR


@pytest.fixture
def turns(system):
    """Expect a campaign to be in one phase until its deadline, and from then on in the next."""

    def turns(campaign, before, after, deadline=0):
        time = int(campaign.life().deadline)
        system.travel(time - 2)  # a call may see a second more than the last block had
        assert campaign.phase() == before
        system.travel(time)
        life = campaign.life()
        assert (life.phase, life.deadline) == (after, time + deadline if deadline else 0)

    return turns


def test_given_no_such_campaign(earnest):
    life = earnest.lifeOf(7)
    assert tuple(life) == (0,) * 9


@pytest.mark.parametrize("taken", [0, 1, 2])
def test_given_enrollBy_has_come_with_less_than_a_cohort(launch, labelers, turns, taken):
    campaign = launch(Phase.ENROLLING).campaign
    if taken:
        campaign.enroll(labelers[0], taken)
    turns(campaign, Phase.ENROLLING, Phase.CANCELLED)


def test_given_enrollBy_has_come_with_a_cohort(launch, labelers, turns):
    campaign = launch(Phase.ENROLLING).campaign
    campaign.enroll(labelers[0], 3)
    turns(campaign, Phase.ENROLLING, Phase.DRAWING, campaign.terms.periods.draw)


@pytest.mark.parametrize("requested", [False, True])
def test_given_the_draw_period_is_over(stages, turns, requested):
    campaign = stages[Phase.DRAWING].campaign
    if requested:
        campaign.request_draw()
    turns(campaign, Phase.DRAWING, Phase.CANCELLED)


def test_given_a_commitment_to_reveal(stages, by_address, turns):
    campaign = stages[Phase.COMMITTING].campaign
    campaign.commit(campaign.opening(4), by_address[campaign.labeler_of(4)])
    turns(campaign, Phase.COMMITTING, Phase.REVEALING, campaign.terms.periods.reveal)


def test_given_no_commitment(stages, turns):
    turns(stages[Phase.COMMITTING].campaign, Phase.COMMITTING, Phase.SETTLING)


def test_given_no_commitment_but_an_audit(launch, turns):
    campaign = launch(Phase.COMMITTING, audited=True).campaign
    turns(campaign, Phase.COMMITTING, Phase.AUDITING, campaign.terms.periods.audit)


def test_given_every_commitment_was_denounced(stages, by_address, attacker, turns):
    campaign = stages[Phase.COMMITTING].campaign
    for seat in (0, 3):
        campaign.commit(campaign.opening(seat), by_address[campaign.labeler_of(seat)])
        campaign.denounce(campaign.opening(seat), attacker)
    turns(campaign, Phase.COMMITTING, Phase.SETTLING)


@pytest.mark.parametrize("reveals", [0, 5])
def test_given_the_reveal_period_is_over(stages, turns, reveals):
    stage = stages[Phase.REVEALING]
    stage.campaign.reveal_many([stage.openings[seat] for seat in range(reveals)])
    turns(stage.campaign, Phase.REVEALING, Phase.SETTLING)


def test_given_the_reveal_period_is_over_before_an_audit(launch, turns):
    campaign = launch(Phase.REVEALING, audited=True).campaign
    turns(campaign, Phase.REVEALING, Phase.AUDITING, campaign.terms.periods.audit)


def test_given_the_audit_period_is_over(stages, turns):
    turns(stages[Phase.AUDITING].campaign, Phase.AUDITING, Phase.SETTLING)


def test_given_all_scores_are_posted(system, stages, settler, challenger, turns):
    campaign = stages[Phase.SETTLING].campaign
    campaign.post({0: TRUE}, settler)
    system.travel(campaign.batch(0).finalAt - 100)
    campaign.post({1: TRUE}, challenger)
    assert campaign.life().deadline == campaign.batch(1).finalAt > campaign.batch(0).finalAt
    turns(campaign, Phase.SETTLING, Phase.FINAL)


def test_given_some_scores_are_missing(system, stages, settler):
    campaign = stages[Phase.SETTLING].campaign
    campaign.post({0: TRUE}, settler)
    system.travel(system.chain.pending_timestamp + YEARS)
    assert campaign.phase() == Phase.SETTLING
    campaign.referee(1, stages[Phase.SETTLING].openings)
    assert campaign.phase() == Phase.FINAL


def test_given_nobody_has_looked_for_years(system, launch, by_address):
    stage = launch(Phase.COMMITTING, audited=True)
    campaign = stage.campaign
    campaign.commit(campaign.opening(0), by_address[campaign.labeler_of(0)])
    opened, periods = int(campaign.life().deadline), campaign.terms.periods
    system.travel(opened + periods.reveal + 1)
    life = campaign.life()
    assert (life.phase, life.deadline) == (Phase.AUDITING, opened + periods.reveal + periods.audit)
    system.travel(opened + YEARS)
    assert campaign.phase() == Phase.SETTLING
