"""Manifests of strangers, fetched at arm's length."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from earnest.manifest.errors import ManifestError
from earnest.manifest.manifest import Manifest, Task
from earnest.manifest.question import Kind, Question
from earnest.settler import rows
from earnest.settler.rows import MOST_ROW, fetch_rows

QUESTION = Question(text="Which one?", kind=Kind.CHOICE, options=("x", "y"))


def publish(folder, *audit_rows):
    tasks = tuple(Task(str(number), {"text": "t"}) for number in range(2))
    manifest = Manifest(QUESTION, tasks, batches=(((0, 1),),) * len(audit_rows), audit_rows=audit_rows)
    path = folder / "manifest.json"
    path.write_bytes(manifest.to_bytes())
    return str(path), manifest.digest()


def test_rows_come_as_they_are(tmp_path):
    found = (b"\1\2", b"", b"\3", bytes(MOST_ROW))
    assert tuple(fetch_rows(*publish(tmp_path, *found))) == found


def test_a_row_that_no_transaction_carries_is_said(tmp_path):
    with pytest.raises(ManifestError, match=f"audit row of {MOST_ROW + 1} bytes; a transaction carries"):
        fetch_rows(*publish(tmp_path, b"", bytes(MOST_ROW + 1)))


def test_no_secret_goes_along(monkeypatch):
    for name in ("APE_ACCOUNTS_settler_PASSPHRASE", "EARNEST_PASSPHRASE_FILE", "WEB3_INFURA_PROJECT_ID"):
        monkeypatch.setenv(name, "secret")
    for name in ("https_proxy", "REQUESTS_CA_BUNDLE", "AWS_PROFILE", "PYTHONPATH", "HOME"):
        monkeypatch.setenv(name, "needed")
    found = rows._needed(os.environ)
    assert "secret" not in found.values()
    assert {name for name, value in found.items() if value == "needed"} == {
        "https_proxy", "REQUESTS_CA_BUNDLE", "AWS_PROFILE", "PYTHONPATH", "HOME"
    }  # fmt: skip


def test_ends_by_itself_when_nobody_waits_any_more():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        uri = f"http://127.0.0.1:{silent.getsockname()[1]}/manifest.json"
        command = [sys.executable, "-c", "from earnest.settler import rows; rows.SPARE = 0.0; rows.main()"]
        child = subprocess.Popen([*command, uri, "00" * 32, "2"])
        assert child.wait(timeout=60) == -signal.SIGALRM


def test_goes_on_where_memory_cannot_be_limited(monkeypatch):
    def refuse(*_):
        raise ValueError("not allowed to raise maximum limit")

    monkeypatch.setattr(rows.resource, "setrlimit", refuse)
    monkeypatch.setattr(rows.Path, "write_text", lambda *_: time.time())
    rows._be_modest()
