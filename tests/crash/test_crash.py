"""Nothing that a labeler committed to is lost, wherever the tool dies and whatever becomes of a transaction.

Real processes against a real node with a block time; see `play.py` for what happens in which order.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import ape
import pytest

pytestmark = [pytest.mark.anvil, pytest.mark.long]

HERE = Path(__file__).parent
STAKE = 10**18


def play(folder: Path, scenario: str, labelers: int, kills: int, limit: float) -> dict:
    data = folder / "ape"
    data.mkdir()
    (data / "packages").symlink_to(Path(ape.config.DATA_FOLDER) / "packages")
    done = subprocess.run(
        [sys.executable, HERE / "play.py", scenario, folder, str(labelers), str(kills)],
        env=os.environ | {"APE_DATA_FOLDER": str(data)},
        capture_output=True,
        text=True,
        timeout=limit,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout)


def check_paid(outcome: dict, labelers: int) -> None:
    """One seat each, exactly what was answered is revealed, the stake is back and withdrawn."""
    seats = outcome["seats"]
    assert len({seat["labeler"] for seat in seats}) == len(seats) == labelers
    for seat in seats:
        assert seat["labels"] == seat["expected"] != ""
        assert int(seat["paid"]) >= STAKE
        assert int(seat["free"]) == 0


def test_killed_at_any_line(tmp_path):
    outcome = play(tmp_path, "killed", labelers=3, kills=1, limit=600)
    check_paid(outcome, 3)
    assert outcome["deaths"] >= 7  # of the 10 that were tried; some end before their line comes


@pytest.mark.fuzz
def test_killed_at_many_lines(tmp_path):
    outcome = play(tmp_path, "killed", labelers=15, kills=20, limit=3_600)
    check_paid(outcome, 15)
    assert outcome["deaths"] >= 500


def test_mishaps_of_transactions(tmp_path):
    outcome = play(tmp_path, "troubles", labelers=6, kills=0, limit=600)
    check_paid(outcome, 6)
    assert outcome["lost reply"]["after"]
    for kind in ("dropped", "replaced"):
        assert not outcome[kind]["before"]
        assert outcome[kind]["after"]
    assert outcome["twice"] == 1  # two processes at once commit once
    assert outcome["reorganised"] == [True, False]
    early = outcome["early end"]
    assert (early["phase"], early["after"]) == ("REVEALING", "COMMITTING")
    assert early["reveal"] == [2]
    assert early["shown"] == []
