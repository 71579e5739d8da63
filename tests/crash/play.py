"""Plays a campaign whose labelers' processes die: `python play.py SCENARIO FOLDER LABELERS KILLS`.

Prints what came of it as one JSON object; the tests judge it.
"""

from __future__ import annotations

import csv
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from proxy import serve
from stage import (
    CHAIN,
    EXPERIMENTER,
    FIRST_LABELER,
    KILLED,
    OPERATOR,
    devnet_account,
    fork,
    free_port,
    node,
    rpc,
    until,
    wait,
    write_key_files,
)

COHORT, POSITIONS = 3, 4
STAKE, BOUNTY, BOND = 10**18, 10**18, 10**17
OPTIONS = ("yes", "no", "can't say")


@dataclass
class Play:
    """One campaign on one node."""

    url: str
    home: Path
    labelers: int
    contract: str = ""
    campaign: str = ""
    deaths: int = 0
    notes: dict[str, Any] = field(default_factory=dict)

    # ── Processes ───────────────────────────────────────────────────────────────────────────────────────────

    def do(self, work: Callable[[Any], object]) -> Any:
        """What `work` answers to a client, in a process of its own."""
        answer = self.home / "answer.json"

        def connected() -> None:
            from earnest.cli.connection import client_at, network_of

            with network_of(self.url):
                answer.write_text(json.dumps(work(client_at(self.contract or None))))

        (status,) = wait([fork(connected, self.home / "others.log")])
        assert status == 0, (self.home / "others.log").read_text()[-3000:]
        return json.loads(answer.read_text())

    def cli(
        self,
        labeler: int,
        *arguments: str,
        url: str = "",
        kill_at: int | None = None,
        count_to: Path | None = None,
    ) -> int:
        """Start a labeler's command line; the process's id."""

        def command() -> None:
            from earnest.cli import main

            os.environ["EARNEST_PASSPHRASE_FILE"] = str(self.home / "ape" / "passphrase")
            where = ["--network", url or self.url, "--contract", self.contract]
            who = ["--account", f"labeler{labeler}", "--data", str(self.data(labeler))]
            sys.argv = ["earnest", "label", arguments[0], self.campaign, *arguments[1:], *where, *who]
            main()

        return fork(command, self.home / f"labeler{labeler}.log", kill_at, count_to)

    def data(self, labeler: int) -> Path:
        return self.home / f"data{labeler}"

    def everyone(self, *arguments: str, kills: int = 0) -> None:
        """Every labeler does something, and dies of it `kills` times, each elsewhere, before it may end.

        The first labeler's count of lines says how far apart the places are.
        """
        if kills:
            count = self.home / "count"
            probe = self.cli(0, *self._arguments(0, arguments), count_to=count)
            assert wait([probe]) == [0], self.log(0)
            total = int(count.read_text())
            self.notes.setdefault("lines", {})[arguments[0]] = total
            for round_ in range(kills):
                places = [
                    1
                    + total
                    * ((index * kills + round_ * 2 + 1) % (kills * self.labelers))
                    // (kills * self.labelers)
                    for index in range(self.labelers)
                ]
                children = [
                    self.cli(index, *self._arguments(index, arguments), kill_at=place)
                    for index, place in enumerate(places)
                    if index
                ]
                self.deaths += wait(children).count(KILLED)
        statuses = wait(
            [self.cli(index, *self._arguments(index, arguments)) for index in range(self.labelers)]
        )
        for index, status in enumerate(statuses):
            assert status == 0, f"labeler {index} ended with {status}:\n{self.log(index)}"

    def _arguments(self, labeler: int, arguments: Sequence[str]) -> list[str]:
        return [each.replace("{home}", str(self.home)).replace("{me}", str(labeler)) for each in arguments]

    def log(self, labeler: int) -> str:
        return (self.home / f"labeler{labeler}.log").read_text()[-3000:]

    # ── The campaign ────────────────────────────────────────────────────────────────────────────────────────

    def open(self) -> None:
        """Contracts and a campaign."""
        self.contract = deployed(self)
        self.campaign = self.do(lambda client: opened(client, self.home, self.labelers // COHORT))

    def drawn(self) -> None:
        self.do(lambda client: draw(client, int(self.campaign, 16)))

    def answered(self) -> None:
        """Every labeler's file of answers."""
        self.everyone("fetch", "--to", "{home}/labels{me}.csv")
        for labeler in range(self.labelers):
            path = self.home / f"labels{labeler}.csv"
            rows = list(csv.DictReader(path.open()))
            for row in rows:
                row["answer"] = answer(labeler, row["task"])
            with path.open("w", newline="") as file:
                writer = csv.DictWriter(file, ["position", "task", "shows", "answer"])
                writer.writeheader()
                writer.writerows(rows)

    def settled(self) -> None:
        self.do(lambda client: settle(client, int(self.campaign, 16)))

    def outcome(self) -> dict[str, Any]:
        """What the chain has, and what it should have."""
        seats = self.do(lambda client: seats_on_chain(client, int(self.campaign, 16)))
        for labeler in range(self.labelers):
            address = devnet_account(FIRST_LABELER + labeler).address
            rows = list(csv.DictReader((self.home / f"labels{labeler}.csv").open()))
            expected = bytes(OPTIONS.index(row["answer"]) for row in rows).hex()
            for seat in seats:
                if seat["labeler"] == address:
                    seat["expected"] = expected
        return self.notes | {"seats": seats, "deaths": self.deaths}


def answer(labeler: int, task: str) -> str:
    """Mostly the truth, as honest people differ a little."""
    number = int(task.removeprefix("t"))
    return OPTIONS[(number + (number % 7 == labeler % 7)) % len(OPTIONS)]


def deployed(play: Play) -> str:
    place = play.home / "contract"

    def work() -> None:
        from earnest.chain import deployment
        from earnest.cli.connection import network_of

        with network_of(play.url):
            params = deployment.read_params(deployment.network_name())
            done = deployment.deploy(params, sender=devnet_account(OPERATOR), record=False, folder=play.home)
            place.write_text(done.contracts["Earnest"].address)

    (status,) = wait([fork(work, play.home / "others.log")])
    assert status == 0, (play.home / "others.log").read_text()[-3000:]
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
        enroll_by=client.now() + 1_000,
        curve=Curve(max_slash=3_000, forfeit=5_000),
        weights=Weights(peers=1, gold=0, repeats=0),
        periods=Periods(draw=1_000, commit=1_000, reveal=1_000, audit=1_000, challenge=3),
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
    """Everyone is killed at every stage, each at another line, and simply starts again."""
    play.everyone("enroll", "--yes", kills=kills)
    play.drawn()
    play.answered()
    play.everyone("import", "{home}/labels{me}.csv", kills=1)
    play.everyone("run", "--once", kills=kills)
    after = play.do(lambda client: client.web3.eth.block_number)
    until(lambda: int(rpc(play.url, "eth_blockNumber"), 16) >= after + 4, "the end of the phase is settled")
    play.everyone("run", "--once", kills=kills)
    play.settled()
    play.everyone("run", "--once", "--collect", kills=kills)
    return play.outcome()


def troubles(play: Play, _kills: int) -> dict[str, Any]:
    """Each labeler's commitment meets another mishap."""
    play.everyone("enroll", "--yes")
    play.drawn()
    play.answered()
    play.everyone("import", "{home}/labels{me}.csv")
    play.notes["lost reply"] = mishap(play, 0, "lost reply")
    play.notes["dropped"] = mishap(play, 1, "dropped")
    play.notes["replaced"] = mishap(play, 2, "replaced")

    # two processes at once
    assert wait([play.cli(3, "run", "--once"), play.cli(3, "run", "--once")]) == [0, 0], play.log(3)
    play.notes["twice"] = seat_of(play, 3)["revisions"]

    # a commitment that a reorganisation takes away
    assert wait([play.cli(4, "run", "--once")]) == [0], play.log(4)
    before = seat_of(play, 4)["committed"]
    take_away_last_commitment(play)
    play.notes["reorganised"] = [before, seat_of(play, 4)["committed"]]
    for index in range(5):  # whose commitments went with it
        assert wait([play.cli(index, "run", "--once")]) == [0], play.log(index)

    # the last commitment ends the phase early; taken away before it is settled, nothing must have been shown
    assert wait([play.cli(5, "run", "--once")]) == [0], play.log(5)
    phase = play.do(lambda client: client.life(int(play.campaign, 16)).phase.name)
    refused = wait([play.cli(5, "reveal", "--confirmations", "1000")])
    take_away_last_commitment(play)
    again = play.do(lambda client: client.life(int(play.campaign, 16)).phase.name)
    shown = [seat["labels"] for seat in play.outcome()["seats"] if seat["labels"]]
    play.notes["early end"] = {"phase": phase, "reveal": refused, "after": again, "shown": shown}

    # left running, everyone gets through to the money
    runs = [play.cli(index, "run", "--collect", "--poll", "0.5") for index in range(play.labelers)]
    until(
        lambda: play.do(lambda client: client.life(int(play.campaign, 16)).phase.name) == "SETTLING",
        "everyone has committed and revealed",
    )
    play.settled()
    assert wait(runs) == [0] * play.labelers, "\n".join(play.log(index) for index in range(play.labelers))
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
    port = free_port()
    met = play.home / f"met {kind}"
    proxy = fork(lambda: serve(kind, play.url, port, FIRST_LABELER + labeler, met), play.home / "proxy.log")
    url = f"http://127.0.0.1:{port}"
    until(lambda: listening(url), "the proxy answers")
    child = play.cli(labeler, "run", "--once", url=url)
    until(met.exists, f"the mishap {kind} comes about")
    time.sleep(2)
    os.kill(child, signal.SIGKILL)  # it may wait for a receipt that never comes; a zombie does not mind
    (status,) = wait([child])
    os.kill(proxy, signal.SIGKILL)
    wait([proxy])
    before = seat_of(play, labeler)
    assert wait([play.cli(labeler, "run", "--once")]) == [0], play.log(labeler)
    return {"status": status, "before": before["committed"], "after": seat_of(play, labeler)["committed"]}


def listening(url: str) -> bool:
    try:
        return int(rpc(url, "eth_chainId"), 16) == CHAIN
    except OSError:
        return False


def seat_of(play: Play, labeler: int) -> dict[str, Any]:
    address = devnet_account(FIRST_LABELER + labeler).address
    seats = play.do(lambda client: seats_on_chain(client, int(play.campaign, 16)))
    (found,) = [seat for seat in seats if seat["labeler"] == address]
    return found


SCENARIOS = {"killed": killed, "troubles": troubles}


def main(scenario: str, folder: str, labelers: str, kills: str) -> None:
    home, count = Path(folder), int(labelers)
    write_key_files(home / "ape", count)
    with node(FIRST_LABELER + count) as url:
        play = Play(url, home, count)
        play.open()
        print(json.dumps(SCENARIOS[scenario](play, int(kills))))


if __name__ == "__main__":
    # Everything that a command line imports, so that it costs each process nothing; nothing is connected yet.
    import earnest.cli.connection
    import earnest.cli.label
    import earnest.labeler.run  # noqa: F401

    main(*sys.argv[1:])
