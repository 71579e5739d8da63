"""Tables for other programs: `seats.csv`, `tasks.csv`, `labelers.csv`."""

from __future__ import annotations

from typing import Any

import numpy as np

from earnest.consensus.result import RatingConsensus
from earnest.report.books import Books
from earnest.report.labels import Labels


def seat_rows(books: Books) -> list[dict[str, Any]]:
    """A row for each drawn seat, by batch and lane; score in bps, money in token units, exactly."""
    number = books.token.number
    return [
        {
            "seat": row.seat,
            "labeler": row.labeler,
            "batch": row.batch,
            "lane": row.lane,
            "state": row.state,
            "score": row.score,
            "reward": number(row.reward).replace(",", ""),
            "slash": number(row.slash).replace(",", ""),
            "forfeit": number(row.forfeit).replace(",", ""),
            "result": number(row.result).replace(",", ""),
            "revealed_at": books.revealed_at.get(row.seat),
            "look": "; ".join(row.looks),
        }
        for row in books.seats
    ]


def task_rows(labels: Labels) -> list[dict[str, Any]]:
    """A row for each task of the table, in its order."""
    result, sure = labels.consensus, labels.confidence
    answers, agreement, count = labels.answers, labels.task_agreement, labels.table.per_task.tolist()
    rows = []
    for place, task in enumerate(labels.table.tasks.tolist()):
        row = {
            "task": task,
            "consensus": answers[place],
            "labels": count[place],
            "agreement": agreement[place],
        }
        if isinstance(result, RatingConsensus):
            row |= {"low": result.low[place], "high": result.high[place]}
        else:
            row |= {"confidence": sure[place]}
        if labels.gold:
            row |= {"told": task in labels.gold}
        if labels.truth:
            row |= {"error" if isinstance(result, RatingConsensus) else "right": labels.right[place]}
        rows.append(row | {"content": labels.contents.get(task, "")})
    return rows


def labeler_rows(labels: Labels, books: Books | None) -> list[dict[str, Any]]:
    """A row for each labeler with a label, the most labels first; with what all of their seats got."""
    table, result = labels.table, labels.consensus
    earned = _earned(books) if books else {}
    load = table.per_worker
    order = np.argsort(-load, kind="stable")
    agreement = labels.worker_agreement
    rows = []
    for place in order.tolist():
        name = table.workers[place].item()
        row: dict[str, Any] = {
            "labeler": name,
            "labels": int(load[place]),
            "reliability": float(result.reliability[place]),
            "agreement": float(agreement[place]),
        }
        if isinstance(result, RatingConsensus):
            row |= {"bias": float(result.bias[place]), "noise": float(result.noise[place])}
        if books:
            row |= earned.get(str(name), {})
        rows.append(row)
    return rows


def _earned(books: Books) -> dict[str, dict[str, Any]]:
    by_labeler: dict[str, list[Any]] = {}
    for seat in books.seats:
        by_labeler.setdefault(seat.labeler, []).append(seat)
    number = books.token.number
    found = {}
    for labeler, seats in by_labeler.items():
        scores = [seat.score for seat in seats if seat.score is not None]
        lost = sum(min(seat.result - seat.reward, 0) for seat in seats)
        found[labeler] = {
            "seats": len(seats),
            "mean_score": sum(scores) / len(scores) if scores else None,
            "earned": number(sum(seat.reward for seat in seats)).replace(",", ""),
            "lost": number(-lost).replace(",", ""),
        }
    return found
