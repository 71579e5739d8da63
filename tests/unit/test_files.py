"""Files written whole or not at all, and locks between processes."""

from __future__ import annotations

import resource
import signal
import subprocess
import sys

import pytest

from earnest.files import OWNER_ONLY, FileError, locked, read_text, write_atomic

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

    def test_a_full_disk_is_told_with_the_file(self, tmp_path):
        path, usual = tmp_path / "a", resource.getrlimit(resource.RLIMIT_FSIZE)
        before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # as Python does; it stands for a full disk
        resource.setrlimit(resource.RLIMIT_FSIZE, (10, usual[1]))
        try:
            with pytest.raises(OSError, match="File too large") as found:
                write_atomic(path, b"x" * 100)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, usual)
            signal.signal(signal.SIGXFSZ, before)
        assert found.value.filename == str(path)
        assert list(tmp_path.iterdir()) == []


class TestReadText:
    def test_without_a_byte_order_mark(self, tmp_path):
        (tmp_path / "a").write_bytes(b"\xef\xbb\xbfbats\r\n")
        assert read_text(tmp_path / "a") == "bats\r\n"

    def test_what_is_no_text(self, tmp_path):
        path = tmp_path / "a"
        path.write_bytes(b"caf\xe9 noir")
        with pytest.raises(FileError, match=r"a is not in UTF-8: invalid continuation byte at byte 3\.$"):
            read_text(path)

    def test_what_is_not_there(self, tmp_path):
        with pytest.raises(FileError, match=r"a cannot be read: No such file or directory\.$"):
            read_text(tmp_path / "a")
