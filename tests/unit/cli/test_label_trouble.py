"""What goes wrong around a labeler whose stake is locked: nothing of it makes `run` hold back or stop."""

from __future__ import annotations

import shutil

import pytest

from earnest.chain.client import Client
from earnest.chain.life import Phase
from earnest.labeler.errors import LabelerError
from earnest.labeler.journal import Book, Journal
from earnest.labeler.run import Runner
from earnest.labeler.sight import Lookout

from .labeling import ANSWERS, TASKS, labels_of

pytestmark = pytest.mark.anvil


@pytest.fixture
def until_committed(monkeypatch):
    """`run` ends when the seat has committed."""
    monkeypatch.setattr(Runner, "over", lambda self, sight: sight.campaign.seats[0].committed)


def fails_once(monkeypatch, kind, name, error):
    """Have a method fail the first time."""
    real, errors = getattr(kind, name), [error]

    def method(*arguments, **named):
        if errors:
            raise errors.pop()
        return real(*arguments, **named)

    monkeypatch.setattr(kind, name, method)


def test_a_disk_that_fails_once(answered, labeler, monkeypatch, until_committed):
    fails_once(monkeypatch, Journal, "keep", LabelerError("The journal cannot be written: disk is full."))
    said = labeler.does("run", "--poll", "0.1")
    assert "disk is full." in said
    assert answered.seat().committed


@pytest.mark.parametrize("error", [AttributeError("'list' has no attribute 'get'"), OSError(28, "full")])
def test_an_error_of_any_kind(answered, labeler, monkeypatch, until_committed, error):
    fails_once(monkeypatch, Lookout, "look", error)
    fails_once(monkeypatch, Client, "commit", error)
    labeler.does("run", "--poll", "0.1")
    assert answered.seat().committed


def test_a_manifest_that_is_gone_when_it_is_time_to_reveal(answered, labeler):
    labeler.does("commit")
    answered.commit()
    shutil.rmtree(labeler.data / "manifests")
    for path in answered.folder.iterdir():
        path.unlink()
    answered.chain.mine(3)
    labeler.does("run", "--once")
    assert answered.seat().labels == labels_of(ANSWERS, TASKS)
    assert labeler.does("reveal") == "Seat 0 has revealed.\n"


def test_a_manifest_that_is_gone_before_committing_is_said(answered, labeler):
    shutil.rmtree(labeler.data / "manifests")
    for path in answered.folder.iterdir():
        path.unlink()
    said = labeler.does("run", "--once")
    assert "Committing until" in said
    assert "The manifest at file://" in said
    assert labeler.refused("commit").startswith("The manifest at file://")


def test_answers_that_somebody_is_changing_are_committed_at_last_call(answered, labeler):
    book = Book(answered.client.domain.chain_id, answered.client.address, answered.campaign)
    with Journal(labeler.data).editing(book, 0):
        assert "seat 0 is being answered; it commits when that is done." in labeler.does("run", "--once")
        assert not answered.seat().committed
        answered.travel(answered.life.deadline - answered.found.terms.periods.commit // 5)
        labeler.does("run", "--once")
    assert answered.seat().committed


def test_a_node_that_knows_no_finalized_block(answered, labeler, monkeypatch):
    from earnest.labeler import sight

    monkeypatch.setattr(sight.Lookout, "_confirmed", lambda self, head: sight.NONE)
    labeler.does("run", "--once", "--confirmations", "finalized")
    answered.commit()
    said = labeler.does("run", "--once", "--confirmations", "finalized")
    assert "waiting until the end of the commit phase is settled" in said
    answered.travel(answered.life.deadline - answered.found.terms.periods.reveal // 5)
    labeler.does("run", "--once", "--confirmations", "finalized")
    assert answered.seat().revealed


def test_a_denounced_seat_is_said_to_be_one(answered, labeler):
    labeler.does("commit")
    (kept,) = [each for book in Journal(labeler.data).books() for each in Journal(labeler.data).kept(book)]
    answered.client.denounce(answered.campaign, kept.opening, sender=answered.others[0])
    assert labeler.refused("commit") == "Seat 0 was denounced: its labels were known to somebody else."
    assert labeler.does("run").endswith("Committing: seat 0 was denounced and lost its stake.\n")


class TestTooLate:
    """Meanwhile means: while the command waited for another process."""

    def test_committing_is_over_meanwhile(self, answered, labeler, monkeypatch):
        real = Runner.until_done

        def until_done(self, only):
            answered.pass_deadline()
            return real(self, only)

        monkeypatch.setattr(Runner, "until_done", until_done)
        done = labeler.run("commit")
        assert done.exit_code == 2
        assert done.stderr.startswith("Committing was over at ")

    def test_revealing_is_over_meanwhile(self, answered, labeler, monkeypatch):
        labeler.does("commit")
        answered.commit()
        answered.reveal()
        answered.chain.mine(3)
        real = Runner.until_done

        def until_done(self, only):
            answered.pass_deadline() if answered.life.phase is Phase.REVEALING else None
            return real(self, only)

        monkeypatch.setattr(Runner, "until_done", until_done)
        done = labeler.run("reveal")
        assert done.exit_code == 2
        assert done.stderr == "The reveal phase was over before seat 0 has revealed.\n"
