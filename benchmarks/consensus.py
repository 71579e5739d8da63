"""Every estimator of classes beside crowd-kit's own: accuracy, honesty, speed and memory, in one run.

`python -m benchmarks.consensus` measures all parts; name some (`accuracy`, `redundancy`, `speed`, `large`) to
measure those only and keep the rest. Writes `consensus.json` and, from it, `consensus.md`, beside this file.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import consensus_accuracy as accuracy
from benchmarks import consensus_speed as speed
from earnest.datasets import CATEGORICAL

FIGURES = Path(__file__).with_suffix(".json")
TABLE = Path(__file__).with_suffix(".md")

PARTS: dict[str, Callable[[], Any]] = {
    "accuracy": accuracy.ours,
    "crowd-kit": accuracy.theirs,
    "redundancy": accuracy.redundancy,
    "constants": accuracy.constants,
    "speed": lambda: speed.side_by_side(100_000),
    "large": lambda: speed.large(1_000_000),
}


def main() -> None:
    """Measure the parts asked for and write both files."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.consensus", description=__doc__)
    parser.add_argument("part", nargs="*", help=f"any of {', '.join(PARTS)}; all if none is named")
    asked = parser.parse_args().part or list(PARTS)
    unknown = [part for part in asked if part not in PARTS]
    if unknown:
        parser.error(f"no part {unknown[0]!r}; there are {', '.join(PARTS)}")
    figures = json.loads(FIGURES.read_text(encoding="utf-8")) if FIGURES.exists() else {}
    for part in asked:
        print(f"{part} …", flush=True)
        figures[part] = PARTS[part]()
        FIGURES.write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    written = [section(figures) for section in SECTIONS]
    TABLE.write_text("\n\n".join(filter(None, written)) + "\n", encoding="utf-8")
    print(TABLE.read_text(encoding="utf-8"))


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table in Markdown."""
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def mean(rows: dict[str, Any], key: str) -> float:
    """Mean over the sets; NaN where a method refused one."""
    return float(np.mean([row[key] if isinstance(row, dict) else np.nan for row in rows.values()]))


def shown(value: float, digits: int) -> str:
    """A figure, or a dash for NaN."""
    return "–" if np.isnan(value) else f"{value:.{digits}f}"


def methods(figures: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """Library, method and rows of every method, the default first."""
    libraries = (("earnest", figures.get("accuracy", {})), ("crowd-kit", figures.get("crowd-kit", {})))
    return [(library, name, rows) for library, found in libraries for name, rows in found.items()]


def accuracy_section(figures: dict[str, Any]) -> str:
    """Accuracy by set."""
    if "accuracy" not in figures:
        return ""
    rows = []
    for library, name, by_set in methods(figures):
        cells = [shown(r["accuracy"], 2) if isinstance(r, dict) else "–" for r in by_set.values()]
        rows.append([library, name, *cells, shown(mean(by_set, "accuracy"), 2)])
    return "## Accuracy, percent\n\n" + table(["library", "method", *CATEGORICAL, "mean"], rows)


def honesty_section(figures: dict[str, Any]) -> str:
    """Log loss by set, its mean, and the mean calibration error."""
    if "accuracy" not in figures:
        return ""
    rows = []
    for library, name, by_set in methods(figures):
        cells = [shown(r["log_loss"], 3) if isinstance(r, dict) else "–" for r in by_set.values()]
        means = [shown(mean(by_set, "log_loss"), 3), shown(mean(by_set, "ece"), 4)]
        rows.append([library, name, *cells, *means])
    head = ["library", "method", *CATEGORICAL, "mean log loss", "mean calibration error"]
    return "## Log loss and calibration error\n\n" + table(head, rows)


def difference_section(figures: dict[str, Any]) -> str:
    """Ours minus theirs, method by method."""
    if not {"accuracy", "crowd-kit"} <= set(figures):
        return ""
    rows = []
    for name, theirs in figures["crowd-kit"].items():
        ours = figures["accuracy"].get(name)
        if ours:
            gaps = [
                ours[each]["accuracy"] - theirs[each]["accuracy"]
                if isinstance(theirs[each], dict)
                else np.nan
                for each in CATEGORICAL
            ]
            rows.append([name, *(f"{gap:+.2f}" for gap in gaps), f"{np.mean(gaps):+.2f}"])
    head = ["method", *CATEGORICAL, "mean"]
    return "## Accuracy, ours minus crowd-kit's, points\n\n" + table(head, rows)


def redundancy_section(figures: dict[str, Any]) -> str:
    """Means over the sets, by answers a task."""
    if "redundancy" not in figures:
        return ""
    rows = []
    for name, by_answers in figures["redundancy"].items():
        cells = []
        for by_set in by_answers.values():
            values = (mean(by_set, "accuracy"), mean(by_set, "log_loss"), mean(by_set, "ece"))
            cells.append("{:.2f} / {:.3f} / {:.3f}".format(*values))
        rows.append([name, *cells])
    head = [
        "method",
        *(f"{answers} answers a task" for answers in next(iter(figures["redundancy"].values()))),
    ]
    return (
        "## With fewer answers: accuracy / log loss / calibration error\n\n"
        f"Means over {accuracy.REPLICATES} draws of the answers and over all sets that have more.\n\n"
        + table(head, rows)
    )


def constants_section(figures: dict[str, Any]) -> str:
    """What the default's constants would be without each set, and what they cost on it."""
    if "constants" not in figures:
        return ""
    found = figures["constants"]["left out"]
    rows = [
        [name, f"{r['spread']}", f"{r['discount']}", shown(r["accuracy"], 2), shown(r["log_loss"], 3)]
        for name, r in found.items()
    ]
    rows.append(["mean", "", "", shown(mean(found, "accuracy"), 2), shown(mean(found, "log_loss"), 3)])
    return "## The default's constants, chosen without the set that is scored\n\n" + table(
        ["set left out", "spread", "discount", "accuracy", "log loss"], rows
    )


def speed_section(figures: dict[str, Any]) -> str:
    """Seconds and peak memory, side by side."""
    rows = []
    for method, runs in figures.get("speed", {}).items():
        base = runs.get("crowd-kit")
        for library, run in runs.items():
            equal = base is not None and library == "earnest"
            times = f"{base['cpu'] / run['cpu']:.0f} ×" if equal and base else ""
            cells = [
                f"{run['iterations']}",
                f"{run['seconds']:.2f}",
                f"{run['cpu']:.2f}",
                f"{run['peak_gb']:.2f}",
            ]
            rows.append([method, library, f"{run['labels']:,}", *cells, times])
    if "large" in figures:
        run = figures["large"]
        cells = [
            f"{run['iterations']}",
            f"{run['seconds']:.2f}",
            f"{run['cpu']:.2f}",
            f"{run['peak_gb']:.2f}",
        ]
        rows.append(["Dawid–Skene", "earnest, to convergence", f"{run['labels']:,}", *cells, ""])
    head = ["method", "library", "labels", "iterations", "seconds", "processor seconds", "peak GB", "faster"]
    return "## Speed and memory\n\n" + table(head, rows) if rows else ""


def heading(_: dict[str, Any]) -> str:
    """What the file is."""
    return "# Consensus on classes, measured\n\nWritten by `make bench-consensus`."


SECTIONS = (
    heading,
    accuracy_section,
    difference_section,
    honesty_section,
    redundancy_section,
    constants_section,
    speed_section,
)


if __name__ == "__main__":
    main()
