"""What the benchmarks measure, for tests to compare with.

`benchmarks` is not installed, and a package of somebody else's is, under the same name: so it is loaded by
its path.
"""

import importlib.util
import sys
from pathlib import Path

_PATH = Path(__file__).parents[1] / "benchmarks" / "gas.py"
_SPEC = importlib.util.spec_from_file_location("earnest_benchmarks_gas", _PATH)
gas = importlib.util.module_from_spec(_SPEC)
sys.modules[_SPEC.name] = gas  # dataclasses look their module up
_SPEC.loader.exec_module(gas)
