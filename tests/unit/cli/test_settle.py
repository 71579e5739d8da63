"""`earnest settle`: one thing at a time by hand, and `run --once`."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
from dataclasses import asdict, replace

import pytest
from chain.test_tokens import DEAR, EMPTY, ONES, write
from click.testing import CliRunner

from earnest.chain import settle
from earnest.chain.errors import ChainError
from earnest.chain.life import Phase
from earnest.chain.state import BatchStatus, PostingStatus
from earnest.cli import cli, settling
from earnest.protocol.settlement import pack
from earnest.protocol.terms import ZERO_ADDRESS
from earnest.times import clock

from .labeling import BOND, COHORT

pytestmark = pytest.mark.anvil

FALSE = pack([9_999] * COHORT)


@pytest.fixture
def settler(person):
    return person("settler", group="settle")


@pytest.fixture
def revealed(stage):
    """A campaign of two batches with all labels revealed and nothing posted, in Settling."""
    stage.create(batches=2)
    stage.label(2 * COHORT)
    assert stage.life.phase is Phase.SETTLING
    return stage


@pytest.fixture
def lied(revealed):
    """The same, where an attacker was the first to post both batches."""
    attacker = revealed.others[0]
    revealed.client.deposit(ZERO_ADDRESS, BOND, sender=attacker)
    revealed.client.post(revealed.campaign, [0, 1], [FALSE, FALSE], sender=attacker)
    return revealed


def words(stage):
    return [batch.scores for batch in stage.found.batches]


def _no_devnet(monkeypatch, confirmations):
    """As if the chain could be reorganised."""
    monkeypatch.setattr(settling, "is_devnet", lambda web3: False)
    monkeypatch.setattr(settling, "CONFIRMATIONS", confirmations)


class TestPost:
    def test_right_scores_of_all_batches_under_one_bond(self, revealed, settler):
        told = settler.told("post", "--deposit", "--yes")
        assert len(told["transactions"]) == 2  # the bond, and the posting
        assert words(revealed) == settle.words(revealed.found)
        assert settler.told("post", "--deposit", "--yes")["transactions"] == []

    def test_one_batch_from_the_free_balance(self, revealed, settler):
        settler.does("deposit", "--amount", "1", "--yes", which=False)
        assert len(settler.told("post", "--batch", 1, "--yes")["transactions"]) == 1
        assert [batch.status for batch in revealed.found.batches] == [BatchStatus.OPEN, BatchStatus.POSTED]
        assert settler.refused("post", "--batch", 1, "--deposit", "--yes") == "Batch 1 holds scores already."

    def test_what_a_bond_lacks_and_that_the_wallet_may_give_it(self, revealed, settler):
        assert settler.refused("post", "--yes") == (
            "1 ETH is needed for 1 bonds and 0 ETH is free: 1 ETH more is needed; --deposit takes it."
        )

    def test_asks_first(self, revealed, settler):
        assert "agree beforehand with --yes" in settler.refused("post", "--deposit")

    def test_no_such_batch(self, revealed, settler):
        for batch in (2, -1):
            sentence = settler.refused("post", "--batch", batch, "--deposit", "--yes")
            assert sentence == f"There is no batch {batch}; it must be 0 to 1."

    def test_not_before_settling_and_until_when(self, opened, settler):
        until = clock(opened.life.deadline)
        sentence = settler.refused("post", "--deposit", "--yes")
        assert f" is Enrolling until {until}" in sentence
        assert sentence.endswith("; scores are computed from Settling on.")

    def test_not_while_a_reorganisation_could_make_the_scores_false(self, revealed, settler, monkeypatch):
        _no_devnet(monkeypatch, 8)
        sentence = settler.refused("post", "--deposit", "--yes")
        assert sentence.startswith("Scores are posted once 8 blocks follow the last that they hang on")
        by_experimenter = settler
        by_experimenter.group = "campaign"
        assert by_experimenter.refused("settle", "--yes") == sentence
        revealed.chain.mine(8)
        assert len(by_experimenter.told("settle", "--yes")["transactions"]) == 2


class TestReferee:
    def test_one_false_batch_of_each_posting(self, lied, settler):
        assert len(settler.told("referee", "--yes")["transactions"]) == 1
        (posting,) = lied.found.postings.values()
        assert posting.status is PostingStatus.VOID
        assert [lied.found.final_at(batch) is None for batch in (0, 1)] == [False, True]
        assert "No batch is false." in settler.does("referee", "--yes")

    def test_a_batch_that_is_named_needs_no_posting(self, revealed, settler):
        settler.does("referee", "--batch", 1, "--yes")
        assert revealed.found.batches[1].scores == settle.words(revealed.found)[1]
        assert settler.refused("referee", "--batch", 1, "--yes") == "Batch 1 has final scores."

    def test_waits_for_no_confirmations(self, lied, settler, monkeypatch):
        _no_devnet(monkeypatch, 1_000)
        assert len(settler.told("referee", "--yes")["transactions"]) == 1

    def test_what_is_false_and_final_is_said(self, lied, settler):
        lied.travel(lied.found.final_at(0))
        said = settler.does("referee", "--yes")
        assert said.startswith(f"2 batches are false, but final since {clock(lied.found.final_at(0))}: they")

    def test_the_second_false_batch_where_the_first_cannot_be_refereed(self, lied, settler, monkeypatch):
        client, refused = type(lied.client), []
        referee = client.referee

        def fails_once(self, campaign, batch, *arguments, **options):
            if not refused:
                refused.append(batch)
                raise ChainError("The node is tired.")
            return referee(self, campaign, batch, *arguments, **options)

        monkeypatch.setattr(client, "referee", fails_once)
        assert len(settler.told("referee", "--yes")["transactions"]) == 1
        assert refused == [0]
        assert lied.found.postings[1].status is PostingStatus.VOID

    def test_what_was_sent_before_something_failed_is_told(self, lied, settler, monkeypatch):
        client = type(lied.client)

        def fails(*_, **__):
            raise ChainError("The node is tired.")

        monkeypatch.setattr(client, "post", fails)
        by_experimenter = settler
        by_experimenter.group = "campaign"
        done = by_experimenter.run("settle", "--yes", "--json")
        assert len(json.loads(done.stdout)["transactions"]) == 1  # the refereeing
        assert (done.exit_code, json.loads(done.stderr)) == (2, {"error": "The node is tired."})


class TestCheck:
    def test_what_a_node_left_out_is_read_again(self, lied, settler):
        settler.run("check")
        (path,) = settler.data.glob("records-*.sqlite")
        with sqlite3.connect(path) as records:
            records.execute("delete from logs where block = (select max(block) from logs)")
        records.close()
        lied.chain.mine(20)
        assert settler.run("check").exit_code == 1

    def test_says_what_is_false_and_exits_with_1(self, lied, settler):
        done = settler.run("check", "--json")
        assert done.exit_code == 1
        found = json.loads(done.stdout)["batches"]
        assert [each["verdict"] for each in found] == ["FALSE", "FALSE"]
        assert [each["posted"] for each in found] == [[9_999] * COHORT] * 2
        settler.does("referee", "--yes")
        done = settler.run("check", "--json", "--on-chain")
        assert done.exit_code == 0
        assert [each["verdict"] for each in json.loads(done.stdout)["batches"]] == ["right", "open"]

    def test_is_a_table_for_people(self, lied, settler):
        assert "FALSE" in settler.run("check").stdout

    def test_exits_with_1_under_ape_run_too(self, lied, settler):
        node = lied.client.web3.provider.endpoint_uri
        line = ["ape", "run", "earnest", "settle", "check", lied.which, "--network", node]
        line += ["--contract", lied.client.address]
        environment = {**os.environ, "EARNEST_DATA": str(settler.data)}
        done = subprocess.run(line, env=environment, capture_output=True, text=True, check=False, timeout=120)
        assert ("FALSE" in done.stdout, done.returncode) == (True, 1), done.stderr


class TestRelease:
    def test_pays_out_what_is_final_and_takes_ones_own_bond_back(self, revealed, settler):
        settler.does("post", "--deposit", "--yes")
        assert settler.told("release", "--yes")["transactions"] == []
        assert settler.refused("release", "--batch", 0, "--yes") == "Batch 0 is not final, or paid out."
        revealed.travel(revealed.found.final_at(0))
        settler.does("release", "--batch", 0, "--yes")
        assert revealed.life.released == 1
        settler.does("release", "--yes")
        assert revealed.found.locked == 0
        assert revealed.client.balance_of(settler.account.address, ZERO_ADDRESS) == BOND


class TestStatus:
    def test_all_that_is_due_however_many_bonds_it_takes(self, revealed, settler):
        first = revealed.campaign
        revealed.create(batches=2, fee=7)
        revealed.enroll(2 * COHORT)
        revealed.draw()
        revealed.commit()
        revealed.reveal()
        listed = settler.told("status", which=False)["campaigns"]
        due = {int(each["campaign"], 16): each["due"] for each in listed}
        assert due[first] == due[revealed.campaign] == ["post"]

    def test_what_is_to_be_done_with_no_account_named(self, lied, settler):
        listed = settler.told("status", which=False)["campaigns"]
        (mine,) = [each for each in listed if each["campaign"] == lied.which]
        assert (mine["phase"], mine["scored"], mine["false"]) == ("Settling", 2, [0, 1])
        assert mine["due"] == ["referee"]
        assert "referee" in settler.does("status", which=False)


class TestRun:
    def test_does_all_that_is_due_once(self, lied, settler):
        said = settler.does("run", "--campaign", lied.which, "--once", "--deposit", which=False)
        done = [line for line in said.splitlines() if lied.which[:10] in line]
        steps = ("referee 0", "post 1", "release 0")  # what was refereed is final at once
        assert all(step in line for step, line in zip(steps, done, strict=True))
        assert words(lied) == settle.words(lied.found)
        assert settler.does("run", "--campaign", lied.which, "--once", which=False) == ""

    def test_one_object_a_line_for_machines(self, lied, settler):
        said = settler.does("run", "--once", "--watch-only", "--json", which=False)
        told = [json.loads(line) for line in said.splitlines()]
        assert [(each["step"], each["which"]) for each in told if each["campaign"] == lied.which] == [
            ("referee", [0])
        ]

    @pytest.mark.parametrize(
        ("options", "sentence"),
        [
            (["--watch-only", "--no-referee"], "--watch-only and --no-referee together leave nothing to do."),
            (["--campaign", "0xzz"], "'0xzz' is no campaign; it must be 0x and up to 64 hexadecimal digits."),
            (["--campaign", "0x" + "1" * 64], "There is no campaign 0x" + "1" * 64),
            (["--deposit-token", "0x" + "1" * 40], "--deposit-token says which tokens --deposit takes"),
            (["--deposit", "--deposit-token", "0x12"], "--deposit-token is '0x12'; it must be an address"),
            (["--poll", "nan"], "--poll is 'nan'; it must be a number from 0.1 to 3,600."),
            (["--metrics-port", "7.5"], "--metrics-port is '7.5'; it must be a whole number from 0 to 65"),
            (["--max-gas-price", "-1"], "--max-gas-price is '-1'; it must be a number from 0 to 1,000,"),
            (["--longest-lock", "ages"], "--longest-lock is 'ages'; it must be"),
            (["--metrics-port", "0", "--metrics-address", "nowhere.invalid"], "Metrics cannot be served at"),
        ],
    )
    def test_what_is_refused(self, stage, settler, options, sentence):
        assert settler.refused("run", "--once", *options, which=False).startswith(sentence)


class TestContract:
    """Which contract is meant, and whether there is one."""

    @pytest.fixture
    def listing(self, stage, settler):
        def listing(contract=None, entry=None):
            folder = settler.data / "registry"
            folder.mkdir(exist_ok=True, parents=True)
            if entry is not None:
                known = {"network": "ethereum.local", "contracts": {"Earnest": asdict(entry)}}
                (folder / f"{stage.client.domain.chain_id}.json").write_text(json.dumps(known))
            options = ["--contract", contract] if contract else []
            environment = {"EARNEST_DATA": str(settler.data), "EARNEST_DEPLOYMENTS": str(folder)}
            return CliRunner(mix_stderr=False).invoke(cli, ["campaign", "list", *options], env=environment)

        return listing

    def test_a_first_block_that_is_not_there_spoils_nothing(self, revealed, listing):
        refused = listing(f"{revealed.client.address}@999999999")
        assert refused.exit_code == 2
        assert "is said to begin in block 999,999,999; the newest of chain 31337 is " in refused.stderr
        late = listing(f"{revealed.client.address}@{revealed.client.web3.eth.block_number}")
        assert "no history of the contract" in late.stderr
        assert revealed.which[:8] in listing(revealed.client.address).stdout

    def test_an_address_of_the_registry_without_a_contract(self, stage, deployed, listing):
        gone = replace(deployed.contracts["Earnest"], address="0x" + "11" * 20)
        refused = listing(entry=gone)
        assert refused.exit_code == 2
        assert f"There is no contract at {gone.address}, which " in refused.stderr
        assert "registry names on chain 31337; is it another network?" in refused.stderr

    @pytest.mark.parametrize("code", ["00", ONES, EMPTY, DEAR])
    def test_a_contract_that_is_another(self, stage, listing, code):
        refused = listing(write(stage.others[0], code))
        assert refused.exit_code == 2
        assert " is not Earnest: " in refused.stderr
