"""Key files of Ape for the people at the command line, and campaigns for them at every stage."""

from __future__ import annotations

import json

import ape
import pytest
from chain.conftest import client, deployed, erc20, purse  # noqa: F401
from eth_account import Account

from .labeling import COHORT, Person, Stage

PASSPHRASE = "passphrase"
LABELERS = ("labeler", "carrier", "third", "fourth")


@pytest.fixture(scope="session")
def people(labelers, experimenter, settler):
    """The accounts behind the aliases."""
    return dict(zip(LABELERS, labelers, strict=False)) | {"experimenter": experimenter, "settler": settler}


@pytest.fixture(scope="session")
def key_files(tmp_path_factory, people):
    """Ape's folder of key files, with a key derivation that costs nothing."""
    folder = tmp_path_factory.mktemp("accounts")
    for alias, account in people.items():
        document = Account.encrypt(account.private_key, PASSPHRASE, kdf="pbkdf2", iterations=2)
        (folder / f"{alias}.json").write_text(json.dumps(document))
    container = ape.accounts.containers["accounts"]
    usual, container.data_folder = container.data_folder, folder
    yield folder
    container.data_folder = usual


@pytest.fixture
def passphrase(tmp_path):
    path = tmp_path / "passphrase"
    path.write_text(PASSPHRASE + "\n")
    return path


@pytest.fixture
def stage(client, chain, experimenter, labelers, tmp_path):  # noqa: F811
    """The contracts without a campaign."""
    folder = tmp_path / "public"
    folder.mkdir()
    return Stage(client, chain, experimenter, labelers[len(LABELERS) :], folder)


@pytest.fixture
def person(stage, people, tmp_path, key_files, passphrase):
    """Makes people: by alias, or one again with another folder for data."""

    def make(alias="labeler", folder="home", group="label"):
        home = tmp_path / folder
        home.mkdir(exist_ok=True)
        return Person(stage, alias, people[alias], home, passphrase, group)

    return make


@pytest.fixture
def labeler(person):
    return person()


@pytest.fixture
def opened(stage):
    """A campaign of one batch, open to all."""
    stage.create()
    return stage


@pytest.fixture
def drawn(opened, labeler):
    """The same with all seats taken, the labeler's the first, and drawn."""
    opened.client.deposit(opened.found.terms.token, opened.found.terms.stake, sender=labeler.account)
    opened.client.enroll(opened.campaign, sender=labeler.account)
    opened.enroll(COHORT - 1)
    opened.draw()
    return opened


@pytest.fixture
def answered(drawn, labeler):
    """The same with the labeler's answers saved."""
    labeler.answers()
    return drawn


@pytest.fixture
def benched(stage, person):
    """The one of four labelers whom the draw of a cohort of three leaves without a batch."""
    stage.create(batches=2)
    people = [person(alias, alias) for alias in LABELERS]
    for each in people:
        each.does("enroll", "--yes")
    stage.draw()
    (found,) = [
        each
        for each in people
        if all(stage.found.batch_of(seat) is None for seat in stage.seats_of(each.account))
    ]
    return found
