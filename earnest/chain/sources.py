"""What it takes to verify the contracts' sources: for each a file that Sourcify takes as it is, holding the
compiler's standard JSON input that explorers take, and the encoded arguments of its constructor.

Compiling that input gives the very creation code that was deployed; the tests compare them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import ape

from earnest.chain.deployment import Deployment
from earnest.files import write_atomic


def write_sources(deployment: Deployment, folder: Path) -> Path:
    """Write them for all contracts of a deployment into a folder of `folder`, named after the chain."""
    home = folder / str(deployment.chain)
    home.mkdir(parents=True, exist_ok=True)
    for name, request in verifications(deployment).items():
        write_atomic(home / f"{name}.json", (json.dumps(request, indent=1) + "\n").encode())
        if arguments := constructor_arguments(deployment, name):
            write_atomic(home / f"{name}.arguments", arguments.hex().encode())
    return home


def verifications(deployment: Deployment) -> dict[str, dict[str, Any]]:
    """What the API of Sourcify (v2) is sent to verify each contract.

    All have one standard JSON input: the remappings of the others stand in a contract's metadata, too.
    """
    files = {name: ape.project.get_contract(name).contract_type.source_id for name in deployment.contracts}
    paths = sorted({ape.project.path / file for file in files.values()})
    inputs = ape.compilers.solidity.get_standard_input_json(paths, project=ape.project)
    ((version, standard_input),) = inputs.items()
    return {
        name: {"contractIdentifier": f"{file}:{name}", "compilerVersion": str(version)}
        | _transaction(deployment.contracts[name].transaction)
        | {"stdJsonInput": standard_input}
        for name, file in files.items()
    }


def _transaction(known: str | None) -> dict[str, str]:
    return {"creationTransactionHash": known} if known else {}


def constructor_arguments(deployment: Deployment, name: str) -> bytes:
    """The arguments that a contract was created with, encoded."""
    constructor = ape.project.get_contract(name).constructor
    return bytes(constructor.encode_input(*deployment.contracts[name].arguments.values()))
