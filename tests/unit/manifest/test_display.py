from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from earnest.manifest.display import order, shown_options
from earnest.manifest.question import Kind, Question

SEED = b"\x07" * 32


@given(st.binary(min_size=32, max_size=32), st.integers(0, 10**6), st.integers(0, 8_159), st.integers(1, 20))
def test_order_is_a_permutation(seed, seat, position, size):
    assert sorted(order(seed, seat, position, size)) == list(range(size))


def test_order_follows_seed_seat_and_position():
    orders = {order(SEED, seat, position, 8) for seat in range(5) for position in range(5)}
    assert len(orders) == 25
    assert order(SEED, 1, 2, 8) != order(b"\x08" * 32, 1, 2, 8)
    assert order(SEED, 1, 2, 8) == order(SEED, 1, 2, 8)


def test_every_order_is_as_likely():
    counts = Counter(order(SEED, seat, 0, 3) for seat in range(6_000))
    assert len(counts) == 6
    assert sum((count - 1_000) ** 2 / 1_000 for count in counts.values()) < 20.5  # chi-square, p = 0.001


def test_ratings_keep_their_order():
    asked = Question(text="?", kind=Kind.RATING, options=("1", "2", "3"))
    assert {shown_options(asked, SEED, seat, 0) for seat in range(20)} == {(0, 1, 2)}


def test_verdicts_stand_after_the_sides():
    asked = Question(text="?", kind=Kind.PREFERENCE, options=("a", "b", "tie", "both bad"))
    shown = {shown_options(asked, SEED, seat, 0) for seat in range(20)}
    assert shown == {(0, 1, 2, 3), (1, 0, 2, 3)}
