"""The compiler's input for the project's own contracts, with the settings that Ape compiles them with.

Usage: ``python tools/standard_json.py`` prints it, with every output that Slither asks for.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
CONFIG: dict[str, Any] = yaml.safe_load((ROOT / "ape-config.yaml").read_text())
SOLC = Path(os.environ.get("SOLCX_BINARY_PATH", ROOT / ".solcx")) / f"solc-v{CONFIG['solidity']['version']}"

FULL_OUTPUT = {
    "*": ["abi", "metadata", "devdoc", "userdoc", "evm.bytecode", "evm.deployedBytecode"],
    "": ["ast"],
}


def own_contracts() -> list[Path]:
    """Return the project's contract files; Ape may keep copies of others in ``contracts/.cache``."""
    folder = ROOT / "contracts"
    return sorted(file for file in folder.rglob("*.sol") if ".cache" not in file.parts)


def standard_input(files: list[Path], output: dict[str, list[str]]) -> dict[str, Any]:
    """Return the standard JSON input that compiles ``files`` and selects ``output`` of every source."""
    solidity = CONFIG["solidity"]
    return {
        "language": "Solidity",
        "sources": {os.path.relpath(file, ROOT): {"content": file.read_text()} for file in files},
        "settings": {
            "remappings": [f"@{package['name']}={package['local']}" for package in CONFIG["dependencies"]],
            "optimizer": {"enabled": solidity["optimize"], "runs": solidity["optimization_runs"]},
            "evmVersion": solidity["evm_version"],
            "viaIR": solidity["via_ir"],
            "outputSelection": {"*": output},
        },
    }


if __name__ == "__main__":
    print(json.dumps(standard_input(own_contracts(), FULL_OUTPUT)))
