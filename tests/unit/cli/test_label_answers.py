"""`earnest label fetch`, `work` and `import`, and the answers that they do not take."""

from __future__ import annotations

import csv
import json
import os
import sys
from dataclasses import replace

import pytest

from earnest.cli import cli
from earnest.labeler.journal import Book, Journal
from earnest.times import clock

from .labeling import ANSWERS, COHORT, STAKE, manifest_of, write_rows

pytestmark = pytest.mark.anvil


def rows_of(path):
    return list(csv.DictReader(path.open(newline="")))


class TestFetch:
    def test_writes_the_batch_for_its_owner_only(self, drawn, labeler):
        path = labeler.folder / "batch.csv"
        assert labeler.does("fetch", "--to", path) == f"{path} has the 4 tasks of seat 0.\n"
        assert path.stat().st_mode & 0o777 == 0o600
        rows = rows_of(path)
        assert [row["task"] for row in rows] == ["t0", "t1", "t2", "t3"]
        assert rows[2] == {"position": "2", "task": "t2", "shows": "Is 2 so?", "answer": ""}

    def test_on_the_terminal_with_the_answers_so_far(self, drawn, labeler):
        labeler.answers()
        assert labeler.does("fetch").splitlines()[1] == "0,t0,Is 0 so?,yes"

    def test_a_terminal_obeys_nothing_and_a_pipe_gets_all_of_it(self, stage, labeler, monkeypatch):
        hostile = "\x1b]0;owned\x07\x1b[2J"
        manifest = manifest_of(1)
        tasks = tuple(replace(task, content={"text": hostile}) for task in manifest.tasks)
        manifest = replace(manifest, tasks=tasks)
        path = stage.folder / "hostile.json"
        path.write_bytes(manifest.to_bytes())
        stage.create(manifest=manifest.digest())
        labeler.does("enroll", "--manifest", path, "--yes")
        stage.enroll()
        stage.draw()
        assert hostile in labeler.does("fetch")
        there, here = os.openpty()
        monkeypatch.setenv("EARNEST_DATA", str(labeler.data))
        line = ["label", "fetch", stage.which, "--account", "labeler", "--contract", stage.client.address]
        with os.fdopen(here, "w") as terminal, monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", terminal)
            cli.main(line, standalone_mode=False)
            terminal.flush()
            said = os.read(there, 65_536).decode()
        os.close(there)
        assert "0,t0,�]0;owned��[2J," in said
        assert "\x1b" not in said

    def test_for_machines(self, drawn, labeler):
        path = labeler.folder / "batch.csv"
        told = labeler.told("fetch", "--to", path)
        assert told == {"file": str(path), "seat": 0, "batch": 0, "tasks": 4}

    def test_over_answers_that_are_not_imported_yet(self, drawn, labeler):
        path = labeler.write_answers()
        assert labeler.refused("fetch", "--to", path) == (
            f"{path} is there already and may hold answers: import it, or name another file."
        )
        labeler.does("import", path)
        path.write_text(labeler.does("fetch"))
        labeler.does("fetch", "--to", path)  # the very same

    def test_for_machines_without_a_name(self, drawn, labeler, monkeypatch):
        monkeypatch.chdir(labeler.folder)
        name = labeler.told("fetch")["file"]
        assert name == f"{drawn.which[:10]}-seat-0.csv"
        labeler.answers()
        assert labeler.run("fetch", "--json").exit_code == 2  # that one has no answers

    def test_to_where_nothing_can_be_written(self, drawn, labeler):
        path = labeler.folder / "nowhere" / "batch.csv"
        sentence = f"{path} cannot be written: No such file or directory."
        assert labeler.refused("fetch", "--to", path) == sentence
        labeler.answers()
        assert labeler.refused("backup", path, which=False) == sentence


class TestImport:
    def test_takes_all_answers_in_any_order(self, drawn, labeler):
        path = labeler.write_answers()
        write_rows(path, [{"answer": row["answer"], "task": row["task"]} for row in rows_of(path)[::-1]])
        assert labeler.told("import", path) == {"seat": 0, "answers": 4}
        assert [line.rpartition(",")[2] for line in labeler.does("fetch").splitlines()[1:]] == [
            ANSWERS[f"t{index}"] for index in range(4)
        ]

    @pytest.mark.parametrize(
        ("change", "sentence"),
        [
            (
                lambda rows: rows[1].update(answer="maybe"),
                "Row 3 of {path}, task 't1': 'maybe' is no option; it must be one of yes, no, can't say.",
            ),
            (lambda rows: rows[1].update(answer=""), "Row 3 of {path} has no answer to task 't1'."),
            (
                lambda rows: rows.pop(2),
                "{path} lacks 1 of 4 answers, the first for task 't2', which the batch asks once.",
            ),
            (
                lambda rows: rows[3].update(task="t9"),
                "Row 5 of {path} answers task 't9', which is not in the batch.",
            ),
            (
                lambda rows: rows.append(rows[0]),
                "Row 6 of {path} answers task 't0' once more; the batch asks it once.",
            ),
            (
                lambda rows: [row.pop("answer") for row in rows],
                "{path} must have the columns task and answer; it has position, task, shows.",
            ),
        ],
        ids=["unknown option", "empty", "missing task", "unknown task", "duplicate", "no such column"],
    )
    def test_keeps_all_or_nothing(self, drawn, labeler, change, sentence):
        labeler.answers()  # which stay
        path = labeler.write_answers()
        rows = rows_of(path)
        change(rows)
        write_rows(path, rows)
        assert labeler.refused("import", path) == sentence.format(path=path)

    def test_of_bytes_that_are_no_text(self, drawn, labeler):
        path = labeler.folder / "labels.csv"
        path.write_bytes(b"task,answer\nt0,\xff\n")
        assert labeler.refused("import", path).startswith(f"{path} is not in UTF-8: ")

    def test_while_somebody_labels(self, drawn, labeler):
        path = labeler.write_answers()
        book = Book(drawn.client.domain.chain_id, drawn.client.address, drawn.campaign)
        with Journal(labeler.data).editing(book, 0):
            for command in (["import", path], ["work"]):
                assert labeler.refused(*command) == (
                    "Seat 0 is being answered by another process; wait for it, or stop it."
                )
        labeler.does("import", path)


class TestWork:
    def test_each_key_is_saved_and_it_goes_on_where_it_was(self, drawn, labeler):
        said = labeler.does("work", typed="12\x1b")
        assert "Seat 0: 2 of 4 answers are missing; what is there is saved." in said
        assert "1 of 4 · 0 answered" in said
        assert said.count("Guess.") == 1
        said = labeler.does("work", typed="31")
        assert "3 of 4 · 2 answered" in said
        assert said.count("Guess.") == 1  # the instructions
        assert "1 of 4" not in said
        ends = clock(drawn.life.deadline)
        assert f"Seat 0: all 4 answers are saved; commit them until {ends} with" in said
        assert f"`earnest label commit {drawn.which[:10]}`, or leave it to `run`." in said
        assert all(line.rpartition(",")[2] for line in labeler.does("fetch").splitlines()[1:])

    def test_for_machines(self, drawn, labeler):
        done = labeler.run("work", "--json", typed="11\x1b")
        assert json.loads(done.stdout) == {"seat": 0, "answered": 2, "missing": 2}
        assert "Is it so?" in done.stderr

    def test_answers_are_those_shown_beside_the_keys(self, drawn, labeler):
        said = labeler.does("work", typed="1111")
        first = [line.split("  ")[2].strip() for line in said.splitlines() if line.startswith("  1  ")]
        answers = [line.rpartition(",")[2] for line in labeler.does("fetch").splitlines()[1:]]
        assert answers == first


class TestManifest:
    def test_tampered_with(self, drawn, labeler):
        path = drawn.folder / "manifest-1.json"
        manifest = json.loads(path.read_bytes())
        manifest["tasks"][0]["text"] = "Is 0 not so?"
        path.write_text(json.dumps(manifest))
        sentence = labeler.refused("fetch")
        assert sentence.startswith(f"The manifest at {path.as_uri()} has the digest ")
        assert sentence.endswith(f"; the chain says {drawn.found.terms.manifest.hex()}.")
        assert labeler.refused("show") == sentence

    def test_gone_and_elsewhere(self, drawn, labeler):
        path = drawn.folder / "manifest-1.json"
        moved = path.rename(drawn.folder / "moved.json")
        assert labeler.refused("fetch").startswith(f"The manifest at {path.as_uri()} cannot be read: ")
        labeler.does("fetch", "--manifest", moved)
        moved.unlink()
        labeler.does("fetch")  # it was kept

    def test_the_kept_one_is_damaged(self, drawn, labeler):
        labeler.does("fetch")
        (kept,) = (labeler.data / "manifests").iterdir()
        kept.write_bytes(kept.read_bytes()[:100])
        labeler.does("fetch")
        assert len(kept.read_bytes()) > 100


class TestSeats:
    def test_none_of_mine(self, drawn, person):
        stranger = person("carrier", "elsewhere")
        for command in (["fetch"], ["work"], ["commit"], ["import", drawn.folder / "manifest-1.json"]):
            assert stranger.refused(*command) == (
                f"{stranger.account.address} has no seat in campaign {drawn.which[:10]}…."
            )

    def test_not_mine(self, drawn, labeler):
        assert labeler.refused("fetch", "--seat", 1) == "Seat 1 is not yours; yours are 0."

    def test_several_of_mine(self, opened, labeler):
        labeler.does("enroll", "--seats", 3, "--yes")
        opened.draw()
        assert labeler.refused("fetch") == "Say which --seat; yours are 0, 1, 2."
        labeler.does("fetch", "--seat", 2)

    def test_one_of_mine_is_benched(self, stage, labeler):
        stage.create(batches=2)
        labeler.does("enroll", "--seats", COHORT + 1, "--yes")
        stage.draw()
        (benched,) = [seat for seat in range(COHORT + 1) if stage.found.batch_of(seat) is None]
        assert labeler.refused("fetch", "--seat", benched) == (
            f"Seat {benched} was benched by the draw: it has nothing to do, its stake is back."
        )
        for seat in set(range(COHORT + 1)) - {benched}:
            labeler.answers(seat=seat)
        assert "has committed" in labeler.does("commit")
        assert stage.client.balance_of(labeler.account.address, stage.found.terms.token) == STAKE

    def test_all_of_mine_are_benched(self, benched):
        for command in (["fetch"], ["work"], ["commit"]):
            assert benched.refused(*command) == (
                "The draw has benched all of your seats: there is nothing to do, the stake is back."
            )
        assert "was benched by the draw and has its stake back." in benched.does("run")
        assert benched.told("status")["seats"][0]["outcome"] == "benched"


class TestPhases:
    def test_before_the_draw(self, opened, labeler):
        labeler.does("enroll", "--yes")
        path = labeler.folder / "answers.csv"
        path.write_text("task,answer\n")
        ends = clock(opened.life.deadline)
        for command in (["fetch"], ["work"], ["import", path], ["commit"]):
            sentence = labeler.refused(*command)
            assert sentence.startswith(
                f"Committing has not begun: the campaign is Enrolling, until {ends} (in "
            )

    def test_after_the_phase(self, drawn, labeler):
        path = labeler.write_answers()
        over = drawn.life.deadline
        drawn.commit()
        drawn.pass_deadline()
        ends, now = drawn.life.deadline, drawn.client.now()
        for command in (["work"], ["import", path], ["commit"]):
            sentence = labeler.refused(*command)
            assert sentence.startswith(f"Committing was over at {clock(over, now)}: the campaign is")
            assert f" Revealing, until {clock(ends, now)} (in " in sentence
