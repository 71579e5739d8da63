from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

import numpy as np
import pytest
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from earnest.protocol import draw
from earnest.protocol.errors import DrawError

SEED = keccak(b"seed")


def seeds(number: int) -> Iterator[bytes]:
    return (keccak(index.to_bytes(4, "big")) for index in range(number))


def deviates(counts: np.ndarray, sigmas: float = 4.0) -> bool:
    """Whether counts of equally likely outcomes have a chi-square that far above what chance gives.

    Chi-square is brought to a standard normal as Wilson and Hilferty (1931) do.
    """
    expected = counts.sum() / counts.size
    assert expected >= 5, "too few for chi-square"
    chi_square = ((counts - expected) ** 2).sum() / expected
    scale = 2 / (9 * (counts.size - 1))
    return bool((chi_square / (counts.size - 1)) ** (1 / 3) > 1 - scale + sigmas * scale**0.5)


def test_deviates_knows_a_loaded_die() -> None:
    rng = np.random.default_rng(0)
    fair = np.bincount(rng.integers(6, size=6_000), minlength=6)
    loaded = np.bincount(rng.choice(6, p=[0.2, 0.2, 0.15, 0.15, 0.15, 0.15], size=6_000), minlength=6)
    assert not deviates(fair)
    assert deviates(loaded)


def test_seed_binds_outcome_and_campaign() -> None:
    outcome = bytes(range(32))
    assert draw.seed(outcome, 258) == keccak(outcome + bytes(30) + b"\1\2")
    assert draw.seed(outcome, 1) != draw.seed(outcome, 2)
    with pytest.raises(DrawError, match="outcome has 3 bytes; it must have 32"):
        draw.seed(b"abc", 1)
    with pytest.raises(DrawError, match="campaign is -1"):
        draw.seed(outcome, -1)


def test_two_batches_by_hand() -> None:
    # N = 2: a = 2, b = 1. So y stays 0, and x gains F(0, 0) + F(2, 0) + F(4, 0) + F(6, 0) modulo 2: the
    # lowest bits of four hashes.
    for round_ in range(20):
        key = keccak(SEED + round_.to_bytes(32, "big"))
        words = [keccak(key + ((j << 128) | 0).to_bytes(32, "big")) for j in (0, 2, 4, 6)]
        shift = sum(word[-1] for word in words) % 2
        assert [draw.permute(SEED, round_, 2, m) for m in (0, 1)] == [shift, 1 - shift]


@pytest.mark.parametrize(
    ("size", "a", "b"), [(1, 1, 1), (4, 2, 2), (8, 4, 2), (12, 4, 3), (16, 4, 4), (24, 8, 3)]
)
def test_networks_by_hand(size: int, a: int, b: int) -> None:
    # Sizes that a·b fills, so that nothing walks; the rounds in the specification's order, x even, y odd.
    key = keccak(SEED + bytes(31) + b"\5")

    def f(j: int, half: int) -> int:
        return int.from_bytes(keccak(key + j.to_bytes(16, "big") + half.to_bytes(16, "big")), "big")

    for index in range(size):
        x, y = index % a, index // a
        x = (x + f(0, y)) % a
        y = (y + f(1, x)) % b
        x = (x + f(2, y)) % a
        y = (y + f(3, x)) % b
        x = (x + f(4, y)) % a
        y = (y + f(5, x)) % b
        x = (x + f(6, y)) % a
        y = (y + f(7, x)) % b
        assert draw.permute(SEED, 5, size, index) == y * a + x


@pytest.mark.parametrize(("size", "filled"), [(3, 4), (5, 8), (7, 8), (9, 12), (13, 16), (17, 24)])
def test_walking_by_hand(size: int, filled: int) -> None:
    # The network of the size that the same sides fill, gone through again as long as it leads outside.
    walked = 0
    for round_ in range(10):
        for index in range(size):
            image = draw.permute(SEED, round_, filled, index)
            while image >= size:
                walked += 1
                image = draw.permute(SEED, round_, filled, image)
            assert draw.permute(SEED, round_, size, index) == image
    assert walked > 0


@pytest.mark.parametrize("size", [*range(1, 41), 63, 64, 65, 99, 100, 101, 257])
def test_a_bijection_both_ways(size: int) -> None:
    for round_, seed in enumerate(seeds(3)):
        images = [draw.permute(seed, round_, size, index) for index in range(size)]
        assert sorted(images) == list(range(size))
        assert [draw.unpermute(seed, round_, size, image) for image in images] == list(range(size))
        assert draw.permutation(seed, round_, size).tolist() == images


@given(
    size=st.integers(1, 10**9),
    round_=st.integers(0, 14),
    seed=st.binary(min_size=32, max_size=32),
    data=st.data(),
)
def test_there_and_back_at_any_size(size: int, round_: int, seed: bytes, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    image = draw.permute(seed, round_, size, index)
    assert 0 <= image < size
    assert draw.unpermute(seed, round_, size, image) == index
    assert draw.permute(seed, round_, size, draw.unpermute(seed, round_, size, index)) == index


@pytest.mark.parametrize("seats", [0, 1, 2, 3, 4, 5, 7, 30, 101])
@pytest.mark.parametrize("cohort", [3, 5, 15])
def test_whole_campaigns_are_drawn_as_single_seats_are(seats: int, cohort: int) -> None:
    batches = draw.batch_count(seats, cohort)
    assignment = draw.assignment(SEED, seats, cohort)
    cohorts = draw.cohorts(SEED, seats, cohort)
    assert assignment.shape == (seats,)
    assert cohorts.shape == (batches, cohort)
    assert assignment.tolist() == [draw.batch_of(SEED, seats, cohort, seat) for seat in range(seats)]
    assert cohorts.tolist() == [draw.cohort_of(SEED, seats, cohort, batch) for batch in range(batches)]
    for batch, members in enumerate(cohorts):
        assert (assignment[members] == batch).all()
        assert (members // batches == np.arange(cohort)).all()
    benched = np.flatnonzero(assignment == draw.BENCHED)
    assert benched.tolist() == list(range(batches * cohort, seats))


def test_what_the_draw_does_not_have() -> None:
    for call, message in [
        (lambda: draw.batch_of(SEED, 10, 3, 10), "Seat 10 was not taken; it must be 0 to 9"),
        (lambda: draw.batch_of(SEED, 10, 3, -1), "Seat -1"),
        (lambda: draw.cohort_of(SEED, 10, 3, 3), "Index 3 is out of range; it must be 0 to 2"),
        (lambda: draw.permute(SEED, 0, 5, 5), "Index 5"),
        (lambda: draw.unpermute(SEED, 0, 5, -1), "Index -1"),
        (lambda: draw.permutation(SEED, 0, 0), "size is 0; it must be at least 1"),
        (lambda: draw.permute(b"short", 0, 5, 0), "seed has 5 bytes"),
        (lambda: draw.batch_count(-1, 3), "-1 seats in cohorts of 3"),
        (lambda: draw.batch_count(1, 0), "1 seats in cohorts of 0"),
    ]:
        with pytest.raises(DrawError, match=message):
            call()


# Fairness, over fixed seeds: the same figures in every run.

BATCHES, COHORT = 11, 3


@pytest.fixture(scope="module")
def drawn() -> np.ndarray:
    """Each seat's batch in 1,500 draws; 11 batches on a network of 4 × 3, so that some indexes walk."""
    return np.array([draw.assignment(seed, BATCHES * COHORT, COHORT) for seed in seeds(1_500)])


def test_every_batch_is_equally_likely_for_every_seat(drawn: np.ndarray) -> None:
    for seat in range(BATCHES * COHORT):
        assert not deviates(np.bincount(drawn[:, seat], minlength=BATCHES))


def test_seats_of_different_rounds_meet_equally_often(drawn: np.ndarray) -> None:
    for round_, other in [(0, 1), (0, 2), (1, 2)]:
        first = drawn[:, round_ * BATCHES : (round_ + 1) * BATCHES]
        second = drawn[:, other * BATCHES : (other + 1) * BATCHES]
        meetings = (first[:, :, None] == second[:, None, :]).sum(axis=0)
        for seat in range(BATCHES):
            assert not deviates(meetings[seat])
            assert not deviates(meetings[:, seat])


def test_seats_of_one_round_never_meet(drawn: np.ndarray) -> None:
    for round_ in range(COHORT):
        batches = np.sort(drawn[:, round_ * BATCHES : (round_ + 1) * BATCHES], axis=1)
        assert (batches == np.arange(BATCHES)).all()


def test_the_batches_of_two_seats_of_one_round_are_any_two(drawn: np.ndarray) -> None:
    for seat, other in [(0, 1), (3, 7), (11, 21), (22, 26)]:
        counts = np.bincount(drawn[:, seat] * BATCHES + drawn[:, other], minlength=BATCHES**2)
        different = ~np.eye(BATCHES, dtype=bool).ravel()
        assert not deviates(counts[different])


@pytest.mark.parametrize("size", [2, 3, 4])
def test_every_permutation_is_equally_likely(size: int) -> None:
    orders = {order: index for index, order in enumerate(permutations(range(size)))}
    counts = np.zeros(len(orders))
    for seed in seeds(1_200):
        counts[orders[tuple(draw.permutation(seed, 0, size).tolist())]] += 1
    assert not deviates(counts)
