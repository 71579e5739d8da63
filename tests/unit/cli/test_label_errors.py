"""The wrong chain, contract, campaign, account or passphrase: one sentence, and status 2."""

from __future__ import annotations

import sqlite3
from itertools import count

import pytest

from earnest.cli.errors import InputError
from earnest.cli.text import campaign_text, parse_campaign

from .labeling import ANSWERS

pytestmark = pytest.mark.anvil

NOWHERE = "0x" + "12" * 20


def test_another_contract(opened, labeler):
    labeler.options = ["--contract", NOWHERE]
    done = labeler.run("show")
    chain = opened.client.domain.chain_id
    assert done.exit_code == 2
    assert done.stderr == (
        f"There is no contract at 0x{'12' * 20} on chain {chain}; is it another network?\n"
    )


def test_a_contract_that_is_not_earnest(opened, labeler, capfd):
    referee = opened.client.contract.REFEREE()
    labeler.options = ["--contract", referee]
    assert labeler.refused("show") == (f"The contract at {referee} is not Earnest: it tells no sink.")
    assert capfd.readouterr().out == ""  # nor does Ape print a trace


def test_no_token(opened, labeler):
    assert labeler.refused("withdraw", "--token", "0x12", "--yes", which=False) == (
        "--token is '0x12'; it must be an address, 0x and 40 hexadecimal digits."
    )


def test_no_address(opened, labeler):
    labeler.options = ["--contract", "earnest.eth"]
    assert labeler.refused("show") == (
        "--contract is 'earnest.eth'; it must be an address, as 0x…, or 0x…@BLOCK."
    )


def test_a_mistyped_address(opened, labeler):
    mistyped = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BD"  # by its last letter
    labeler.options = ["--contract", mistyped]
    sentence = labeler.refused("show")
    assert sentence.startswith(f"--contract is '{mistyped}', but the case of its letters says that one is")


def test_a_campaign_of_another_chain(drawn, labeler):
    labeler.answers()
    chain, contract = drawn.client.domain.chain_id, drawn.client.address
    with sqlite3.connect(labeler.journal) as journal:
        journal.execute("update answers set chain = 11155111, campaign = ?", ["ab" * 32])
    drawn.campaign = int("ab" * 32, 16)
    for command in (["show"], ["fetch"], ["commit"], ["run", "--once"]):
        assert labeler.refused(*command) == (
            f"Campaign 0xabababab… is on chain 11155111, contract {contract};"
            f" this is chain {chain}, contract {contract}."
        )


def test_no_such_campaign(opened, labeler):
    known, opened.campaign = opened.which, 1
    assert labeler.refused("show") == (
        f"There is no campaign {campaign_text(1)} on the contract {opened.client.address}"
        f" of chain {opened.client.domain.chain_id}."
    )
    for text, sentence in (
        ("0xzz", "'0xzz' is no campaign; it must be 0x and up to 64 hexadecimal digits."),
        ("0x" + "ff" * 5, f"No campaign begins with 0x{'ff' * 5}; it must be one."),
    ):
        assert labeler.refused("show", text, which=False) == sentence
    assert known[:10] in labeler.does("show", known[:10], which=False)
    assert known[:10] in labeler.does("show", f"{known[:10]}…", which=False)


def test_ids_that_begin_alike(stage, labeler, person):
    """Anybody can make an id that begins as another does; one of one's own is meant before a stranger's."""
    beginnings: dict[str, str] = {}
    for batches in count(1):
        stage.create(batches=batches)
        beginning = stage.which[:3]
        if beginning in beginnings:
            break
        beginnings[beginning] = stage.which
    both = sorted([beginnings[beginning], stage.which])
    sentence = f"2 campaigns begin with {beginning}: {', '.join(both)}; say which."
    assert labeler.refused("show", beginning, which=False) == sentence
    labeler.does("enroll", "--yes")
    assert labeler.told("show", beginning, which=False)["campaign"] == stage.which
    stage.campaign = int(beginnings[beginning], 16)
    labeler.does("enroll", "--yes")
    assert labeler.refused("show", beginning, which=False) == sentence
    assert person("carrier", "elsewhere").refused("show", beginning, which=False) == sentence


def test_no_more_ids_than_one_reads():
    known = [int(f"4bdf4a1d{index:056x}", 16) for index in range(9)]
    with pytest.raises(InputError, match=r"^9 campaigns begin with 0x4bdf4a1d: (0x[0-9a-f]{64}, ){5}…; say"):
        parse_campaign("0x4bdf4a1d…", known)


def test_unknown_account(opened, labeler, people):
    labeler.alias = "nobody"
    assert labeler.refused("enroll", "--yes") == (
        f"There is no account 'nobody'; there are: {', '.join(sorted(people))}."
    )


def test_wrong_passphrase(opened, labeler, passphrase):
    passphrase.write_text("guess")
    for command in ("enroll", "sign-enroll"):
        assert sentence_of(opened, labeler, command) == (
            "The passphrase of labeler, typed or in the file of $EARNEST_PASSPHRASE_FILE, is wrong.\n"
        )


def test_no_passphrase_file(opened, labeler, passphrase):
    passphrase.unlink()
    assert sentence_of(opened, labeler, "enroll") == (
        f"$EARNEST_PASSPHRASE_FILE: {passphrase} cannot be read: No such file or directory.\n"
    )


def sentence_of(stage, person, command):
    """What a command that is refused says, after it has shown what it is about; it sends nothing."""
    height = stage.chain.blocks.height
    done = person.run(command, "--yes")
    assert done.exit_code == 2
    assert stage.chain.blocks.height == height
    return done.stderr


def test_looking_takes_no_passphrase(opened, labeler, passphrase):
    passphrase.unlink()
    for command in ("show", "status", "history", "find"):
        labeler.does(command, which=command in ("show", "status"))


def test_answering_takes_no_passphrase(drawn, labeler, passphrase):
    passphrase.unlink()
    labeler.answers()
    labeler.does("work", typed="1111")


def test_a_data_folder_that_is_none(opened, labeler):
    labeler.data.write_text("in the way")
    done = labeler.run("show")
    assert done.exit_code == 2
    assert done.stderr == f"Invalid value for '--data': Directory '{labeler.data}' is a file.\n"


def test_a_journal_that_is_none(drawn, labeler):
    labeler.answers(ANSWERS)
    labeler.journal.write_bytes(b"something else" * 100)
    done = labeler.run("commit")
    assert done.exit_code == 2
    assert done.stderr.startswith(f"The journal {labeler.journal} cannot be opened: ")


@pytest.mark.parametrize("option", [["--seat", "-1"], ["--seat", "one"]])
def test_no_seat_number(drawn, labeler, option):
    done = labeler.run("fetch", *option)
    assert done.exit_code == 2
    assert "--seat" in done.stderr
