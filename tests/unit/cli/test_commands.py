from __future__ import annotations

import errno
import io
import json
import subprocess
import sys

import pytest
from rich.console import Console

from earnest.cli.errors import report
from earnest.cli.session import Session

ENVIRONMENT = {"PATH": "", "HOME": "/nonexistent"}


def earnest(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command line as a process of its own, without a terminal."""
    code = "from earnest.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=ENVIRONMENT | environment,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=120,
        check=False,
    )


def test_help_needs_neither_ape_nor_a_network():
    code = "import sys, earnest.cli, earnest.cli.campaign; sys.exit('ape' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=120, check=False).returncode == 0


@pytest.mark.parametrize(
    ("arguments", "wrong"),
    [
        (["campaign", "list"], "No network is named"),
        (["campaign", "plan", "/nowhere.yaml"], "does not exist"),
        (["campaign", "nonsense"], "No such command 'nonsense'"),
        (["campaign", "list", "--network", "http://127.0.0.1:9"], "There is no connection"),
    ],
)
def test_bad_input_is_one_sentence_and_status_2(tmp_path, arguments, wrong):
    found = earnest(*arguments, APE_DATA_FOLDER=str(tmp_path))
    assert (found.returncode, found.stdout) == (2, "")
    assert wrong in found.stderr
    assert "Traceback" not in found.stderr
    machine = earnest("--json", *arguments, APE_DATA_FOLDER=str(tmp_path))
    assert machine.returncode == 2
    assert wrong in json.loads(machine.stderr)["error"]


def test_what_is_wrong_is_quoted_but_not_at_any_length(tmp_path):
    (tmp_path / "c.yaml").write_text(f"question: '{'why ' * 50_000}'\nkind: {'x' * 1_000_000}\n")
    found = earnest("campaign", "plan", str(tmp_path / "c.yaml"))
    assert found.returncode == 2
    assert "it must be one of choice, preference, rating, ranking." in found.stderr
    assert len(found.stderr) < 5_000


def test_no_bars_where_nobody_looks():
    program = (
        "import contextlib; from earnest.cli import main\n"
        "with contextlib.suppress(SystemExit): main()\n"
        "from tqdm import tqdm; list(tqdm(range(3)))"
    )
    line = [sys.executable, "-c", program, "--help"]
    found = subprocess.run(line, capture_output=True, text=True, check=True)
    assert found.stderr == ""


def test_a_plan_needs_no_network(tmp_path):
    (tmp_path / "tasks.csv").write_text("id,text\n" + "".join(f"{n},number {n}\n" for n in range(40)))
    (tmp_path / "c.yaml").write_text(
        "question: Odd?\nkind: choice\noptions: [no, yes]\ntasks: tasks.csv\n"
        "money: {bounty: 0.5, stake: 0.1}\n"
    )
    found = earnest("campaign", "plan", str(tmp_path / "c.yaml"), "--json")
    assert found.returncode == 0, found.stderr
    plan = json.loads(found.stdout)
    assert (plan["batches"], plan["positions"], plan["seats"]) == (1, 40, 5)
    assert plan["cost"] == "500000000000000000"


def test_what_strangers_wrote_is_shown_and_never_obeyed():
    hostile = "\x1b[2J\x07[red]a[/red] \u202eb"
    out = io.StringIO()
    session = Session(console=Console(file=out, width=200))
    session.say(hostile)
    session.members({"question": hostile})
    session.table(["campaign", "by"], [["0x12", hostile]])
    assert out.getvalue().count("�[2J�[red]a[/red] �b") == 3


def test_a_full_disk_is_no_fault_of_ours(capsys):
    assert report(OSError(errno.ENOSPC, "No space left on device", "/data/manifest"), False) == 2
    assert report(OSError(errno.ENOSPC, "No space left on device"), False) == 2
    assert capsys.readouterr().err == (
        "/data/manifest cannot be read or written: No space left on device.\n"
        "Something cannot be read or written: No space left on device.\n"
    )
