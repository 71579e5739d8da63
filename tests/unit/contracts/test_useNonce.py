from kit import ETHER, Phase


def test_when_called(system, earnest, token, attacker, experimenter):
    system.fund(attacker, 5)
    for nonce in range(3):
        tx = earnest.useNonce(ETHER, sender=attacker)
        assert tx.events == [earnest.NonceUsed(attacker, ETHER, nonce)]
    assert (system.nonce(attacker), system.nonce(attacker, token), system.nonce(experimenter)) == (3, 0, 0)
    assert system.balance(attacker) == 5


def test_given_an_enrolment_signed_with_the_nonce(stages, earnest, token, labelers):
    campaign, labeler = stages[Phase.ENROLLING].campaign, labelers[0]
    signed = campaign.enrolment(labeler, labeler)
    earnest.useNonce(token, sender=labeler)
    tx = campaign.enroll_signed([signed])
    assert tx.events == []
    assert campaign.life().taken == 0
