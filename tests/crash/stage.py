"""A node of its own, and processes to kill: what the crash tests are played on.

Every actor is a process forked from one that has imported everything and is connected to nothing, so that a
run costs as little as it can; it then connects to the node by its URL, as any user's command line does.
"""

from __future__ import annotations

import faulthandler
import json
import os
import signal
import socket
import subprocess
import sys
import time
import traceback
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

CHAIN = 424_242
MNEMONIC = "test test test test test test test test test test test junk"
PASSPHRASE = "passphrase"
OPERATOR, EXPERIMENTER, FIRST_LABELER = 0, 1, 4
KILLED = -signal.SIGKILL
PATIENCE = 200.0

# The lines at which a labeler's process may be killed are those of these files.
LABELER_FILES = ("/earnest/labeler/", "/earnest/cli/label.py")


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def node(accounts: int) -> Iterator[str]:
    """An anvil with a chain id and a block time of its own."""
    port = free_port()
    options = {"port": port, "chain-id": CHAIN, "block-time": 1, "accounts": accounts, "mnemonic": MNEMONIC}
    command = [
        "anvil",
        "--silent",
        *(text for name, value in options.items() for text in (f"--{name}", str(value))),
    ]
    process = subprocess.Popen(command)
    url = f"http://127.0.0.1:{port}"
    try:
        until(lambda: answers(url), "the node answers")
        yield url
    finally:
        process.terminate()
        process.wait()


def answers(url: str) -> bool:
    try:
        return bool(rpc(url, "eth_chainId"))
    except OSError:
        return False


def rpc(url: str, method: str, *params: Any) -> Any:
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
    request = urllib.request.Request(url, body, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as reply:
        answer = json.load(reply)
    if "error" in answer:
        raise RuntimeError(f"{method}: {answer['error']}")
    return answer["result"]


def until(holds: Callable[[], bool], what: str, patience: float = PATIENCE) -> None:
    deadline = time.monotonic() + patience
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"it did not happen that {what}")
        time.sleep(0.1)


def fork(
    work: Callable[[], object], log: Path, kill_at: int | None = None, count_to: Path | None = None
) -> int:
    """Start a process that does `work`, killing itself at its `kill_at`-th line of the labeler's tool.

    `count_to` gets the number of such lines. Returns the process's id.
    """
    sys.stdout.flush()
    child = os.fork()
    if child:
        return child
    status = 70
    try:
        out = os.open(log, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
        os.dup2(out, 1)
        os.dup2(out, 2)
        sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
        faulthandler.dump_traceback_later(PATIENCE - 15, exit=True)  # what it hangs in, into its log
        lines = Lines(kill_at)
        if kill_at is not None or count_to is not None:
            sys.settrace(lines.trace)
        try:
            work()
            status = 0
        except SystemExit as ended:
            status = ended.code if isinstance(ended.code, int) else 0 if ended.code is None else 1
        finally:
            sys.settrace(None)
        if count_to is not None:
            count_to.write_text(str(lines.seen))
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


class Lines:
    """Counts executed lines of the labeler's tool, and ends the process at one of them as `kill -9` does."""

    def __init__(self, kill_at: int | None) -> None:
        self.kill_at, self.seen = kill_at, 0

    def trace(self, frame: Any, event: str, _argument: Any) -> Any:
        if event == "call" and not any(part in frame.f_code.co_filename for part in LABELER_FILES):
            return None
        if event == "line":
            self.seen += 1
            if self.seen == self.kill_at:
                os.kill(os.getpid(), signal.SIGKILL)
        return self.trace


def wait(children: Sequence[int]) -> list[int]:
    """The exit statuses, negative for a signal; whoever takes too long is killed."""
    deadline = time.monotonic() + PATIENCE
    statuses: dict[int, int] = {}
    while len(statuses) < len(children):
        for child in children:
            if child not in statuses:
                done, status = os.waitpid(child, os.WNOHANG)
                if done:
                    statuses[child] = os.waitstatus_to_exitcode(status)
                elif time.monotonic() > deadline:
                    os.kill(child, signal.SIGKILL)
        time.sleep(0.05)
    return [statuses[child] for child in children]


def write_key_files(folder: Path, count: int) -> None:
    """Key files of Ape for the labelers, with a key derivation that costs nothing."""
    from eth_account import Account
    from eth_account.hdaccount import ETHEREUM_DEFAULT_PATH

    Account.enable_unaudited_hdwallet_features()
    (folder / "accounts").mkdir(parents=True)
    for index in range(count):
        path = ETHEREUM_DEFAULT_PATH[:-1] + str(FIRST_LABELER + index)
        key = Account.from_mnemonic(MNEMONIC, account_path=path).key
        document = Account.encrypt(key, PASSPHRASE, kdf="pbkdf2", iterations=2)
        (folder / "accounts" / f"labeler{index}.json").write_text(json.dumps(document))
    (folder / "passphrase").write_text(PASSPHRASE)


def devnet_account(index: int) -> Any:
    from ape_test.accounts import TestAccount
    from eth_account import Account
    from eth_account.hdaccount import ETHEREUM_DEFAULT_PATH

    Account.enable_unaudited_hdwallet_features()
    key = Account.from_mnemonic(MNEMONIC, account_path=ETHEREUM_DEFAULT_PATH[:-1] + str(index))
    return TestAccount(index=index, address_str=key.address, private_key=key.key.hex())
