"""The draw on chain against the Python copy: the same bijection, both ways, for every size tried."""

from __future__ import annotations

from random import Random

import pytest
from eth_utils.crypto import keccak

from earnest.protocol import draw

SIZES = [*range(1, 34), 63, 64, 65, 100, 127, 128, 129, 144, 145]
LARGE = [pytest.param(size, marks=pytest.mark.anvil) for size in (255, 256, 257, 1_000, 1_024, 1_025)]
LARGEST = [pytest.param(size, marks=pytest.mark.fuzz) for size in range(146, 600)]


@pytest.mark.parametrize("size", [*SIZES, *LARGE, *LARGEST])
def test_permutation(rules, size):
    seed, round_ = keccak(size.to_bytes(2, "big")), size % 15
    forth, back = rules("permutation", seed, round_, size)
    assert sorted(forth) == list(range(size))
    assert [forth[index] for index in back] == list(range(size))
    assert list(forth) == draw.permutation(seed, round_, size).tolist()


@pytest.mark.parametrize("batches", [2**16, 2**16 + 1, 999_983, (2**32 - 1) // 3])
def test_one_seat_and_one_cohort_of_very_many(rules, batches):
    random, cohort = Random(batches), 3
    seed = random.randbytes(32)
    seats = [random.randrange(batches * cohort) for _ in range(5)] + [0, batches * cohort - 1]
    found = rules("batchesOf", seed, batches, seats)
    assert list(found) == [draw.batch_of(seed, batches * cohort, cohort, seat) for seat in seats]
    for seat, batch in zip(seats, found, strict=True):
        lanes = rules("cohortOf", seed, batches, batch, cohort)
        assert list(lanes) == draw.cohort_of(seed, batches * cohort, cohort, batch)
        assert lanes[seat // batches] == seat
