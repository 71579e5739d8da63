"""How fast scores and settlements of a whole campaign are computed: `python benchmarks/scores.py`."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from earnest.protocol.audit import AuditRow, open_rows, seal
from earnest.protocol.draw import assignment, cohorts
from earnest.protocol.labels import label_count
from earnest.protocol.score import score_campaign
from earnest.protocol.settlement import pack_campaign, settle_campaign
from earnest.protocol.terms import Curve, Metric, Periods, Terms, Weights

COHORT = 7
BATCH_SIZE = 100
KEY = b"\x5a" * 32
CASES = (
    ("Nominal, 4 classes", Metric.NOMINAL, 4, False),
    ("Nominal, 255 classes", Metric.NOMINAL, 255, False),
    ("Interval, 255 levels", Metric.INTERVAL, 255, False),
    ("Ranking of 4", Metric.RANKING, 4, False),
    ("Ranking of 5", Metric.RANKING, 5, False),
    ("Nominal, 4 classes, audited", Metric.NOMINAL, 4, True),
    ("Interval, 255 levels, audited", Metric.INTERVAL, 255, True),
    ("Ranking of 4, audited", Metric.RANKING, 4, True),
)


def measure(labels: int = 1_000_000, repeat: int = 3) -> dict[str, Any]:
    """The best of `repeat` runs of each step, in seconds, for campaigns of about `labels` labels; JSON-able.

    `score` goes from label bytes (and audit rows in the clear) to scores, `settle` from scores to every
    seat's payout and every batch's packed word, `open_audit` from enciphered rows to rows in the clear. The
    draw is of all seats, both ways.
    """
    batches = -(-labels // (COHORT * BATCH_SIZE))
    rng = np.random.default_rng(1)
    return {
        "labels": batches * COHORT * BATCH_SIZE,
        "cohort": COHORT,
        "batch_size": BATCH_SIZE,
        "cases": [
            _case(rng, name, metric, classes, audited, batches, repeat)
            for name, metric, classes, audited in CASES
        ],
        "draw": _draw(batches, repeat),
    }


def _case(
    rng: np.random.Generator,
    name: str,
    metric: Metric,
    classes: int,
    audited: bool,
    batches: int,
    repeat: int,
) -> dict[str, Any]:
    terms = _terms(metric, classes, audited, batches)
    size = label_count(metric, classes)
    labels, revealed, labelers = _campaign(rng, size, batches)
    result: dict[str, Any] = {"case": name}
    rows: list[AuditRow | None] | None = None
    if audited:
        sealed = seal([_row(rng, size) for _ in range(batches)], KEY, BATCH_SIZE, size)
        result["open_audit"], rows = _best(repeat, lambda: open_rows(sealed, KEY, BATCH_SIZE, size))
    result["score"], scores = _best(repeat, lambda: score_campaign(terms, labels, revealed, labelers, rows))
    result["settle"], _ = _best(repeat, lambda: (settle_campaign(terms, scores), pack_campaign(scores)))
    result["total"] = sum(seconds for key, seconds in result.items() if key != "case")
    return result


def _draw(batches: int, repeat: int) -> dict[str, Any]:
    seats = batches * COHORT
    seconds, _ = _best(repeat, lambda: (assignment(KEY, seats, COHORT), cohorts(KEY, seats, COHORT)))
    return {"seats": seats, "both_ways": seconds}


def _campaign(
    rng: np.random.Generator, size: int, batches: int
) -> tuple[NDArray[np.uint8], NDArray[np.bool_], NDArray[np.int64]]:
    """Seats that are right three times in four, one in twenty of whom never reveals."""
    truth = rng.integers(size, size=(batches, 1, BATCH_SIZE), dtype=np.uint8)
    guess = rng.integers(size, size=(batches, COHORT, BATCH_SIZE), dtype=np.uint8)
    labels = np.where(rng.random(guess.shape) < 0.75, truth, guess)
    labelers = rng.integers(batches, size=(batches, COHORT))
    return labels, rng.random((batches, COHORT)) < 0.95, labelers


def _row(rng: np.random.Generator, size: int) -> AuditRow:
    """30 shared positions of which 10 are gold, and 5 repeats."""
    order = rng.permutation(BATCH_SIZE).tolist()
    gold = tuple((position, int(rng.integers(size))) for position in sorted(order[:10]))
    repeats = tuple(sorted((min(pair), max(pair)) for pair in zip(order[40:45], order[45:50], strict=True)))
    return AuditRow(tuple(sorted(order[:30])), gold, repeats)


def _terms(metric: Metric, classes: int, audited: bool, batches: int) -> Terms:
    root = (b"\x01" if audited else b"\x00") * 32
    return Terms(
        batches=batches,
        cohort=COHORT,
        batch_size=BATCH_SIZE,
        metric=metric,
        classes=classes,
        bounty=7 * 10**18,
        stake=2 * 10**18,
        bond=10**18,
        curve=Curve(max_slash=5_000, forfeit=5_000),
        weights=Weights(peers=2, gold=1, repeats=1),
        periods=Periods(draw=3600, commit=3600, reveal=3600, audit=3600, challenge=3600),
        enroll_by=2_000_000_000,
        audit_root=root,
        audit_key_hash=root,
        manifest=bytes(32),
    )


def _best(repeat: int, run: Callable[[], Any]) -> tuple[float, Any]:
    best, result = float("inf"), None
    for _ in range(repeat):
        start = perf_counter()
        result = run()
        best = min(best, perf_counter() - start)
    return best, result


def table(measured: dict[str, Any]) -> str:
    """The figures of `measure` for people."""
    lines = [
        f"{measured['labels']:,} labels, K={measured['cohort']}, B={measured['batch_size']}; seconds",
        f"{'':32}{'open audit':>12}{'score':>12}{'settle':>12}{'total':>12}",
    ]
    for case in measured["cases"]:
        opened = f"{case['open_audit']:.3f}" if "open_audit" in case else "–"
        lines.append(
            f"{case['case']:32}{opened:>12}{case['score']:12.3f}{case['settle']:12.3f}{case['total']:12.3f}"
        )
    draw = measured["draw"]
    lines.append(f"the draw of {draw['seats']:,} seats, both ways: {draw['both_ways']:.3f}")
    return "\n".join(lines)


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description="Time scores and settlements of a whole campaign.")
    parser.add_argument("--labels", type=int, default=1_000_000, help="labels in the campaign")
    parser.add_argument("--repeat", type=int, default=3, help="runs, of which the best counts")
    given = parser.parse_args()
    print(table(measure(given.labels, given.repeat)))


if __name__ == "__main__":
    main()
