"""Fail on anything that the Solidity compiler has to say about the project's own contracts.

Usage: ``python tools/check_warnings.py [FILE …]``; without arguments every contract below ``contracts/``.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from standard_json import ROOT, SOLC, own_contracts, standard_input

ANALYSIS_ONLY = {"*": ["abi"]}


def findings_in(files: list[Path]) -> list[dict[str, Any]]:
    """Return the compiler's errors, warnings and notes on ``files``, and on no library that they import."""
    run = subprocess.run(
        [str(SOLC), "--standard-json", "--base-path", str(ROOT)],
        input=json.dumps(standard_input(files, ANALYSIS_ONLY)),
        capture_output=True,
        text=True,
        check=True,
    )
    findings = json.loads(run.stdout).get("errors", [])
    return [
        finding
        for finding in findings
        if not finding.get("sourceLocation", {}).get("file", "").startswith("node_modules/")
    ]


def main() -> None:
    """Compile, and show each finding as the compiler formats it."""
    files = [Path(name).resolve() for name in sys.argv[1:]] or own_contracts()
    findings = findings_in(files)
    for finding in findings:
        print(finding["formattedMessage"], file=sys.stderr)
    if findings:
        sys.exit(f"check_warnings: {len(findings)} finding(s) in {len(files)} contract file(s)")
    print(f"{len(files)} contract files compile without a warning")


if __name__ == "__main__":
    main()
