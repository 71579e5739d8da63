import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak
from kit import Phase, reverts

LIMITS = (1, 2, 5)


def _hash(left, right):
    return keccak(min(left, right) + max(left, right))


@pytest.fixture
def listed(labelers):
    """A list of three labelers: its root, and each one's proof."""
    leaves = [
        keccak(keccak(encode(["address", "uint256"], [labeler.address, most])))
        for labeler, most in zip(labelers, LIMITS, strict=False)
    ]
    pair = _hash(leaves[0], leaves[1])
    siblings = [[leaves[1], leaves[2]], [leaves[0], leaves[2]], [pair]]
    return _hash(pair, leaves[2]), [proof(*each) for each in zip(LIMITS, siblings, strict=True)]


def proof(most, siblings):
    return encode(["uint256", "bytes32[]"], [most, siblings])


@pytest.fixture
def gate(project, attacker):
    return attacker.deploy(project.AllowlistGate)


@pytest.mark.parametrize("lane", range(3))
def test_when_the_labeler_is_on_the_list(gate, listed, labelers, experimenter, lane):
    root, proofs = listed
    for _ in range(LIMITS[lane]):
        arguments = (1, root, labelers[lane], 1, proofs[lane])
        assert gate.admit.call(*arguments, sender=experimenter) is True
        gate.admit(*arguments, sender=experimenter)
    assert gate.admitted(experimenter, 1, labelers[lane]) == LIMITS[lane]
    assert gate.admit.call(2, root, labelers[lane], LIMITS[lane], proofs[lane], sender=experimenter) is True


def test_when_the_labeler_wants_more_seats_than_the_list_says(gate, listed, labelers, experimenter):
    root, proofs = listed
    with reverts(gate.TooManySeats, labeler=labelers[1], wanted=3, most=2):
        gate.admit.call(1, root, labelers[1], 3, proofs[1], sender=experimenter)
    gate.admit(1, root, labelers[1], 1, proofs[1], sender=experimenter)
    with reverts(gate.TooManySeats, labeler=labelers[1], wanted=3, most=2):
        gate.admit.call(1, root, labelers[1], 2, proofs[1], sender=experimenter)


def test_when_the_proof_is_another_labelers(gate, listed, labelers, experimenter):
    root, proofs = listed
    assert gate.admit.call(1, root, labelers[0], 1, proofs[2], sender=experimenter) is False
    assert gate.admit.call(1, root, labelers[3], 1, proofs[0], sender=experimenter) is False


def test_when_the_number_is_not_the_one_on_the_list(gate, listed, labelers, experimenter):
    root, proofs = listed
    inflated = (3).to_bytes(32, "big") + proofs[0][32:]
    assert gate.admit.call(1, root, labelers[0], 1, inflated, sender=experimenter) is False


@pytest.mark.parametrize("data", [b"", b"\x01" * 40])
def test_when_the_proof_does_not_decode(gate, listed, labelers, experimenter, data):
    with reverts(b""):
        gate.admit.call(1, listed[0], labelers[0], 1, data, sender=experimenter)


def test_given_another_campaign_or_another_asker(gate, listed, labelers, experimenter, attacker):
    root, proofs = listed
    gate.admit(1, root, labelers[0], 1, proofs[0], sender=attacker)
    assert gate.admit.call(1, root, labelers[0], 1, proofs[0], sender=experimenter) is True
    gate.admit(1, root, labelers[0], 1, proofs[0], sender=experimenter)
    assert gate.admit.call(2, root, labelers[0], 1, proofs[0], sender=experimenter) is True
    with reverts(gate.TooManySeats, labeler=labelers[0], wanted=2, most=1):
        gate.admit.call(1, root, labelers[0], 1, proofs[0], sender=experimenter)


def test_given_a_campaign_with_the_gate(gate, earnest, launch, listed, labelers):
    root, proofs = listed
    campaign = launch(Phase.ENROLLING, gate=gate.address, gate_rule=root).campaign
    campaign.enroll(labelers[1], 2, proof=proofs[1])
    signed = campaign.enrolment(labelers[0], labelers[0], proof=proofs[0])
    campaign.enroll_signed([signed])
    assert campaign.life().taken == 3
    with reverts(earnest.NotAdmitted, labeler=labelers[4]):
        earnest.enroll.call(campaign.id, labelers[4], 1, proofs[0], sender=labelers[4])
    with reverts(gate.TooManySeats, labeler=labelers[0], wanted=2, most=1):
        earnest.enroll.call(campaign.id, labelers[0], 1, proofs[0], sender=labelers[0])
