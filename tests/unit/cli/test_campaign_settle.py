"""`earnest campaign` from the audit to the dataset, and `run`, which does all of it."""

from __future__ import annotations

import json
import sys

import pytest
from requests.exceptions import ConnectionError

from earnest.chain import settle, wallet
from earnest.chain.life import Phase
from earnest.chain.state import PostingStatus
from earnest.files import locked
from earnest.manifest.fetch import fetch
from earnest.protocol.settlement import pack
from earnest.protocol.terms import ZERO_ADDRESS
from earnest.times import clock

from .campaigns import AUDITED, COST, write_campaign
from .labeling import COHORT

pytestmark = pytest.mark.anvil

FALSE = pack([9_999] * COHORT)
BOND = 10**17


@pytest.fixture
def experimenter(person):
    return person("experimenter", group="campaign")


@pytest.fixture
def home(stage, experimenter):
    """The folder of a campaign of the command line's own, of one batch with two gold tasks."""
    file = write_campaign(experimenter.folder, tasks=8, **AUDITED)
    stage.campaign = int(experimenter.told("create", file, "--yes", which=False)["campaign"], 16)
    stage.manifest = fetch(stage.found.uri, stage.found.terms.manifest)
    return file.with_suffix("")


@pytest.fixture
def audited(stage, home):
    """The same, with all labels revealed."""
    stage.label(COHORT)
    assert stage.life.phase is Phase.AUDITING
    return home


@pytest.fixture
def disclosed(audited, experimenter):
    experimenter.does("disclose", audited, "--yes", which=False)
    return audited


class TestDisclose:
    def test_opens_the_audit_once(self, stage, audited, experimenter):
        assert len(experimenter.told("disclose", audited, "--yes", which=False)["transactions"]) == 1
        assert stage.found.audit_key is not None
        assert experimenter.told("disclose", audited, "--yes", which=False)["transactions"] == []

    def test_not_without_the_key(self, audited, experimenter):
        assert "The audit's key is not here" in experimenter.refused("disclose", "--yes")

    def test_by_id_with_the_key_of_a_folder(self, stage, audited, experimenter):
        (audited / "campaign.json").unlink()
        experimenter.does("disclose", "--folder", audited, "--yes")
        assert stage.found.audit_key is not None

    def test_not_with_another_key(self, audited, experimenter):
        (file,) = (audited / "secrets").iterdir()
        file.write_text(json.dumps({"audit_key": "00" * 32}))
        sentence = experimenter.refused("disclose", audited, "--yes", which=False)
        assert sentence.startswith(f"{file} is garbled: it does not hold the key")

    def test_not_before_its_phase_and_when_that_ends(self, stage, home, experimenter):
        ends = clock(stage.life.deadline)
        sentence = experimenter.refused("disclose", home, "--yes", which=False)
        assert sentence.startswith(f"Auditing has not begun: the campaign is Enrolling, until {ends}")

    def test_not_after_it_and_when_it_was_over(self, stage, audited, experimenter):
        deadline = stage.life.deadline
        stage.travel(deadline)
        sentence = experimenter.refused("disclose", audited, "--yes", which=False)
        assert sentence.startswith(f"Auditing was over at {clock(deadline)}: the campaign is Settling")


def test_no_two_processes_send_for_one_account_at_once(stage, audited, experimenter, monkeypatch):
    monkeypatch.setattr(wallet, "PATIENCE", 0.0)
    account = experimenter.account.address
    lock = experimenter.data / f"{stage.client.domain.chain_id}-{account.lower()}.lock"
    another = write_campaign(experimenter.folder, 8, "another")
    stage.client.deposit(ZERO_ADDRESS, 1, sender=experimenter.account)
    height = stage.chain.blocks.height
    with locked(lock):
        for line in (["disclose", audited], ["create", another], ["withdraw"]):
            done = experimenter.run(*line, "--yes", which=False)
            assert done.exit_code == 2
            assert done.stderr == f"Another process acts for {account} all the time; stop it first.\n"
    assert stage.chain.blocks.height == height
    assert experimenter.told("create", another, "--yes", which=False)["transactions"]


class TestSettle:
    def test_posts_what_is_right_and_only_once(self, stage, disclosed, experimenter):
        told = experimenter.told("settle", disclosed, "--yes", which=False)
        assert len(told["transactions"]) == 2  # the bond, and the posting
        rows = stage.manifest.audit_rows
        assert stage.found.batches[0].scores == settle.words(stage.found, rows)[0]
        assert experimenter.told("settle", disclosed, "--yes", which=False)["transactions"] == []

    def test_what_gas_takes_is_not_called_a_false_posting(self, stage, disclosed, person):
        """A wallet that has the bond, and not also what a transaction may cost."""
        settler, web3 = person("settler", group="campaign"), stage.client.web3
        held, price = web3.eth.get_balance(settler.account.address), int(web3.eth.gas_price)
        left = BOND + (1 << 24) * price // 2
        settler.account.transfer(stage.others[0], held - left - 21_000 * 3 * price)
        sentence = settler.refused("settle", "--yes")
        assert sentence.startswith("The bond of a posting is 0.1 ETH: 0.0")
        assert sentence.endswith(" more is needed beside what gas may take.")

    def test_has_refereed_what_is_false(self, stage, disclosed, experimenter):
        attacker = stage.others[0]
        stage.client.deposit(ZERO_ADDRESS, BOND, sender=attacker)
        stage.client.post(stage.campaign, [0], [FALSE], sender=attacker)
        told = experimenter.told("settle", disclosed, "--yes", which=False)
        assert len(told["transactions"]) == 1
        (posting,) = stage.found.postings.values()
        assert posting.status is PostingStatus.VOID
        assert stage.found.batches[0].scores == settle.words(stage.found, stage.manifest.audit_rows)[0]

    def test_what_stays_open_after_a_false_posting_of_its_own(self, stage, experimenter):
        file = write_campaign(experimenter.folder, tasks=8)
        stage.campaign = int(experimenter.told("create", file, "--yes", which=False)["campaign"], 16)
        stage.manifest = fetch(stage.found.uri, stage.found.terms.manifest)
        stage.label(2 * COHORT)
        stage.client.deposit(ZERO_ADDRESS, BOND, sender=experimenter.account)
        stage.client.post(stage.campaign, [0, 1], [FALSE, FALSE], sender=experimenter.account)
        said = experimenter.does("settle", file.with_suffix(""), "--yes", which=False)
        assert said.startswith("1 of 2 batches hold no scores: a posting of this account was false")
        assert [batch.status.name for batch in stage.found.batches].count("REFEREED") == 1

    def test_asks_before_it_signs(self, disclosed, experimenter):
        assert "agree beforehand with --yes" in experimenter.refused("settle", disclosed, which=False)

    def test_a_bond_that_cannot_be_paid_and_how_much_is_missing(self, stage, disclosed, person, settler):
        poor = person("settler", group="campaign")
        held = stage.client.wallet_of(settler.address, ZERO_ADDRESS)
        settler.transfer(stage.others[0], held - BOND // 2)  # less what that costs
        sentence = poor.refused("settle", "--yes")
        assert sentence.startswith("The bond of a posting is 0.1 ETH: ")
        assert sentence.endswith(" more is needed beside what gas may take.")

    def test_too_early(self, home, experimenter):
        sentence = experimenter.refused("settle", home, "--yes", which=False)
        assert "Settling has not begun: the campaign is Enrolling, until" in sentence


class TestRelease:
    def test_pays_out_what_is_final_and_takes_the_bond_back(self, stage, disclosed, experimenter):
        experimenter.does("settle", disclosed, "--yes", which=False)
        early = experimenter.told("release", disclosed, "--yes", which=False)
        assert early["transactions"] == []
        stage.travel(stage.found.final_at(0))
        assert len(experimenter.told("release", disclosed, "--yes", which=False)["transactions"]) == 2
        assert stage.found.locked == 0
        assert experimenter.told("release", disclosed, "--yes", which=False)["transactions"] == []
        free = stage.client.balance_of(experimenter.account.address, ZERO_ADDRESS)
        assert free == BOND + 10**16
        too_much = experimenter.refused("withdraw", "--amount", "1", "--yes", which=False)
        assert too_much == "1 ETH is to be withdrawn and 0.11 ETH is free: 0.89 ETH more is needed."
        assert "0.11 ETH is withdrawn" in experimenter.does("withdraw", "--yes", which=False)
        assert stage.client.balance_of(experimenter.account.address, ZERO_ADDRESS) == 0
        for command in ("export", "report"):
            assert experimenter.refused(command, disclosed, "--to", "/proc/none", which=False) == (
                "/proc/none cannot be read or written: No such file or directory."
            )


class TestRefund:
    def test_gives_everything_back(self, stage, home, experimenter):
        stage.enroll(2)
        stage.pass_deadline()
        assert len(experimenter.told("refund", home, "--yes", which=False)["transactions"]) == 1
        assert stage.found.locked == 0
        assert stage.client.balance_of(experimenter.account.address, ZERO_ADDRESS) == COST
        assert experimenter.told("refund", home, "--yes", which=False)["transactions"] == []

    def test_only_a_cancelled_campaign(self, home, experimenter):
        sentence = experimenter.refused("refund", home, "--yes", which=False)
        assert sentence.startswith("Only a cancelled campaign is refunded: the campaign is Enrolling, until")


class TestExport:
    def test_from_the_chain_and_the_manifest_alone_is_the_same(self, stage, disclosed, experimenter, person):
        own = experimenter.told("export", disclosed, which=False)["files"]
        stranger = person("settler", folder="elsewhere", group="campaign")
        to = stranger.folder / "dataset"
        others = stranger.told("export", "--to", to)["files"]
        assert len(own) == len(others) > 4
        for one, two in zip(own, others, strict=True):
            with open(one, "rb") as first, open(two, "rb") as second:
                assert first.read() == second.read()

    def test_some_formats(self, disclosed, experimenter):
        files = experimenter.told("export", disclosed, "--formats", "csv", which=False)["files"]
        assert any(name.endswith("dataset.csv") for name in files)
        assert not any(name.endswith(".parquet") for name in files)
        for line in (["export", disclosed], ["run", disclosed, "--yes"]):  # before anything is done
            sentence = experimenter.refused(*line, "--formats", "xlsx", which=False)
            assert "--formats has 'xlsx'; it can have" in sentence

    def test_without_pyarrow_there_is_no_parquet(self, disclosed, experimenter, monkeypatch):
        monkeypatch.setitem(sys.modules, "pyarrow", None)
        said = experimenter.does("export", disclosed, which=False)
        assert "No Parquet is written" in said
        assert "dataset.csv" in said
        assert "dataset.parquet" not in said
        sentence = experimenter.refused("export", disclosed, "--formats", "parquet", which=False)
        assert "needs pyarrow" in sentence

    def test_not_before_labels_are_revealed(self, home, experimenter):
        assert "Settling has not begun" in experimenter.refused("export", home, which=False)

    def test_not_with_another_manifest(self, stage, disclosed, experimenter, tmp_path):
        path = tmp_path / "tampered.json"
        path.write_bytes((disclosed / "manifest.json").read_bytes().replace(b"Is it so?", b"Is it no?"))
        sentence = experimenter.refused("export", "--manifest", path)
        assert "digest" in sentence
        assert stage.found.terms.manifest.hex() in sentence

    def test_a_report(self, disclosed, experimenter):
        files = experimenter.told("report", disclosed, which=False)["files"]
        (page,) = [name for name in files if name.endswith(".html")]
        with open(page) as file:
            assert "Is it so?" in file.read()


class TestLooking:
    def test_lists_shows_and_watches(self, stage, disclosed, experimenter):
        assert stage.which[:10] in experimenter.does("list", which=False)
        (listed,) = experimenter.told("list", "--mine", which=False)["campaigns"]
        assert (listed["campaign"], listed["phase"]) == (stage.which, "Settling")
        assert "0.01 ETH to its settler" in experimenter.does("show")
        assert experimenter.told("show", disclosed, which=False)["terms"]["cohort"] == COHORT
        assert "Settling: 3 of 3 committed" in experimenter.does("watch", "--once")

    def test_watches_on_when_the_node_is_away(self, stage, home, experimenter, monkeypatch):
        from earnest.chain.client import Client

        looks, life = [], Client.life

        def away(client, number):
            looks.append(number)
            if len(looks) == 2:
                raise ConnectionError("Connection refused")
            if len(looks) == 4:
                stage.pass_deadline()
            return life(client, number)

        monkeypatch.setattr(Client, "life", away)
        said = experimenter.does("watch", home, "--poll", "0.1", which=False)
        assert "The node does not answer as it should: Connection refused. Looking again." in said
        assert "Cancelled" in said

    @pytest.mark.parametrize(
        ("which", "sentence"),
        [
            ("nowhere", "'nowhere' is neither a folder nor a campaign"),
            ("0xzz", "'0xzz' is no campaign; it must be 0x and up to 64 hexadecimal digits."),
            ("0x" + "1" * 64, "There is no campaign 0x" + "1" * 64),
        ],
    )
    def test_no_such_campaign(self, home, experimenter, which, sentence):
        assert experimenter.refused("show", which, which=False).startswith(sentence)


class TestRun:
    def test_what_is_over_is_exported_and_nothing_sent(self, stage, disclosed, experimenter):
        experimenter.does("settle", disclosed, "--yes", which=False)
        stage.travel(stage.found.final_at(0))
        file = disclosed.with_suffix(".json")
        told = last(experimenter.does("run", file, "--yes", "--json", which=False))
        assert told["phase"] == "Final"
        assert told["free"] == str(BOND + 10**16)
        assert all(name.startswith(str(disclosed / "dataset")) for name in told["files"])
        height = stage.chain.blocks.height
        assert last(experimenter.does("run", file, "--yes", "--json", which=False))["files"]
        assert stage.chain.blocks.height == height

    def test_a_cancelled_campaign_is_refunded(self, stage, home, experimenter):
        stage.enroll(2)
        stage.pass_deadline()
        said = experimenter.does("run", home.with_suffix(".json"), "--yes", which=False)
        assert "The campaign is cancelled; everything is given back." in said
        assert f"{101 / 100:g} ETH is free in the vault" in said
        assert stage.found.locked == 0

    def test_nobody_revealed(self, stage, home, experimenter):
        stage.enroll(COHORT)
        stage.draw()
        for _ in range(2):  # to commit, and to disclose
            stage.pass_deadline()
        assert stage.life.phase is Phase.SETTLING
        experimenter.does("settle", home, "--yes", which=False)
        stage.travel(stage.found.final_at(0))
        said = experimenter.does("run", home.with_suffix(".json"), "--yes", which=False)
        assert "Nobody revealed a label: there is no dataset" in said
        assert "ETH is free in the vault; `earnest campaign withdraw` takes it." in said

    @pytest.mark.parametrize("lost", [True, False])
    def test_by_the_folder_alone(self, stage, disclosed, experimenter, lost):
        """Whatever became of the campaign's files, its copy of the manifest included."""
        if lost:
            disclosed.with_suffix(".json").unlink()
            (disclosed.parent / "tasks.jsonl").unlink()
            (disclosed / "manifest.json").unlink()
        settled = _once(stage, experimenter, "run", disclosed, "--yes")
        assert stage.found.batches[0].status.name == "POSTED", settled

    def test_a_folder_whose_campaign_is_not_created(self, stage, experimenter):
        file = write_campaign(experimenter.folder)
        experimenter.run("create", file, which=False)
        sentence = experimenter.refused("run", file.with_suffix(""), "--yes", which=False)
        assert sentence.endswith("is not created yet: name its campaign file to create it.")

    def test_a_key_that_is_garbled_is_told_of_once_and_the_rest_goes_on(self, stage, audited, experimenter):
        (file,) = (audited / "secrets").iterdir()
        file.write_text("{}")
        said = _once(stage, experimenter, "run", audited, "--yes", times=3)
        assert said.count("does not hold the key") == 1
        assert "without it every seat is paid in full" in said


def _once(stage, experimenter, *line, times=1):
    """What a run says that is interrupted after looking so many times."""
    from earnest.settler.run import Settler

    def run(self, poll, over):
        for _ in range(times):
            self.once()
            over(self.look())
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as stopped:
        stopped.setattr(Settler, "run", run)
        done = experimenter.run(*line, which=False)
    assert done.exit_code != 0
    return done.stdout


def last(output):
    """The result, after the lines of what was done."""
    return json.loads(output.splitlines()[-1])
