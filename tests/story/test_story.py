"""From a dataset to a labelled dataset, by everybody's command line, on a node with a block time."""

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
FALSELY = {"rte", "ranking"}
STAKE = 2 * 10**17


def test_the_whole_story(tmp_path):
    data = tmp_path / "ape"
    data.mkdir()
    (data / "packages").symlink_to(Path(ape.config.DATA_FOLDER) / "packages")
    done = subprocess.run(
        [sys.executable, HERE / "play.py", tmp_path],
        env=os.environ | {"APE_DATA_FOLDER": str(data)},
        capture_output=True,
        text=True,
        timeout=1_200,
    )
    assert done.returncode == 0, done.stderr[-5000:]
    print(done.stderr)
    told = json.loads(done.stdout)

    for name, found in told["campaigns"].items():
        assert found["revealed"] == 10, name
        assert found["false_and_void"] == (name in FALSELY), name
        assert found["postings"] == 1, name  # a false one, refereed, or a right one
        assert not found["false_scores"], name
        assert found["locked"] == 0, name
        assert sum(map(int, found["paid"])) > 10 * STAKE, name

    for name in told["campaigns"]:
        first = files_of(tmp_path / "first" / name)
        assert first
        assert any(first.values())
        assert files_of(tmp_path / "again" / name) == first


def files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
