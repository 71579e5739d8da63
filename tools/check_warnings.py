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


def standard_input(files: list[Path], config: dict[str, Any]) -> dict[str, Any]:
    """Return the compiler's input for ``files``; it analyses them and generates no code."""
    return {
        "language": "Solidity",
        "sources": {os.path.relpath(file, ROOT): {"content": file.read_text()} for file in files},
        "settings": {
            "remappings": config["import_remapping"],
            "evmVersion": config["evm_version"],
            "outputSelection": {"*": {"*": ["abi"]}},
        },
    }


def compile_files(files: list[Path]) -> dict[str, Any]:
    """Return the compiler's output for ``files``."""
    config = yaml.safe_load((ROOT / "ape-config.yaml").read_text())["solidity"]
    solc = Path(os.environ.get("SOLCX_BINARY_PATH", ROOT / ".solcx")) / f"solc-v{config['version']}"
    run = subprocess.run(
        [str(solc), "--standard-json", "--base-path", str(ROOT)],
        input=json.dumps(standard_input(files, config)),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(run.stdout)


def main() -> None:
    """Compile, and show each finding as the compiler formats it."""
    files = [Path(name).resolve() for name in sys.argv[1:]] or sorted((ROOT / "contracts").rglob("*.sol"))
    findings = compile_files(files).get("errors", [])
    for finding in findings:
        print(finding["formattedMessage"], file=sys.stderr)
    if findings:
        sys.exit(f"check_warnings: {len(findings)} finding(s) in {len(files)} contract file(s)")
    print(f"{len(files)} contract files compile without a warning")


if __name__ == "__main__":
    main()
