"""The whole story through the command line alone: `PYTHONPATH=tests python tests/story/play.py FOLDER`.

Each command is a process of its own. Three campaigns are led step by step; the fourth is carried by one
command, `earnest campaign run`, which is killed at every stage. The dishonest settler alone is a script:
there is no command for lying. What came of it all is left in the folder, for the test to judge.
"""

from __future__ import annotations

import csv
import faulthandler
import json
import os
import pickle
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from crowd import PEOPLE, Campaign, campaigns
from processes import (
    KILLED,
    Life,
    address,
    ask,
    fork,
    kill,
    life,
    mined,
    node,
    rpc,
    tail,
    until,
    wait,
    warm,
    write_key_files,
)

from earnest.chain.life import Phase

LABELERS: Final = [f"labeler{number}" for number in range(PEOPLE)]
ROLES: Final = ["operator", "experimenter", "settler", "watcher", "dishonest", *LABELERS]
CARRIED: Final = "rte"  # by `earnest campaign run`
FALSELY: Final = ("temp", "ranking")  # where the dishonest settler is the first to post
FALSE_SCORE: Final = 9_999
MONEY: Final = {"bounty": "1", "stake": "0.2", "fee": "0.01", "bond": "0.1"}
# Everybody is quicker than LONG, so what is posted falsely does not become final; what is right soon does,
# but not before the one that posted it can be killed.
LONG, SHORT = "60m", "8s"
PHASES: Final = ("enroll", "draw", "commit", "reveal", "audit")
POLL: Final = ("--poll", "0.5")
PATIENCE: Final = 240.0
SETTLED_BY: Final = 3  # blocks, the end of committing is settled

Commands = dict[str, list[tuple[str, ...]]]


@dataclass
class Story:
    """One node, all actors, four campaigns. `kills`: in which phases `earnest campaign run` was killed."""

    url: str
    home: Path
    contract: str = ""
    ids: dict[str, int] = field(default_factory=dict)
    kills: list[str] = field(default_factory=list)
    commands: int = 0
    began: float = field(default_factory=time.monotonic)

    # ── Processes ───────────────────────────────────────────────────────────────────────────────────────────

    def start(self, role: str, *arguments: str) -> int:
        """Start a role's command line; the process's id."""
        self.commands += 1

        def command() -> None:
            from earnest.cli import main

            faulthandler.cancel_dump_traceback_later()  # some run until they are killed
            os.environ["EARNEST_DATA"] = str(self.home / f"data-{role}")
            sys.argv = ["earnest", *arguments, "--network", self.url, "--account", role]
            main()

        return fork(command, self.log(role))

    def log(self, role: str) -> Path:
        return self.home / f"{role}.log"

    def cli(self, role: str, *arguments: str) -> None:
        """Run a command to its end, which must be a good one."""
        self.good(role, arguments, wait([self.start(role, *arguments)])[0])

    def everyone(self, commands: Commands) -> None:
        """Let every role run its commands, one after the other, all roles at once."""
        left = {role: list(each) for role, each in commands.items()}
        running: dict[int, tuple[str, tuple[str, ...]]] = {}
        while running or any(left.values()):
            busy = {role for role, _ in running.values()}
            for role in left.keys() - busy:
                if left[role]:
                    arguments = left[role].pop(0)
                    running[self.start(role, *arguments)] = (role, arguments)
            for child in list(running):
                done, status = os.waitpid(child, os.WNOHANG)
                if done:
                    self.good(*running.pop(child), os.waitstatus_to_exitcode(status))
            time.sleep(0.02)

    def good(self, role: str, arguments: Sequence[str], status: int) -> None:
        assert status == 0, f"{role} {' '.join(arguments)}: {status}\n{tail(self.log(role))}"

    def ask(self, work: Callable[[Any], Any]) -> Any:
        return ask(self.url, work, self.home / "others.log", self.contract)

    # ── What the chain says ─────────────────────────────────────────────────────────────────────────────────

    def life(self, name: str) -> Life:
        return life(self.url, self.contract, self.ids[name])

    def phase(self, name: str) -> Phase:
        return Phase(self.life(name).phase)

    def until(self, phase: Phase, names: Iterable[str] = ()) -> None:
        """Wait until these campaigns, or all, are that far."""
        which = list(names) or list(self.ids)
        until(lambda: all(self.phase(name) >= phase for name in which), f"all are {phase.title}", PATIENCE)

    def mark(self, what: str) -> None:
        print(f"{what}: {time.monotonic() - self.began:.0f} s", file=sys.stderr, flush=True)


# ── Files ───────────────────────────────────────────────────────────────────────────────────────────────────


def write_campaign(folder: Path, campaign: Campaign) -> Path:
    """The experimenter's two files; the manifest is to be published beside the folder."""
    with (folder / f"{campaign.name}.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, list(campaign.rows[0]))
        writer.writeheader()
        writer.writerows(campaign.rows)
    periods = dict.fromkeys(PHASES, LONG) | {"challenge": LONG if campaign.name in FALSELY else SHORT}
    document = {"tasks": f"{campaign.name}.csv", "seats": PEOPLE, "money": MONEY, "periods": periods}
    path = folder / f"{campaign.name}.json"
    path.write_text(json.dumps(document | {"publish": "../public/"} | campaign.document))
    return path


def write_answers(folder: Path, campaign: Campaign) -> None:
    """Each labeler's file of answers: what the person really gave."""
    for person, given in enumerate(campaign.answers):
        with (folder / f"{campaign.name}-{person}.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["task", "answer"])
            writer.writerows(given.items())


# ── The story ───────────────────────────────────────────────────────────────────────────────────────────────


def play(story: Story) -> None:
    told = campaigns()
    files = story.home / "experimenter"
    files.mkdir()
    story.cli("operator", "deploy", "--as", "ethereum.custom", "--yes")
    registry = json.loads(next((story.home / "deployments").glob("*.json")).read_text())
    story.contract = registry["contracts"]["Earnest"]["address"]
    story.mark("deployed")

    for campaign in told:
        path = write_campaign(files, campaign)
        write_answers(story.home, campaign)
        if campaign.name != CARRIED:
            story.cli("experimenter", "campaign", "create", str(path), "--yes")
            story.ids[campaign.name] = number_of(files / campaign.name)
    led = [f"--campaign=0x{number:064x}" for number in story.ids.values()]
    carrier = Carrier(story, files)
    carrier.create()
    running = {
        "watcher": story.start("watcher", "settle", "run", "--watch-only", *POLL),
        "settler": story.start("settler", "settle", "run", "--no-referee", "--no-post", *led, *POLL),
    }
    try:
        story.mark("created")
        label(story, told, carrier)
        all_do(story, [each for each in told if each.name != CARRIED], "reveal")
        story.until(Phase.SETTLING, story.ids.keys() - {CARRIED})
        assert story.ask(post_falsely(story))
        story.mark("posted falsely")
        assert kill(running.pop("settler")) == KILLED
        running["settler"] = story.start("settler", "settle", "run", "--no-referee", "--deposit", *led, *POLL)
        all_do(story, [each for each in told if each.name == CARRIED], "reveal")
        carrier.kill_from(Phase.AUDITING)
        until(lambda: story.life(CARRIED).scored > 0, "scores are posted", PATIENCE)
        carrier.kill_from(Phase.SETTLING)
        until(lambda: all(story.life(name).paid for name in story.ids), "all is paid", PATIENCE)
        carrier.end()
        # The settler takes its bond back after it has paid everybody.
        until(lambda: story.ask(standing) == 0, "all bonds are back", PATIENCE)
        story.mark("paid")
    finally:
        for child in running.values():
            kill(child)

    rich = {"settler": "settle", "watcher": "settle", "experimenter": "campaign"}
    groups = rich | dict.fromkeys(LABELERS, "label")
    story.everyone({role: [(group, "withdraw", "--yes")] for role, group in groups.items()})
    story.mark("withdrawn")
    exports = [
        ("campaign", "export", str(files / name), "--to", str(story.home / "first" / name))
        for name in story.ids
        if name != CARRIED
    ]
    story.everyone({"experimenter": exports})
    outcome = story.ask(lambda client: {"records": list(client.records()), "sink": client.sink})
    held = int(rpc(story.url, "eth_getBalance", story.contract, "latest"), 16)
    outcome |= {"ids": story.ids, "held": held, "kills": story.kills}
    outcome["addresses"] = {role: address(index) for index, role in enumerate(ROLES)}
    story.mark("exported")
    rebuild(story)
    (story.home / "outcome").write_bytes(pickle.dumps(outcome))
    story.mark(f"rebuilt, by {story.commands} commands")


def label(story: Story, told: list[Campaign], carrier: Carrier) -> None:
    """Everybody's work from enrolling to committing, while the fourth campaign's carrier is killed."""
    carrier.kill_from(Phase.ENROLLING)
    all_do(story, told, "enroll", "--yes")
    carrier.kill_from(Phase.DRAWING)
    story.until(Phase.COMMITTING)
    carrier.kill_from(Phase.COMMITTING)
    all_do(story, told, "import", f"{story.home}/{{file}}")
    all_do(story, told, "commit")
    story.until(Phase.REVEALING)
    mined(story.url, SETTLED_BY)


def all_do(story: Story, told: list[Campaign], command: str, *options: str) -> None:
    """Let every labeler run a command for each of these campaigns."""

    def line(campaign: Campaign, person: int) -> tuple[str, ...]:
        said = [each.format(file=f"{campaign.name}-{person}.csv") for each in options]
        return ("label", command, f"0x{story.ids[campaign.name]:064x}", *said)

    people = enumerate(LABELERS)
    story.everyone({role: [line(campaign, person) for campaign in told] for person, role in people})
    story.mark(f"{command} in {len(told)}")


class Carrier:
    """`earnest campaign run`, which is killed and started again."""

    def __init__(self, story: Story, files: Path) -> None:
        self.story, self.file, self.folder = story, files / f"{CARRIED}.json", files / CARRIED
        self.to = story.home / "first" / CARRIED
        self.child = self.start()

    def start(self) -> int:
        to = ("--to", str(self.to))
        return self.story.start("experimenter", "campaign", "run", str(self.file), "--yes", *to, *POLL)

    def create(self) -> None:
        """Let it create the campaign; killed as soon as what it is going to create is on disk."""
        record = self.folder / "campaign.json"
        until(record.exists, "the campaign is prepared", PATIENCE)
        self._kill("prepared")
        until(self._exists, "the campaign is created", PATIENCE)

    def _exists(self) -> bool:
        self.story.ids[CARRIED] = number_of(self.folder)
        return self.story.phase(CARRIED) is not Phase.NONE

    def kill_from(self, phase: Phase) -> None:
        """Kill it when the campaign has come to a phase, and start it again."""
        self.story.until(phase, [CARRIED])
        self._kill(self.story.phase(CARRIED).title)

    def _kill(self, when: str) -> None:
        assert kill(self.child) == KILLED, tail(self.story.log("experimenter"))
        self.story.kills.append(when)
        self.child = self.start()

    def end(self) -> None:
        """Wait for its good end."""
        self.story.good("experimenter", ["campaign", "run"], wait([self.child])[0])


def number_of(folder: Path) -> int:
    return int(json.loads((folder / "campaign.json").read_text())["campaign"], 16)


def post_falsely(story: Story) -> Callable[[Any], Any]:
    """The dishonest settler's script: the best of scores for everybody."""

    def work(client: Any) -> Any:
        from earnest.cli.connection import load_account
        from earnest.protocol.settlement import pack

        account = load_account("dishonest")
        for name in FALSELY:
            terms = client.terms(story.ids[name])
            client.deposit(terms.token, terms.bond, sender=account)
            client.post(story.ids[name], [0], [pack([FALSE_SCORE] * PEOPLE)], sender=account)
        return True

    return work


def standing(client: Any) -> int:
    """How many bonds are locked."""
    from earnest.chain.state import PostingStatus

    postings = [each for found in client.state().campaigns.values() for each in found.postings.values()]
    return sum(posting.status is PostingStatus.STANDING for posting in postings)


def rebuild(story: Story) -> None:
    """The datasets by a stranger, from the chain and the published manifests alone.

    Everything else that anybody has here is moved away first, and the stranger's processes are new ones,
    whose every folder is new and empty. Of the environment they have what finds programs.
    """
    away, stranger = story.home / "away", story.home / "stranger"
    kept = {story.home / "public", away, *(story.home / name for name in ("printed", "errors"))}
    away.mkdir()
    for path in sorted(story.home.iterdir()):
        if path not in kept:
            path.rename(away / path.name)
    names = ("HOME", "EARNEST_DATA", "APE_DATA_FOLDER", "TMPDIR")
    folders = {name: stranger / name.lower() for name in names}
    for folder in folders.values():
        folder.mkdir(parents=True)
    environment = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "LANG") if name in os.environ}
    environment |= {name: str(folder) for name, folder in folders.items()}
    for name, number in story.ids.items():
        story.commands += 1
        to = str(stranger / "again" / name)
        where = ["--to", to, "--network", story.url, "--contract", story.contract]
        subprocess.run(
            [Path(sys.executable).with_name("earnest"), "campaign", "export", f"0x{number:064x}", *where],
            cwd=stranger,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            check=True,
        )


def main(folder: str) -> None:
    home = Path(folder)
    indexes = {role: index for index, role in enumerate(ROLES)}
    passphrase = write_key_files(Path(os.environ["APE_DATA_FOLDER"]), indexes)
    os.environ["EARNEST_PASSPHRASE_FILE"] = str(passphrase)
    os.environ["EARNEST_DEPLOYMENTS"] = str(home / "deployments")
    (home / "deployments").mkdir()
    warm()
    with node(len(ROLES)) as url:
        play(Story(url, home))


if __name__ == "__main__":
    main(sys.argv[1])
