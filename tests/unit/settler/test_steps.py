"""What is due, as tables."""

from __future__ import annotations

from dataclasses import replace

import pytest

from earnest.chain.life import Phase
from earnest.chain.state import Batch, BatchStatus, PostingStatus
from earnest.protocol.terms import ZERO_ADDRESS
from earnest.settler.steps import (
    WATCHING,
    Action,
    Me,
    Options,
    Step,
    due,
    lacking,
    portions,
    posting_of,
    to_referee,
)

from .worlds import CHALLENGE, FALSE, ME, OTHER, RIGHT, START, TERMS, campaign, settling, world

NOW = START + 1
FINAL = START + CHALLENGE
ALL = Options()


def steps(state, now=NOW, me=None, options=ALL, right=None):
    return due(state, now, me or Me(ME), options, {1: RIGHT} if right is None else right)


@pytest.mark.parametrize("phase", [Phase.ENROLLING, Phase.COMMITTING, Phase.REVEALING, Phase.AUDITING])
def test_nothing_is_due_while_others_act(phase):
    terms = replace(TERMS, enroll_by=START + 1_000)
    assert steps(world(campaign(phase, terms=terms), free=10**6)) == []


@pytest.mark.parametrize(("tickets", "step"), [([], Step.REQUEST_DRAW), ([7], Step.DRAW)])
def test_draws(tickets, step):
    assert steps(world(campaign(Phase.DRAWING, tickets=tickets))) == [Action(step, 1)]


def test_a_draw_that_nobody_asked_for_in_time_is_refunded():
    found = steps(world(campaign(Phase.DRAWING)), now=START + 1_000)
    assert found == [Action(Step.REFUND, 1, tuple(range(9)))]


@pytest.mark.parametrize(
    ("staked", "escrowed", "which"),
    [(9, True, [tuple(range(9))]), (0, True, [()]), (2, False, [(0, 1)]), (0, False, [])],
)
def test_refunds_of_cancelled_campaigns(staked, escrowed, which):
    found = campaign(Phase.CANCELLED, escrowed=escrowed)
    found.seats = [replace(seat, staked=index < staked) for index, seat in enumerate(found.seats)]
    assert [action.which for action in steps(world(found))] == which


@pytest.mark.parametrize(
    ("words", "free", "which"),
    [
        ([None] * 3, 500, (0, 1, 2)),
        ([None] * 3, 499, None),
        ([None, RIGHT[1], None], 500, (0, 2)),
        (RIGHT, 500, None),
    ],
)
def test_posts_what_is_open_under_a_bond_that_can_be_paid(words, free, which):
    found = steps(world(settling(*words), free=free))
    posts = [] if which is None else [Action(Step.POST, 1, which, tuple(RIGHT[batch] for batch in which))]
    assert found == posts


def test_the_wallet_may_pay_for_bonds_and_each_bond_is_counted_once():
    state = world(settling(None, None, None), settling(None, None, None, number=2), free=400)
    right = {1: RIGHT, 2: RIGHT}
    assert [a.campaign for a in steps(state, me=Me(ME, {ZERO_ADDRESS: 100}), right=right)] == [1]
    assert [a.campaign for a in steps(state, me=Me(ME, {ZERO_ADDRESS: 600}), right=right)] == [1, 2]
    assert lacking(state, NOW, Me(ME), ALL, right) == {1: 100, 2: 100}
    assert lacking(state, NOW, Me(ME, {ZERO_ADDRESS: 100}), ALL, right) == {2: 500}
    assert lacking(state, NOW, Me(ME, {ZERO_ADDRESS: 600}), ALL, right) == {}


def test_what_pays_more_is_posted_before_a_strangers_older_campaign():
    stranger = settling(None, None, None, terms=replace(TERMS, fee=0, bond=600))
    paying = settling(None, None, None, number=2)
    state, right = world(stranger, paying, free=600), {1: RIGHT, 2: RIGHT}
    assert [each.campaign for each in steps(state, right=right)] == [2]
    assert lacking(state, NOW, Me(ME), ALL, right) == {1: 500}


def test_what_is_not_to_be_posted_yet_takes_nothing_of_the_purse():
    state = world(settling(None, None, None), settling(None, None, None, number=2), free=500)
    right = {1: RIGHT, 2: RIGHT}
    assert [each.campaign for each in due(state, NOW, Me(ME), ALL, right, {2})] == [2]
    assert lacking(state, NOW, Me(ME), ALL, right, {2}) == {}


def test_unknown_scores_are_neither_posted_nor_checked():
    assert steps(world(settling(FALSE, None, None), free=500), right={}) == []


def test_a_void_posting_is_posted_again():
    found = settling(FALSE, *RIGHT[1:])
    found.postings[1] = replace(found.postings[1], status=PostingStatus.VOID)
    found.batches[0] = Batch(status=BatchStatus.REFEREED, scores=RIGHT[0])
    assert [(action.step, action.which) for action in steps(world(found, free=500))] == [
        (Step.POST, (1, 2)),
        (Step.RELEASE, (0,)),
    ]


@pytest.mark.parametrize(
    ("words", "refereed"),
    [
        (RIGHT, []),
        ([FALSE, *RIGHT[1:]], [0]),
        ([RIGHT[0], FALSE, FALSE], [1, 2]),  # the second in case that the first cannot be refereed
        ([None, None, FALSE], [2]),
    ],
)
def test_false_batches_are_refereed(words, refereed):
    assert to_referee(settling(*words), NOW, RIGHT) == refereed
    found = steps(world(settling(*words)), options=Options(steps=WATCHING))
    assert found == [Action(Step.REFEREE, 1, (batch,)) for batch in refereed]


def test_a_false_batch_is_tried_until_it_is_final():
    false = settling(FALSE, *RIGHT[1:])
    assert to_referee(false, FINAL - 1, RIGHT) == [0]
    assert to_referee(false, FINAL, RIGHT) == []


def test_the_first_false_batch_of_each_posting_comes_before_any_second():
    first = settling(FALSE, FALSE, FALSE, terms=replace(TERMS, bond=1_000))
    state = world(first, settling(RIGHT[0], FALSE, FALSE, number=2))
    found = steps(state, right={1: RIGHT, 2: RIGHT}, options=Options(steps=WATCHING))
    assert [(each.campaign, *each.which) for each in found] == [(1, 0), (2, 1), (1, 1), (2, 2), (1, 2)]
    assert [posting_of(state, each) for each in found] == [(1, 1), (2, 1), (1, 1), (2, 1), (1, 1)]


def test_refereeing_comes_before_everything_else():
    state = world(settling(None, None, None), settling(FALSE, None, None, number=2), free=10**6)
    assert steps(state, right={1: RIGHT, 2: RIGHT})[0].step is Step.REFEREE


@pytest.mark.parametrize(("now", "due_steps"), [(FINAL - 1, []), (FINAL, [Step.RELEASE])])
def test_releases_what_is_final(now, due_steps):
    assert [action.step for action in steps(world(settling(*RIGHT)), now=now)] == due_steps


def test_refereed_batches_are_final_at_once_and_released_ones_done():
    found = settling(None, *RIGHT[1:])
    found.batches[0] = Batch(status=BatchStatus.REFEREED, scores=RIGHT[0])
    found.batches[1] = Batch(status=BatchStatus.RELEASED, scores=RIGHT[1], posting=1)
    assert [action.which for action in steps(world(found))] == [(0,)]


@pytest.mark.parametrize(
    ("settler", "status", "now", "returned"),
    [
        (ME, PostingStatus.STANDING, FINAL, True),
        (ME, PostingStatus.STANDING, FINAL - 1, False),
        (ME, PostingStatus.VOID, FINAL, False),
        (ME, PostingStatus.CLOSED, FINAL, False),
        (OTHER, PostingStatus.STANDING, FINAL, False),
    ],
)
def test_bonds_come_back_to_their_settler(settler, status, now, returned):
    found = settling(*RIGHT, settler=settler)
    found.postings[1] = replace(found.postings[1], status=status)
    actions = [action for action in steps(world(found), now=now) if action.step is Step.RETURN_BOND]
    assert actions == ([Action(Step.RETURN_BOND, 1, (1,))] if returned else [])


def test_only_the_campaigns_and_steps_that_are_wanted():
    state = world(settling(None, None, None), settling(*RIGHT, number=2), free=10**6)
    right = {1: RIGHT, 2: RIGHT}
    only = Options(campaigns=frozenset({2}))
    assert {action.campaign for action in steps(state, FINAL, options=only, right=right)} == {2}
    no_post = Options(steps=ALL.steps - {Step.POST})
    assert Step.POST not in {action.step for action in steps(state, FINAL, options=no_post, right=right)}
    assert lacking(state, NOW, Me(ME), no_post, right) == {}


def test_the_state_is_not_changed_and_the_answer_the_same_again():
    state = world(settling(FALSE, None, RIGHT[2]), free=500)
    assert steps(state) == steps(state)


@pytest.mark.parametrize("gas", [1 << 24, 2_000_000, 300_000])
@pytest.mark.parametrize("step", [Step.POST, Step.RELEASE, Step.REFUND])
def test_portions_hold_everything_once_in_order(step, gas):
    which = list(range(1_000))
    found = portions(step, TERMS, which, gas)
    assert [each for some in found for each in some] == which
    assert portions(step, TERMS, [], gas) == []


def test_no_bond_is_locked_for_long_in_a_strangers_campaign():
    periods = replace(TERMS.periods, challenge=365 * 86_400)
    state = world(settling(None, None, None, terms=replace(TERMS, periods=periods)), free=10**6)
    assert steps(state) == []
    assert lacking(state, NOW, Me(ME), ALL, {1: RIGHT}) == {}
    for options in (Options(campaigns=frozenset({1})), Options(longest_lock=365 * 86_400)):
        assert [each.step for each in steps(state, options=options)] == [Step.POST]


def test_a_flood_of_tiny_bonds_keeps_no_large_one_from_being_refereed():
    """Each place in the queue ahead of a false posting costs as large a bond; tokens take turns."""
    other = replace(TERMS, token=OTHER)
    flood = [settling(FALSE, None, None, number=number) for number in range(2, 40)]
    worthless = [
        settling(FALSE, None, None, number=number, terms=replace(other, bond=10**20))
        for number in range(50, 60)
    ]
    large = settling(FALSE, None, None, number=90, terms=replace(TERMS, bond=501))
    state = world(*flood, *worthless, large)
    right = dict.fromkeys(state.campaigns, RIGHT)
    found = [each.campaign for each in steps(state, options=Options(steps=WATCHING), right=right)]
    assert found[0] == 90
    assert len(found) == 49
    assert found[1] in range(50, 60)
    assert found[2] in range(2, 40)


def test_of_equal_bonds_the_first_to_be_final_comes_first():
    late, early = settling(FALSE, None, None, at=START), settling(FALSE, None, None, at=START - 50, number=2)
    found = steps(world(late, early), right={1: RIGHT, 2: RIGHT}, options=Options(steps=WATCHING))
    assert [each.campaign for each in found] == [2, 1]
