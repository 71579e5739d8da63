"""The tree by which an allowlist gate admits labelers: a leaf for each address and its number of seats.

The form is that of `contracts/gates/AllowlistGate.sol` and of OpenZeppelin's StandardMerkleTree: leaves are
hashed twice, inner nodes hash their children in ascending order.
"""

from __future__ import annotations

from collections.abc import Mapping

from eth_abi.abi import encode
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from earnest.experimenter.errors import ExperimenterError
from earnest.protocol import merkle


def root(seats: Mapping[str, int]) -> bytes:
    """The gate's rule, 32 bytes, for labelers with the seats that each may take."""
    return _tree(seats)[0]


def proof(seats: Mapping[str, int], labeler: str) -> bytes:
    """What a labeler hands to the gate, `abi.encode(most, siblings)`; ExperimenterError for a stranger."""
    listed = _sorted(seats)
    labeler = to_checksum_address(labeler)
    if labeler not in listed:
        raise ExperimenterError(f"{labeler} is not on the allowlist of {len(listed)} labelers.")
    path = merkle.proof(_tree(seats), list(listed).index(labeler))
    return encode(["uint256", "bytes32[]"], [listed[labeler], path])


def _sorted(seats: Mapping[str, int]) -> dict[str, int]:
    return {address: seats[address] for address in sorted(seats)}


def _tree(seats: Mapping[str, int]) -> list[bytes]:
    if not seats:
        raise ExperimenterError("The allowlist is empty; it must name at least one labeler.")
    leaves = [
        keccak(keccak(encode(["address", "uint256"], [address, most])))
        for address, most in _sorted(seats).items()
    ]
    nodes = [b""] * (len(leaves) - 1) + leaves[::-1]
    for node in reversed(range(len(leaves) - 1)):
        nodes[node] = keccak(b"".join(sorted(nodes[2 * node + 1 : 2 * node + 3])))
    return nodes
