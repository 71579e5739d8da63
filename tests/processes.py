"""A node of its own and processes of every role: what the story and the crash tests are played on.

A play is a script of its own process, started by `played`, because a test's process is connected to a node
already. Every actor in it is a process forked from one that has imported everything and is connected to
nothing (`warm`), so that a run costs as little as it can; it then connects to the node by its URL, as any
user's command line does.
"""

from __future__ import annotations

import faulthandler
import json
import os
import pickle
import pkgutil
import signal
import socket
import subprocess
import sys
import time
import traceback
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import chdir, contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from eth_abi.abi import decode
from eth_account import Account
from eth_account.hdaccount import ETHEREUM_DEFAULT_PATH
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

TESTS: Final = Path(__file__).parent
CHAIN: Final = 424_242
BLOCK_TIME: Final = 0.25  # seconds; several blocks have one timestamp then, as on many a chain
MNEMONIC: Final = "test test test test test test test test test test test junk"
PASSPHRASE: Final = "passphrase"
KILLED: Final = -signal.SIGKILL
PATIENCE: Final = 200.0
FAILED: Final = 70

# What no command line of the plays needs, and what Ape imports when it first sends something.
NOT_WARMED: Final = ("earnest.report", "earnest.next", "earnest.datasets", "earnest.chain.demo")
IMPORTED_LATE: Final = ("ape.managers.chain", "ape_ethereum._converters", "IPython")

Work = Callable[[], object]


# ── A play ──────────────────────────────────────────────────────────────────────────────────────────────────


def played(script: Path, folder: Path, *arguments: str, limit: float) -> str:
    """Run a play to its good end within so many seconds; what it printed."""
    data = folder / "ape"
    data.mkdir()
    command = [sys.executable, str(script), str(folder), *arguments]
    output = folder / "printed"
    with output.open("w") as out, (folder / "errors").open("w") as err:
        process = subprocess.Popen(
            command,
            env=environment() | {"APE_DATA_FOLDER": str(data)},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
        )
        try:
            status = process.wait(limit)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)  # whatever it left behind
            process.wait()
    errors = (folder / "errors").read_text()
    print(errors, file=sys.stderr)
    assert status == 0, f"{script.name} {arguments} ended with {status}:\n{errors[-5000:]}"
    return output.read_text()


def environment() -> dict[str, str]:
    """This process's, with these modules to be found, and nothing of Earnest's own."""
    path = os.pathsep.join(filter(None, [str(TESTS), os.environ.get("PYTHONPATH")]))
    kept = {name: value for name, value in os.environ.items() if not name.startswith("EARNEST_")}
    return kept | {"PYTHONPATH": path}


# ── The node ────────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def node(accounts: int) -> Iterator[str]:
    """An anvil with a chain id and a block time of its own; its URL."""
    port = free_port()
    options = {
        "port": port,
        "chain-id": CHAIN,
        "block-time": BLOCK_TIME,
        "accounts": accounts,
        "mnemonic": MNEMONIC,
    }
    texts = (text for name, value in options.items() for text in (f"--{name}", str(value)))
    process = subprocess.Popen(["anvil", "--silent", *texts])
    url = f"http://127.0.0.1:{port}"
    try:
        until(lambda: answers(url), "the node answers")
        yield url
    finally:
        process.terminate()
        process.wait()


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def answers(url: str) -> bool:
    try:
        return int(rpc(url, "eth_chainId"), 16) == CHAIN
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


def mined(url: str, blocks: int) -> None:
    """Wait for so many more blocks."""

    def number() -> int:
        return int(rpc(url, "eth_blockNumber"), 16)

    after = number() + blocks
    until(lambda: number() >= after, "blocks are mined")


# What is asked again and again is asked without Ape, by this process itself.


@dataclass(frozen=True)
class Life:
    """A campaign's life, as `lifeOf` gives it."""

    seats: int
    taken: int
    committed: int
    opened: int
    scored: int
    released: int
    deadline: int
    phase: int
    cohort: int

    @property
    def paid(self) -> bool:
        """Whether all batches are released."""
        return 0 < self.seats == self.released * self.cohort


def life(url: str, contract: str, campaign: int) -> Life:
    return Life(*view(url, contract, "lifeOf(uint256)", ["uint256"] * 9, campaign))


@dataclass(frozen=True)
class Seat:
    """A seat, as `seatOf` gives it."""

    labeler: str
    record: int
    revisions: int


def seats(url: str, contract: str, campaign: int, number: int) -> list[Seat]:
    """The campaign's first seats."""
    types = ["address", "uint256", "uint256"]
    found = [view(url, contract, "seatOf(uint256,uint256)", types, campaign, seat) for seat in range(number)]
    return [Seat(to_checksum_address(labeler), *rest) for labeler, *rest in found]


def view(url: str, contract: str, signature: str, answer: Sequence[str], *arguments: int) -> tuple[Any, ...]:
    """What a view answers to numbers, decoded as the types `answer`."""
    data = keccak(text=signature)[:4] + b"".join(argument.to_bytes(32, "big") for argument in arguments)
    found = rpc(url, "eth_call", {"to": contract, "data": "0x" + data.hex()}, "latest")
    return tuple(decode(answer, bytes.fromhex(found[2:])))


# ── Processes ───────────────────────────────────────────────────────────────────────────────────────────────


def warm() -> None:
    """Import what a command line imports on its way, and let Ape read the project: no connection is made."""
    import ape

    import earnest

    for module in pkgutil.walk_packages(earnest.__path__, "earnest."):
        if not module.name.startswith(NOT_WARMED):
            import_module(module.name)
    for name in IMPORTED_LATE:
        import_module(name)
    from earnest.chain import deployment
    from earnest.chain.client import error_abi

    with chdir(deployment.FOLDER.parent):
        _ = ape.project.path, ape.config.project_manifest
        for network in ("custom", "local"):
            _ = ape.networks.ethereum.get_network(network).providers
        error_abi()


def fork(work: Work, log: Path) -> int:
    """Start a process that does `work`; its id. What it prints, and what it hangs in, goes into `log`."""
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child:
        return child
    status = FAILED
    try:
        out = os.open(log, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
        os.dup2(out, 1)
        os.dup2(out, 2)
        sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
        faulthandler.dump_traceback_later(PATIENCE - 15, exit=True)
        try:
            work()
            status = 0
        except SystemExit as ended:
            status = ended.code if isinstance(ended.code, int) else 0 if ended.code is None else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def wait(children: Iterable[int], patience: float = PATIENCE) -> list[int]:
    """The exit statuses, negative for a signal; whoever takes too long is killed."""
    children = list(children)
    deadline = time.monotonic() + patience
    statuses: dict[int, int] = {}
    while len(statuses) < len(children):
        for child in children:
            if child not in statuses:
                done, status = os.waitpid(child, os.WNOHANG)
                if done:
                    statuses[child] = os.waitstatus_to_exitcode(status)
                elif time.monotonic() > deadline:
                    os.kill(child, signal.SIGKILL)
        time.sleep(0.01)
    return [statuses[child] for child in children]


def kill(child: int) -> int:
    """End a process as `kill -9` does; its exit status, another than KILLED when it had ended before."""
    os.kill(child, signal.SIGKILL)  # a zombie does not mind
    return wait([child])[0]


def until(holds: Callable[[], bool], what: str, patience: float = PATIENCE) -> None:
    deadline = time.monotonic() + patience
    while not holds():
        if time.monotonic() > deadline:
            raise TimeoutError(f"it did not happen that {what}")
        time.sleep(0.1)


def ask(url: str, work: Callable[[Any], Any], log: Path, contract: str | None = None) -> Any:
    """What `work` answers to a client of the contract, in a process of its own."""
    answer = log.with_suffix(".answer")

    def connected() -> None:
        from earnest.cli.connection import client_at, network_of

        with network_of(url):
            answer.write_bytes(pickle.dumps(work(client_at(contract))))

    (status,) = wait([fork(connected, log)])
    assert status == 0, tail(log)
    return pickle.loads(answer.read_bytes())


def tail(log: Path) -> str:
    return log.read_text()[-3000:]


# ── Accounts ────────────────────────────────────────────────────────────────────────────────────────────────


def write_key_files(folder: Path, indexes: Mapping[str, int]) -> Path:
    """Key files of Ape by alias, of the mnemonic's accounts, whose key derivation costs nothing.

    Returns the file with their passphrase.
    """
    (folder / "accounts").mkdir(parents=True, exist_ok=True)
    for alias, index in indexes.items():
        document = Account.encrypt(_key(index), PASSPHRASE, kdf="pbkdf2", iterations=2)
        (folder / "accounts" / f"{alias}.json").write_text(json.dumps(document))
    passphrase = folder / "passphrase"
    passphrase.write_text(PASSPHRASE)
    return passphrase


def devnet_account(index: int) -> Any:
    """An account of the mnemonic's that signs for scripts."""
    from ape_test.accounts import TestAccount

    return TestAccount(index=index, address_str=address(index), private_key=_key(index).hex())


def address(index: int) -> str:
    return str(Account.from_key(_key(index)).address)


@cache  # the mnemonic's own key derivation is slow
def _key(index: int) -> bytes:
    Account.enable_unaudited_hdwallet_features()
    path = ETHEREUM_DEFAULT_PATH[:-1] + str(index)
    return bytes(Account.from_mnemonic(MNEMONIC, account_path=path).key)
