"""`earnest campaign plan` and `create`: what is shown before signing, and one campaign however often."""

from __future__ import annotations

import json

import pytest

from earnest.chain.life import Phase
from earnest.chain.money import ETHER
from earnest.experimenter import allowlist
from earnest.manifest.fetch import fetch
from earnest.protocol.audit import key_hash
from earnest.protocol.terms import ZERO_ADDRESS

from .campaigns import AUDITED, COST, write_campaign

pytestmark = pytest.mark.anvil

MONEY = {"bounty": "100", "stake": "50", "fee": "1"}


@pytest.fixture
def experimenter(person):
    return person("experimenter", group="campaign")


def record_of(file):
    return json.loads((file.with_suffix("") / "campaign.json").read_text())


class TestPlan:
    def test_says_what_it_costs_and_signs_nothing(self, stage, experimenter):
        file = write_campaign(experimenter.folder, tasks=12)
        height = stage.chain.blocks.height
        said = experimenter.does("plan", file, which=False)
        for part in ("3.03 ETH", "3 of 4 positions, 3 seats each", "stakes 0.5 ETH", "at most", "gas"):
            assert part in said
        told = experimenter.told("plan", file, which=False)
        assert (told["batches"], told["seats"], told["labels"]) == (3, 9, 36)
        assert told["cost"] == told["largest_refund"] == str(3 * COST)
        assert told["gas"]["create"] > 0
        assert stage.chain.blocks.height == height
        assert not file.with_suffix("").exists()

    def test_amounts_are_in_the_tokens_units(self, experimenter, erc20):
        money = {"token": erc20.address, "bounty": "100", "stake": "50", "fee": "1"}
        told = experimenter.told("plan", write_campaign(experimenter.folder, money=money), which=False)
        assert told["cost"] == 101 * 10 ** erc20.decimals() or told["cost"] == str(
            101 * 10 ** erc20.decimals()
        )

    def test_everything_that_is_wrong_at_once(self, experimenter):
        file = write_campaign(experimenter.folder, kind="quiz", money={"bounty": "x"}, colour="red")
        done = experimenter.run("plan", file, which=False)
        assert done.exit_code == 2
        for part in ("kind is 'quiz'", "money.bounty is 'x'", "money.stake is missing", "colour is unknown"):
            assert part in done.stderr


class TestCreate:
    def test_publishes_escrows_and_opens(self, stage, experimenter):
        file = write_campaign(experimenter.folder)
        told = experimenter.told("create", file, "--yes", which=False)
        number = int(told["campaign"], 16)
        found = stage.client.state().campaigns[number]
        assert found.experimenter == experimenter.account.address
        assert found.locked == COST
        assert fetch(found.uri, found.terms.manifest).question.text == "Is it so?"
        assert (experimenter.folder / "public").is_dir()
        assert len(told["transactions"]) == 2

    def test_again_sends_nothing(self, stage, experimenter):
        file = write_campaign(experimenter.folder)
        first = experimenter.told("create", file, "--yes", which=False)
        height = stage.chain.blocks.height
        again = experimenter.told("create", file, "--yes", which=False)
        assert again["campaign"] == first["campaign"]
        assert again["transactions"] == []
        changed = " changed since the campaign was created"
        assert changed not in experimenter.does("create", file, "--yes", which=False)
        file.write_text(file.read_text().replace("Is it so?", "Is it not?"))
        said = experimenter.does("create", file, "--yes", which=False)
        assert changed in said
        assert first["campaign"] in said
        assert stage.chain.blocks.height == height

    def test_goes_on_where_it_was_stopped(self, stage, experimenter, monkeypatch):
        """Stopped between the deposit and the creation: the same campaign is opened, the deposit is used."""
        from earnest.chain.client import Client

        file = write_campaign(experimenter.folder)
        with monkeypatch.context() as stopped:
            stopped.setattr(Client, "create", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
            assert experimenter.run("create", file, "--yes", which=False).exit_code != 0
        address = experimenter.account.address
        assert stage.client.balance_of(address, ZERO_ADDRESS) == COST
        prepared = record_of(file)["campaign"]
        told = experimenter.told("create", file, "--yes", which=False)
        assert told["campaign"] == prepared
        assert len(told["transactions"]) == 1
        assert stage.client.balance_of(address, ZERO_ADDRESS) == 0

    def test_changed_files_before_it_was_sent_are_prepared_anew(self, stage, experimenter):
        file = write_campaign(experimenter.folder)
        done = experimenter.run("create", file, which=False)  # nobody agrees
        assert done.exit_code == 2
        assert "agree beforehand with --yes" in done.stderr
        before = record_of(file)["campaign"]
        write_campaign(experimenter.folder, question="Is it not so?")
        told = experimenter.told("create", file, "--yes", which=False)
        assert told["campaign"] != before
        found = stage.client.state().campaigns[int(told["campaign"], 16)]
        assert fetch(found.uri, found.terms.manifest).question.text == "Is it not so?"

    def test_too_little_money_and_how_much_more(self, stage, experimenter):
        held = stage.client.wallet_of(experimenter.account.address, ZERO_ADDRESS)
        money = {"bounty": ETHER.number(held + 10**18).replace(",", ""), "stake": "0.5"}
        file = write_campaign(experimenter.folder, money=money)
        height = stage.chain.blocks.height
        done = experimenter.run("create", file, "--yes", which=False)
        assert done.exit_code == 2
        assert "is needed: 1 ETH more, and something for gas." in done.stderr
        assert stage.chain.blocks.height == height
        write_campaign(experimenter.folder)
        assert len(experimenter.told("create", file, "--yes", which=False)["transactions"]) == 2

    def test_pays_in_a_token(self, stage, experimenter, erc20, purse):
        unit = 10**18
        file = write_campaign(experimenter.folder, money=MONEY | {"token": erc20.address})
        erc20.mint(experimenter.account, 100 * unit, sender=purse)
        done = experimenter.run("create", file, "--yes", which=False)
        assert done.stderr.endswith("101 TOK is needed: 1 TOK more.\n")
        assert erc20.allowance(experimenter.account, stage.client.address) == 0
        erc20.mint(experimenter.account, unit, sender=purse)
        told = experimenter.told("create", file, "--yes", which=False)
        assert len(told["transactions"]) == 3  # approve, deposit, create
        found = stage.client.state().campaigns[int(told["campaign"], 16)]
        assert (found.terms.token, found.locked) == (erc20.address, 101 * unit)
        assert erc20.allowance(experimenter.account, stage.client.address) == 0

    def test_a_gate_and_the_list_that_labelers_need(self, stage, experimenter, labelers, deployed):
        seats = {labelers[0].address: 2}
        gate = {"address": deployed.contracts["AllowlistGate"].address, "allowlist": seats}
        file = write_campaign(experimenter.folder, gate=gate)
        told = experimenter.told("create", file, "--yes", which=False)
        terms = stage.client.terms(int(told["campaign"], 16))
        assert (terms.gate, terms.gate_rule) == (gate["address"], allowlist.root(seats))
        assert json.loads((file.with_suffix("") / "allowlist.json").read_text()) == seats

    def test_keeps_the_audits_key_to_itself(self, experimenter):
        file = write_campaign(experimenter.folder, tasks=8, **AUDITED)
        experimenter.does("create", file, "--yes", which=False)
        secret = file.with_suffix("") / "secret.json"
        assert secret.stat().st_mode & 0o077 == 0
        key = json.loads(secret.read_text())["audit_key"]
        public = [path for path in experimenter.folder.rglob("*") if path.is_file() and path != secret]
        assert not any(key in path.read_bytes().decode("latin-1") for path in public)

    def test_the_folder_of_somebody_else(self, person, experimenter):
        file = write_campaign(experimenter.folder)
        experimenter.run("create", file, which=False)  # prepared, not agreed to
        record = file.with_suffix("") / "campaign.json"
        document = json.loads(record.read_text())
        record.write_text(json.dumps(document | {"sent": True}))
        done = person("settler", group="campaign").run("create", file, "--yes", which=False)
        assert done.exit_code == 2
        assert f"belongs to {experimenter.account.address}" in done.stderr

    def test_the_wrong_chain(self, experimenter):
        file = write_campaign(experimenter.folder)
        experimenter.does("create", file, "--yes", which=False)
        record = file.with_suffix("") / "campaign.json"
        record.write_text(json.dumps(json.loads(record.read_text()) | {"chain": 5}))
        for command in ("create", "show", "settle"):
            path = file if command == "create" else file.with_suffix("")
            done = experimenter.run(command, path, *(["--yes"] if command != "show" else []), which=False)
            assert done.exit_code == 2
            assert "is on chain 5" in done.stderr

    def test_a_manifest_that_nobody_can_fetch(self, stage, experimenter):
        file = write_campaign(experimenter.folder, uri="file:///nowhere/{digest}.json")
        height = stage.chain.blocks.height
        done = experimenter.run("create", file, "--yes", which=False)
        assert done.exit_code == 2
        assert "Labelers must be able to fetch it there" in done.stderr
        assert stage.chain.blocks.height == height

    def test_two_processes_at_once(self, experimenter):
        from earnest.experimenter.folder import Folder

        file = write_campaign(experimenter.folder)
        with Folder(file.with_suffix("")).locked():
            done = experimenter.run("create", file, "--yes", which=False)
        assert done.exit_code == 2
        assert "Another process is at work" in done.stderr

    def test_a_new_time_to_enroll_when_the_old_one_passed_unsent(self, stage, experimenter):
        file = write_campaign(experimenter.folder)
        experimenter.run("create", file, which=False)
        stage.travel(stage.client.now() + 7_200)
        told = experimenter.told("create", file, "--yes", which=False)
        assert stage.client.life(int(told["campaign"], 16)).phase is Phase.ENROLLING

    def test_a_clock_ahead_of_the_chain_makes_no_second_campaign(self, stage, experimenter, monkeypatch):
        """The creation was sent and may go through still: its audit key stays, whatever this clock says."""
        file = write_campaign(experimenter.folder, tasks=8, **AUDITED)
        secret = _sent_and_lost(experimenter, file, monkeypatch)
        later = stage.client.now() + 7_200
        with monkeypatch.context() as clock:
            clock.setattr("earnest.cli.session.time.time", lambda: later)
            told = experimenter.told("create", file, "--yes", which=False)
        assert told["campaign"] == record_of(file)["campaign"]
        assert (file.with_suffix("") / "secret.json").read_bytes() == secret
        assert len(stage.client.state().campaigns) == 1

    def test_what_was_sent_in_vain_is_kept_with_its_key(self, stage, experimenter, monkeypatch):
        file = write_campaign(experimenter.folder, tasks=8, **AUDITED)
        secret = _sent_and_lost(experimenter, file, monkeypatch)
        before = record_of(file)["campaign"]
        stage.travel(stage.client.now() + 7_200)
        told = experimenter.told("create", file, "--yes", which=False)
        assert told["campaign"] != before
        kept = file.with_suffix("") / "earlier" / before
        assert (kept / "secret.json").read_bytes() == secret
        assert (kept / "secret.json").stat().st_mode & 0o077 == 0
        assert json.loads((kept / "campaign.json").read_text())["campaign"] == before

    def test_a_key_that_is_lost_opens_no_campaign(self, stage, experimenter, monkeypatch):
        """It was sent, and would have been opened with an audit that nobody can disclose."""
        file = write_campaign(experimenter.folder, tasks=8, **AUDITED)
        _sent_and_lost(experimenter, file, monkeypatch)
        (file.with_suffix("") / "secret.json").unlink()
        done = experimenter.run("create", file, "--yes", which=False)
        assert done.exit_code == 2
        assert "put manifest.json and secret.json back" in done.stderr
        assert stage.client.state().campaigns == {}

    def test_what_a_killed_preparation_left_is_prepared_anew(self, stage, experimenter):
        """Its key was written over the one before, its terms were not."""
        file = write_campaign(experimenter.folder, tasks=8, **AUDITED)
        experimenter.run("create", file, which=False)  # prepared, not agreed to
        secret = file.with_suffix("") / "secret.json"
        secret.write_text(json.dumps(json.loads(secret.read_text()) | {"audit_key": "ab" * 32}))
        told = experimenter.told("create", file, "--yes", which=False)
        terms = stage.client.terms(int(told["campaign"], 16))
        key = bytes.fromhex(json.loads(secret.read_text())["audit_key"])
        assert terms.audit_key_hash == key_hash(key)

    def test_files_changed_after_it_was_sent_open_nothing_else(self, stage, experimenter, monkeypatch):
        """Neither what the files say now nor what they said is opened under a plan that shows the other."""
        file = write_campaign(experimenter.folder)
        _sent_and_lost(experimenter, file, monkeypatch)
        write_campaign(experimenter.folder, question="Is it not so?")
        done = experimenter.run("create", file, "--yes", which=False)
        assert done.exit_code == 2
        assert "changed after the campaign's creation was sent" in done.stderr
        assert stage.client.state().campaigns == {}

    def test_a_creation_that_is_refused_was_not_sent(self, experimenter, stage, monkeypatch):
        """Then the files may be changed."""
        file = write_campaign(experimenter.folder)
        monkeypatch.setattr("earnest.chain.wallet.fund", lambda *_: [])  # the deposit is missing
        done = experimenter.run("create", file, "--yes", which=False)
        assert "deposit 1.01 ETH more" in done.stderr
        monkeypatch.undo()
        write_campaign(experimenter.folder, question="Is it not so?")
        told = experimenter.told("create", file, "--yes", which=False)
        assert len(told["transactions"]) == 2
        found = stage.client.state().campaigns[int(told["campaign"], 16)]
        assert fetch(found.uri, found.terms.manifest).question.text == "Is it not so?"


def _sent_and_lost(experimenter, file, monkeypatch):
    """Stop a creation when it has been sent, as far as its folder knows; the secret of then, if any."""
    from earnest.chain.client import Client

    with monkeypatch.context() as stopped:
        stopped.setattr(Client, "create", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        assert experimenter.run("create", file, "--yes", which=False).exit_code != 0
    assert record_of(file)["sent"]
    secret = file.with_suffix("") / "secret.json"
    return secret.read_bytes() if secret.is_file() else None
