"""Labelers at the command line, and the campaigns that they label in."""

from __future__ import annotations

import csv
import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from earnest.chain import settle
from earnest.chain.client import Client
from earnest.chain.life import Life, Phase
from earnest.chain.messages import Opening
from earnest.chain.records import Created
from earnest.chain.state import Campaign, Seat
from earnest.cli import cli
from earnest.cli.text import campaign_text
from earnest.manifest.manifest import Manifest, Task
from earnest.manifest.question import Kind, Question
from earnest.protocol.terms import Curve, Metric, Periods, Terms, Weights

HOUR = 3_600
COHORT, POSITIONS = 3, 4
STAKE, BOUNTY, BOND = 10**18, 10**18, 10**18
OPTIONS = ("yes", "no", "can't say")
ANSWERS = {f"t{index}": OPTIONS[index % 3 if index < 3 else 1] for index in range(8)}
TASKS = [f"t{index}" for index in range(POSITIONS)]  # of the first batch
PERIODS = Periods(draw=HOUR, commit=2 * HOUR, reveal=3 * HOUR, audit=4 * HOUR, challenge=5 * HOUR)


def manifest_of(batches: int) -> Manifest:
    """So many batches of four tasks each, which everybody answers with `ANSWERS`."""
    question = Question(text="Is it so?", kind=Kind.CHOICE, options=OPTIONS, instructions="Guess.")
    tasks = tuple(Task(f"t{index}", {"text": f"Is {index} so?"}) for index in range(batches * POSITIONS))
    lanes = tuple((tuple(range(batch * POSITIONS, (batch + 1) * POSITIONS)),) for batch in range(batches))
    return Manifest(question=question, tasks=tasks, batches=lanes)


@dataclass
class Stage:
    """The contracts, and everybody who acts on them but the labeler whose command line is tested."""

    client: Client
    chain: Any
    experimenter: Any
    others: Sequence[Any]
    folder: Path
    campaign: int = 0
    manifest: Manifest | None = None  # one of `create`'s unless given

    # ── What the chain has ──────────────────────────────────────────────────────────────────────────────────

    @property
    def which(self) -> str:
        return campaign_text(self.campaign)

    @property
    def found(self) -> Campaign:
        return self.client.state().campaigns[self.campaign]

    @property
    def life(self) -> Life:
        return self.client.life(self.campaign)

    def seats_of(self, account: Any) -> list[int]:
        return [index for index, seat in enumerate(self.found.seats) if seat.labeler == account.address]

    def seat(self, index: int = 0) -> Seat:
        return self.found.seats[index]

    # ── What others do ──────────────────────────────────────────────────────────────────────────────────────

    def travel(self, time: int) -> None:
        """Let the newest block have this time."""
        self.chain.pending_timestamp = time
        self.chain.mine()

    def pass_deadline(self) -> None:
        self.travel(self.life.deadline)

    def create(self, batches: int = 1, purse: Any = None, **changes: Any) -> None:
        """Open a campaign; the bounties come from `purse`, the experimenter unless given."""
        manifest = manifest_of(batches)
        path = self.folder / f"manifest-{batches}.json"
        path.write_bytes(manifest.to_bytes())
        terms = Terms(
            stake=STAKE,
            bounty=BOUNTY,
            batch_size=POSITIONS,
            cohort=COHORT,
            metric=Metric.NOMINAL,
            classes=len(OPTIONS),
            bond=BOND,
            batches=batches,
            enroll_by=self.chain.pending_timestamp + HOUR,
            curve=Curve(max_slash=3_000, forfeit=5_000),
            weights=Weights(peers=1, gold=0, repeats=0),
            periods=PERIODS,
            manifest=manifest.digest(),
        )
        terms = replace(terms, **changes)
        payer, address = purse or self.experimenter, self.experimenter.address
        self.client.deposit(terms.token, (terms.bounty + terms.fee) * batches, sender=payer, account=address)
        created = self.client.create(terms, path.as_uri(), sender=self.experimenter)
        self.campaign = created.only(Created).campaign

    def enroll(self, count: int = COHORT - 1) -> None:
        """The others take the next seats, one each."""
        for other in self.others[:count]:
            self.client.deposit(self.found.terms.token, STAKE, sender=other)
            self.client.enroll(self.campaign, sender=other)

    def draw(self) -> None:
        """Draw, waiting for the end of Enrolling where seats are left."""
        if self.life.phase is Phase.ENROLLING:
            self.pass_deadline()
        self.client.request_draw(self.campaign, sender=self.experimenter)
        self.chain.mine(3)
        self.client.draw(self.campaign, sender=self.experimenter)

    def commit(self, answers: Mapping[str, str] = ANSWERS) -> None:
        """The others commit to these answers."""
        for seat, other, opening in self._openings(answers):
            self.client.commit(
                self.campaign, seat, self.client.commitment(self.campaign, opening), sender=other
            )

    def reveal(self, answers: Mapping[str, str] = ANSWERS) -> None:
        """The others reveal them."""
        opened = [opening for _, _, opening in self._openings(answers)]
        self.client.reveal_many(self.campaign, opened, sender=self.others[0])

    def label(self, count: int) -> None:
        """The others take so many seats, are drawn, commit and reveal."""
        self.enroll(count)
        self.draw()
        self.commit()
        self.reveal()

    def settle(self) -> None:
        """Somebody posts the right scores, and they become final."""
        settler = self.experimenter
        self.client.deposit(self.found.terms.token, BOND, sender=settler)
        words = settle.words(self.found)
        self.client.post(self.campaign, list(range(len(words))), words, sender=settler)
        self.travel(self.client.now() + self.found.terms.periods.challenge)

    def _openings(self, answers: Mapping[str, str]) -> list[tuple[int, Any, Opening]]:
        found, manifest = self.found, self.manifest or manifest_of(self.found.terms.batches)
        openings = []
        for other in self.others:
            for seat in self.seats_of(other):
                batch = found.batch_of(seat)
                if batch is None:
                    continue
                tasks = [manifest.tasks[task].id for task in manifest.positions(batch, 0)]
                labels = bytes(OPTIONS.index(answers[task]) for task in tasks)
                salt = self.client.salt(self.campaign, seat, signer=other)
                openings.append((seat, other, Opening(seat=seat, labels=labels, salt=salt)))
        return openings


@dataclass
class Person:
    """Somebody at the command line, with an account of Ape and a folder for data of their own."""

    stage: Stage
    alias: str
    account: Any
    folder: Path
    passphrase: Path
    group: str = "label"
    options: list[str] = field(default_factory=list)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def journal(self) -> Path:
        return self.data / "journal.sqlite"

    def run(self, *arguments: Any, typed: str = "", which: bool = True) -> Result:
        """Run a command of the group, about the stage's campaign if `which`."""
        command, *rest = map(str, arguments)
        named = [self.stage.which] if which else []
        common = ["--account", self.alias, "--contract", self.stage.client.address, *self.options]
        environment = {"EARNEST_PASSPHRASE_FILE": str(self.passphrase), "EARNEST_DATA": str(self.data)}
        line = [self.group, command, *named, *rest, *common]
        return CliRunner(mix_stderr=False).invoke(cli, line, input=typed, env=environment)

    def does(self, *arguments: Any, typed: str = "", which: bool = True) -> str:
        """What a command that goes well says."""
        done = self.run(*arguments, typed=typed, which=which)
        assert (done.exit_code, done.stderr) == (0, ""), done.stderr
        return done.stdout

    def told(self, *arguments: Any, which: bool = True) -> dict[str, Any]:
        """What a command that goes well answers to machines."""
        found = json.loads(self.does(*arguments, "--json", which=which))
        assert isinstance(found, dict)
        return found

    def refused(self, *arguments: Any, which: bool = True) -> str:
        """The one sentence of a command that is refused, and leaves all as it was: chain, journal, files."""
        before = self._holdings()
        done = self.run(*arguments, which=which)
        assert done.exit_code == 2, done.output
        assert done.stdout == ""
        sentence = done.stderr.removesuffix("\n")
        assert "\n" not in sentence
        assert self._holdings() == before
        machine = self.run(*arguments, "--json", which=which)
        assert machine.exit_code == 2
        assert set(json.loads(machine.stderr)) == {"error"}
        assert self._holdings() == before
        return sentence

    def _holdings(self) -> tuple[Any, ...]:
        """The newest block, what the journal has, and what is in the files beside it."""
        rows: list[Any] = []
        if self.journal.is_file():
            with sqlite3.connect(self.journal) as journal:
                rows = [*journal.execute("select * from answers"), *journal.execute("select * from openings")]
        files = {path: path.read_bytes() for path in self.folder.iterdir() if path.is_file()}
        return self.stage.chain.blocks.height, rows, files

    def write_answers(self, answers: Mapping[str, str] = ANSWERS, seat: int | None = None) -> Path:
        """A file with the seat's batch answered, as a labeler fills it in."""
        path = self.folder / "answers.csv"
        path.unlink(missing_ok=True)
        self.does("fetch", "--to", path, *([] if seat is None else ["--seat", seat]))
        rows = list(csv.DictReader(path.open(newline="")))
        for row in rows:
            row["answer"] = answers[row["task"]]
        write_rows(path, rows)
        return path

    def answers(self, answers: Mapping[str, str] = ANSWERS, seat: int | None = None) -> Path:
        """Have a seat's batch answered; the file that it was done with."""
        path = self.write_answers(answers, seat)
        self.does("import", path, *([] if seat is None else ["--seat", seat]))
        return path


def write_rows(path: Path, rows: Sequence[Mapping[str, str]]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def labels_of(answers: Mapping[str, str], tasks: Sequence[str]) -> bytes:
    """The labels on chain of these answers."""
    return bytes(OPTIONS.index(answers[task]) for task in tasks)
