import pytest
from kit import Phase, PostingStatus, reverts


@pytest.fixture
def stage(stages):
    return stages[Phase.SETTLING]


@pytest.fixture
def posted(stage, settler):
    """A campaign with a posting of one of its two batches, and when that is final."""
    stage.campaign.post({0: [0, 0, 1]}, settler)
    return stage.campaign, int(stage.campaign.batch(0).finalAt)


@pytest.mark.parametrize("number", [0, 2])
def test_given_no_such_posting(earnest, posted, attacker, number):
    campaign, _ = posted
    due_at = campaign.terms.periods.challenge
    with reverts(earnest.BondNotDue, posting=number, dueAt=due_at):
        earnest.returnBond.call(campaign.id, number, sender=attacker)


def test_given_the_challenge_period_runs(system, earnest, posted):
    campaign, final_at = posted
    system.at(final_at - 1)
    with reverts(earnest.BondNotDue, posting=1, dueAt=final_at):
        campaign.return_bond(1)
    system.at(final_at)
    campaign.return_bond(1)


def test_given_the_posting_is_void(system, earnest, stage, posted):
    campaign, final_at = posted
    campaign.referee(0, stage.openings)
    system.at(final_at)
    with reverts(earnest.BondNotDue, posting=1, dueAt=final_at):
        campaign.return_bond(1)


def test_given_the_bond_was_returned(system, earnest, posted):
    campaign, final_at = posted
    system.at(final_at)
    campaign.return_bond(1)
    with reverts(earnest.BondNotDue, posting=1, dueAt=final_at):
        earnest.returnBond.call(campaign.id, 1, sender=system.relayer)


@pytest.mark.parametrize("released", [False, True])
def test_given_the_challenge_period_is_over(system, earnest, posted, settler, attacker, released):
    campaign, final_at = posted
    system.travel(final_at)
    if released:
        campaign.release([0])
    before = campaign.balances([settler, attacker])
    tx = campaign.return_bond(1, sender=attacker)
    assert tx.events == [earnest.BondReturned(campaign.id, 1)]
    assert campaign.balances([settler, attacker]) == [before[0] + campaign.terms.bond, before[1]]
    assert earnest.postingOf(campaign.id, 1).status == PostingStatus.CLOSED
