"""`earnest label run`, `withdraw`, `status` and `history`: a campaign from answers to money."""

from __future__ import annotations

import pytest

from earnest.protocol.settlement import settle_batch
from earnest.times import clock

from .labeling import ANSWERS, BOUNTY, STAKE, TASKS, labels_of

pytestmark = pytest.mark.anvil


@pytest.fixture
def final(answered, labeler):
    """All have answered alike, and the scores are final."""
    labeler.does("run", "--once")
    answered.commit()
    answered.chain.mine(3)
    labeler.does("run", "--once")
    answered.reveal()
    answered.settle()
    return answered


def test_from_answers_to_money(answered, labeler):
    stage, token = answered, answered.found.terms.token
    said = labeler.does("run", "--once")
    assert "Seat 0 has committed in transaction 0x" in said
    assert f"Committing until {clock(stage.life.deadline)}: 1 of 3 seats have committed." in said
    assert stage.seat().committed

    assert "Seat 0" not in labeler.does("run", "--once")  # nothing is due
    stage.commit()
    assert "waiting until the end of the commit phase is settled" in labeler.does("run", "--once")
    assert not stage.seat().revealed
    stage.chain.mine(3)
    told = labeler.told("run", "--once")
    assert (told["phase"], told["over"], len(told["transactions"])) == ("Revealing", False, 1)
    assert stage.seat().labels == labels_of(ANSWERS, TASKS)

    stage.reveal()
    assert "Settling: waiting for scores to be final and released." in labeler.does("run", "--once")
    stage.settle()
    assert "Final: waiting for scores to be final and released." in labeler.does("run", "--once")

    wallet = labeler.account.balance
    said = labeler.does("run", "--collect")
    assert "Batch 0 is released in transaction 0x" in said
    assert "Everything free is withdrawn in transaction 0x" in said
    assert said.endswith("Final: seat 0 is paid.\n")
    paid = stage.seat().paid
    assert paid == settle_batch(stage.found.terms, stage.found.scores(0), [False] * 3).paid[0]
    assert paid == STAKE + BOUNTY // 3
    assert wallet < labeler.account.balance <= wallet + paid
    assert stage.client.balance_of(labeler.account.address, token) == 0
    assert labeler.told("run", "--collect")["transactions"] == []


def test_without_collect_everything_stays_in_the_vault(final, labeler):
    final.client.release(final.campaign, [0], sender=final.others[0])
    told = labeler.told("run")
    assert (told["phase"], told["over"], told["transactions"]) == ("Final", True, [])
    assert final.client.balance_of(labeler.account.address, final.found.terms.token) == STAKE + BOUNTY // 3


def test_before_the_draw(opened, labeler):
    ends = clock(opened.life.deadline)
    assert f"Enrolling until {ends}: this account has no seat in the campaign." in labeler.does(
        "run", "--once"
    )
    labeler.does("enroll", "--yes")
    assert f"Enrolling until {ends}: 1 of 3 seats are taken." in labeler.does("run", "--once")
    opened.enroll()
    assert "waiting for the draw." in labeler.does("run", "--once")


def test_answers_are_missing(drawn, labeler):
    assert "seat 0 lacks answers; `earnest label work` asks for them." in labeler.does("run", "--once")


def test_a_cancelled_campaign_is_refunded(opened, labeler):
    labeler.does("enroll", "--yes")
    opened.pass_deadline()
    assert "Cancelled: waiting for the stake to be refunded; --collect does it." in labeler.does(
        "run", "--once"
    )
    (entry,) = labeler.told("status")["seats"]
    assert (entry["phase"], entry["outcome"]) == ("Cancelled", "cancelled")
    wallet = labeler.account.balance
    said = labeler.does("run", "--collect")
    assert "The stake of seat 0 is back in transaction 0x" in said
    assert "Everything free is withdrawn" in said
    assert wallet + STAKE * 99 // 100 < labeler.account.balance <= wallet + STAKE
    assert labeler.told("history", which=False)["seats"][0]["outcome"] == "refunded"


def test_a_commitment_made_elsewhere_is_left_alone(answered, labeler, person):
    labeler.does("run", "--once")
    record = answered.seat().record
    elsewhere = person(folder="elsewhere")
    elsewhere.answers(ANSWERS | {"t0": "no"})
    done = elsewhere.run("run", "--once")
    assert done.exit_code == 2
    assert done.stderr.startswith(
        "Seat 0 holds a commitment to other answers than those here; where it was made"
    )
    assert answered.seat().record == record


def test_collect_leaves_a_stake_that_waits_to_be_carried(opened, labeler):
    token = opened.found.terms.token
    opened.client.deposit(token, STAKE, sender=labeler.account)
    assert labeler.told("run", "--once", "--collect")["transactions"] == []
    assert opened.client.balance_of(labeler.account.address, token) == STAKE


def test_collect_takes_the_stake_of_a_benched_seat(benched):
    wallet = benched.account.balance
    assert "Everything free is withdrawn in transaction" in benched.does("run", "--collect")
    assert wallet + STAKE * 99 // 100 < benched.account.balance <= wallet + STAKE


class TestWithdraw:
    def test_all_of_it(self, final, labeler):
        final.client.release(final.campaign, [0], sender=final.others[0])
        earned = STAKE + BOUNTY // 3
        said = labeler.does("withdraw", "--yes", which=False)
        assert said == "1.333333333333333333 ETH is withdrawn; 0 ETH stays.\n"
        assert final.client.balance_of(labeler.account.address, final.found.terms.token) == 0
        assert earned == 1_333_333_333_333_333_333

    def test_more_than_is_free(self, opened, labeler):
        opened.client.deposit(opened.found.terms.token, STAKE, sender=labeler.account)
        assert labeler.refused("withdraw", "--amount", "1.5", "--yes", which=False) == (
            "1.5 ETH is to be withdrawn and 1 ETH is free: 0.5 ETH more is needed."
        )

    def test_no_amount(self, opened, labeler):
        assert labeler.refused("withdraw", "--amount", "all", "--yes", which=False) == (
            "The amount is 'all'; it must be a number such as 12.5."
        )


class TestStatus:
    def test_how_seats_stand(self, answered, labeler):
        said = labeler.does("status")
        for part in (answered.which[:10], "Committing", clock(answered.life.deadline), "4/4", "to label"):
            assert part in said
        assert "0.6667 ETH" in said
        assert "-0.5 ETH" in said
        (entry,) = labeler.told("status")["seats"]
        assert entry["campaign"] == answered.which
        assert (entry["seat"], entry["batch"], entry["answered"]) == (0, 0, 4)
        assert (entry["phase"], entry["deadline"]) == ("Committing", answered.life.deadline)
        labeler.does("commit")
        assert labeler.told("status")["seats"][0]["outcome"] == "committed"

    def test_of_all_campaigns(self, answered, labeler):
        first = answered.which
        answered.create(batches=2)
        labeler.does("enroll", "--seats", 2, "--yes")
        entries = labeler.told("status", which=False)["seats"]
        assert [entry["campaign"] for entry in entries] == [first, answered.which, answered.which]
        assert [entry["outcome"] for entry in entries] == ["to label", "enrolled", "enrolled"]
        assert len(labeler.told("status")["seats"]) == 2

    def test_nobody(self, opened, labeler):
        assert labeler.does("status", which=False) == f"{labeler.account.address} has no seats.\n"
        assert labeler.does("history", which=False) == f"{labeler.account.address} has no seats.\n"


class TestHistory:
    def test_of_one_who_was_paid(self, final, labeler):
        final.client.release(final.campaign, [0], sender=final.others[0])
        said = labeler.does("history", which=False)
        head, row, total = said.splitlines()
        assert head.split() == ["campaign", "seat", "batch", "outcome", "score", "stake", "earned"]
        score = final.found.scores(0)[final.found.cohorts[0].tolist().index(0)]
        assert row.split() == [
            f"{final.which[:10]}…", "0", "0", "paid", f"{score:+d}", "1", "ETH", "0.3333", "ETH"
        ]  # fmt: skip
        assert total == (
            "Earned 0.333333333333333333 ETH in all; 1.333333333333333333 ETH is free to withdraw."
        )
        told = labeler.told("history", which=False)
        assert told["earned"] == {final.found.terms.token: str(BOUNTY // 3)}
        assert told["seats"][0]["result"] == str(BOUNTY // 3)

    def test_of_one_who_did_not_commit(self, drawn, labeler):
        drawn.commit()
        drawn.pass_deadline()
        drawn.reveal()
        assert labeler.told("status")["seats"][0]["outcome"] == "absent"
        drawn.settle()
        told = labeler.told("run", "--collect")
        assert told["over"]
        (entry,) = labeler.told("history", which=False)["seats"]
        assert (entry["outcome"], entry["result"]) == ("absent", str(-STAKE // 2))
        assert labeler.does("history", which=False).splitlines()[1].split()[-2:] == ["-0.5", "ETH"]


def test_a_withdrawal_that_costs_gas_and_fails_is_not_tried_again_and_again(final, labeler, monkeypatch):
    """A token's own code runs then, which can tell a trial from the transaction."""
    from earnest.chain.client import Client
    from earnest.chain.errors import ChainError

    tried = []

    def withdraw(*arguments, **_):
        tried.append(arguments)
        raise ChainError("withdraw failed in transaction 0x1.", transaction="0x1")

    monkeypatch.setattr(Client, "withdraw", withdraw)
    said = labeler.does("run", "--collect", "--poll", "0.1")
    assert "withdraw failed in transaction 0x1." in said
    assert said.endswith("Final: seat 0 is paid. What is free stays in the vault.\n")
    assert len(tried) == 1


def test_nonsense_that_became_final_hides_no_seat(answered, labeler):
    """Whoever posts may post any 16-bit numbers, and where nobody objects they stand."""
    stage = answered
    labeler.does("run", "--once")
    stage.commit()
    stage.chain.mine(3)
    labeler.does("run", "--once")
    stage.reveal()
    stage.client.deposit(stage.found.terms.token, stage.found.terms.bond, sender=stage.experimenter)
    stage.client.post(stage.campaign, [0], [0x7FFF7FFF7FFF], sender=stage.experimenter)
    stage.travel(stage.client.now() + stage.found.terms.periods.challenge)
    (seat,) = labeler.told("status")["seats"]
    assert seat["outcome"] == "revealed"
