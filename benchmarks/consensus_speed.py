"""Time and memory beside crowd-kit's, on made-up labels: every figure from a process of its own.

`python -m benchmarks.consensus_speed <library> <method> <answers.npy>` runs one fit and prints one line of
JSON.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

WORKERS, CLASSES, EACH = 2_000, 5, 10
NEVER = -np.inf
"""A tolerance that no objective meets: all iterations are done."""

ROOT = Path(__file__).parent.parent

# Iterations, the same for both libraries.
EQUAL = {"Dawid–Skene": 20, "MACE": 50, "GLAD": 1}


def answers(tasks: int, seed: int = 0) -> np.ndarray:
    """Rows task, worker, label [3, n] of one-coin workers whose accuracies are Beta(6, 3)."""
    rng = np.random.default_rng(seed)
    accuracy = rng.beta(6, 3, WORKERS)
    task = np.repeat(np.arange(tasks, dtype=np.int32), EACH)
    strides = rng.integers(1, WORKERS // EACH, (tasks, EACH), dtype=np.int32)
    first = rng.integers(0, WORKERS, (tasks, 1))
    worker = ((first + strides.cumsum(axis=1)) % WORKERS).ravel().astype(np.int32)
    truth = rng.integers(0, CLASSES, tasks, dtype=np.int32)[task]
    wrong = (truth + rng.integers(1, CLASSES, len(task), dtype=np.int32)) % CLASSES
    label = np.where(rng.random(len(task), dtype=np.float32) < accuracy[worker], truth, wrong)
    return np.stack([task, worker, label.astype(np.int32)])


def side_by_side(tasks: int) -> dict[str, dict[str, dict[str, Any]]]:
    """Figures by method and library: the same answers and iterations, then ours until it converges."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "answers.npy"
        np.save(file, answers(tasks))
        result: dict[str, dict[str, dict[str, Any]]] = {}
        for method in EQUAL:
            runs = {library: _run(library, method, file) for library in ("crowd-kit", "earnest")}
            runs["earnest, to convergence"] = _run("earnest-converged", method, file)
            result[method] = runs
        result["stack"] = {"earnest, to convergence": _run("earnest-converged", "stack", file)}
        return result


def large(tasks: int) -> dict[str, Any]:
    """Dawid–Skene until it converges."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "answers.npy"
        np.save(file, answers(tasks))
        return _run("earnest-converged", "Dawid–Skene", file)


def _run(library: str, method: str, file: Path) -> dict[str, Any]:
    print(f"  {library}: {method}", flush=True)
    environment = {
        **os.environ,
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "PYTHONWARNINGS": "ignore",
    }
    command = [sys.executable, "-m", "benchmarks.consensus_speed", library, method, str(file)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=ROOT)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def _fit_ours(method: str, rows: np.ndarray, converge: bool) -> Callable[[], int]:
    from earnest.consensus.dawid_skene import DawidSkene
    from earnest.consensus.glad import GLAD
    from earnest.consensus.mace import MACE
    from earnest.consensus.stack import Stack
    from earnest.consensus.table import LabelTable

    iterations = EQUAL.get(method, 0)
    if converge:
        made: Any = {"Dawid–Skene": DawidSkene(), "MACE": MACE(restarts=0), "GLAD": GLAD(), "stack": Stack()}
    else:
        # GLAD ends with an E-step, and maximises after it: one more iteration for one whole cycle.
        made = {
            "Dawid–Skene": DawidSkene(iterations=iterations, tolerance=NEVER),
            "MACE": MACE(restarts=0, iterations=iterations, tolerance=NEVER),
            "GLAD": GLAD(iterations=iterations + 1, tolerance=NEVER),
        }
    estimator = made[method]

    def fit() -> int:
        table = LabelTable.from_columns(*rows)
        return int(estimator.fit_predict(table).convergence.iterations)

    return fit


def _fit_theirs(method: str, rows: np.ndarray) -> Callable[[], int]:
    import pandas as pd
    from crowdkit.aggregation import classification as kit

    iterations = EQUAL[method]
    frame = pd.DataFrame(dict(zip(("task", "worker", "label"), rows, strict=True)))
    estimator: Any = {
        "Dawid–Skene": lambda: kit.DawidSkene(n_iter=iterations, tol=NEVER),
        "MACE": lambda: kit.MACE(n_restarts=1, n_iter=iterations),
        "GLAD": lambda: kit.GLAD(n_iter=iterations, tol=NEVER, m_step_max_iter=1, silent=True),
    }[method]()

    def fit() -> int:
        estimator.fit(frame)
        return iterations

    return fit


def main(library: str, method: str, file: str) -> None:
    """Fit once, and print wall and processor seconds (making the table included, imports and reading not)."""
    rows = np.load(file)
    if library == "crowd-kit":
        fit = _fit_theirs(method, rows)
    else:
        fit = _fit_ours(method, rows, library == "earnest-converged")
    began, worked = time.perf_counter(), time.process_time()
    iterations = fit()
    seconds, cpu = time.perf_counter() - began, time.process_time() - worked
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    figures = {"seconds": seconds, "cpu": cpu, "peak_gb": peak}
    print(json.dumps({"labels": rows.shape[1], "iterations": iterations, **figures}))


if __name__ == "__main__":
    main(*sys.argv[1:])
