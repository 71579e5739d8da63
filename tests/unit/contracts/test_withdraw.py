import pytest
from kit import ETHER, Phase, reverts

from earnest.protocol.terms import ZERO_ADDRESS

from .calls import called_back, selector


def test_when_the_receiver_is_the_zero_address(earnest, attacker):
    with reverts(earnest.ZeroAddress):
        earnest.withdraw.call(ETHER, 0, ZERO_ADDRESS, sender=attacker)


@pytest.mark.parametrize(("balance", "amount"), [(0, 1), (5, 6), (5, 2**256 - 1)])
def test_when_the_amount_exceeds_the_free_balance(
    system, earnest, attacker, experimenter, token, balance, amount
):
    system.fund(experimenter, 100)
    if balance:
        system.fund(attacker, balance)
    about = {"account": attacker, "token": ETHER, "balance": balance, "required": amount}
    with reverts(earnest.InsufficientBalance, **about):
        earnest.withdraw.call(ETHER, amount, attacker, sender=attacker)


def test_given_the_money_is_locked_in_a_campaign(system, earnest, stages, attacker, token):
    campaign = stages[Phase.ENROLLING].campaign
    system.fund(attacker, campaign.terms.stake, token)
    campaign.enroll(attacker)
    with reverts(earnest.InsufficientBalance, account=attacker, token=token, balance=0, required=1):
        earnest.withdraw.call(token, 1, attacker, sender=attacker)


def test_when_the_receiver_takes_it(system, earnest, attacker, sink):
    system.fund(attacker, 100)
    before, held = sink.balance, system.held()
    tx = earnest.withdraw(ETHER, 60, sink, sender=attacker)
    assert tx.events == [earnest.Withdrawn(attacker, ETHER, 60, sink)]
    assert sink.balance == before + 60
    assert (system.balance(attacker), system.held()) == (40, held - 60)
    earnest.withdraw(ETHER, 40, sink, sender=attacker)
    assert (system.balance(attacker), system.held()) == (0, held - 100)


def test_when_the_receiver_refuses_it(project, system, earnest, attacker, sink):
    refusing = attacker.deploy(project.RefusingReceiver)
    system.fund(attacker, 100)
    with reverts(earnest.EtherRefused, receiver=refusing, amount=60):
        earnest.withdraw.call(ETHER, 60, refusing, sender=attacker)
    earnest.withdraw(ETHER, 100, sink, sender=attacker)
    assert system.balance(attacker) == 0


def test_when_the_receiver_calls_back_in(project, system, earnest, attacker, experimenter):
    system.fund(experimenter, 1_000)
    receiver = attacker.deploy(project.ReentrantReceiver)
    earnest.deposit(ETHER, 100, receiver, value=100, sender=attacker)
    again = earnest.withdraw.encode_input(ETHER, 40, receiver.address)
    receiver.setCallback(earnest, again, sender=attacker)
    held = system.held()
    tx = receiver.execute(earnest, again, sender=attacker)
    assert called_back(tx) == (False, selector(earnest.ReentrancyGuardReentrantCall))
    assert system.balance(receiver) == 60
    assert receiver.balance == 40
    assert system.held() == held - 40


def test_when_it_pays(system, earnest, attacker, sink, token):
    system.fund(attacker, 100)
    system.fund(attacker, 50, token)
    held = system.held(token)
    tx = earnest.withdraw(token, 20, sink, sender=attacker)
    assert tx.events == [
        earnest.Withdrawn(attacker, token, 20, sink),
        token.Transfer(earnest, sink, 20),
    ]
    assert (system.balance(attacker, token), system.balance(attacker)) == (30, 100)
    assert (token.balanceOf(sink), system.held(token)) == (20, held - 20)


def test_when_it_takes_a_fee(project, system, earnest, attacker, sink):
    dear = attacker.deploy(project.FeeTokenMock, 1_000)
    system.fund(attacker, 1_000, dear)
    tx = earnest.withdraw(dear, 500, sink, sender=attacker)
    assert tx.events[0] == earnest.Withdrawn(attacker, dear, 500, sink)
    assert (system.balance(attacker, dear), system.held(dear), dear.balanceOf(sink)) == (400, 400, 450)


def test_when_it_gives_no_answer(project, system, earnest, attacker, sink):
    silent = attacker.deploy(project.SilentTokenMock)
    system.fund(attacker, 12, silent)
    earnest.withdraw(silent, 12, sink, sender=attacker)
    assert (silent.balanceOf(sink), system.held(silent), system.balance(attacker, silent)) == (12, 0, 0)


def test_when_it_refuses_the_receiver(project, system, earnest, attacker, experimenter):
    refusing = attacker.deploy(project.RefusingTokenMock)
    system.fund(attacker, 12, refusing)
    system.fund(experimenter, 7, refusing)
    refusing.refuse(attacker, True, sender=attacker)
    with reverts(refusing.ReceiverRefused, receiver=attacker):
        earnest.withdraw.call(refusing, 12, attacker, sender=attacker)
    earnest.withdraw(refusing, 7, experimenter, sender=experimenter)
    assert refusing.balanceOf(experimenter) == 7
    assert system.balance(attacker, refusing) == 12 == system.held(refusing)


def test_when_its_transfer_calls_back_in(project, system, earnest, attacker, sink):
    hooked = attacker.deploy(project.CallbackTokenMock)
    system.fund(attacker, 100, hooked)
    hooked.setCallback(earnest, earnest.withdraw.encode_input(hooked, 0, attacker), sender=attacker)
    tx = earnest.withdraw(hooked, 30, sink, sender=attacker)
    assert called_back(tx) == (False, selector(earnest.ReentrancyGuardReentrantCall))
    assert (system.balance(attacker, hooked), system.held(hooked)) == (70, 70)


def test_when_nothing_is_asked_for(system, earnest, attacker):
    tx = earnest.withdraw(ETHER, 0, attacker, sender=attacker)
    assert tx.events == [earnest.Withdrawn(attacker, ETHER, 0, attacker)]
    assert system.balance(attacker) == 0
