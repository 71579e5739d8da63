"""`earnest label commit` and `reveal`: what the chain has afterwards, and what they refuse."""

from __future__ import annotations

import pytest

from earnest.chain.life import Phase
from earnest.labeler.journal import Book, Journal
from earnest.times import clock

from .labeling import ANSWERS, TASKS, labels_of

pytestmark = pytest.mark.anvil

OTHERS = ANSWERS | {"t3": "yes"}


@pytest.fixture
def committed(drawn, labeler):
    """The labeler has committed."""
    labeler.answers()
    labeler.does("commit")
    return drawn


@pytest.fixture
def revealing(committed):
    """So have the others, and the block that ended the phase is settled."""
    committed.commit()
    committed.chain.mine(3)
    return committed


class TestCommit:
    def test_once_and_no_more(self, drawn, labeler):
        labeler.answers()
        told = labeler.told("commit")
        assert len(told["transactions"]) == 1
        assert (drawn.seat().committed, drawn.seat().revisions) == (True, 1)
        assert labeler.told("commit")["transactions"] == []
        assert labeler.does("commit") == (
            f"Seat 0 has committed. Reveal at {clock(drawn.life.deadline)}, or sooner if all seats have"
            " committed; `earnest label run` does it in time.\n"
        )

    def test_again_after_answers_have_changed(self, committed, labeler):
        first = committed.seat().record
        labeler.answers(OTHERS)
        assert len(labeler.told("commit")["transactions"]) == 1
        assert committed.seat().record != first
        assert committed.seat().revisions == 2
        labeler.answers()  # and back: the chain must hold these again
        labeler.does("commit")
        assert (committed.seat().record, committed.seat().revisions) == (first, 3)

    def test_the_last_commitment_tells_when_revealing_begins_at_the_latest(self, drawn, labeler):
        labeler.answers()
        drawn.commit()
        ends = clock(drawn.life.deadline)
        assert f"Reveal at {ends}, or sooner" in labeler.does("commit")
        assert drawn.life.phase is Phase.REVEALING

    def test_nothing_to_commit_yet(self, drawn, labeler):
        labeler.does("work", typed="1\x1b")
        assert labeler.refused("commit") == "There is nothing to commit yet: seat 0 lacks 3 of 4 answers."

    def test_some_of_my_seats(self, opened, labeler):
        labeler.does("enroll", "--seats", 2, "--yes")
        opened.enroll(1)
        opened.draw()
        labeler.answers(seat=1)
        said = labeler.does("commit").splitlines()
        assert "Seat 1 has committed in transaction 0x" in said[0]
        assert said[1].startswith("Seat 1 has committed; seat 0 lacks 4 of 4 answers. Reveal at ")
        assert [opened.seat(seat).committed for seat in (0, 1)] == [False, True]
        labeler.answers(seat=0)
        assert "\nSeats 0, 1 have committed. Reveal at " in labeler.does("commit")

    def test_while_somebody_labels(self, drawn, labeler):
        labeler.answers()
        book = Book(drawn.client.domain.chain_id, drawn.client.address, drawn.campaign)
        with Journal(labeler.data).editing(book, 0):
            assert labeler.refused("commit") == (
                "Seat 0 is being answered by another process: commit when that is done."
            )
            assert "seat 0 is being answered" in labeler.does("run", "--once")

    def test_made_elsewhere_with_the_same_answers(self, committed, person):
        elsewhere = person(folder="elsewhere")
        elsewhere.answers()
        assert elsewhere.told("commit")["transactions"] == []
        assert committed.seat().revisions == 1

    def test_made_elsewhere_with_other_answers(self, committed, person):
        elsewhere = person(folder="elsewhere")
        elsewhere.answers(OTHERS)
        assert elsewhere.refused("commit") == "There is nobody to ask: agree beforehand with --yes."
        assert committed.seat().revisions == 1
        assert len(elsewhere.told("commit", "--yes")["transactions"]) == 1
        assert committed.seat().revisions == 2


class TestReveal:
    def test_shows_what_was_answered(self, revealing, labeler):
        assert len(labeler.told("reveal")["transactions"]) == 1
        assert revealing.seat().labels == labels_of(ANSWERS, TASKS)
        assert labeler.does("reveal") == "Seat 0 has revealed.\n"

    def test_what_was_committed_last_but_not_what_was_answered_since(self, committed, labeler):
        labeler.answers(OTHERS)  # not committed
        committed.commit()
        committed.chain.mine(3)
        labeler.does("reveal")
        assert committed.seat().labels == labels_of(ANSWERS, TASKS)

    def test_too_early(self, committed, labeler):
        ends = clock(committed.life.deadline)
        assert labeler.refused("reveal").startswith(
            f"Revealing has not begun: the campaign is Committing, until {ends} (in "
        )

    def test_the_end_of_the_phase_is_not_settled(self, committed, labeler):
        committed.commit()
        sentence = labeler.refused("reveal", "--confirmations", 50)
        assert sentence.startswith("The commit phase ended early, and the block that ended it could still be")
        assert not committed.seat().revealed
        committed.chain.mine(50)
        labeler.does("reveal", "--confirmations", 50)
        assert committed.seat().revealed

    def test_too_late(self, revealing, labeler):
        over = revealing.life.deadline
        revealing.reveal()
        revealing.pass_deadline()
        now = revealing.client.now()
        assert labeler.refused("reveal") == (
            f"Revealing was over at {clock(over, now)}: the campaign is Settling."
        )

    def test_nothing_was_committed(self, drawn, labeler):
        drawn.commit()
        drawn.pass_deadline()
        assert labeler.refused("reveal") == (
            "None of your seats has committed to answers: there is nothing to reveal."
        )

    def test_the_opening_is_not_here(self, revealing, person):
        elsewhere = person(folder="elsewhere")
        sentence = (
            f"The opening of seat 0 is not in the journal {elsewhere.journal}:"
            " `earnest label recover` brings it back from a backup or the file with the answers."
        )
        assert elsewhere.refused("reveal") == sentence
        assert "seat 0 has no opening in the journal" in elsewhere.does("run", "--once")

    def test_one_opening_is_not_here_and_another_is(self, opened, labeler, person):
        labeler.does("enroll", "--seats", 2, "--yes")
        opened.enroll(1)
        opened.draw()
        labeler.answers(seat=0)
        labeler.does("commit")
        elsewhere = person(folder="elsewhere")
        elsewhere.answers(seat=1)
        elsewhere.does("commit")
        opened.commit()
        opened.chain.mine(3)
        done = labeler.run("reveal")
        assert done.exit_code == 2
        assert done.stderr.startswith("The opening of seat 1 is not in the journal")
        assert [opened.seat(seat).revealed for seat in (0, 1)] == [True, False]
        elsewhere.does("run", "--once")
        assert opened.seat(1).revealed

    @pytest.mark.parametrize("value", ["soon", "-1", "1.5"])
    def test_confirmations(self, revealing, labeler, value):
        done = labeler.run("reveal", f"--confirmations={value}")
        assert done.exit_code == 2
        assert f"{value!r}; it must be a number of blocks, safe or finalized." in done.stderr


def test_a_denounced_seat(committed, labeler):
    book = Book(committed.client.domain.chain_id, committed.client.address, committed.campaign)
    (kept,) = Journal(labeler.data).kept(book)
    committed.client.denounce(committed.campaign, kept.opening, sender=committed.others[0])
    assert labeler.told("status")["seats"][0]["outcome"] == "denounced"
    labeler.does("run", "--once")
    assert committed.seat().denounced
