"""`earnest campaign plan` and `create`: what is shown before signing, and one campaign however often."""

from __future__ import annotations

import json

import pytest

from earnest.chain.money import ETHER
from earnest.experimenter import allowlist
from earnest.experimenter.folder import Folder
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


def refused(experimenter, file):
    """The sentence of a creation that is prepared, and then refused."""
    done = experimenter.run("create", file, "--yes", which=False)
    assert done.exit_code == 2
    return done.stderr


def secrets_of(file):
    return list((file.with_suffix("") / "secrets").glob("*.json"))


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
        file.write_text(json.dumps(json.loads(file.read_text()), indent=2))  # another form, the same said
        assert experimenter.told("create", file, "--yes", which=False)["campaign"] == first["campaign"]
        assert stage.chain.blocks.height == height

    @pytest.mark.parametrize("other", ["job.json", "job.yaml"])
    def test_files_that_are_not_the_campaigns_carry_nothing_on(self, stage, experimenter, other):
        """Edited, or another file whose folder has the same name."""
        file = write_campaign(experimenter.folder)
        experimenter.does("create", file, "--yes", which=False)
        height = stage.chain.blocks.height
        (experimenter.folder / other).write_text(file.read_text().replace("Is it so?", "Is it not?"))
        for command in ("create", "run"):
            sentence = experimenter.refused(command, experimenter.folder / other, "--yes", which=False)
            assert "are not what the campaign in" in sentence
            assert f"`earnest campaign run {file.with_suffix('')}` goes on with it" in sentence
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
        sent = record_of(file)["campaign"]
        told = experimenter.told("create", file, "--yes", which=False)
        assert told["campaign"] == sent
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
        (secret,) = secrets_of(file)
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
        file = write_campaign(experimenter.folder)
        with Folder(file.with_suffix("")).locked():
            done = experimenter.run("create", file, "--yes", which=False)
        assert done.exit_code == 2
        assert "Another process is at work" in done.stderr

    def test_the_time_to_enroll_begins_when_it_is_sent(self, stage, experimenter):
        """However long ago it was prepared; manifest and key stay."""
        file = write_campaign(experimenter.folder, tasks=8, **AUDITED)
        for waited in (3_540, 7_200):
            experimenter.run("create", file, which=False)
            prepared = record_of(file)["terms"]
            stage.travel(stage.client.now() + waited)
        told = experimenter.told("create", file, "--yes", which=False)
        found = stage.client.state().campaigns[int(told["campaign"], 16)]
        assert found.terms.enroll_by - stage.client.now() > 3_590
        assert "0x" + found.terms.manifest.hex() == prepared["manifest"]
        assert record_of(file)["campaign"] == told["campaign"]
        assert len(secrets_of(file)) == 1

    def test_prepared_for_another_chain_and_not_sent(self, stage, experimenter):
        file = write_campaign(experimenter.folder)
        experimenter.run("create", file, which=False)
        record = file.with_suffix("") / "campaign.json"
        record.write_text(json.dumps(json.loads(record.read_text()) | {"chain": 5}))
        experimenter.does("create", file, "--yes", which=False)
        assert record_of(file)["chain"] == stage.client.domain.chain_id

    def test_another_allowlist_is_another_campaign(self, stage, experimenter, labelers, deployed):
        """In a file of its own, before anything was sent and after."""
        file, listed = with_allowlist(experimenter, labelers[0].address, deployed)
        experimenter.run("create", file, which=False)  # nobody agrees
        listed.write_text(f"{labelers[1].address}\n")
        told = experimenter.told("create", file, "--yes", which=False)
        seats = {labelers[1].address: 1}
        assert stage.client.terms(int(told["campaign"], 16)).gate_rule == allowlist.root(seats)
        listed.write_text(f"{labelers[0].address}\n")
        assert "are not what the campaign in" in refused(experimenter, file)

    def test_what_the_contract_would_refuse_is_neither_published_nor_paid_for(self, stage, experimenter):
        big = {"positions": 8_160, "seats": 15, "kind": "rating", "options": "1-5"}
        file = write_campaign(experimenter.folder, tasks=8_160, **big)
        height = stage.chain.blocks.height
        assert "Refereeing such a batch could take" in refused(experimenter, file)
        assert stage.chain.blocks.height == height
        assert not (experimenter.folder / "public").exists()

    @pytest.mark.parametrize(
        ("gate", "wrong"),
        [
            ("nobody", "there is no contract on chain"),
            ("wallet", "there is no contract on chain"),
            ("Referee", "does not admit"),
        ],
    )
    def test_a_gate_that_is_none(self, stage, experimenter, labelers, deployed, gate, wrong):
        address = {"nobody": "0x" + "12" * 20, "wallet": labelers[1].address}.get(gate)
        address = address or deployed.contracts[gate].address
        file, _ = with_allowlist(experimenter, labelers[0].address, deployed, address)
        height = stage.chain.blocks.height
        sentence = refused(experimenter, file)
        assert sentence.startswith("gate.address is 0x")
        assert wrong in sentence
        assert stage.chain.blocks.height == height

    @pytest.mark.parametrize("to", ["tasks.jsonl", "public/manifest.json"])
    def test_what_others_have_published_stays(self, stage, experimenter, to):
        file = write_campaign(experimenter.folder, publish=to)
        if to != "tasks.jsonl":
            experimenter.does("create", file, "--yes", which=False)
        there = (experimenter.folder / to).read_bytes()
        file = write_campaign(experimenter.folder, name="next", publish=to, question="Is it not so?")
        assert "is not this manifest" in refused(experimenter, file)
        assert (experimenter.folder / to).read_bytes() == there

    def test_who_receives_what_is_slashed_buys_no_labels(self, stage, experimenter, monkeypatch):
        """The contract would say so after the deposit."""
        from earnest.chain.client import Client

        monkeypatch.setattr(Client, "sink", experimenter.account.address)
        height = stage.chain.blocks.height
        file = write_campaign(experimenter.folder)
        assert "receives what is slashed: it cannot buy labels." in refused(experimenter, file)
        assert stage.chain.blocks.height == height

    def test_a_garbled_key_that_nothing_was_sent_with_is_passed_over(self, stage, experimenter):
        file = write_campaign(experimenter.folder, tasks=8, **AUDITED)
        experimenter.run("create", file, which=False)  # prepared, not agreed to
        secrets_of(file)[0].write_text("{}")
        told = experimenter.told("create", file, "--yes", which=False)
        terms = stage.client.terms(int(told["campaign"], 16))
        assert key_hash(Folder(file.with_suffix("")).key(terms.audit_key_hash)) == terms.audit_key_hash

    def test_a_public_chain_is_told_of_no_file_of_this_machine(self, experimenter, monkeypatch):
        monkeypatch.setattr("earnest.cli.campaign.creating.is_devnet", lambda _: False)
        file = write_campaign(experimenter.folder)
        assert "is no devnet, and the manifest would stay on this machine" in refused(experimenter, file)
        assert not (experimenter.folder / "public").exists()
        shared = (experimenter.folder / "public").as_uri() + "/{digest}.json"
        experimenter.does("create", write_campaign(experimenter.folder, uri=shared), "--yes", which=False)

    def test_files_that_are_wrong_leave_nothing_behind(self, experimenter):
        file = write_campaign(experimenter.folder, kind="quiz")
        bare = experimenter.folder / "bare"
        bare.write_text("question: x")
        for each in (file, bare):
            for command in ("create", "run"):
                experimenter.refused(command, each, "--yes", which=False)
        names = {path.name for path in experimenter.folder.iterdir() if path.is_file()}
        assert names == {"job.json", "tasks.jsonl", "bare"}
        assert not file.with_suffix("").exists()

    def test_a_clock_ahead_of_the_chain_makes_no_second_campaign(self, stage, experimenter, monkeypatch):
        """The creation was sent and may go through still: its audit key stays, whatever this clock says."""
        file = write_campaign(experimenter.folder, tasks=8, **AUDITED)
        secret = _sent_and_lost(experimenter, file, monkeypatch)
        later = stage.client.now() + 7_200
        with monkeypatch.context() as clock:
            clock.setattr("earnest.cli.session.time.time", lambda: later)
            told = experimenter.told("create", file, "--yes", which=False)
        assert told["campaign"] == record_of(file)["campaign"]
        assert [path.read_bytes() for path in secrets_of(file)] == secret
        assert len(stage.client.state().campaigns) == 1

    def test_what_was_sent_in_vain_is_kept_with_its_key(self, stage, experimenter, monkeypatch):
        file = write_campaign(experimenter.folder, tasks=8, **AUDITED)
        secret = _sent_and_lost(experimenter, file, monkeypatch)
        before = record_of(file)["campaign"]
        stage.travel(stage.client.now() + 7_200)
        told = experimenter.told("create", file, "--yes", which=False)
        assert told["campaign"] != before
        kept = file.with_suffix("") / "earlier" / before
        (path,) = (kept / "secrets").iterdir()
        assert [path.read_bytes()] == secret
        assert path.stat().st_mode & 0o077 == 0
        assert json.loads((kept / "campaign.json").read_text())["campaign"] == before

    def test_a_key_that_is_lost_opens_no_campaign(self, stage, experimenter, monkeypatch):
        """It was sent, and would have been opened with an audit that nobody can disclose."""
        file = write_campaign(experimenter.folder, tasks=8, **AUDITED)
        _sent_and_lost(experimenter, file, monkeypatch)
        secrets_of(file)[0].unlink()
        done = experimenter.run("create", file, "--yes", which=False)
        assert done.exit_code == 2
        assert "put manifest.json and secrets/ back" in done.stderr
        assert stage.client.state().campaigns == {}

    def test_what_a_killed_preparation_left_is_prepared_anew(self, stage, experimenter):
        """Its manifest was written over the one before, its terms were not."""
        file = write_campaign(experimenter.folder, tasks=8, **AUDITED)
        experimenter.run("create", file, which=False)  # prepared, not agreed to
        (file.with_suffix("") / "manifest.json").write_text("another's")
        told = experimenter.told("create", file, "--yes", which=False)
        terms = stage.client.terms(int(told["campaign"], 16))
        assert f"0x{terms.audit_key_hash.hex()}.json" in [path.name for path in secrets_of(file)]

    def test_no_key_is_lost_however_often_it_is_killed(self, stage, experimenter, monkeypatch):
        """After the next one's key is written and before its record is."""
        file = write_campaign(experimenter.folder, tasks=8, **AUDITED)
        secret = _sent_and_lost(experimenter, file, monkeypatch)
        before, manifest = record_of(file)["campaign"], (file.with_suffix("") / "manifest.json").read_bytes()
        stage.travel(stage.client.now() + 7_200)
        with monkeypatch.context() as killed:
            killed.setattr(Folder, "save", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
            experimenter.run("create", file, "--yes", which=False)
        experimenter.told("create", file, "--yes", which=False)
        kept = file.with_suffix("") / "earlier" / before
        assert (kept / "manifest.json").read_bytes() == manifest
        assert secret[0] in [path.read_bytes() for path in secrets_of(file)]

    def test_a_campaign_whose_record_is_lost_keeps_its_key(self, stage, experimenter):
        file = write_campaign(experimenter.folder, tasks=8, **AUDITED)
        told = experimenter.told("create", file, "--yes", which=False)
        home = file.with_suffix("")
        manifest = (home / "manifest.json").read_bytes()
        (home / "campaign.json").unlink()
        experimenter.run("create", file, which=False)  # nobody agrees to another one
        assert manifest in [path.read_bytes() for path in home.rglob("manifest.json")]
        terms = stage.client.terms(int(told["campaign"], 16))
        assert key_hash(Folder(home).key(terms.audit_key_hash)) == terms.audit_key_hash

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


def with_allowlist(experimenter, labeler, deployed, gate=None):
    """A campaign file with a gate, AllowlistGate unless given, and the file of its list."""
    listed = experimenter.folder / "crowd.txt"
    listed.write_text(f"{labeler} 1\n")
    address = gate or deployed.contracts["AllowlistGate"].address
    return write_campaign(experimenter.folder, gate={"address": address, "allowlist": "crowd.txt"}), listed


def _sent_and_lost(experimenter, file, monkeypatch):
    """Stop a creation when it has been sent, as far as its folder knows; the secrets of then."""
    from earnest.chain.client import Client

    with monkeypatch.context() as stopped:
        stopped.setattr(Client, "create", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        assert experimenter.run("create", file, "--yes", which=False).exit_code != 0
    assert record_of(file)["sent"]
    return [path.read_bytes() for path in secrets_of(file)]
