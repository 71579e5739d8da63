import pytest
from eth_account import Account
from kit import Phase, reverts, sign

from earnest.protocol.opening import Domain, enrolment_digest, enrolment_typed_data
from earnest.protocol.terms import ZERO_ADDRESS

from .signatures import MALFORMED


@pytest.fixture
def campaign(stages):
    return stages[Phase.ENROLLING].campaign


@pytest.fixture
def refuses(earnest, campaign, relayer):
    def refuses(enrolment, error="InvalidSignature", **values):
        values = values or {"signer": enrolment[0]}
        with reverts(getattr(earnest, error), **values):
            earnest.enrollSigned.call(campaign.id, [enrolment], sender=relayer)

    return refuses


def test_given_another_phase(earnest, wrong_phases, relayer):
    for campaign, about in wrong_phases(Phase.ENROLLING):
        with reverts(earnest.WrongPhase, **about):
            earnest.enrollSigned.call(campaign, [], sender=relayer)


def test_when_there_is_nothing_to_carry(campaign):
    before = campaign.life()
    assert campaign.enroll_signed([]).events == []
    assert campaign.life() == before


def test_when_a_nonce_has_been_used(earnest, campaign, labelers, token):
    first, second = labelers[:2]
    signed = campaign.enrolment(first, first, seats=2)
    campaign.enroll_signed([signed])
    nonce = campaign.system.nonce(second, token)
    tx = campaign.enroll_signed([signed, campaign.enrolment(second, second)])
    assert tx.events == [
        earnest.NonceUsed(second, token, nonce),
        earnest.Enrolled(campaign.id, second, 2, 1),
    ]
    assert campaign.life().taken == 3


@pytest.mark.parametrize("ahead", [1, 2**255])
def test_when_a_nonce_is_ahead(campaign, labelers, token, refuses, ahead):
    labeler = labelers[0]
    expected = campaign.system.nonce(labeler, token)
    signed = campaign.enrolment(labeler, labeler, nonce=expected + ahead)
    refuses(signed, "WrongNonce", labeler=labeler, nonce=expected + ahead, expected=expected)


def test_when_the_deadline_is_now(system, campaign, labelers):
    now = system.chain.pending_timestamp + 50
    signed = campaign.enrolment(labelers[0], labelers[0], deadline=now)
    system.at(now)
    campaign.enroll_signed([signed])
    assert campaign.life().taken == 1


def test_when_the_deadline_has_passed(system, earnest, campaign, labelers):
    now = system.chain.pending_timestamp + 50
    signed = campaign.enrolment(labelers[0], labelers[0], deadline=now - 1)
    system.at(now)
    with reverts(earnest.SignatureExpired, deadline=now - 1):
        campaign.enroll_signed([signed])


def test_when_somebody_else_has_signed(earnest, campaign, labelers, attacker, operator, refuses):
    refuses(campaign.enrolment(labelers[0], attacker))
    earnest.setOperator(operator, True, sender=labelers[0])  # an operator acts, but does not sign
    refuses(campaign.enrolment(labelers[0], operator))


@pytest.mark.parametrize("other", ["chain", "contract", "campaign", "labeler", "seats", "nonce", "deadline"])
def test_when_something_else_was_signed(stages, campaign, labelers, attacker, refuses, other):
    labeler = labelers[0]
    good = campaign.enrolment(labeler, labeler)
    chain_id, contract = campaign.system.domain.chain_id, campaign.system.domain.contract
    signed = {
        "chain": chain_id,
        "contract": contract,
        "campaign": campaign.id,
        "labeler": good[0],
        "seats": good[1],
        "nonce": good[2],
        "deadline": good[3],
    }
    for member in ("chain", "seats", "nonce", "deadline"):
        signed[member] += member == other
    if other == "contract":
        signed["contract"] = campaign.system.referee.address
    if other == "campaign":
        signed["campaign"] = stages[Phase.DRAWING].campaign.id
    if other == "labeler":
        signed["labeler"] = attacker.address
    domain = Domain(signed.pop("chain"), signed.pop("contract"))
    refuses((*good[:5], sign(labeler, enrolment_digest(domain, *signed.values()))))


@pytest.mark.parametrize("kind", MALFORMED)
def test_when_the_signature_is_malformed(campaign, labelers, refuses, kind):
    good = campaign.enrolment(labelers[0], labelers[0])
    refuses((*good[:5], MALFORMED[kind](good[5])))


@pytest.mark.parametrize("signature", [b"", bytes(65), bytes(64) + b"\x1b", b"\x01" * 64 + b"\x1b"])
def test_when_the_labeler_is_the_zero_address(campaign, refuses, signature):
    refuses((ZERO_ADDRESS, 1, 0, campaign.terms.enroll_by, b"", signature))


@pytest.fixture
def wallet(project, system, labelers, token, attacker):
    """A funded contract wallet, and its owner."""
    owner = labelers[0]
    wallet = attacker.deploy(project.WalletMock, owner)
    token.mint(attacker, 5_000, sender=attacker)
    token.approve(system.earnest, 5_000, sender=attacker)
    system.earnest.deposit(token, 5_000, wallet, sender=attacker)
    return wallet, owner


def test_when_its_owner_has_signed(earnest, campaign, wallet, token):
    contract, owner = wallet
    tx = campaign.enroll_signed([campaign.enrolment(contract, owner)])
    assert tx.events == [
        earnest.NonceUsed(contract, token, 0),
        earnest.Enrolled(campaign.id, contract, 0, 1),
    ]
    assert campaign.labeler_of(0) == contract.address
    assert campaign.balances([contract]) == [5_000 - campaign.terms.stake]


def test_when_its_owner_has_not_signed(campaign, wallet, attacker, refuses):
    refuses(campaign.enrolment(wallet[0], attacker))


def test_when_the_labeler_is_a_contract_that_is_no_wallet(campaign, token, labelers, refuses):
    refuses(campaign.enrolment(token, labelers[0]))


def test_when_a_wallet_library_has_signed_the_document(campaign, labelers):
    labeler = labelers[0]
    good = campaign.enrolment(labeler, labeler)
    document = enrolment_typed_data(campaign.system.domain, campaign.id, *good[:4])
    signature = Account.sign_typed_data(labeler.private_key, full_message=document).signature
    campaign.enroll_signed([(*good[:5], bytes(signature))])
    assert campaign.labeler_of(0) == labeler.address


def test_given_a_gate_that_refuses(project, earnest, launch, attacker, labelers, relayer):
    gate = attacker.deploy(project.GateMock)
    campaign = launch(Phase.ENROLLING, gate=gate.address).campaign
    signed = campaign.enrolment(labelers[0], labelers[0], proof=b"why")
    with reverts(earnest.NotAdmitted, labeler=labelers[0]):
        earnest.enrollSigned.call(campaign.id, [signed], sender=relayer)
    gate.setAnswer(True, sender=attacker)
    tx = campaign.enroll_signed([signed])
    assert tx.events[1] == gate.Asked(campaign.id, bytes(32), labelers[0], 1, b"why")


def test_when_one_of_several_fails(system, earnest, campaign, labelers, attacker, token, relayer):
    signed = [campaign.enrolment(labeler, labeler) for labeler in (labelers[0], attacker)]
    stake = campaign.terms.stake
    about = {"account": attacker, "token": token, "balance": 0, "required": stake}
    with reverts(earnest.InsufficientBalance, **about):
        earnest.enrollSigned(campaign.id, signed, sender=relayer)
    assert campaign.life().taken == 0


def test_when_all_are_good(earnest, campaign, labelers, token):
    first, second = labelers[:2]
    nonces = [campaign.system.nonce(labeler, token) for labeler in (first, second)]
    before = campaign.balances([first, second])
    signed = [campaign.enrolment(first, first, seats=2), campaign.enrolment(second, second)]
    tx = campaign.enroll_signed(signed)
    assert tx.events == [
        earnest.NonceUsed(first, token, nonces[0]),
        earnest.Enrolled(campaign.id, first, 0, 2),
        earnest.NonceUsed(second, token, nonces[1]),
        earnest.Enrolled(campaign.id, second, 2, 1),
    ]
    assert [campaign.labeler_of(seat) for seat in range(4)] == [
        first.address,
        first.address,
        second.address,
        ZERO_ADDRESS,
    ]
    stake = campaign.terms.stake
    assert campaign.balances([first, second]) == [before[0] - 2 * stake, before[1] - stake]
    assert [campaign.system.nonce(labeler, token) for labeler in (first, second)] == [n + 1 for n in nonces]


def test_when_one_enrolment_comes_twice(campaign, labelers):
    signed = campaign.enrolment(labelers[0], labelers[0])
    campaign.enroll_signed([signed, signed])
    assert campaign.life().taken == 1


def test_when_all_seats_are_taken(system, campaign, labelers):
    time = system.chain.pending_timestamp + 11
    signed = [campaign.enrolment(labeler, labeler, seats=3) for labeler in labelers[:2]]
    system.at(time)
    campaign.enroll_signed(signed)
    life = campaign.life()
    assert (life.phase, life.deadline) == (Phase.DRAWING, time + campaign.terms.periods.draw)
