import pytest
from kit import ETHER, HOUR, Phase, reverts

from .calls import called_back, selector


@pytest.fixture
def campaign(stages):
    return stages[Phase.ENROLLING].campaign


@pytest.fixture
def gated(project, system, attacker, experimenter, launch):
    """A campaign with a gate to set."""
    gate = attacker.deploy(project.GateMock)
    campaign = launch(Phase.ENROLLING, gate=gate.address, gate_rule=b"\x07" * 32).campaign
    return campaign, gate


def test_given_another_phase(earnest, wrong_phases, attacker):
    for campaign, about in wrong_phases(Phase.ENROLLING):
        with reverts(earnest.WrongPhase, **about):
            earnest.enroll.call(campaign, attacker, 1, b"", sender=attacker)


def test_given_enrollBy(system, earnest, launch, labelers):
    campaign = launch(Phase.ENROLLING, enroll_in=HOUR).campaign
    system.at(campaign.terms.enroll_by - 1)
    campaign.enroll(labelers[0])
    system.at(campaign.terms.enroll_by)
    with reverts(earnest.WrongPhase, campaign=campaign.id, phase=Phase.CANCELLED, deadline=0):
        campaign.enroll(labelers[0])


@pytest.mark.parametrize("relation", ["stranger", "another's", "the other way", "revoked"])
def test_when_the_caller_is_neither_the_labeler_nor_an_operator_of_theirs(
    earnest, campaign, labelers, attacker, relation
):
    labeler = labelers[0]
    if relation == "another's":
        earnest.setOperator(attacker, True, sender=labelers[1])
    if relation == "the other way":
        earnest.setOperator(labeler, True, sender=attacker)
    if relation == "revoked":
        earnest.setOperator(attacker, True, sender=labeler)
        earnest.setOperator(attacker, False, sender=labeler)
    with reverts(earnest.NotAuthorized, caller=attacker, labeler=labeler):
        earnest.enroll.call(campaign.id, labeler, 1, b"", sender=attacker)


def test_when_no_seat_is_asked_for(earnest, campaign, labelers):
    with reverts(earnest.NoSeats):
        earnest.enroll.call(campaign.id, labelers[0], 0, b"", sender=labelers[0])


@pytest.mark.parametrize(("taken", "wanted"), [(0, 7), (5, 2), (5, 2**256 - 1)])
def test_when_more_seats_are_asked_for_than_are_left(earnest, campaign, labelers, taken, wanted):
    if taken:
        campaign.enroll(labelers[0], taken)
    with reverts(earnest.CampaignFull, wanted=wanted, left=6 - taken):
        earnest.enroll.call(campaign.id, labelers[1], wanted, b"", sender=labelers[1])


@pytest.mark.parametrize("seats", [1, 3])
def test_when_the_balance_does_not_cover_the_stakes(system, earnest, campaign, attacker, token, seats):
    cost = campaign.terms.stake * seats
    system.fund(attacker, cost)  # of another token
    system.fund(attacker, cost - 1, token)
    about = {"account": attacker, "token": token, "balance": cost - 1, "required": cost}
    with reverts(earnest.InsufficientBalance, **about):
        earnest.enroll.call(campaign.id, attacker, seats, b"", sender=attacker)


def test_when_it_says_no(earnest, gated, labelers):
    campaign, _ = gated
    with reverts(earnest.NotAdmitted, labeler=labelers[0]):
        earnest.enroll.call(campaign.id, labelers[0], 1, b"", sender=labelers[0])


def test_when_it_reverts(project, earnest, launch, attacker, labelers):
    """The allowlist does, asked with a proof that does not decode."""
    gate = attacker.deploy(project.AllowlistGate)
    campaign = launch(Phase.ENROLLING, gate=gate.address).campaign
    with reverts(b""):
        earnest.enroll.call(campaign.id, labelers[0], 1, b"", sender=labelers[0])


def test_when_it_has_no_code(earnest, launch, attacker, labelers):
    campaign = launch(Phase.ENROLLING, gate=attacker.address).campaign
    with reverts(b""):
        earnest.enroll.call(campaign.id, labelers[0], 1, b"", sender=labelers[0])


def test_when_it_says_yes(earnest, gated, labelers, operator):
    campaign, gate = gated
    gate.setAnswer(True, sender=operator)
    earnest.setOperator(operator, True, sender=labelers[0])
    tx = campaign.enroll(labelers[0], 2, sender=operator, proof=b"why")
    assert tx.events == [
        gate.Asked(campaign.id, b"\x07" * 32, labelers[0], 2, b"why"),
        earnest.Enrolled(campaign.id, labelers[0], 0, 2),
    ]
    assert campaign.life().taken == 2


@pytest.mark.parametrize("function", ["enroll", "enrollSigned", "deposit", "withdraw"])
def test_when_it_calls_back_in(earnest, gated, labelers, operator, function):
    campaign, gate = gated
    gate.setAnswer(True, sender=operator)
    calls = {
        "enroll": (campaign.id, gate, 1, b""),
        "enrollSigned": (campaign.id, []),
        "deposit": (ETHER, 0, gate),
        "withdraw": (ETHER, 0, gate),
    }
    data = getattr(earnest, function).encode_input(*calls[function])
    gate.setCallback(earnest, data, sender=operator)
    tx = campaign.enroll(labelers[0])
    assert called_back(tx) == (False, selector(earnest.ReentrancyGuardReentrantCall))
    assert campaign.life().taken == 1


@pytest.mark.parametrize("function", ["requestDraw", "draw", "refund", "post", "release"])
def test_when_it_calls_a_function_that_no_lock_guards(earnest, gated, labelers, operator, function):
    campaign, gate = gated
    gate.setAnswer(True, sender=operator)
    rest = {"refund": ([0],), "post": ([0], [0]), "release": ([0],)}.get(function, ())
    data = getattr(earnest, function).encode_input(campaign.id, *rest)
    gate.setCallback(earnest, data, sender=operator)
    success, error = called_back(campaign.enroll(labelers[0]))
    assert (success, error[:4]) == (False, selector(earnest.WrongPhase))
    assert campaign.life().taken == 1


def test_when_seats_are_left_over(earnest, campaign, labelers, token):
    first, second = labelers[:2]
    before = campaign.balances([first, second])
    assert campaign.enroll(first).events == [earnest.Enrolled(campaign.id, first, 0, 1)]
    assert campaign.enroll(second, 3).events == [earnest.Enrolled(campaign.id, second, 1, 3)]
    assert campaign.enroll(first).events == [earnest.Enrolled(campaign.id, first, 4, 1)]
    stake = campaign.terms.stake
    assert campaign.balances([first, second]) == [before[0] - 2 * stake, before[1] - 3 * stake]
    seated = [first, second, second, second, first]
    assert [campaign.labeler_of(seat) for seat in range(5)] == [labeler.address for labeler in seated]
    assert [campaign.record(seat) for seat in range(5)] == [0] * 5
    life = campaign.life()
    assert (life.phase, life.taken, life.seats) == (Phase.ENROLLING, 5, 6)
    assert life.deadline == campaign.terms.enroll_by


def test_when_an_operator_enrols(earnest, campaign, labelers, operator):
    labeler = labelers[0]
    before = campaign.balances([labeler, operator])
    earnest.setOperator(operator, True, sender=labeler)
    tx = campaign.enroll(labeler, 2, sender=operator)
    assert tx.events == [earnest.Enrolled(campaign.id, labeler, 0, 2)]
    assert campaign.balances([labeler, operator]) == [before[0] - 2 * campaign.terms.stake, before[1]]
    assert campaign.labeler_of(1) == labeler.address


def test_when_the_last_seat_is_taken(system, campaign, labelers):
    campaign.enroll(labelers[0], 5)
    time = system.chain.pending_timestamp + 77
    system.at(time)
    campaign.enroll(labelers[1])
    life = campaign.life()
    assert (life.phase, life.taken) == (Phase.DRAWING, 6)
    assert life.deadline == time + campaign.terms.periods.draw
