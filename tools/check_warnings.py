"""Fail on anything that the Solidity compiler has to say about the project's own contracts.

Usage: ``python tools/check_warnings.py [FILE …]``; without arguments every contract below ``contracts/``.
The compiler, its version and its settings are those that Ape uses.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent


def own_contracts() -> list[Path]:
    """Return the project's contract files; Ape may keep copies of others in ``contracts/.cache``."""
    folder = ROOT / "contracts"
    return sorted(file for file in folder.rglob("*.sol") if ".cache" not in file.parts)


def standard_input(files: list[Path], config: dict[str, Any]) -> dict[str, Any]:
    """Return the compiler's input for ``files``; it analyses them and generates no code."""
    return {
        "language": "Solidity",
        "sources": {os.path.relpath(file, ROOT): {"content": file.read_text()} for file in files},
        "settings": {
            "remappings": [f"@{package['name']}={package['local']}" for package in config["dependencies"]],
            "evmVersion": config["solidity"]["evm_version"],
            "outputSelection": {"*": {"*": ["abi"]}},
        },
    }


def compile_files(files: list[Path]) -> dict[str, Any]:
    """Return the compiler's output for ``files``."""
    config = yaml.safe_load((ROOT / "ape-config.yaml").read_text())
    solc = Path(os.environ.get("SOLCX_BINARY_PATH", ROOT / ".solcx")) / f"solc-v{config['solidity']['version']}"
    run = subprocess.run(
        [str(solc), "--standard-json", "--base-path", str(ROOT)],
        input=json.dumps(standard_input(files, config)),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(run.stdout)


def concerns_us(error: dict[str, Any]) -> bool:
    """Return whether the finding is about the project's own source, or about none in particular."""
    return not error.get("sourceLocation", {}).get("file", "").startswith("node_modules/")


def main() -> None:
    """Compile, and show each finding as the compiler formats it."""
    files = [Path(name).resolve() for name in sys.argv[1:]] or own_contracts()
    findings = [error for error in compile_files(files).get("errors", []) if concerns_us(error)]
    for finding in findings:
        print(finding["formattedMessage"], file=sys.stderr)
    if findings:
        sys.exit(f"check_warnings: {len(findings)} finding(s) in {len(files)} contract file(s)")
    print(f"{len(files)} contract files compile without a warning")


if __name__ == "__main__":
    main()
