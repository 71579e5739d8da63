"""Put the compiler where Ape looks for it: an executable ``solc-v<version>`` in ``$SOLCX_BINARY_PATH``.

The native compiler is taken where it can be downloaded and runs; elsewhere the same release from npm
(WebAssembly: the same bytecode, slower) stands in for it, behind ``tools/solc/solc.js``.

Usage: ``python tools/install_solc.py [native|npm]``; without an argument native is tried first.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
SHIM = ROOT / "tools" / "solc" / "solc.js"
DOWNLOAD_SECONDS = 120


class Unavailable(Exception):
    """This compiler cannot be had here; the message says why."""


def wanted_version() -> str:
    """Return the compiler release that ape-config.yaml names."""
    return str(yaml.safe_load((ROOT / "ape-config.yaml").read_text())["solidity"]["version"])


def build_of(executable: Path) -> str:
    """Return what ``executable`` says it is, such as ``0.8.30+commit.73712a01``."""
    try:
        output = subprocess.run(
            [str(executable), "--version"], capture_output=True, text=True, timeout=60, check=True
        ).stdout
        full = output.split("Version: ")[1].split()[0]
        release, commit = full.split("+commit.")
        return f"{release}+commit.{commit.split('.')[0]}"
    except (OSError, subprocess.SubprocessError, IndexError, ValueError) as error:
        raise Unavailable(f"it does not run on this machine ({type(error).__name__})") from error


def npm_build(version: str) -> str:
    """Return the build of npm's compiler; it is pinned by hash, so the native one has to be the same."""
    package = ROOT / "node_modules" / "solc" / "package.json"
    if not package.is_file():
        raise Unavailable("node_modules/solc is missing: run `npm ci --ignore-scripts`")
    found = json.loads(package.read_text())["version"]
    if found != version:
        raise Unavailable(f"package.json brings solc {found}, but ape-config.yaml wants {version}")
    return build_of(SHIM)


def download_native(version: str, expected_build: str, target: Path) -> None:
    """Download the native compiler with py-solc-x and move it to ``target`` once it has shown what it is."""
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        command = [sys.executable, "-c", "import sys, solcx; solcx.install_solc(sys.argv[1])", version]
        try:
            subprocess.run(
                command,
                env={**os.environ, "SOLCX_BINARY_PATH": scratch},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=DOWNLOAD_SECONDS,
                check=True,
            )
        except subprocess.SubprocessError as error:
            raise Unavailable("its host cannot be reached, or has no build for this machine") from error
        candidate = Path(scratch) / target.name
        if (found := build_of(candidate)) != expected_build:
            raise Unavailable(f"the download is {found}, not {expected_build}")
        candidate.replace(target)


def is_native(target: Path, build: str) -> bool:
    """Return whether ``target`` is already the native compiler of this build."""
    return target.is_file() and not target.is_symlink() and build_of(target) == build


def link_shim(target: Path) -> None:
    """Let ``target`` be npm's compiler."""
    target.unlink(missing_ok=True)
    target.symlink_to(os.path.relpath(SHIM, target.parent))


def install(choice: str, folder: Path) -> str:
    """Install the compiler into ``folder``, unless it is there, and return a line that says which."""
    version = wanted_version()
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"solc-v{version}"
    build = npm_build(version)
    why_npm = "as asked for"
    if choice != "npm":
        try:
            if not is_native(target, build):
                download_native(version, build, target)
            return f"solc {build}: native"
        except Unavailable as reason:
            if choice == "native":
                raise
            why_npm = f"no native one: {reason}"
    link_shim(target)
    return f"solc {build}: WebAssembly, from npm ({why_npm})"


def main() -> None:
    """Install the compiler, or say in one sentence what is missing."""
    choice = sys.argv[1] if len(sys.argv) > 1 else "auto"
    if choice not in ("auto", "native", "npm"):
        sys.exit(f"install_solc: {choice!r} is no source of a compiler; say native, npm or nothing")
    if shutil.which("node") is None:
        sys.exit("install_solc: node is missing; Node 20 or later runs npm's compiler")
    try:
        print(install(choice, Path(os.environ.get("SOLCX_BINARY_PATH", ROOT / ".solcx"))))
    except Unavailable as reason:
        sys.exit(f"install_solc: no Solidity compiler could be set up: {reason}")


if __name__ == "__main__":
    main()
