from __future__ import annotations

import pytest
from eth_abi.abi import decode, encode
from eth_utils.crypto import keccak

from earnest.experimenter import allowlist
from earnest.experimenter.errors import ExperimenterError

from .tale import labeler

SEATS = {labeler(index): index + 1 for index in range(5)}


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_every_labeler_has_a_proof(count):
    seats = dict(list(SEATS.items())[:count])
    for address, most in seats.items():
        found, path = decode(["uint256", "bytes32[]"], allowlist.proof(seats, address.lower()))
        node = keccak(keccak(encode(["address", "uint256"], [address, found])))
        for sibling in path:
            node = keccak(min(node, sibling) + max(node, sibling))
        assert (found, node) == (most, allowlist.root(seats))


def test_order_makes_no_difference():
    assert allowlist.root(dict(reversed(SEATS.items()))) == allowlist.root(SEATS)


def test_refuses_strangers_and_nobody():
    with pytest.raises(ExperimenterError, match="is not on the allowlist of 5"):
        allowlist.proof(SEATS, labeler(9))
    with pytest.raises(ExperimenterError, match="is empty"):
        allowlist.root({})
