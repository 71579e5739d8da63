"""A campaign whose labelers' processes die: `PYTHONPATH=tests python tests/crash/play.py FOLDER SCENARIO …`.

`killed LABELERS KILLS` or `troubles 6`. Prints what came of it as one JSON object; the tests judge it. What
must hold at every single death is asserted here.
"""

from __future__ import annotations

import csv
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from killing import KEEPING, TOOL, check_openings, counted, counting, dying, given, left
from processes import (
    KILLED,
    Work,
    address,
    answers,
    ask,
    devnet_account,
    fork,
    free_port,
    kill,
    life,
    mined,
    node,
    rpc,
    seats,
    tail,
    until,
    wait,
    warm,
    write_key_files,
)
from proxy import serve

from earnest.chain.life import Phase

OPERATOR, EXPERIMENTER, FIRST_LABELER = 0, 1, 4
COHORT, POSITIONS = 3, 4
LONG = 20_000  # seconds; everybody is quicker, on the slowest machine
STAKE, BOUNTY, BOND = 10**18, 10**18, 10**17
OPTIONS = ("yes", "no", "can't say")


@dataclass
class Play:
    """One campaign on one node. `imported`: who has imported all answers."""

    url: str
    home: Path
    labelers: int
    contract: str = ""
    campaign: str = ""
    imported: set[int] = field(default_factory=set)
    deaths: dict[str, int] = field(default_factory=dict)
    commitments: int = 0
    notes: dict[str, Any] = field(default_factory=dict)

    # ── Processes ───────────────────────────────────────────────────────────────────────────────────────────

    def do(self, work: Callable[[Any], object]) -> Any:
        """What `work` answers to a client, in a process of its own."""
        return ask(self.url, work, self.home / "others.log", self.contract)

    def cli(
        self,
        labeler: int,
        *arguments: str,
        url: str = "",
        mortal: Callable[[Work], Work] = lambda work: work,
    ) -> int:
        """Start a labeler's command line; the process's id. `{me}` is the labeler in the arguments."""
        said = [each.format(home=self.home, me=labeler) for each in arguments]

        def command() -> None:
            from earnest.cli import main

            where = ["--network", url or self.url, "--contract", self.contract]
            who = ["--account", f"labeler{labeler}", "--data", str(self.data(labeler))]
            sys.argv = ["earnest", "label", said[0], self.campaign, *said[1:], *where, *who]
            main()

        return fork(mortal(command), self.log(labeler))

    def data(self, labeler: int) -> Path:
        return self.home / f"data{labeler}"

    def log(self, labeler: int) -> Path:
        return self.home / f"labeler{labeler}.log"

    def run(self, labeler: int, *arguments: str) -> None:
        """One command of a labeler's, to its good end."""
        assert wait([self.cli(labeler, *arguments)]) == [0], tail(self.log(labeler))

    def everyone(self, *arguments: str) -> None:
        """Every labeler does something, all at once."""
        statuses = wait([self.cli(index, *arguments) for index in range(self.labelers)])
        for index, status in enumerate(statuses):
            assert status == 0, f"labeler {index} ended with {status}:\n{tail(self.log(index))}"

    def killed(self, stage: str, *arguments: str, kills: int) -> None:
        """Every labeler does something, and dies of it again and again; then once more, to the end.

        `kills` times each at an instruction of the tool, at one of those that keep and send, and at a moment:
        all at other places, later and later ones. The first labeler lives: how many instructions and how long
        it takes says where the others die.
        """
        path, began = self.home / "count", time.monotonic()
        probe = self.cli(0, *arguments, mortal=lambda work: counting(work, path))
        assert wait([probe]) == [0], tail(self.log(0))
        seconds = time.monotonic() - began
        totals = {where: counted(path, where) for where in (TOOL, KEEPING)}
        self.notes.setdefault("instructions", {})[stage] = list(totals.values())
        others = range(1, self.labelers)

        def start(where: tuple[str, ...], part: float, index: int) -> int:
            place = 1 + int(totals[where] * part)
            return self.cli(index, *arguments, mortal=lambda work: dying(work, where, place))

        for round_ in range(kills):
            parts = {index: (round_ + (index - 0.5) / len(others)) / kills for index in others}
            for where in (TOOL, KEEPING):
                children = [start(where, parts[index], index) for index in others]
                self.mourn(stage, wait(children))
            began = time.monotonic()
            started = {index: self.cli(index, *arguments) for index in others}
            statuses = []
            for index, child in started.items():
                time.sleep(max(0.0, began + parts[index] * seconds - time.monotonic()))
                statuses.append(kill(child))
            self.mourn(stage, statuses)
        for index in others:
            self.run(index, *arguments)

    def mourn(self, stage: str, statuses: Sequence[int]) -> None:
        """Count deaths, and look at what everybody who may have died left."""
        assert set(statuses) <= {KILLED, 0}, [tail(self.log(index)) for index in range(self.labelers)]
        self.deaths[stage] = self.deaths.get(stage, 0) + statuses.count(KILLED)
        number = int(self.campaign, 16)
        there = seats(self.url, self.contract, number, self.labelers)
        for labeler in range(1, self.labelers):
            found, who = left(self.data(labeler)), address(FIRST_LABELER + labeler)
            self.commitments += check_openings(self.url, self.contract, number, who, there, found)
            path = self.home / f"labels{labeler}.csv"
            whole = given(path, OPTIONS) if path.exists() else {}
            assert found.answers == whole or (labeler not in self.imported and not found.answers)

    def phase(self) -> Phase:
        return Phase(life(self.url, self.contract, int(self.campaign, 16)).phase)

    # ── The campaign ────────────────────────────────────────────────────────────────────────────────────────

    def drawn(self) -> None:
        self.do(lambda client: draw(client, int(self.campaign, 16)))

    def answered(self) -> None:
        """Every labeler's file of answers."""
        self.everyone("fetch", "--to", "{home}/empty{me}.csv")
        for labeler in range(self.labelers):
            rows = list(csv.DictReader((self.home / f"empty{labeler}.csv").open()))
            for row in rows:
                row["answer"] = answer(labeler, row["task"])
            with (self.home / f"labels{labeler}.csv").open("w", newline="") as file:
                writer = csv.DictWriter(file, ["position", "task", "shows", "answer"])
                writer.writeheader()
                writer.writerows(rows)

    def settled(self) -> None:
        self.do(lambda client: settle(client, int(self.campaign, 16)))

    def outcome(self) -> dict[str, Any]:
        """What the chain has, and what it should have."""
        found = self.do(lambda client: seats_on_chain(client, int(self.campaign, 16)))
        for labeler in range(self.labelers):
            rows = list(csv.DictReader((self.home / f"labels{labeler}.csv").open()))
            expected = bytes(OPTIONS.index(row["answer"]) for row in rows).hex()
            for seat in found:
                if seat["labeler"] == address(FIRST_LABELER + labeler):
                    seat["expected"] = expected
        notes = self.notes | {"deaths": self.deaths, "commitments_seen": self.commitments}
        return notes | {"seats": found}


def answer(labeler: int, task: str) -> str:
    """Mostly the truth, as honest people differ a little."""
    number = int(task.removeprefix("t"))
    return OPTIONS[(number + (number % 7 == labeler % 7)) % len(OPTIONS)]


def deployed(play: Play) -> str:
    """Deploy; where `Earnest` is."""
    place = play.home / "contract"

    def work() -> None:
        from earnest.chain import deployment
        from earnest.cli.connection import network_of

        with network_of(play.url):
            params = deployment.read_params(deployment.network_name())
            done = deployment.deploy(params, sender=devnet_account(OPERATOR), record=False, folder=play.home)
            place.write_text(done.contracts["Earnest"].address)

    (status,) = wait([fork(work, play.home / "others.log")])
    assert status == 0, tail(play.home / "others.log")
    return place.read_text()


def opened(client: Any, home: Path, batches: int) -> str:
    from earnest.chain.records import Created
    from earnest.manifest.manifest import Manifest, Task
    from earnest.manifest.question import Kind, Question
    from earnest.protocol.terms import Curve, Metric, Periods, Terms, Weights

    tasks = tuple(Task(f"t{index}", {"text": f"Is {index} so?"}) for index in range(batches * POSITIONS))
    manifest = Manifest(
        question=Question(text="Is it so?", kind=Kind.CHOICE, options=OPTIONS),
        tasks=tasks,
        batches=tuple(
            (tuple(range(batch * POSITIONS, (batch + 1) * POSITIONS)),) for batch in range(batches)
        ),
    )
    (home / "manifest.json").write_bytes(manifest.to_bytes())
    terms = Terms(
        stake=STAKE,
        bounty=BOUNTY,
        batch_size=POSITIONS,
        cohort=COHORT,
        metric=Metric.NOMINAL,
        classes=len(OPTIONS),
        bond=BOND,
        batches=batches,
        enroll_by=client.now() + LONG,
        curve=Curve(max_slash=3_000, forfeit=5_000),
        weights=Weights(peers=1, gold=0, repeats=0),
        periods=Periods(draw=LONG, commit=LONG, reveal=LONG, audit=LONG, challenge=3),
        manifest=manifest.digest(),
    )
    experimenter = devnet_account(EXPERIMENTER)
    client.deposit(terms.token, (terms.bounty + terms.fee) * batches, sender=experimenter)
    created = client.create(terms, (home / "manifest.json").as_uri(), sender=experimenter)
    return f"0x{created.only(Created).campaign:064x}"


def draw(client: Any, campaign: int) -> None:
    operator = devnet_account(OPERATOR)
    client.request_draw(campaign, sender=operator)
    ticket = client.draw_of(campaign).ticket
    until(lambda: client.web3.eth.block_number > ticket, "the block of the draw is there")
    client.draw(campaign, sender=operator)


def settle(client: Any, campaign: int) -> None:
    from earnest.chain import settle as settling

    operator = devnet_account(OPERATOR)
    found = client.state().campaigns[campaign]
    client.deposit(found.terms.token, BOND, sender=operator)
    words = settling.words(found, ())
    client.post(campaign, list(range(len(words))), words, sender=operator)
    until(lambda: client.life(campaign).phase.name == "FINAL", "the scores are final")


def seats_on_chain(client: Any, campaign: int) -> list[dict[str, Any]]:
    state = client.state()
    found = state.campaigns[campaign]
    return [
        {
            "labeler": seat.labeler,
            "labels": seat.labels.hex(),
            "committed": seat.committed,
            "revisions": seat.revisions,
            "paid": None if seat.paid is None else str(seat.paid),
            "free": str(state.balance_of(seat.labeler, found.terms.token)),
        }
        for seat in found.seats
    ]


# ── Scenarios ───────────────────────────────────────────────────────────────────────────────────────────────


def killed(play: Play, kills: int) -> dict[str, Any]:
    """Everyone is killed at every stage, each elsewhere, and simply starts again."""
    play.killed("enroll", "enroll", "--yes", kills=kills)
    play.drawn()
    play.answered()
    play.killed("import", "import", "{home}/labels{me}.csv", kills=kills)
    play.imported = set(range(play.labelers))
    play.killed("commit", "run", "--once", kills=kills)
    mined(play.url, 3)  # until the end of the phase is settled
    play.killed("reveal", "run", "--once", kills=kills)
    play.settled()
    play.killed("collect", "run", "--once", "--collect", kills=kills)
    return play.outcome()


def troubles(play: Play) -> dict[str, Any]:
    """Each labeler's commitment meets another mishap."""
    play.everyone("enroll", "--yes")
    play.drawn()
    play.answered()
    play.everyone("import", "{home}/labels{me}.csv")
    for labeler, kind in enumerate(("lost reply", "dropped", "replaced")):
        play.notes[kind] = mishap(play, labeler, kind)

    # two processes at once
    assert wait([play.cli(3, "run", "--once"), play.cli(3, "run", "--once")]) == [0, 0], tail(play.log(3))
    play.notes["twice"] = seat_of(play, 3)["revisions"]

    # a commitment that a reorganisation takes away
    play.run(4, "run", "--once")
    before = seat_of(play, 4)["committed"]
    take_away_last_commitment(play)
    play.notes["reorganised"] = [before, seat_of(play, 4)["committed"]]
    for index in range(5):  # whose commitments went with it
        play.run(index, "run", "--once")

    # the last commitment ends the phase early; taken away before it is settled, nothing must have been shown
    play.run(5, "run", "--once")
    phase = play.phase()
    refused = wait([play.cli(5, "reveal", "--confirmations", "1000")])
    take_away_last_commitment(play)
    again = play.phase()
    shown = [seat["labels"] for seat in play.outcome()["seats"] if seat["labels"]]
    play.notes["early end"] = {"phase": phase.name, "reveal": refused, "after": again.name, "shown": shown}

    # left running, everyone gets through to the money
    runs = [play.cli(index, "run", "--collect", "--poll", "0.5") for index in range(play.labelers)]
    until(lambda: play.phase() is Phase.SETTLING, "everyone has committed and revealed")
    play.settled()
    assert wait(runs) == [0] * play.labelers, [tail(play.log(index)) for index in range(play.labelers)]
    return play.outcome()


def take_away_last_commitment(play: Play) -> None:
    """Let the chain be another from the block of the newest commitment on, without it."""

    def newest(client: Any) -> int:
        from earnest.chain.records import Committed

        return max(record.place.block for record in client.records() if isinstance(record, Committed))

    block = play.do(newest)
    head = int(rpc(play.url, "eth_blockNumber"), 16)
    rpc(play.url, "anvil_reorg", head - block + 3, [])  # deep enough though blocks are mined meanwhile


def mishap(play: Play, labeler: int, kind: str) -> dict[str, Any]:
    """A commitment sent over a proxy with a mishap, then the same command once more without."""
    port, met = free_port(), play.home / f"met {kind}"
    proxy = fork(lambda: serve(kind, play.url, port, FIRST_LABELER + labeler, met), play.home / "proxy.log")
    url = f"http://127.0.0.1:{port}"
    until(lambda: answers(url), "the proxy answers")
    child = play.cli(labeler, "run", "--once", url=url)
    until(met.exists, f"the mishap {kind} comes about")
    mined(play.url, 4)
    status = kill(child)  # it may wait for a receipt that never comes
    kill(proxy)
    before = seat_of(play, labeler)
    play.run(labeler, "run", "--once")
    return {"status": status, "before": before["committed"], "after": seat_of(play, labeler)["committed"]}


def seat_of(play: Play, labeler: int) -> dict[str, Any]:
    every = play.do(lambda client: seats_on_chain(client, int(play.campaign, 16)))
    (found,) = [seat for seat in every if seat["labeler"] == address(FIRST_LABELER + labeler)]
    return found


SCENARIOS: dict[str, Callable[..., dict[str, Any]]] = {"killed": killed, "troubles": troubles}


def main(folder: str, scenario: str, labelers: str, *kills: str) -> None:
    home, count = Path(folder), int(labelers)
    aliases = {f"labeler{index}": FIRST_LABELER + index for index in range(count)}
    passphrase = write_key_files(Path(os.environ["APE_DATA_FOLDER"]), aliases)
    os.environ["EARNEST_PASSPHRASE_FILE"] = str(passphrase)
    warm()
    with node(FIRST_LABELER + count) as url:
        play = Play(url, home, count)
        play.contract = deployed(play)
        play.campaign = play.do(lambda client: opened(client, home, count // COHORT))
        print(json.dumps(SCENARIOS[scenario](play, *map(int, kills))))


if __name__ == "__main__":
    main(*sys.argv[1:])
