"""The whole story through the command line alone: `python play.py FOLDER`; the figures as JSON on stdout.

Each command is a process of its own, forked from this one, which has imported everything and is connected to
nothing. Only the dishonest settler has no command for what it does.
"""

from __future__ import annotations

import csv
import faulthandler
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "crash"))

from crowd import PEOPLE, Campaign, campaigns
from eth_account import Account
from eth_account.hdaccount import ETHEREUM_DEFAULT_PATH
from stage import MNEMONIC, PASSPHRASE, answers, fork, node, until

LABELERS = [f"labeler{number}" for number in range(PEOPLE)]
ROLES = ["operator", "experimenter", "settler", "watcher", "dishonest", *LABELERS]
FALSELY = ("rte", "ranking")  # where the dishonest settler is the first to post
AT_ONCE = 10
LONG, SHORT = "20m", "25s"
PERIODS = dict.fromkeys(("enroll", "draw", "commit", "reveal", "audit"), LONG) | {"challenge": SHORT}
PATIENCE = 240.0
MONEY = {"bounty": "1", "stake": "0.2", "fee": "0.01", "bond": "0.1"}
FALSE_SCORE = 9_999


@dataclass
class Story:
    """One node, all actors, four campaigns."""

    url: str
    home: Path
    ids: dict[str, str] = field(default_factory=dict)
    commands: int = 0

    def start(self, role: str, *arguments: str, data: str = "", log: str = "") -> int:
        """Start a role's command line; the process's id."""
        self.commands += 1

        def command() -> None:
            from earnest.cli import main

            faulthandler.cancel_dump_traceback_later()  # some run until they are killed
            os.environ["EARNEST_DATA"] = str(self.home / (data or f"data-{role}"))
            sys.argv = ["earnest", *arguments, "--network", self.url, "--account", role]
            main()

        return fork(command, self.log(log or role))

    def log(self, name: str) -> Path:
        return self.home / f"{name}.log"

    def cli(self, role: str, *arguments: str, data: str = "") -> None:
        """Run a command to its end, which must be a good one."""
        (status,) = wait([self.start(role, *arguments, data=data)])
        assert status == 0, f"{role} {arguments}: {status}\n{self.log(role).read_text()[-3000:]}"

    def everyone(self, commands: Sequence[tuple[str, ...]]) -> None:
        """Run (role, argument, …), a few at once."""
        for at in range(0, len(commands), AT_ONCE):
            some = commands[at : at + AT_ONCE]
            statuses = wait([self.start(*each) for each in some])
            for (role, *arguments), status in zip(some, statuses, strict=True):
                assert status == 0, f"{role} {arguments}: {status}\n{self.log(role).read_text()[-3000:]}"

    def ask(self, work: Callable[[Any], Any]) -> Any:
        """What `work` answers to a client, in a process of its own."""
        path = self.home / "answer.json"

        def connected() -> None:
            from earnest.cli.connection import client_at, network_of

            with network_of(self.url):
                path.write_text(json.dumps(work(client_at(None))))

        (status,) = wait([fork(connected, self.log("others"))])
        assert status == 0, self.log("others").read_text()[-3000:]
        return json.loads(path.read_text())

    def phases(self) -> dict[str, str]:
        """Each campaign's phase; `Done` when all of it is paid out."""

        def work(client: Any) -> dict[str, str]:
            lives = {name: client.life(int(number, 16)) for name, number in self.ids.items()}
            return {
                name: "Done" if life.released and life.released == life.batches else life.phase.title
                for name, life in lives.items()
            }

        found: dict[str, str] = self.ask(work)
        return found

    def until(self, *phases: str) -> None:
        """Wait until every campaign is in one of these phases."""
        until(lambda: set(self.phases().values()) <= set(phases), f"all are {phases}", PATIENCE)


def wait(children: Sequence[int]) -> list[int]:
    """The exit statuses, once all have ended."""
    return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]


def write_accounts(folder: Path) -> None:
    """Key files of Ape, with a key derivation that costs nothing."""
    Account.enable_unaudited_hdwallet_features()
    (folder / "accounts").mkdir(parents=True, exist_ok=True)
    for index, role in enumerate(ROLES):
        key = Account.from_mnemonic(MNEMONIC, account_path=ETHEREUM_DEFAULT_PATH[:-1] + str(index)).key
        document = Account.encrypt(key, PASSPHRASE, kdf="pbkdf2", iterations=2)
        (folder / "accounts" / f"{role}.json").write_text(json.dumps(document))
    (folder / "passphrase").write_text(PASSPHRASE)


def write_campaign(folder: Path, campaign: Campaign) -> Path:
    """The experimenter's two files."""
    with (folder / f"{campaign.name}.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(campaign.rows[0]))
        writer.writeheader()
        writer.writerows(campaign.rows)
    document = {"tasks": f"{campaign.name}.csv", "seats": PEOPLE, "money": MONEY, "periods": PERIODS}
    path = folder / f"{campaign.name}.json"
    path.write_text(json.dumps(document | {"publish": "public/"} | campaign.document))
    return path


def write_answers(folder: Path, campaign: Campaign) -> None:
    """Each labeler's file of answers: what the person really gave."""
    for person, given in enumerate(campaign.answers):
        with (folder / f"{campaign.name}-{person}.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["task", "answer"])
            writer.writerows(given.items())


def post_falsely(story: Story) -> Callable[[Any], Any]:
    """The dishonest settler's script: the best of scores for everybody."""

    def work(client: Any) -> Any:
        from earnest.cli.connection import load_account
        from earnest.protocol.settlement import pack

        account = load_account("dishonest")
        for name in FALSELY:
            number = int(story.ids[name], 16)
            terms = client.terms(number)
            client.deposit(terms.token, terms.bond, sender=account)
            client.post(number, [0], [pack([FALSE_SCORE] * PEOPLE)], sender=account)
        return True

    return work


def outcome(story: Story, told: list[Campaign]) -> Callable[[Any], Any]:
    """What the chain has at the end."""

    def work(client: Any) -> Any:
        from earnest.chain.state import PostingStatus

        state = client.state()
        found = {}
        for campaign in told:
            there = state.campaigns[int(story.ids[campaign.name], 16)]
            scores = [there.scores(batch) or [] for batch in range(len(there.batches))]
            void = sum(each.status is PostingStatus.VOID for each in there.postings.values())
            found[campaign.name] = {
                "revealed": sum(seat.revealed for seat in there.seats),
                "false_and_void": void,
                "postings": len(there.postings),
                "locked": there.locked,
                "paid": [str(seat.paid) for seat in there.seats],
                "false_scores": any(FALSE_SCORE in lanes for lanes in scores),
            }
        return {"campaigns": found, "held": str(state.held("0x" + "0" * 40))}

    return work


def play(story: Story) -> dict[str, Any]:
    told = campaigns()
    seats = [(campaign, person) for campaign in told for person in range(PEOPLE)]
    files = story.home / "experimenter"
    files.mkdir()
    clock = {"start": time.monotonic()}

    def mark(name: str) -> None:
        clock[name] = time.monotonic()
        print(f"{name}: {clock[name] - clock['start']:.0f} s", file=sys.stderr, flush=True)

    story.cli("operator", "deploy", "--as", "ethereum.custom", "--yes")
    mark("deployed")
    for campaign in told:
        story.cli("experimenter", "campaign", "create", str(write_campaign(files, campaign)), "--yes")
        record = json.loads((files / campaign.name / "campaign.json").read_text())
        story.ids[campaign.name] = record["campaign"]
        write_answers(story.home, campaign)
    mark("created")
    watcher = story.start("watcher", "settle", "run", "--watch-only", "--poll", "1")
    drawer = story.start("settler", "settle", "run", "--no-post", "--poll", "1")
    running = [watcher, drawer]
    try:
        by_name = story.ids
        story.everyone(
            [(f"labeler{p}", "label", "enroll", by_name[c.name], "--yes") for c, p in seats]
        )
        mark("enrolled")
        story.until("Committing")
        mark("drawn")
        story.everyone(
            [
                (f"labeler{p}", "label", "import", by_name[c.name], str(story.home / f"{c.name}-{p}.csv"))
                for c, p in seats
            ]
        )
        mark("answered")
        story.everyone([(f"labeler{p}", "label", "commit", by_name[c.name]) for c, p in seats])
        story.until("Revealing")
        time.sleep(3)  # the two blocks that the end of committing must be settled by
        mark("committed")
        story.everyone([(f"labeler{p}", "label", "reveal", by_name[c.name]) for c, p in seats])
        mark("revealed")
        story.cli("experimenter", "campaign", "disclose", str(files / "rte"), "--yes")
        assert story.ask(post_falsely(story))
        mark("posted falsely")
        os.kill(drawer, signal.SIGKILL)
        os.waitpid(drawer, 0)
        running[1] = story.start("settler", "settle", "run", "--deposit", "--poll", "1")
        story.until("Done")
        mark("paid")
    finally:
        for process in running:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
    story.everyone([(f"labeler{p}", "label", "withdraw", "--yes") for p in range(PEOPLE)])
    mark("withdrawn")
    found = story.ask(outcome(story, told))
    export(story, told, files)
    mark("exported")
    seconds = clock["exported"] - clock["start"]
    return found | {"commands": story.commands, "seconds": round(seconds), "folder": str(story.home)}


def export(story: Story, told: list[Campaign], files: Path) -> None:
    """The dataset twice: by the experimenter, and by a stranger with the chain and the published manifest."""
    for campaign in told:
        folder = str(files / campaign.name)
        to = str(story.home / "first" / campaign.name)
        story.cli("experimenter", "campaign", "export", folder, "--to", to)
        # A process that finds none of the experimenter's files but the manifest.
        os.rename(files / campaign.name, story.home / f"away-{campaign.name}")
        number, to = story.ids[campaign.name], str(story.home / "again" / campaign.name)
        story.cli("watcher", "campaign", "export", number, "--to", to, data="nothing")


def main(folder: str) -> None:
    home = Path(folder)
    write_accounts(Path(os.environ["APE_DATA_FOLDER"]))
    os.environ["EARNEST_PASSPHRASE_FILE"] = str(Path(os.environ["APE_DATA_FOLDER"]) / "passphrase")
    os.environ["EARNEST_DEPLOYMENTS"] = str(home / "deployments")
    (home / "deployments").mkdir()
    with node(len(ROLES)) as url:
        assert answers(url)
        import earnest.cli.campaign
        import earnest.cli.connection
        import earnest.cli.deploy
        import earnest.cli.label
        import earnest.cli.settle
        import earnest.settler.run  # noqa: F401

        print(json.dumps(play(Story(url, home))))


if __name__ == "__main__":
    main(sys.argv[1])
