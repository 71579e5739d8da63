"""The contracts on a chain: what to deploy from params by network, and a registry of what was deployed.

Params (`deployments/params.toml`) hold each contract's constructor arguments. They are checked against the
constructor's ABI, and every creation is tried on the node, before anything is sent. Addresses are
deterministic: the standard CREATE2 deployer puts a contract where its code, arguments and salt say, so that
deploying again finds it there. Where a chain has no such deployer (the in-process devnet) contracts are
created plainly.

The registry (`deployments/<chain id>.json`) keeps what a chain does not tell: block, transaction, arguments,
compiler settings. Chains that end with their process are not written down unless asked for.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Final

import ape
import rlp  # type: ignore[import-untyped]
from ape.api import AccountAPI
from ape.exceptions import ApeException
from eth_abi.abi import is_encodable
from eth_utils.address import is_address, to_canonical_address, to_checksum_address
from eth_utils.crypto import keccak
from hexbytes import HexBytes

from earnest.chain.client import Client, error_abi
from earnest.chain.errors import ChainError, Refusals, Situation, explain, revert_data
from earnest.files import FileError, read_text, write_atomic

FOLDER: Final = Path(__file__).resolve().parents[2] / "deployments"
PARAMS: Final = FOLDER / "params.toml"

CREATE2_DEPLOYER: Final = "0x4e59b44847b379578588920cA78FbF26c0B4956C"
SALT: Final = keccak(text="earnest")
EPHEMERAL_CHAINS: Final = frozenset({1337, 31337})
REFERENCE: Final = "$"
EARNEST: Final = "Earnest"

Params = Mapping[str, Mapping[str, Any]]


class DeploymentError(ValueError):
    """Params that do not fit the contracts, or a contract that is not where it should be."""


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """One contract on a chain.

    `block` and `transaction` are None where it was found and nothing says who deployed it. `creation_hash` is
    that of the creation code with the arguments, `code_hash` that of the code on chain.
    """

    address: str
    block: int | None
    transaction: str | None
    arguments: dict[str, Any]
    creation_hash: str
    code_hash: str
    deterministic: bool
    compiler: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """The contracts of one chain by name. `gas` is what those took that were deployed just now."""

    chain: int
    network: str
    contracts: dict[str, Deployed]
    gas: dict[str, int]

    def client(self) -> Client:
        """A client of its Earnest contract, on the connected network."""
        earnest = self.contracts[EARNEST]
        return Client.at(earnest.address, earnest.block or 0)


@dataclass(frozen=True)
class _Plan:
    name: str
    arguments: dict[str, Any]
    creation: bytes
    address: str
    present: bool


def read_params(network: str, path: Path = PARAMS) -> Params:
    """The params of a network such as `ethereum.sepolia`, contracts in the order in which to deploy them.

    Raises DeploymentError when the file cannot be read or has none.
    """
    try:
        listed = tomllib.loads(read_text(path))
    except FileError as error:
        raise DeploymentError(str(error)) from error
    except tomllib.TOMLDecodeError as error:
        raise DeploymentError(f"{path} cannot be read: {error}.") from error
    networks = {
        f"{outer}.{inner}": contracts
        for outer, inners in listed.items()
        if isinstance(inners, dict)
        for inner, contracts in inners.items()
        if isinstance(contracts, dict)
    }
    if network not in networks:
        known = ", ".join(networks) or "none"
        raise DeploymentError(f"{path} has no params for {network}; it has them for {known}.")
    for name, arguments in networks[network].items():
        if not isinstance(arguments, dict):
            raise DeploymentError(f"{path}: {network}.{name} is {arguments!r}; it must be a section.")
    return networks[network]


def network_name() -> str:
    """The connected network as params name it; a fork has the name of what it forks."""
    network = ape.networks.provider.network
    return f"{network.ecosystem.name}.{network.name.removesuffix('-fork')}"


def check_params(params: Params) -> None:
    """Raise DeploymentError unless every contract exists and every argument fits its constructor."""
    for position, (name, arguments) in enumerate(params.items()):
        expected = _constructor(name)
        if list(arguments) != list(expected):
            raise DeploymentError(
                f"{name} takes {_listed(expected)}, in this order; the params give {_listed(arguments)}."
            )
        for argument, kind in expected.items():
            _check_argument(f"{name}.{argument}", kind, arguments[argument], list(params)[:position])


def deploy(
    params: Params, *, sender: AccountAPI, folder: Path = FOLDER, record: bool | None = None
) -> Deployment:
    """Deploy to the connected network what is not there yet, and write the registry in `folder`.

    `record` says whether to write it; unless given, on all chains but those that end with their process.
    Raises DeploymentError or ChainError; before anything is sent when it is the params that are wrong.
    """
    check_params(params)
    chain = int(ape.networks.provider.chain_id)
    known = registered(folder)
    plans = plan(params, sender, known)
    for missing in plans:
        if not missing.present:
            _try(missing, sender)
    recording = is_recorded(chain, record)
    deployment = Deployment(chain=chain, network=network_name(), contracts={}, gas={})
    for each in plans:
        deployed, used = _find(each, known) if each.present else _create(each, sender)
        deployment.contracts[each.name] = deployed
        deployment.gas.update({each.name: used} if used else {})
        if recording:  # at once: what is on chain is written down even if the next one fails
            _write(deployment, _file(folder, chain))
    return deployment


def is_recorded(chain: int, record: bool | None) -> bool:
    """Whether a deployment is written down: as asked, or but where a chain ends with its process."""
    return chain not in EPHEMERAL_CHAINS if record is None else record


def registered(folder: Path = FOLDER) -> Mapping[str, Any]:
    """What the registry has of the connected chain; nothing if it has none."""
    return _read(_file(folder, int(ape.networks.provider.chain_id)))


def load(chain: int, folder: Path = FOLDER) -> Deployment:
    """The contracts of a chain from the registry. Raises DeploymentError when Earnest is not among them."""
    path = _file(folder, chain)
    document = _read(path)
    if not document:
        raise DeploymentError(f"Nothing is deployed on chain {chain}, as far as {folder} knows.")
    contracts = {name: Deployed(**entry) for name, entry in document["contracts"].items()}
    if EARNEST not in contracts:
        known = ", ".join(contracts) or "nothing"
        raise DeploymentError(f"{path} has {known} and no {EARNEST}: `earnest deploy` was interrupted there.")
    return Deployment(chain=chain, network=document["network"], contracts=contracts, gas={})


def has_create2() -> bool:
    """Whether the connected chain has the standard CREATE2 deployer."""
    return bool(_code(CREATE2_DEPLOYER))


def create2_address(creation: bytes, salt: bytes = SALT) -> str:
    """Where the standard deployer puts a contract with this creation code."""
    deployer = to_canonical_address(CREATE2_DEPLOYER)
    return to_checksum_address(keccak(b"\xff" + deployer + salt + keccak(creation))[12:])


def plan(params: Params, sender: AccountAPI, known: Mapping[str, Any]) -> list[_Plan]:
    """Where each contract is or will be; `known` is the registry's document, empty if there is none."""
    deterministic = has_create2()
    plans: list[_Plan] = []
    nonce = sender.nonce
    for name, given in params.items():
        addresses = {each.name: each.address for each in plans}
        arguments = {argument: _resolve(value, addresses) for argument, value in given.items()}
        creation = _creation(name, arguments)
        if deterministic:
            address = create2_address(creation)
        else:
            address = _known_address(known, name, creation) or _plain_address(sender.address, nonce)
        present = bool(_code(address))
        nonce += not present
        plans.append(_Plan(name, arguments, creation, address, present))
    return plans


def _constructor(name: str) -> dict[str, str]:
    """The types of a contract's constructor arguments by name; underscores that end a name are dropped."""
    contract = ape.project.get_contract(name)
    if contract is None:
        raise DeploymentError(f"There is no contract {name}.")
    abi = contract.contract_type.constructor
    return {str(entry.name).rstrip("_"): entry.canonical_type for entry in (abi.inputs if abi else ())}


def _check_argument(name: str, kind: str, value: Any, earlier: Sequence[str]) -> None:
    if kind == "address" and isinstance(value, str) and value.startswith(REFERENCE):
        if value.removeprefix(REFERENCE) not in earlier:
            raise DeploymentError(f"{name} is {value}; it must name a contract deployed before: {earlier}.")
    elif isinstance(value, bool) != (kind == "bool") or not is_encodable(kind, value):
        raise DeploymentError(f"{name} is {value!r}; it must be of type {kind}.")


def _listed(names: Mapping[str, Any]) -> str:
    return ", ".join(names) or "no arguments"


def _resolve(value: Any, addresses: Mapping[str, str]) -> Any:
    refers = isinstance(value, str) and value.startswith(REFERENCE)
    return addresses[value.removeprefix(REFERENCE)] if refers else value


def _creation(name: str, arguments: Mapping[str, Any]) -> bytes:
    contract = ape.project.get_contract(name)
    code = bytes.fromhex(contract.contract_type.deployment_bytecode.bytecode.removeprefix("0x"))
    return code + bytes(contract.constructor.encode_input(*arguments.values()))


def _known_address(known: Mapping[str, Any], name: str, creation: bytes) -> str | None:
    entry = known.get("contracts", {}).get(name)
    same = entry and entry["creation_hash"] == _hash(creation) and _code(entry["address"])
    return str(entry["address"]) if same else None


def _plain_address(creator: str, nonce: int) -> str:
    return to_checksum_address(keccak(rlp.encode([to_canonical_address(creator), nonce]))[12:])


def _try(each: _Plan, sender: AccountAPI) -> None:
    call = {"from": sender.address, "data": HexBytes(each.creation).to_0x_hex()}
    try:
        ape.networks.provider.web3.eth.call(call)
    except Exception as error:  # the in-process node raises its own
        refusal = Refusals(error_abi()).decode(revert_data(error) or b"")
        said = explain(refusal, Situation(f"creating {each.name}")) if refusal else f"The node said: {error}"
        raise ChainError(f"{each.name} cannot be deployed. {said}", refusal) from error


def _create(each: _Plan, sender: AccountAPI) -> tuple[Deployed, int]:
    deterministic = has_create2()
    data = SALT + each.creation if deterministic else each.creation
    receiver = {"receiver": CREATE2_DEPLOYER} if deterministic else {}
    ecosystem = ape.networks.provider.network.ecosystem
    transaction = ecosystem.create_transaction(sender=sender.address, data=HexBytes(data), **receiver)
    try:
        receipt = sender.call(transaction)
    except ApeException as error:
        raise ChainError(f"{each.name} could not be deployed: {error}") from error
    if not _code(each.address):
        raise DeploymentError(f"{each.name} is not at {each.address} after {receipt.txn_hash}.")
    found = _deployed(each, deterministic, int(receipt.block_number), str(receipt.txn_hash))
    return found, int(receipt.gas_used)


def _find(each: _Plan, known: Mapping[str, Any]) -> tuple[Deployed, int]:
    entry = known.get("contracts", {}).get(each.name)
    if entry and entry["address"] == each.address:
        return Deployed(**entry), 0
    return _deployed(each, has_create2(), None, None), 0


def _deployed(each: _Plan, deterministic: bool, block: int | None, transaction: str | None) -> Deployed:
    return Deployed(
        address=each.address,
        block=block,
        transaction=transaction,
        arguments=each.arguments,
        creation_hash=_hash(each.creation),
        code_hash=_hash(_code(each.address)),
        deterministic=deterministic,
        compiler=_compiler(each.name),
    )


def _compiler(name: str) -> dict[str, Any]:
    for compiler in ape.project.manifest.compilers or ():
        if name in (compiler.contractTypes or ()):
            settings = {key: value for key, value in compiler.settings.items() if key != "outputSelection"}
            return {"name": compiler.name, "version": compiler.version, "settings": settings}
    return {}


def _code(address: str) -> bytes:
    return bytes(ape.networks.provider.web3.eth.get_code(to_checksum_address(address)))


def _hash(data: bytes) -> str:
    return "0x" + keccak(data).hex()


def _file(folder: Path, chain: int) -> Path:
    return folder / f"{chain}.json"


def _read(path: Path) -> dict[str, Any]:
    """A registry's document, empty where there is none. Raises DeploymentError when it is none."""
    if not path.exists():
        return {}
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DeploymentError(f"The registry {path} cannot be read: {error}.") from error
    whole = isinstance(document, dict) and isinstance(document.get("contracts"), dict)
    if not whole or not isinstance(document.get("network"), str):
        raise DeploymentError(f"{path} is no registry: it must have the members `network` and `contracts`.")
    for name, entry in document["contracts"].items():
        _check_entry(path, name, entry)
    return dict(document)


def _check_entry(path: Path, name: str, entry: Any) -> None:
    """Raise DeploymentError unless a contract in the registry has just the members that it must."""
    expected = [each.name for each in fields(Deployed)]
    if not isinstance(entry, dict) or sorted(entry) != sorted(expected):
        raise DeploymentError(f"{path}: {name} must have just the members {', '.join(expected)}.")
    if not is_address(entry["address"]):
        raise DeploymentError(
            f"{path}: the address of {name} is {entry['address']!r}; it must be one, as 0x…."
        )


def _write(deployment: Deployment, path: Path) -> None:
    """Write the registry all at once; contracts that others have replaced stay under `earlier`."""
    before = _read(path)
    contracts = {name: asdict(deployed) for name, deployed in deployment.contracts.items()}
    document = {
        "chain": deployment.chain,
        "network": deployment.network,
        "contracts": before.get("contracts", {}) | contracts,
        "earlier": before.get("earlier", []) + list(_replaced(before, contracts)),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, (json.dumps(document, indent=2) + "\n").encode())


def _replaced(before: Mapping[str, Any], contracts: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for name, entry in before.get("contracts", {}).items():
        if name in contracts and contracts[name]["address"] != entry["address"]:
            yield {"name": name} | entry
