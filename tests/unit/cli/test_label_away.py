"""A node that is away for a while, and receipts that do not come: nothing of it loses anything."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import ape
import pytest

pytestmark = pytest.mark.anvil

PATIENCE = 60.0


class Relay(BaseHTTPRequestHandler):
    """Passes everything on to the node of the tests, or does what `mood` says."""

    node = ""
    mood = "pass on"
    refusal = b""
    refusals = 2  # of one transaction: it is asked once more for why
    refused = 0

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        match self.mood:
            case "hang up":
                pass
            case "502":
                self.answer(502, b"<html>Bad Gateway</html>")
            case "429":
                self.answer(429, b"slow down")
            case "nonsense":
                self.answer(200, b"<html>We are back soon.</html>")
            case "no object":
                self.answer(200, b"[]")
            case "refuse" if b"eth_sendRawTransaction" in body:
                type(self).refused += 1
                if self.refused == self.refusals:
                    type(self).mood = "pass on"
                self.answer(200, b'{"jsonrpc": "2.0", "id": 1, "error": %s}' % self.refusal)
            case "error":
                self.answer(
                    200, b'{"jsonrpc": "2.0", "id": 1, "error": {"code": -32000, "message": "overloaded"}}'
                )
            case _:
                request = urllib.request.Request(self.node, body, {"content-type": "application/json"})
                with urllib.request.urlopen(request, timeout=30) as reply:
                    self.answer(200, reply.read())

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextmanager
def relay(port=0):
    """A relay that listens; afterwards connections are refused."""
    server = ThreadingHTTPServer(("127.0.0.1", port), Relay)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def relayed(monkeypatch):
    monkeypatch.setattr(Relay, "node", ape.networks.provider.uri)
    monkeypatch.setattr(Relay, "mood", "pass on")


@pytest.fixture
def ape_folder(tmp_path, key_files):
    """A data folder of Ape for another process, with the same key files."""
    folder = tmp_path / "ape"
    folder.mkdir()
    (folder / "accounts").symlink_to(key_files)
    (folder / "packages").symlink_to(Path(ape.config.DATA_FOLDER) / "packages")
    return folder


# A command line that waits for receipts for a second only.
COMMAND = """
from ape.api.networks import NetworkAPI
from earnest.cli import main
NetworkAPI.transaction_acceptance_timeout = property(lambda _: 1)
main()
"""


@pytest.fixture
def start(labeler, ape_folder):
    """Starts a command of the labeler's as a process of its own, connected by URL as users are."""

    def started(url, out, command, *arguments):
        names = {"account": labeler.alias, "network": url, "contract": labeler.stage.client.address}
        options = [text for name, value in names.items() for text in (f"--{name}", value)]
        own = {
            "APE_DATA_FOLDER": str(ape_folder),
            "EARNEST_DATA": str(labeler.data),
            "EARNEST_PASSPHRASE_FILE": str(labeler.passphrase),
        }
        return subprocess.Popen(
            [
                sys.executable,
                "-u",
                "-c",
                COMMAND,
                "label",
                command,
                labeler.stage.which,
                *arguments,
                *options,
            ],
            env=os.environ | own,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
        )

    return started


def until(holds, what):
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, what()
        time.sleep(0.05)


def test_run_goes_on_when_the_node_is_back(drawn, labeler, relayed, start, tmp_path):
    answers = labeler.write_answers()
    log = tmp_path / "log"
    with log.open("w") as out, relay() as port:
        process = start(f"http://127.0.0.1:{port}", out, "run", "--poll", "0.1")

        def lines():
            assert process.poll() is None, log.read_text()
            return len(log.read_text().splitlines())

        until(lambda: lines() == 1, log.read_text)
        for mood in ("hang up", "502", "429", "nonsense", "no object", "error"):
            before = lines()
            Relay.mood = mood
            until(lambda before=before: lines() > before, log.read_text)
            Relay.mood = "pass on"
            until(lambda before=before: lines() > before + 1, log.read_text)
    before = lines()
    until(lambda: lines() > before, log.read_text)  # nobody answers at all
    with relay(port):
        labeler.does("import", answers)
        until(lambda: lines() and "1 of 3 seats have committed" in log.read_text(), log.read_text)
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 130
    said = log.read_text()
    assert "Traceback" not in said
    assert said.count("The node does not answer as it should: ") == 7
    assert (drawn.seat().committed, drawn.seat().revisions) == (True, 1)


def test_a_commitment_whose_receipt_does_not_come_is_sent_once(drawn, labeler, start, tmp_path):
    labeler.answers()
    node, log = ape.networks.provider, tmp_path / "log"
    node.make_request("evm_setAutomine", [False])
    try:
        with log.open("w") as out:
            assert start(node.uri, out, "run", "--once").wait(PATIENCE) == 2
        assert "and not mined yet, which it still may be: look before it is sent again." in log.read_text()
        assert not drawn.seat().committed
        with log.open("w") as out:
            process = start(node.uri, out, "run", "--once")
            until(lambda: "still pending; waiting for it." in log.read_text(), log.read_text)
            node.make_request("evm_mine", [])
            assert process.wait(PATIENCE) == 0, log.read_text()
    finally:
        node.make_request("evm_setAutomine", [True])
    assert "1 of 3 seats have committed." in log.read_text()
    assert (drawn.seat().committed, drawn.seat().revisions) == (True, 1)
    assert labeler.told("commit")["transactions"] == []


def test_what_the_node_does_not_take_is_no_transaction(drawn, labeler, relayed, start, tmp_path, monkeypatch):
    labeler.answers()
    monkeypatch.setattr(Relay, "refusal", b'{"code": -32003, "message": "insufficient funds for gas"}')
    log = tmp_path / "log"
    with log.open("w") as out, relay() as port:
        monkeypatch.setattr(Relay, "mood", "refuse")
        monkeypatch.setattr(Relay, "refused", 0)
        assert start(f"http://127.0.0.1:{port}", out, "commit").wait(PATIENCE) == 0
    first, second, third = log.read_text().splitlines()  # and nothing of Ape's
    assert first.endswith("commit could not be sent: insufficient funds for gas. Looking again.")
    assert "Seat 0 has committed in transaction 0x" in second
    assert third.startswith("Seat 0 has committed.")


def test_what_is_underpriced_beside_a_pending_one_is_sent_dearer(
    drawn, labeler, relayed, start, tmp_path, monkeypatch
):
    labeler.answers()
    monkeypatch.setattr(
        Relay, "refusal", b'{"code": -32000, "message": "replacement transaction underpriced"}'
    )
    with (tmp_path / "log").open("w") as out, relay() as port:
        monkeypatch.setattr(Relay, "mood", "refuse")
        monkeypatch.setattr(Relay, "refused", 0)
        assert start(f"http://127.0.0.1:{port}", out, "commit").wait(PATIENCE) == 0
    (sent,) = drawn.client.web3.eth.get_block("latest", full_transactions=True)["transactions"]
    assert sent["maxPriorityFeePerGas"] == 2 * 10**9
