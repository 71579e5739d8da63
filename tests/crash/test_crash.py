"""Nothing that a labeler committed to is lost, wherever the tool dies and whatever becomes of a transaction.

Real processes against a real node with a block time; see `play.py` for what happens in which order.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from processes import played

pytestmark = pytest.mark.anvil

PLAY = Path(__file__).with_name("play.py")
STAKE = 10**18
STAGES = ("enroll", "import", "commit", "reveal", "collect")


def check_paid(outcome: dict, labelers: int) -> None:
    """One seat each, exactly what was answered is revealed, the stake is back and withdrawn."""
    seats = outcome["seats"]
    assert len({seat["labeler"] for seat in seats}) == len(seats) == labelers
    for seat in seats:
        assert seat["labels"] == seat["expected"] != ""
        assert int(seat["paid"]) >= STAKE
        assert int(seat["free"]) == 0


def killed(folder: Path, labelers: int, kills: int, limit: float) -> dict:
    """Of each labeler's processes but one's, 3 × kills are killed at each stage; the deaths there were."""
    outcome = json.loads(played(PLAY, folder, "killed", str(labelers), str(kills), limit=limit))
    check_paid(outcome, labelers)
    assert set(outcome["deaths"]) == set(STAGES)
    assert all(outcome["deaths"].values())
    assert outcome["commitments_seen"] > 0
    print(outcome["deaths"], outcome["instructions"])
    return outcome["deaths"]


def test_killed_at_any_instruction(tmp_path):
    deaths = killed(tmp_path, labelers=3, kills=2, limit=600)
    assert sum(deaths.values()) >= 20  # of the 60 that were tried; many end before their time comes


@pytest.mark.fuzz
def test_killed_at_many_instructions(tmp_path):
    deaths = killed(tmp_path, labelers=15, kills=7, limit=3_600)
    assert sum(deaths.values()) >= 500  # of 1,470


def test_mishaps_of_transactions(tmp_path):
    outcome = json.loads(played(PLAY, tmp_path, "troubles", "6", limit=600))
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
