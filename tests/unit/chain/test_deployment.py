"""Deploying: params checked first, doing it twice, and what is written down."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from eth_utils.crypto import keccak

from earnest.chain import deployment, sources
from earnest.chain.deployment import DeploymentError
from earnest.chain.errors import ChainError

PARAMS = deployment.read_params("ethereum.local")


def changed(contract, **arguments):
    return {**PARAMS, contract: {**PARAMS[contract], **arguments}}


class TestParams:
    def test_of_every_network_fit_the_contracts(self, project):
        for network in ("ethereum.local", "ethereum.custom", "ethereum.sepolia"):
            params = deployment.read_params(network)
            assert {"Referee", "AllowlistGate", "Earnest"} <= set(params)
            deployment.check_params(params)

    def test_of_a_network_that_has_none(self):
        with pytest.raises(DeploymentError, match=r"no params for ethereum.mainnet; it has them for"):
            deployment.read_params("ethereum.mainnet")

    def test_of_a_file_that_is_not_there(self, tmp_path):
        with pytest.raises(DeploymentError, match="cannot be read"):
            deployment.read_params("ethereum.local", tmp_path / "none.toml")

    @pytest.mark.parametrize(
        ("content", "wrong"),
        [
            (b"[", "cannot be read"),
            (b"\xff", "is not in UTF-8"),
            (b"ethereum = 1", "has no params for ethereum.local; it has them for none"),
            (b"[ethereum]\nlocal = 1", "has no params for ethereum.local; it has them for none"),
            (b"[ethereum.local]\nReferee = 1", "ethereum.local.Referee is 1; it must be a section"),
        ],
    )
    def test_of_a_file_that_holds_none(self, tmp_path, content, wrong):
        (tmp_path / "bad.toml").write_bytes(content)
        with pytest.raises(DeploymentError, match=wrong):
            deployment.read_params("ethereum.local", tmp_path / "bad.toml")

    @pytest.mark.parametrize(
        ("params", "says"),
        [
            ({"Nonsense": {}}, "There is no contract Nonsense"),
            ({"Referee": {"owner": 1}}, "Referee takes no arguments, in this order; the params give owner"),
            ({"BlockHashRandomness": {}}, "takes delay, in this order; the params give no arguments"),
            ({"BlockHashRandomness": {"delay": -1}}, "delay is -1; it must be of type uint256"),
            ({"BlockHashRandomness": {"delay": True}}, "delay is True; it must be of type uint256"),
            ({"BlockHashRandomness": {"delay": "2"}}, "delay is '2'; it must be of type uint256"),
            (changed("Earnest", sink="0x12"), "Earnest.sink is '0x12'; it must be of type address"),
            (changed("Earnest", referee="$Refere"), "referee is \\$Refere; it must name a contract deployed"),
            ({"Earnest": PARAMS["Earnest"]}, "randomness is \\$BlockHashRandomness; it must name"),
            (
                {**PARAMS, "Earnest": dict(reversed(PARAMS["Earnest"].items()))},
                "Earnest takes randomness, referee, sink, in this order; the params give sink, referee",
            ),
        ],
    )
    def test_that_do_not_fit_are_refused_before_anything_is_sent(self, params, says, operator, project):
        before = operator.nonce
        with pytest.raises(DeploymentError, match=says):
            deployment.deploy(params, sender=operator, record=False)
        assert operator.nonce == before

    def test_that_a_constructor_refuses_send_nothing(self, operator, project, tmp_path):
        before = operator.nonce
        with pytest.raises(ChainError, match="The delay is 129 blocks; it must be 1 to 128"):
            deployment.deploy(changed("BlockHashRandomness", delay=129), sender=operator, folder=tmp_path)
        assert operator.nonce == before
        assert list(tmp_path.iterdir()) == []


class TestDeploying:
    def test_leaves_contracts_wired_as_told(self, deployed, client, project):
        addresses = {name: found.address for name, found in deployed.contracts.items()}
        assert client.contract.RANDOMNESS() == addresses["BlockHashRandomness"]
        assert client.contract.REFEREE() == addresses["Referee"]
        assert client.sink == PARAMS["Earnest"]["sink"]
        assert project.BlockHashRandomness.at(addresses["BlockHashRandomness"]).delay() == 2

    def test_says_what_was_deployed(self, deployed):
        for found in deployed.contracts.values():
            assert found.block > 0
            assert found.transaction.startswith("0x")
            assert found.compiler["settings"]["optimizer"]["enabled"]
        assert set(deployed.gas) == set(PARAMS)

    def test_twice_does_no_harm(self, operator, project, tmp_path):
        first = deployment.deploy(PARAMS, sender=operator, folder=tmp_path, record=True)
        before = operator.nonce
        again = deployment.deploy(PARAMS, sender=operator, folder=tmp_path, record=True)
        assert operator.nonce == before
        assert (again.contracts, again.gas) == (first.contracts, {})

    def test_other_arguments_are_other_contracts_and_the_earlier_ones_stay_known(
        self, operator, project, tmp_path
    ):
        first = deployment.deploy(PARAMS, sender=operator, folder=tmp_path, record=True)
        second = deployment.deploy(
            changed("BlockHashRandomness", delay=5), sender=operator, folder=tmp_path, record=True
        )
        moved = {name for name in PARAMS if first.contracts[name].address != second.contracts[name].address}
        assert moved == {"BlockHashRandomness", "Earnest"}
        document = json.loads((tmp_path / f"{first.chain}.json").read_text())
        assert {entry["name"]: entry["address"] for entry in document["earlier"]} == {
            name: first.contracts[name].address for name in moved
        }

    @pytest.mark.anvil
    def test_addresses_follow_from_code_and_arguments_alone(self, deployed, operator, labelers, project):
        """Another sender at another time finds the same contracts."""
        assert deployment.has_create2()
        found = deployment.deploy(PARAMS, sender=labelers[0], record=False)
        assert found.gas == {}
        for name, contract in found.contracts.items():
            assert contract.address == deployed.contracts[name].address
            assert contract.deterministic
            assert (contract.block, contract.transaction) == (None, None)

    def test_where_there_is_no_create2_contracts_are_created_plainly(self, deployed, chain):
        plain = not deployment.has_create2()
        assert plain == (chain.chain_id == 1337)
        assert {not found.deterministic for found in deployed.contracts.values()} == {plain}


class TestRegistry:
    def test_keeps_what_was_deployed_before_something_failed(self, operator, project, tmp_path, monkeypatch):
        create = deployment._create

        def stop_at_the_last(plan, sender):
            if plan.name == "Earnest":
                raise ChainError("the node is gone")
            return create(plan, sender)

        other = changed("BlockHashRandomness", delay=7)
        with monkeypatch.context() as patch:
            patch.setattr(deployment, "_create", stop_at_the_last)
            with pytest.raises(ChainError, match="the node is gone"):
                deployment.deploy(other, sender=operator, folder=tmp_path, record=True)
        done = deployment.deploy(other, sender=operator, folder=tmp_path, record=True)
        assert set(done.gas) == {"Earnest"}
        assert done.contracts["BlockHashRandomness"].transaction

    def test_is_not_written_for_a_devnet_unless_asked(self, operator, project, tmp_path):
        deployment.deploy(PARAMS, sender=operator, folder=tmp_path)
        assert list(tmp_path.iterdir()) == []

    def test_is_read_back(self, operator, project, tmp_path):
        written = deployment.deploy(PARAMS, sender=operator, folder=tmp_path, record=True)
        read = deployment.load(written.chain, tmp_path)
        assert (read.contracts, read.network) == (written.contracts, "ethereum.local")
        assert read.client().sink == PARAMS["Earnest"]["sink"]

    def test_says_when_a_chain_has_nothing(self, tmp_path):
        with pytest.raises(DeploymentError, match="Nothing is deployed on chain 5"):
            deployment.load(5, tmp_path)

    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ("{", "registry .*5.json cannot be read: Expecting property name"),
            ("[]", "5.json is no registry: it must have the members `network` and `contracts`"),
            (
                '{"network": "x", "contracts": {}}',
                "5.json has nothing and no Earnest: `earnest deploy` was int",
            ),
            (
                '{"network": "x", "contracts": {"Earnest": {}}}',
                "Earnest must have just the members address, ",
            ),
        ],
    )
    def test_says_what_is_wrong_with_a_registry(self, tmp_path, text, sentence):
        (tmp_path / "5.json").write_text(text)
        with pytest.raises(DeploymentError, match=sentence):
            deployment.load(5, tmp_path)

    def test_says_what_is_wrong_with_an_address(self, operator, project, tmp_path):
        chain = deployment.deploy(PARAMS, sender=operator, folder=tmp_path, record=True).chain
        path = tmp_path / f"{chain}.json"
        document = json.loads(path.read_text())
        document["contracts"]["Earnest"]["address"] = "0x1"
        path.write_text(json.dumps(document))
        for call in (lambda: deployment.load(chain, tmp_path), lambda: self.again(operator, tmp_path)):
            with pytest.raises(DeploymentError, match="address of Earnest is '0x1'; it must be one"):
                call()

    @staticmethod
    def again(operator, folder):
        deployment.deploy(PARAMS, sender=operator, folder=folder, record=True)


class TestSources:
    @pytest.mark.anvil  # compiling takes as long on either EVM
    def test_compile_to_what_was_deployed(self, deployed, project, tmp_path):
        home = sources.write_sources(deployed, tmp_path)
        requests = {name: json.loads((home / f"{name}.json").read_text()) for name in deployed.contracts}
        (text,) = {json.dumps(request["stdJsonInput"]) for request in requests.values()}
        compiler = next((Path(project.path) / ".solcx").glob("solc-v*"))
        run = subprocess.run([compiler, "--standard-json"], input=text, capture_output=True, text=True)
        compiled = json.loads(run.stdout)["contracts"]
        for name, found in deployed.contracts.items():
            request = requests[name]
            file, _, contract = request["contractIdentifier"].partition(":")
            code = compiled[file][contract]["evm"]["bytecode"]["object"]
            arguments = home / f"{name}.arguments"
            creation = bytes.fromhex(code + (arguments.read_text() if arguments.exists() else ""))
            assert "0x" + keccak(creation).hex() == found.creation_hash
            assert request["compilerVersion"].startswith("0.8.30+commit.")
            assert request.get("creationTransactionHash") == found.transaction
