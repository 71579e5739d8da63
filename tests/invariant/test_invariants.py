"""The eight invariants of the design (section 8), under any sequence of actions."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from invariant.machine import machine_on

# No shrinking: it would take many times the budget. What failed is printed as it happened.
COMMON: dict[str, Any] = {
    "deadline": None,
    "suppress_health_check": list(HealthCheck),
    "phases": (Phase.explicit, Phase.generate),
    "report_multiple_bugs": False,
}


def test_the_invariants_hold_whatever_anyone_does(stage):
    # The in-process EVM takes ten times as long for a step.
    examples = 8 if stage.system.chain.provider.name == "test" else 6
    play(stage, settings(max_examples=examples, stateful_step_count=30, derandomize=True, **COMMON))


@pytest.mark.fuzz
def test_the_invariants_hold_for_long(stage):
    play(stage, settings(max_examples=400, stateful_step_count=60, print_blob=True, **COMMON))


def play(stage, given: settings) -> None:
    statistics: Counter[tuple[str, str]] = Counter()
    try:
        run_state_machine_as_test(machine_on(stage, statistics), settings=given)
    finally:
        print(table(statistics))


def table(statistics: Counter[tuple[str, str]]) -> str:
    """How often each function went through, and how often it failed with what; seen with `-s`."""
    functions: dict[str, Counter[str]] = defaultdict(Counter)
    for (name, outcome), count in statistics.items():
        functions[name][outcome] += count
    return "\n".join(
        f"{name:28}" + ", ".join(f"{outcome} {count}" for outcome, count in outcomes.most_common())
        for name, outcomes in sorted(functions.items())
    )
