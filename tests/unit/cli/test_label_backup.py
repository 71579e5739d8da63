"""`earnest label backup` and `recover`: another machine, and nothing but the wallet and the answers."""

from __future__ import annotations

import json
import sqlite3

import pytest

from earnest.labeler.journal import Book, Journal

from .labeling import ANSWERS, TASKS, labels_of

pytestmark = pytest.mark.anvil



@pytest.fixture
def committed(drawn, labeler):
    labeler.answers()
    labeler.does("commit")
    return drawn


@pytest.fixture
def elsewhere(person):
    """The same labeler on another machine."""
    return person(folder="elsewhere")


@pytest.fixture
def sealed(committed, labeler):
    path = labeler.folder / "backup.json"
    labeler.does("backup", path, which=False)
    return path


def reveal(stage, labeler):
    """The labeler reveals what the journal has."""
    stage.commit()
    stage.chain.mine(3)
    labeler.does("run", "--once")
    return stage.seat().labels


class TestBackup:
    def test_says_what_it_holds(self, committed, labeler):
        path = labeler.folder / "backup.json"
        said = labeler.does("backup", path, which=False)
        assert said == f"{path} holds 1 campaign, for {labeler.account.address} only.\n"
        assert path.stat().st_mode & 0o777 == 0o600
        assert labeler.told("backup", path, which=False) == {
            "file": str(path),
            "campaigns": [committed.which],
        }

    def test_shows_neither_answers_nor_salts(self, committed, labeler, sealed):
        book = Book(committed.client.domain.chain_id, committed.client.address, committed.campaign)
        (kept,) = Journal(labeler.data).kept(book)
        text = sealed.read_text()
        for secret in (kept.opening.salt.hex(), kept.opening.labels.hex(), "t1", committed.which[2:]):
            assert secret not in text

    def test_brings_everything_back(self, committed, elsewhere, sealed):
        said = elsewhere.does("recover", "--backup", sealed, which=False)
        assert said == f"1 campaign and 1 opening are in {elsewhere.journal}.\n"
        assert elsewhere.does("fetch").splitlines()[1] == "0,t0,Is 0 so?,yes"
        assert reveal(committed, elsewhere) == labels_of(ANSWERS, TASKS)

    def test_adds_and_overwrites_nothing(self, committed, labeler, sealed):
        labeler.answers(ANSWERS | {"t0": "no"})
        labeler.does("recover", "--backup", sealed, which=False)
        assert labeler.does("fetch").splitlines()[1] == "0,t0,Is 0 so?,no"

    def test_again_keeps_what_the_file_has(self, committed, labeler, elsewhere, person, sealed):
        elsewhere.answers(ANSWERS | {"t0": "no"})
        elsewhere.does("backup", sealed, which=False)
        third = person(folder="third")
        third.does("recover", "--backup", sealed, which=False)
        assert third.does("fetch").splitlines()[1] == "0,t0,Is 0 so?,no"  # the last answer that was given
        assert reveal(committed, third) == labels_of(ANSWERS, TASKS)

    def test_over_something_else(self, committed, labeler, person, sealed):
        path = labeler.folder / "thesis.txt"
        path.write_text("years of work")
        assert labeler.refused("backup", path, which=False) == (
            f"{path} is there already: The file is no backup of a labeler's journal. Name another file."
        )
        other = person("carrier", "home")
        with sqlite3.connect(labeler.journal) as journal:  # of a campaign that the chain does not have
            journal.execute("update openings set campaign = ?", ["ab" * 32])
        assert other.refused("backup", sealed, which=False) == (
            f"{sealed} is there already: The backup is of {labeler.account.address}; the account is"
            f" {other.account.address}. Name another file."
        )

    def test_holds_nothing_of_another_account(self, opened, labeler, person):
        other = person("carrier", "home")  # of the same person, with the same journal
        for each in (labeler, other):
            each.does("enroll", "--yes")
        opened.enroll(1)
        opened.draw()
        for each in (labeler, other):
            each.answers()
            each.does("commit")
        path = labeler.folder / "backup.json"
        labeler.does("backup", path, which=False)
        elsewhere = person("labeler", "elsewhere")
        said = elsewhere.does("recover", "--backup", path, which=False)
        assert said == f"1 campaign and 1 opening are in {elsewhere.journal}.\n"
        (kept,) = Journal(elsewhere.data).kept(
            Book(opened.client.domain.chain_id, opened.client.address, opened.campaign)
        )
        assert kept.opening.seat == 0

    def test_of_an_empty_journal(self, drawn, labeler):
        assert labeler.refused("backup", labeler.folder / "backup.json", which=False) == (
            f"The journal {labeler.journal} has nothing of {labeler.account.address}'s"
            f" on contract {drawn.client.address}."
        )

    def test_of_another_labeler(self, person, labeler, sealed):
        other = person("carrier", "carrier's")
        assert other.refused("recover", "--backup", sealed, which=False) == (
            f"The backup is of {labeler.account.address}; the account is {other.account.address}."
        )

    def test_that_claims_to_be_mine(self, person, labeler, sealed):
        other = person("carrier", "carrier's")
        sealed.write_text(sealed.read_text().replace(labeler.account.address, other.account.address))
        assert other.refused("recover", "--backup", sealed, which=False) == (
            f"The backup of {other.account.address} does not open: another wallet made it, or it was changed."
        )

    def test_of_another_chain(self, committed, elsewhere, sealed):
        sealed.write_text(json.dumps(json.loads(sealed.read_text()) | {"chain": 1}))
        contract, chain = committed.client.address, committed.client.domain.chain_id
        assert elsewhere.refused("recover", "--backup", sealed, which=False) == (
            f"The backup is of chain 1, contract {contract}; this is chain {chain}, contract {contract}."
        )

    def test_changed(self, labeler, elsewhere, sealed):
        document = json.loads(sealed.read_text())
        document["sealed"] = "00" + document["sealed"][2:]
        sealed.write_text(json.dumps(document))
        assert elsewhere.refused("recover", "--backup", sealed, which=False) == (
            f"The backup of {labeler.account.address} does not open:"
            " another wallet made it, or it was changed."
        )

    @pytest.mark.parametrize(
        "data",
        [b"", b"[]", b"\xff\x00", b'{"format": "earnest-labeler-backup-1"}', b"[" * 200_000],
        ids=len,
    )
    def test_no_backup(self, drawn, elsewhere, data):
        path = elsewhere.folder / "backup.json"
        path.write_bytes(data)
        assert elsewhere.refused("recover", "--backup", path, which=False) == (
            "The file is no backup of a labeler's journal."
        )


class TestRecoverFromLabels:
    def test_brings_the_opening_back(self, committed, labeler, elsewhere):
        path = labeler.write_answers()
        said = elsewhere.does("recover", "--labels", path)
        assert said == "These are the answers behind the commitment of seat 0; kept.\n"
        assert reveal(committed, elsewhere) == labels_of(ANSWERS, TASKS)

    def test_other_answers(self, committed, labeler, elsewhere):
        path = labeler.write_answers(ANSWERS | {"t0": "no"})
        assert elsewhere.refused("recover", "--labels", path).startswith(
            "Seat 0 holds a commitment to other answers than those here; where it was made"
        )

    def test_not_all_answers(self, committed, labeler, elsewhere):
        path = labeler.write_answers()
        path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))
        assert elsewhere.refused("recover", "--labels", path).startswith(f"{path} lacks 1 of 4 answers")

    def test_nothing_is_committed(self, drawn, labeler):
        path = labeler.write_answers()
        assert labeler.refused("recover", "--labels", path) == (
            "Seat 0 holds no commitment that is still to be opened."
        )

    def test_neither_or_both_or_no_campaign(self, committed, labeler, sealed):
        path = labeler.write_answers()
        either = "Say --backup with a backup, or --labels with a file of answers and the campaign."
        assert labeler.refused("recover") == either
        assert labeler.refused("recover", "--labels", path, "--backup", sealed) == either
        assert labeler.refused("recover", "--labels", path, which=False) == (
            "Say which campaign the answers are for."
        )
