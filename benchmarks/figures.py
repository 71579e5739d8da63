"""The figures that have goals, beside their goals; written to `gas.json` and `gas.md`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks import scores
from benchmarks.gas import RELAYED, SCORED, SETTLED, Node, Shape, Used, computing, direct, refereeing, relayed

FOLDER: Final = Path(__file__).parent
# Steps that belong to the vault and not to a campaign: one serves many.
VAULT: Final = ("deposit, experimenter", "deposit, labeler", "deposit, settler", "withdraw")

SMALL: Final = Shape()
LARGE: Final = Shape(batch_size=512)
SEVERAL: Final = Shape(each=4)
LABEL_GOALS: Final = (1_400, 1_400, 400, 800, 800)
SCORED_GOALS: Final = (60, 150, 300)
REFEREED: Final = (
    Shape(cohort=7, batch_size=128),
    Shape(cohort=7, batch_size=128, audited=True),
    Shape(cohort=15, batch_size=512, audited=True),
    Shape(cohort=7, batch_size=2_048),
    Shape(cohort=7, batch_size=2_048, audited=True),
    Shape(cohort=5, batch_size=4_096),
    Shape(cohort=5, batch_size=4_096, audited=True),
)

NOTES: Final = f"""\
Gas a label is that of all transactions from `create` to `returnBond`, draw, posting and release included, of
a campaign of {SMALL.batches} batches, over all its labels. Unless it says how many seats labelers take, each
takes one. Deposits and withdrawals are not in it, since one serves many campaigns; they stand in the tables
below. A relayer carries {RELAYED} seats in a transaction; {SETTLED} batches are released in one. Labels are
spread over all classes. What the referee computes is the call's gas, without its data."""
REFEREEING: Final = """\
The least gas limit with which a false posting can be refereed, and the bound that creation goes by (at most
16,777,216). Where all is audited, every position is shared, gold and repeated."""


def measure() -> dict[str, Any]:
    """All figures; JSON-able. A minute or two."""
    with Node() as node:
        return _measure(node)


def _measure(node: Node) -> dict[str, Any]:
    played = {
        f"own transactions, {SMALL}": (SMALL, direct(node, SMALL)),
        f"own transactions, {SEVERAL}": (SEVERAL, direct(node, SEVERAL)),
        f"own transactions, {LARGE}": (LARGE, direct(node, LARGE)),
        f"signed and relayed, {SMALL}": (SMALL, relayed(node, SMALL, 1)),
        f"signed and relayed, {SEVERAL}": (SEVERAL, relayed(node, SEVERAL, 1)),
    }
    per_label = {name: _per_label(used, shape) for name, (shape, used) in played.items()}
    small = played[f"own transactions, {SMALL}"][1]
    timed = scores.measure()
    return {
        "figures": [
            _figure("gas of a commitment, B=128", _mean(small["commit"]), 55_000),
            _figure("gas of a reveal, B=128", _mean(small["reveal"]), 45_000),
            _figure("gas of enrolling one seat from the vault", _mean(small["enroll"]), 65_000),
            *(
                _figure(f"gas a label, {name}", measured, goal)
                for (name, measured), goal in zip(per_label.items(), LABEL_GOALS, strict=True)
            ),
            *(
                _figure(
                    f"Referee's gas a label, {shape}",
                    computing(node, shape) / (shape.cohort * shape.batch_size),
                    goal,
                )
                for shape, goal in zip(SCORED, SCORED_GOALS, strict=True)
            ),
            _figure(
                "seconds to score and settle 1,000,000 labels in Python, K=7, B=100, slowest kind",
                max(case["total"] for case in timed["cases"]),
                1,
            ),
        ],
        "steps": {name: _steps(used, shape) for name, (shape, used) in played.items()},
        "refereeing": [
            {"shape": str(shape), "needed": needed, "bound": bound}
            for shape in REFEREED
            for needed, bound in [refereeing(node, shape)]
        ],
        "python": timed,
    }


def table(measured: Mapping[str, Any]) -> str:
    """The figures of `measure` as Markdown."""
    lines = ["# Gas and speed", "", "Written by `make bench`, on anvil.", ""]
    lines += _rows(("figure", "measured", "goal", ""), [
        (each["figure"], _number(each["measured"]), f"≤ {each['goal']:,}", "" if each["met"] else "missed")
        for each in measured["figures"]
    ])
    lines += ["", NOTES]
    for name, steps in measured["steps"].items():
        lines += ["", f"## {name[0].upper()}{name[1:]}", ""]
        lines += _rows(("step", "transactions", "gas each", "gas a label"), [
            (step, f"{each['transactions']}", f"{each['mean']:,}", f"{each['per_label']:,.1f}")
            for step, each in steps.items()
        ])
    lines += ["", "## Refereeing a batch", ""]
    lines += [REFEREEING, ""]
    lines += _rows(("batch", "needed", "bound"), [
        (each["shape"], f"{each['needed']:,}", f"{each['bound']:,}") for each in measured["refereeing"]
    ])
    return "\n".join(lines) + "\n"


def write(measured: Mapping[str, Any]) -> None:
    """Write `gas.json` and `gas.md` beside this file."""
    (FOLDER / "gas.json").write_text(json.dumps(measured, indent=2) + "\n")
    (FOLDER / "gas.md").write_text(table(measured))


def _figure(name: str, measured: float, goal: float) -> dict[str, Any]:
    return {"figure": name, "measured": round(measured, 3), "goal": goal, "met": measured <= goal}


def _per_label(used: Mapping[str, Sequence[Used]], shape: Shape) -> float:
    return sum(_total(each) for step, each in used.items() if step not in VAULT) / shape.labels


def _steps(used: Mapping[str, Sequence[Used]], shape: Shape) -> dict[str, dict[str, Any]]:
    return {
        step: {
            "transactions": len(each),
            "mean": round(_mean(each)),
            "per_label": round(_total(each) / shape.labels, 1),
        }
        for step, each in used.items()
    }


def _total(used: Sequence[Used]) -> int:
    return sum(each.gas for each in used)


def _mean(used: Sequence[Used]) -> float:
    return _total(used) / len(used)


def _number(value: float) -> str:
    return f"{value:,.2f}" if value < 10 else f"{value:,.0f}"


def _rows(head: Sequence[str], body: Sequence[Sequence[str]]) -> list[str]:
    rows = [head, ["---"] * len(head), *body]
    return ["| " + " | ".join(row) + " |" for row in rows]
