"""Gas is deterministic: what a small campaign takes is what the committed snapshot says, to the last unit.

After a change that is meant to cost more, or less: `make gas-snapshot`.
"""

import json
import os
from pathlib import Path

import pytest
from figures import gas

SNAPSHOT = Path(__file__).parents[2] / "snapshots" / "gas.json"


@pytest.mark.anvil
def test_gas_is_that_of_the_snapshot():
    with gas.Node() as node:
        measured = gas.snapshot(node)
    if os.environ.get("UPDATE_GAS_SNAPSHOT"):
        SNAPSHOT.write_text(json.dumps(measured, indent=1) + "\n")
    assert measured == json.loads(SNAPSHOT.read_text()), "see the head of this file"
