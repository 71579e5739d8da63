"""Files written whole or not at all, and locks between processes."""

from __future__ import annotations

import subprocess
import sys

import pytest

from earnest.files import OWNER_ONLY, locked, write_atomic

HOLD = "import sys, time; from pathlib import Path; from earnest.files import locked\n"
HOLD += "with locked(Path(sys.argv[1])) as mine: print(mine, flush=True); time.sleep(60)"


class TestLocked:
    def test_one_at_a_time(self, tmp_path):
        path = tmp_path / "new folder" / "a.lock"
        with locked(path) as mine, locked(path) as another, locked(tmp_path / "b.lock") as other:
            assert (mine, another, other) == (True, False, True)
        with locked(path) as again:
            assert again

    def test_ends_with_the_process_that_held_it(self, tmp_path):
        path = tmp_path / "a.lock"
        process = subprocess.Popen([sys.executable, "-c", HOLD, path], stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout.readline() == "True\n"
            with locked(path, patience=0.2) as mine:
                assert not mine
        finally:
            process.kill()
        with locked(path, patience=30) as mine:
            assert mine
        process.communicate()


class TestWriteAtomic:
    def test_replaces_the_whole_file(self, tmp_path):
        path = tmp_path / "a"
        write_atomic(path, b"much longer")
        write_atomic(path, b"short", OWNER_ONLY)
        assert path.read_bytes() == b"short"
        assert path.stat().st_mode & 0o777 == OWNER_ONLY

    def test_leaves_nothing_behind_when_it_fails(self, tmp_path):
        path = tmp_path / "a"
        path.mkdir()
        with pytest.raises(IsADirectoryError):
            write_atomic(path, b"cannot replace a folder")
        assert list(tmp_path.iterdir()) == [path]
