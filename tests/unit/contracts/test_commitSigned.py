import pytest
from eth_account import Account
from kit import Phase, reverts, sign

from earnest.protocol.opening import (
    DENOUNCED,
    Domain,
    commitment_digest,
    commitment_typed_data,
    committed_record,
)

from .conftest import WORD
from .signatures import MALFORMED


@pytest.fixture
def campaign(stages):
    return stages[Phase.COMMITTING].campaign


@pytest.fixture
def owner(campaign, by_address):
    """The labeler of each seat."""
    return [by_address[campaign.labeler_of(seat)] for seat in range(6)]


@pytest.fixture
def refuses(earnest, campaign, relayer):
    def refuses(signed, error="InvalidSignature", **values):
        values = values or {"signer": campaign.labeler_of(signed[0])}
        with reverts(getattr(earnest, error), **values):
            earnest.commitSigned.call(campaign.id, [signed], sender=relayer)

    return refuses


def test_given_another_phase(earnest, wrong_phases, relayer):
    for campaign, about in wrong_phases(Phase.COMMITTING):
        with reverts(earnest.WrongPhase, **about):
            earnest.commitSigned.call(campaign, [], sender=relayer)


def test_when_there_is_nothing_to_carry(campaign):
    before = campaign.life()
    assert campaign.commit_signed([]).events == []
    assert campaign.life() == before


def test_when_the_seat_was_not_drawn(campaign, attacker, refuses):
    refuses(campaign.signed_commitment(campaign.opening(6), attacker), "NoSuchSeat", seat=6, seats=6)


def test_when_a_revision_has_been_used(earnest, campaign, owner):
    signed = campaign.signed_commitment(campaign.opening(0), owner[0])
    campaign.commit_signed([signed])
    other = campaign.signed_commitment(campaign.opening(1), owner[1])
    tx = campaign.commit_signed([signed, other])
    assert tx.events == [earnest.Committed(campaign.id, 1, other[1])]
    assert campaign.revisions(0) == 1


@pytest.mark.parametrize(("revisions", "signed"), [(0, 1), (1, 2), (1, 2**256 - 1)])
def test_when_a_revision_is_ahead(campaign, owner, refuses, revisions, signed):
    if revisions:
        campaign.commit(campaign.opening(0), owner[0])
    commitment = campaign.signed_commitment(campaign.opening(0), owner[0], revision=signed)
    refuses(commitment, "WrongRevision", seat=0, revision=signed, expected=revisions)


def test_when_the_deadline_is_now(system, campaign, owner):
    now = system.chain.pending_timestamp + 50
    signed = campaign.signed_commitment(campaign.opening(0), owner[0], deadline=now)
    system.at(now)
    campaign.commit_signed([signed])
    assert campaign.revisions(0) == 1


def test_when_the_deadline_has_passed(system, earnest, campaign, owner):
    now = system.chain.pending_timestamp + 50
    signed = campaign.signed_commitment(campaign.opening(0), owner[0], deadline=now - 1)
    system.at(now)
    with reverts(earnest.SignatureExpired, deadline=now - 1):
        campaign.commit_signed([signed])


def test_when_somebody_else_has_signed(earnest, campaign, owner, attacker, operator, refuses):
    earnest.setOperator(operator, True, sender=owner[0])  # an operator acts, but does not sign
    for signer in (attacker, owner[1], campaign.experimenter, operator):
        refuses(campaign.signed_commitment(campaign.opening(0), signer))


@pytest.mark.parametrize(
    "other", ["chain", "contract", "campaign", "seat", "commitment", "revision", "deadline"]
)
def test_when_something_else_was_signed(stages, campaign, owner, refuses, other):
    good = campaign.signed_commitment(campaign.opening(0), owner[0])
    domain = campaign.system.domain
    if other == "chain":
        domain = Domain(domain.chain_id + 1, domain.contract)
    if other == "contract":
        domain = Domain(domain.chain_id, campaign.system.referee.address)
    signed = [campaign.id, *good[:4]]
    if other == "campaign":
        signed[0] = stages[Phase.REVEALING].campaign.id
    if other == "commitment":
        signed[2] = b"\xcd" * 32
    at = {"seat": 1, "revision": 3, "deadline": 4}.get(other)
    if at is not None:
        signed[at] += 1
    refuses((*good[:4], sign(owner[0], commitment_digest(domain, *signed))))


@pytest.mark.parametrize("kind", MALFORMED)
def test_when_the_signature_is_malformed(campaign, owner, refuses, kind):
    good = campaign.signed_commitment(campaign.opening(0), owner[0])
    refuses((*good[:4], MALFORMED[kind](good[4])))


def test_given_the_seat_was_denounced(earnest, campaign, owner, attacker):
    opening = campaign.opening(0)
    campaign.commit(opening, owner[0])
    campaign.denounce(opening, attacker)
    signed = [campaign.signed_commitment(campaign.opening(seat), owner[seat]) for seat in (0, 1)]
    assert campaign.commit_signed(signed).events == [earnest.Committed(campaign.id, 1, signed[1][1])]
    assert (campaign.record(0), campaign.revisions(0)) == (DENOUNCED, 1)


def test_when_the_commitment_is_one_that_no_digest_can_be(campaign, owner, refuses):
    word, deadline = bytes(31) + b"\x01", campaign.life().deadline
    digest = commitment_digest(campaign.system.domain, campaign.id, 0, word, 0, deadline)
    refuses((0, word, 0, deadline, sign(owner[0], digest)), "InvalidCommitment", commitment=word)


def test_given_the_labeler_is_a_wallet_contract(
    project, system, earnest, launch, token, labelers, attacker, relayer
):
    owner = labelers[0]
    wallet = attacker.deploy(project.WalletMock, owner)
    token.mint(attacker, 5_000, sender=attacker)
    token.approve(earnest, 5_000, sender=attacker)
    earnest.deposit(token, 5_000, wallet, sender=attacker)
    campaign = launch(Phase.ENROLLING, batches=1).campaign
    campaign.enroll_signed([campaign.enrolment(wallet, owner, seats=3)])
    campaign.request_draw()
    campaign.draw(WORD)
    opening = campaign.opening(0)
    signed = campaign.signed_commitment(opening, owner)
    with reverts(earnest.InvalidSignature, signer=wallet):
        forged = campaign.signed_commitment(opening, attacker)
        earnest.commitSigned.call(campaign.id, [forged], sender=relayer)
    campaign.commit_signed([signed])
    assert campaign.record(0) == committed_record(campaign.commitment(opening))
    with reverts(earnest.NotAuthorized, caller=owner, labeler=wallet):
        earnest.commit.call(campaign.id, 0, signed[1], sender=owner)


def test_when_a_wallet_library_has_signed_the_document(campaign, owner):
    good = campaign.signed_commitment(campaign.opening(0), owner[0])
    document = commitment_typed_data(campaign.system.domain, campaign.id, *good[:4])
    signature = Account.sign_typed_data(owner[0].private_key, full_message=document).signature
    campaign.commit_signed([(*good[:4], bytes(signature))])
    assert campaign.record(0) == committed_record(good[1])


def test_when_all_are_good(earnest, campaign, owner):
    campaign.commit(campaign.opening(0), owner[0])
    signed = [campaign.signed_commitment(campaign.opening(seat, b"\0" * 4), owner[seat]) for seat in (3, 0)]
    tx = campaign.commit_signed(signed)
    assert tx.events == [
        earnest.Committed(campaign.id, 3, signed[0][1]),
        earnest.Committed(campaign.id, 0, signed[1][1]),
    ]
    assert [campaign.record(seat) for seat in (3, 0)] == [committed_record(one[1]) for one in signed]
    assert [campaign.revisions(seat) for seat in (3, 0)] == [1, 2]
    assert campaign.life().committed == 2


def test_when_one_seat_comes_twice_with_following_revisions(campaign, owner):
    early = campaign.signed_commitment(campaign.opening(0), owner[0])
    late = campaign.signed_commitment(campaign.opening(0, b"\0" * 4), owner[0], revision=1)
    campaign.commit_signed([early, late])
    assert campaign.record(0) == committed_record(late[1])
    assert (campaign.revisions(0), campaign.life().committed) == (2, 1)


def test_when_all_seats_have_committed(system, campaign, owner):
    time = system.chain.pending_timestamp + 21
    signed = [campaign.signed_commitment(campaign.opening(seat), owner[seat]) for seat in range(6)]
    system.at(time)
    campaign.commit_signed(signed)
    life = campaign.life()
    assert (life.phase, life.deadline) == (Phase.REVEALING, time + campaign.terms.periods.reveal)
