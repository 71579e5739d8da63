"""`earnest deploy`: checked before anything is sent, and harmless when run again."""

from __future__ import annotations

import json

import pytest

from earnest.chain.deployment import PARAMS

pytestmark = pytest.mark.anvil
NAMES = ["BlockHashRandomness", "AllowlistGate", "Referee", "Earnest"]


@pytest.fixture
def operator(person, monkeypatch, tmp_path):
    monkeypatch.setenv("EARNEST_DEPLOYMENTS", str(tmp_path / "deployments"))
    return person("settler", group="deploy")


def run(operator, *arguments):
    """Without the options that only the other commands have."""
    from click.testing import CliRunner

    from earnest.cli import cli

    environment = {"EARNEST_PASSPHRASE_FILE": str(operator.passphrase)}
    line = ["deploy", *map(str, arguments), "--account", operator.alias]
    return CliRunner(mix_stderr=False).invoke(cli, line, env=environment)


def test_again_finds_them_there(stage, operator, tmp_path):
    height = stage.chain.blocks.height
    done = run(operator, "--record", "--yes", "--json")
    assert done.exit_code == 0
    told = json.loads(done.stdout)
    assert list(told["contracts"]) == NAMES
    assert told["contracts"]["Earnest"]["address"] == stage.client.address
    assert told["gas"] == {}
    assert stage.chain.blocks.height == height
    folder = tmp_path / "deployments"
    registry = json.loads((folder / f"{told['chain']}.json").read_text())
    assert registry["contracts"]["Earnest"]["address"] == stage.client.address
    sources = json.loads((folder / str(told["chain"]) / "Earnest.json").read_text())
    assert sources["contractIdentifier"] == "contracts/Earnest.sol:Earnest"


def test_what_is_deployed_stands_though_its_sources_cannot_be_written(stage, operator, monkeypatch):
    def fail(*_):
        raise RuntimeError("no compiler")

    monkeypatch.setattr("earnest.chain.sources.write_sources", fail)
    done = run(operator, "--record", "--yes")
    assert done.exit_code == 0
    assert stage.client.address in done.stdout
    assert "could not be written: no compiler" in done.stdout


def test_where_there_is_no_create2_a_dry_run_finds_what_is_registered(stage, operator, monkeypatch):
    monkeypatch.setattr("earnest.chain.deployment.has_create2", lambda: False)
    assert run(operator, "--record", "--yes").exit_code == 0
    places = json.loads(run(operator, "--dry-run", "--json").stdout)["contracts"]
    assert all(place["there"] for place in places.values())


def test_a_dry_run_sends_nothing(stage, operator, tmp_path):
    done = run(operator, "--dry-run", "--json")
    places = json.loads(done.stdout)["contracts"]
    assert {name: place["there"] for name, place in places.items()} == dict.fromkeys(NAMES, True)
    assert not (tmp_path / "deployments").exists()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('[ethereum.local.Earnest]\nsink = "0x12"', "Earnest takes randomness, referee, sink"),
        ("[ethereum.other.Earnest]", "has no params for ethereum.local"),
        ("nonsense", "cannot be read"),
    ],
)
def test_params_that_are_wrong(stage, operator, tmp_path, text, sentence):
    path = tmp_path / "params.toml"
    path.write_text(text)
    height = stage.chain.blocks.height
    done = run(operator, "--params", path, "--yes")
    assert done.exit_code == 2
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1
    assert stage.chain.blocks.height == height


def test_a_dry_run_asks_for_no_passphrase(stage, operator):
    operator.passphrase.write_text("wrong")
    assert run(operator, "--dry-run").exit_code == 0
    assert "is wrong" in run(operator, "--yes").stderr


def test_nothing_to_pay_for_gas_with(stage, operator, people, tmp_path):
    people["settler"].balance = 0
    text = PARAMS.read_text().replace("0x000000000000000000000000000000000000dEaD", "0x" + "12" * 20)
    (tmp_path / "params.toml").write_text(text)
    done = run(operator, "--params", tmp_path / "params.toml", "--yes")
    assert done.exit_code == 2
    assert "has nothing on ethereum.local to pay for gas with." in done.stderr


def test_no_such_account(operator, people):
    operator.alias = "nobody"
    done = run(operator, "--yes")
    assert done.exit_code == 2
    assert done.stderr == (f"There is no account 'nobody'; there are: {', '.join(sorted(people))}.\n")
