def test_when_approving(earnest, experimenter, attacker, relayer):
    tx = earnest.setOperator(attacker, True, sender=experimenter)
    assert tx.events == [earnest.OperatorSet(experimenter, attacker, True)]
    assert earnest.isOperator(experimenter, attacker)
    assert not earnest.isOperator(attacker, experimenter)
    assert not earnest.isOperator(experimenter, relayer)
    assert not earnest.isOperator(relayer, attacker)


def test_when_approving_again(earnest, experimenter, attacker):
    earnest.setOperator(attacker, True, sender=experimenter)
    tx = earnest.setOperator(attacker, True, sender=experimenter)
    assert tx.events == [earnest.OperatorSet(experimenter, attacker, True)]
    assert earnest.isOperator(experimenter, attacker)


def test_when_revoking(earnest, experimenter, attacker, relayer):
    earnest.setOperator(attacker, True, sender=experimenter)
    earnest.setOperator(relayer, True, sender=experimenter)
    tx = earnest.setOperator(attacker, False, sender=experimenter)
    assert tx.events == [earnest.OperatorSet(experimenter, attacker, False)]
    assert not earnest.isOperator(experimenter, attacker)
    assert earnest.isOperator(experimenter, relayer)
