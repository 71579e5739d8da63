import pytest
from kit import ETHER, reverts

from earnest.protocol.terms import ZERO_ADDRESS

from .calls import called_back, selector

LARGEST = 2**128 - 1


def test_when_the_account_is_the_zero_address(earnest, experimenter):
    with reverts(earnest.ZeroAddress):
        earnest.deposit.call(ETHER, 1, ZERO_ADDRESS, value=1, sender=experimenter)


@pytest.mark.parametrize(("value", "amount"), [(6, 7), (8, 7), (0, 7), (1, 0)])
def test_when_the_value_is_not_the_amount(earnest, experimenter, value, amount):
    with reverts(earnest.WrongValue, value=value, required=amount):
        earnest.deposit.call(ETHER, amount, experimenter, value=value, sender=experimenter)


def test_when_the_value_is_the_amount(system, earnest, experimenter, attacker):
    held = system.held()
    tx = earnest.deposit(ETHER, 7, experimenter, value=7, sender=attacker)
    assert tx.events == [earnest.Deposited(experimenter, ETHER, 7, attacker)]
    assert (system.balance(experimenter), system.balance(attacker)) == (7, 0)
    assert system.held() == held + 7


def test_when_the_amount_is_zero(system, earnest, experimenter):
    tx = earnest.deposit(ETHER, 0, experimenter, sender=experimenter)
    assert tx.events == [earnest.Deposited(experimenter, ETHER, 0, experimenter)]
    assert system.balance(experimenter) == 0


def test_when_ether_is_sent_along(earnest, experimenter, token):
    with reverts(earnest.WrongValue, value=1, required=0):
        earnest.deposit.call(token, 1, experimenter, value=1, sender=experimenter)


def test_when_it_is_not_approved(earnest, attacker, token):
    token.mint(attacker, 9, sender=attacker)
    with reverts(token.ERC20InsufficientAllowance, spender=earnest, allowance=0, needed=9):
        earnest.deposit.call(token, 9, attacker, sender=attacker)


def test_when_it_is_no_contract(earnest, attacker, sink):
    with reverts(b""):
        earnest.deposit.call(sink, 9, attacker, sender=attacker)


def test_when_it_moves_what_it_is_asked_to(system, earnest, attacker, experimenter, token):
    before, held = system.balance(experimenter, token), system.held(token)
    token.mint(attacker, 10, sender=attacker)
    token.approve(earnest, 10, sender=attacker)
    tx = earnest.deposit(token, 9, experimenter, sender=attacker)
    assert tx.events == [
        token.Transfer(attacker, earnest, 9),
        earnest.Deposited(experimenter, token, 9, attacker),
    ]
    assert system.balance(experimenter, token) == before + 9
    assert system.balance(experimenter, ETHER) == 0
    assert system.held(token) == held + 9
    assert token.balanceOf(attacker) == 1


@pytest.mark.parametrize(("fee", "arrives"), [(0, 999), (100, 990), (9_999, 1), (10_000, 0)])
def test_when_it_takes_a_fee_on_transfer(project, system, earnest, attacker, fee, arrives):
    dear = attacker.deploy(project.FeeTokenMock, fee)
    tx = system.fund(attacker, 999, dear)
    assert system.balance(attacker, dear) == arrives == system.held(dear)
    assert tx.events[-1] == earnest.Deposited(attacker, dear, arrives, attacker)


def test_when_it_returns_nothing(project, system, earnest, attacker):
    silent = attacker.deploy(project.SilentTokenMock)
    tx = system.fund(attacker, 12, silent)
    assert tx.events == [earnest.Deposited(attacker, silent, 12, attacker)]
    assert system.balance(attacker, silent) == 12 == system.held(silent)


def test_when_it_refuses_the_vault(project, system, earnest, attacker):
    refusing = attacker.deploy(project.RefusingTokenMock)
    refusing.mint(attacker, 5, sender=attacker)
    refusing.approve(earnest, 5, sender=attacker)
    refusing.refuse(earnest, True, sender=attacker)
    with reverts(refusing.ReceiverRefused, receiver=earnest):
        earnest.deposit.call(refusing, 5, attacker, sender=attacker)


@pytest.mark.parametrize("function", ["deposit", "withdraw", "enroll", "enrollSigned"])
def test_when_it_calls_back_in(project, system, earnest, attacker, function):
    hooked = attacker.deploy(project.CallbackTokenMock)
    calls = {
        "deposit": (hooked, 0, attacker),
        "withdraw": (hooked, 0, attacker),
        "enroll": (0, attacker, 1, b""),
        "enrollSigned": (0, []),
    }
    data = getattr(earnest, function).encode_input(*calls[function])
    hooked.setCallback(earnest, data, sender=attacker)
    tx = system.fund(attacker, 50, hooked)
    assert called_back(tx) == (False, selector(earnest.ReentrancyGuardReentrantCall))
    assert system.balance(attacker, hooked) == 50 == system.held(hooked)


@pytest.mark.parametrize("already", [0, 1, LARGEST])
@pytest.mark.parametrize("donated", [False, True])
def test_when_the_vault_would_hold_more_than_the_largest_amount(
    project, system, earnest, attacker, experimenter, already, donated
):
    plentiful = attacker.deploy(project.TokenMock)
    if donated:
        plentiful.mint(earnest, already, sender=attacker)
    elif already:
        system.fund(experimenter, already, plentiful)
    over = LARGEST - already + 1
    plentiful.mint(attacker, over, sender=attacker)
    plentiful.approve(earnest, over, sender=attacker)
    with reverts(earnest.BalanceOverflow, account=attacker, token=plentiful):
        earnest.deposit.call(plentiful, over, attacker, sender=attacker)
    earnest.deposit(plentiful, over - 1, attacker, sender=attacker)
    assert system.balance(attacker, plentiful) == over - 1
    assert system.held(plentiful) == LARGEST
