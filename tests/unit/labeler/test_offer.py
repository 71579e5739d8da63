from __future__ import annotations

from dataclasses import replace

import pytest

from earnest.chain.life import Phase
from earnest.chain.state import Seat, State
from earnest.labeler.history import history
from earnest.labeler.offer import offer, offers, warnings
from earnest.protocol.opening import revealed_record
from earnest.protocol.terms import Periods

from .cases import LABELS, ME, OTHER, TERMS, campaign

DAY = 86_400
CALM = replace(TERMS, periods=Periods(draw=DAY, commit=DAY, reveal=DAY, audit=DAY, challenge=DAY))
EVEN = TERMS.bounty // TERMS.cohort


def past(*results: tuple[str, int]) -> State:
    """A state with one campaign paid out: who got what, on top of the stake."""
    seats = [
        Seat(labeler=who, record=revealed_record(LABELS), staked=False, paid=TERMS.stake + result)
        for who, result in results
    ]
    state = State(sink="")
    state.campaigns[1] = campaign(Phase.FINAL, 0, seats=seats)
    return state


def test_without_a_past_an_even_share_is_likely():
    found = offer(CALM, State(sink=""), ME)
    assert (found.likely, found.even_share, found.max_win, found.max_loss) == (EVEN, EVEN, 2 * EVEN, 500)
    assert not found.warnings


def test_everyones_past_until_ones_own_is_long_enough():
    crowd = [(OTHER, EVEN), (OTHER, 0), (ME, -EVEN)]
    assert offer(CALM, past(*crowd), ME).likely == 0
    own = [(ME, EVEN), (ME, EVEN), (ME, -EVEN), (OTHER, -EVEN)]
    found = offer(CALM, past(*own), ME)
    assert (found.likely, found.basis) == (EVEN // 3, "your 3 seats so far")


def test_many_offers_look_at_the_past_once():
    state = past((OTHER, EVEN), (OTHER, 0), (ME, 0))
    terms = [CALM, replace(CALM, bounty=10 * CALM.bounty)]
    found = offers(terms, state, ME)
    assert found == [offer(each, state, ME) for each in terms]
    assert [each.likely for each in found] == [EVEN // 3, 10 * EVEN // 3]


def test_what_is_likely_is_exact_where_everyone_got_the_same():
    huge = replace(CALM, bounty=2**95 + 1)
    assert offer(huge, past((OTHER, EVEN)), None).likely == huge.bounty // huge.cohort


@pytest.mark.parametrize("name", ["commit", "reveal", "challenge"])
def test_a_short_period_is_warned_of(name):
    (sentence,) = warnings(replace(CALM, periods=replace(CALM.periods, **{name: 3_599})))
    assert sentence.startswith(f"The {name} period is short, 59m 59s")


@pytest.mark.parametrize("terms", [replace(CALM, bond=999), replace(CALM, bond=2_000, batches=1_000)])
def test_a_small_bond_is_warned_of(terms):
    (sentence,) = warnings(terms)
    assert sentence.startswith("The bond of a posting is small")


def test_history_says_how_each_seat_ended():
    state = past((ME, 7), (OTHER, 0), (ME, -300))
    entries = history(state, ME, 9_999)
    found = [(each.seat, each.outcome, each.result) for each in entries]
    assert found == [(0, "paid", 7), (2, "slashed", -300)]
