"""The compiler behind Ape, whichever it is, and the check that the contracts compile without a warning."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
CONFIG = yaml.safe_load((ROOT / "ape-config.yaml").read_text())
VERSION = CONFIG["solidity"]["version"]
COMPILERS = {
    "chosen": Path(os.environ.get("SOLCX_BINARY_PATH", ROOT / ".solcx")) / f"solc-v{VERSION}",
    "npm": ROOT / "tools" / "solc" / "solc.js",
}
HEAD = "// SPDX-License-Identifier: MIT\npragma solidity ^0.8.30;\n"


@pytest.fixture(params=COMPILERS)
def solc(request):
    def run(*arguments, stdin="", cwd=ROOT):
        return subprocess.run(
            [str(COMPILERS[request.param]), *arguments], input=stdin, cwd=cwd, capture_output=True, text=True
        )

    return run


def standard_input(**sources):
    return json.dumps(
        {
            "language": "Solidity",
            "sources": {f"{name}.sol": {"content": HEAD + text} for name, text in sources.items()},
            "settings": {"outputSelection": {"*": {"*": ["abi", "evm.bytecode.object"], "": ["ast"]}}},
        }
    )


class TestCompiler:
    def test_says_its_version(self, solc):
        assert f"Version: {VERSION}+commit." in solc("--version").stdout

    def test_writes_output_longer_than_a_pipe(self, solc):
        contracts = {f"C{i}": f"contract C{i} {{ uint256[{i + 1}] public values; }}" for i in range(150)}
        run = solc("--standard-json", stdin=standard_input(**contracts))
        assert len(run.stdout) > 2**18
        assert len(json.loads(run.stdout)["contracts"]) == len(contracts)

    def test_reads_imports_below_the_base_path(self, solc, tmp_path):
        (tmp_path / "Base.sol").write_text(HEAD + "contract Base {}")
        source = standard_input(Child='import "Base.sol"; contract Child is Base {}')
        run = solc("--standard-json", "--base-path", str(tmp_path), stdin=source, cwd="/")
        output = json.loads(run.stdout)
        assert set(output["contracts"]) == {"Base.sol", "Child.sol"}

    def test_names_an_import_that_is_missing(self, solc, tmp_path):
        source = standard_input(Child='import "Nowhere.sol"; contract Child {}')
        output = json.loads(solc("--standard-json", "--base-path", str(tmp_path), stdin=source).stdout)
        assert any("Nowhere.sol" in error["message"] for error in output["errors"])

    def test_refuses_an_unknown_option(self, solc):
        run = solc("--nonsense")
        assert run.returncode == 1
        assert "--nonsense" in run.stderr

    def test_both_make_the_same_bytecode(self):
        source = standard_input(
            Same="contract Same { uint256 public x = 1; function f() external { x *= x; } }"
        )
        runs = [
            subprocess.run([str(path), "--standard-json"], input=source, capture_output=True, text=True)
            for path in COMPILERS.values()
        ]
        outputs = [json.loads(run.stdout) for run in runs]
        codes = [output["contracts"]["Same.sol"]["Same"]["evm"]["bytecode"]["object"] for output in outputs]
        assert codes[0]
        assert codes[0] == codes[1]


class TestWarnings:
    def check(self, *paths):
        command = [sys.executable, "tools/check_warnings.py", *map(str, paths)]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)

    def test_pass_where_there_is_none(self, tmp_path):
        (tmp_path / "Clean.sol").write_text(HEAD + "contract Clean {}")
        assert self.check(tmp_path / "Clean.sol").returncode == 0

    @pytest.mark.parametrize(
        ("body", "says"),
        [
            ("function f() external pure { uint256 x; }", "Unused local variable"),
            ("uint256 x = ;", "Expected primary"),
        ],
    )
    def test_fail_on_a_warning_or_an_error(self, tmp_path, body, says):
        (tmp_path / "Bad.sol").write_text(HEAD + f"contract Bad {{ {body} }}")
        run = self.check(tmp_path / "Bad.sol")
        assert run.returncode == 1
        assert says in run.stderr
        assert "Bad.sol:3" in run.stderr
