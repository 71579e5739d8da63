from __future__ import annotations

import pytest

from earnest.chain.money import ETHER, Token
from earnest.experimenter.errors import ExperimenterError
from earnest.experimenter.plan import make_plan
from earnest.experimenter.prepare import prepare
from earnest.protocol import audit
from earnest.tasks.columns import TaskFile

from .tale import KEY, START, settings, tasks

TOKEN = "0x" + "11" * 20
MONEY = {"token": TOKEN, "bounty": "1", "stake": "1"}


class TestPlan:
    def test_counts_and_costs(self):
        plan = make_plan(settings(), tasks(), ETHER)
        assert (plan.shape.batches, plan.seats) == (3, 9)
        assert plan.labels == 180
        assert plan.cost == 3 * 31 * 10**16
        assert plan.cohort_tasks + plan.single_tasks == 60

    def test_money_is_in_units_of_the_token(self):
        plan = make_plan(settings(), tasks(), Token("0x" + "11" * 20, "USDC", 6))
        assert plan.terms.bounty == 300_000

    def test_thousands_may_be_parted(self):
        plan = make_plan(settings(money={"bounty": "1,000.5", "stake": "1_000"}), tasks(), ETHER)
        assert (plan.terms.bounty, plan.terms.stake) == (10_005 * 10**17, 1_000 * 10**18)

    @pytest.mark.parametrize(
        ("money", "wrong"),
        [
            ({"bounty": "0", "stake": "1"}, "money.bounty is 0"),
            ({"bounty": "1", "stake": "0"}, "money.bond is 0"),
            ({"bounty": "0.0000001", "stake": "1"}, "at most 6 decimals"),
            ({"bounty": "1e30", "stake": "1"}, "money.bounty is .* USDC; it must be at most 79,228,162"),
            ({"bounty": "1e999999999", "stake": "1"}, "money.bounty: The amount is"),
        ],
    )
    def test_refuses_money(self, money, wrong):
        with pytest.raises(ExperimenterError, match=wrong):
            make_plan(settings(money=money), tasks(), Token("0x" + "11" * 20, "USDC", 6))

    @pytest.mark.parametrize(
        ("changes", "known", "warning"),
        [
            ({}, 20, "below about 100 honest"),
            ({}, 20, "A cohort has 3 seats"),
            ({}, 20, "hides 4 gold"),
            ({}, 20, "hides 4 repeats"),
            ({"audit": {"gold": 1}, "weights": {"gold": 0}}, 20, "gold of one class only"),
            ({"publish": None}, 20, "stays on this machine"),
        ],
    )
    def test_warns(self, changes, known, warning):
        plan = make_plan(settings(**changes), tasks(known=known), ETHER)
        assert any(warning in each for each in plan.warnings)

    def test_warns_of_gold_of_one_class(self):
        plan = make_plan(settings(), tasks(classes=1), ETHER)
        assert any("of one class" in each for each in plan.warnings)

    def test_refuses_peers_that_share_nothing(self):
        with pytest.raises(ExperimenterError, match=r"weights.peers is 1, but seats share 0 positions"):
            make_plan(settings(audit={"shared": 0}), tasks(), ETHER)

    def test_refuses_a_batch_of_one_task(self):
        with pytest.raises(ExperimenterError, match="There is 1 task"):
            make_plan(settings(audit={}, positions=None), tasks(1, 0), ETHER)

    def test_warns_of_batches_with_gold_of_one_class(self):
        file = tasks(60, 24)
        uneven = TaskFile(file.tasks, {task: int(task < 2) for task in range(24)})
        plan = make_plan(settings(audit={"gold": 6}), uneven, ETHER)
        assert any("2 answers are not of the commonest class" in each for each in plan.warnings)

    @pytest.mark.parametrize(
        "changes", [{}, {"audit": {}}, {"positions": None}, {"audit": {"shared": "50%"}}]
    )
    def test_counts_what_stands_where(self, changes):
        found = settings(**changes)
        plan = make_plan(found, tasks(), ETHER)
        manifest = prepare(found, tasks(), plan, START, KEY).manifest
        cohort, shown = set(), set()
        for lanes in manifest.batches:
            cohort |= set.intersection(*map(set, lanes))
            shown |= set().union(*lanes)
        assert len(shown) == plan.tasks == 60
        assert len(cohort) >= plan.cohort_tasks
        assert plan.cohort_tasks + plan.single_tasks == 60

    def test_gas_and_bonds_grow_with_what_fits_into_a_transaction(self):
        small = make_plan(settings(audit={}, positions=2), tasks(60, 0), ETHER)
        large = make_plan(settings(audit={}, positions=2), tasks(1_800, 0), ETHER)
        assert (small.postings, large.postings) == (1, 3)
        assert large.gas["return bond"] == 3 * small.gas["return bond"]

    def test_a_token_takes_more_gas(self):
        ether = make_plan(settings(), tasks(), ETHER)
        token = make_plan(settings(money=MONEY), tasks(), Token(TOKEN, "USDC", 6))
        assert "approve" not in ether.gas
        assert token.gas["approve"] + token.gas["deposit"] - ether.gas["deposit"] == 90_000

    def test_a_sound_plan_has_no_warning(self):
        sound = settings(seats=7, positions=140, audit={"gold": 12, "repeats": 12})
        assert make_plan(sound, tasks(1_000, 200), ETHER).warnings == ()

    def test_nothing_is_slashed_nothing_is_warned_of(self):
        plan = make_plan(settings(curve={"max_slash": 0}), tasks(), ETHER)
        assert not any("slashed" in each for each in plan.warnings)


class TestPrepare:
    def prepared(self, key=KEY, **changes):
        found = settings(**changes)
        return prepare(found, tasks(), make_plan(found, tasks(), ETHER), START, key)

    def test_terms_fix_the_manifest(self):
        found = self.prepared()
        found.manifest.check_terms(found.terms)
        assert found.terms.enroll_by == START + 86_400
        assert {task.id for task in found.manifest.tasks} == {task.id for task in tasks().tasks}

    def test_the_key_opens_every_row_and_no_other_does(self):
        found = self.prepared()
        rows = audit.open_rows(found.manifest.audit_rows, KEY, 20, 2)
        assert all(row is not None and len(row.gold) == 4 and len(row.repeats) == 4 for row in rows)
        assert audit.key_hash(KEY) == found.terms.audit_key_hash
        assert audit.open_rows(found.manifest.audit_rows, bytes(32), 20, 2) == [None] * 3

    def test_gold_is_right(self):
        found = self.prepared()
        answers = {task.id: tasks().gold.get(index) for index, task in enumerate(tasks().tasks)}
        rows = audit.open_rows(found.manifest.audit_rows, KEY, 20, 2)
        for batch, row in enumerate(rows):
            for position, label in row.gold:
                task = found.manifest.tasks[found.manifest.positions(batch, 0)[position]]
                assert answers[task.id] == label

    def test_the_key_deals_the_tasks(self):
        first, again, other = self.prepared(), self.prepared(), self.prepared(b"\x02" * 32)
        assert first.manifest == again.manifest
        assert first.manifest.tasks != other.manifest.tasks
        assert first.manifest.batches != other.manifest.batches

    def test_places_in_the_manifest_do_not_tell_gold(self):
        found = self.prepared()
        assert [task.id for task in found.manifest.tasks] != [task.id for task in tasks().tasks]

    def test_without_an_audit(self):
        found = self.prepared(audit={})
        assert not found.terms.audited
        assert found.manifest.audit_rows == ()

    def test_refuses_periods_longer_than_a_year(self):
        with pytest.raises(ExperimenterError, match=r"periods\.commit is 400d"):
            self.prepared(periods={"commit": "400d"})
