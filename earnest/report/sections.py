"""What stands on the page, in the order in which one asks: is it good, what did it cost, who did it."""

from __future__ import annotations

import numpy as np

from earnest.consensus.result import ClassConsensus, RankingConsensus, RatingConsensus
from earnest.consensus.table import Floats
from earnest.protocol.terms import BPS
from earnest.report import figures
from earnest.report.books import NEAR, Books, points
from earnest.report.labels import Labels
from earnest.report.page import Grid, Part, Plot, Section
from earnest.report.tables import labeler_rows

MOST_TASKS = 25
"""Least sure tasks listed."""

MOST_SEATS = 60
"""Seats to be looked at listed."""

MOST_LABELERS = 100
"""Labelers listed."""

LONGEST = 220
"""Characters of a task's content shown."""


def tiles(labels: Labels, books: Books | None) -> list[tuple[str, str]]:
    """The figures on top of the page."""
    table, result = labels.table, labels.consensus
    found = [
        (f"{len(table.tasks):,}", "tasks labelled"),
        (f"{len(table):,}", f"labels, {table.per_task.mean():.1f} for each task"),
        (f"{len(table.workers):,}", "labelers"),
        (_number(labels.overall), "agreement (1: full, 0: chance)"),
    ]
    sure = labels.sure
    if isinstance(result, RatingConsensus):
        half, share = np.median(sure) / 2, f"{result.coverage:.0%}"
        found.append((f"± {half:.3g}", f"median half width of the {share} interval"))
    elif isinstance(result, ClassConsensus):
        found.append((f"{sure.mean():.1%}", "of answers right, by the consensus's own estimate"))
    else:
        found.append((f"{sure.mean():.1%}", "of whole rankings right, by the consensus's own estimate"))
    known = labels.right[np.isfinite(labels.right)]
    if len(known):
        found.append(_truth_tile(labels, known))
    if books:
        found.append((_per_label(books), "for each label revealed"))
    return found


def _truth_tile(labels: Labels, known: Floats) -> tuple[str, str]:
    if isinstance(labels.consensus, RatingConsensus):
        error = np.sqrt((known**2).mean())
        return f"{error:.3g}", f"error (root mean square) against {len(known):,} known values"
    what = "pairs ordered rightly" if isinstance(labels.consensus, RankingConsensus) else "answers right"
    return f"{known.mean():.1%}", f"of {what}, by {len(known):,} known answers"


def sections(
    labels: Labels, books: Books | None, positions: Floats | None, times: Floats | None
) -> list[Section]:
    """All sections. `positions` of each label in its batch, [n], and `times` of its reveal, where known."""
    found = [consensus_section(labels), doubt_section(labels), agreement_section(labels, positions, times)]
    if books:
        found += [pay_section(books), look_section(books), cost_section(books)]
    return [*found, labeler_section(labels, books)]


def consensus_section(labels: Labels) -> Section:
    """The consensus and its confidence."""
    result = labels.consensus
    ended = result.convergence
    how = f"It was made by the method {result.method}"
    if ended.iterations:
        state = "converged" if ended.converged else "had not converged"
        how += f", which {state} after {ended.iterations} iterations"
    parts: list[Part] = [
        f"{how}. {_sure(labels)}",
        Plot(figures.confidence(labels), "How sure the consensus is of how many tasks"),
        "Above: how sure it is of how many tasks. Below: what it says of how many tasks"
        + ("." if isinstance(result, RatingConsensus) else ", beside what the labelers answered."),
        Plot(figures.values(labels), "What the consensus is, of how many tasks"),
    ]
    calibration = figures.calibration(labels)
    if calibration is not None:
        rating = isinstance(result, RatingConsensus)
        parts += [
            "Beside the truth, where it is known: points on the dotted line are as they should be."
            + ("" if rating else " Above it the consensus is too cautious, below it too sure."),
            Plot(calibration, "The consensus beside the truth"),
        ]
    return Section("The consensus and how sure it is", parts)


def _sure(labels: Labels) -> str:
    sure = labels.sure
    told = (
        f" {(~labels.inferred).sum():,} tasks whose answer it was told are left out of this."
        if labels.gold
        else ""
    )
    if isinstance(labels.consensus, RatingConsensus):
        middle, wide = np.nanquantile(sure, [0.5, 0.95])
        return f"Half of the intervals are narrower than {middle:.3g}, 95% narrower than {wide:.3g}.{told}"
    high, low = (sure >= 0.95).mean(), (sure < 0.7).mean()
    return f"It is at least 95% sure of {high:.0%} of the tasks, and less than 70% sure of {low:.0%}.{told}"


def doubt_section(labels: Labels) -> Section:
    """The least sure tasks, with what they show."""
    order = labels.least_sure[:MOST_TASKS].tolist()
    agreement, sure, answers = labels.task_agreement, labels.confidence, labels.answers
    rating = isinstance(labels.consensus, RatingConsensus)
    rows = []
    for place in order:
        task = labels.table.tasks[place].item()
        doubt = f"{sure[place]:.3g}" if rating else f"{sure[place]:.1%}"
        rows.append(
            [task, _short(labels.contents.get(task, "")), answers[place], doubt,
             int(labels.table.per_task[place]), _number(float(agreement[place]))]
        )  # fmt: skip
    width = "#interval's width" if rating else "#sure"
    columns = ["task", "what it shows", "consensus", width, "#labels", "#agreement"]
    if not any(row[1] for row in rows):
        columns.pop(1)
        rows = [row[:1] + row[2:] for row in rows]
    return Section(
        "The least sure tasks",
        [
            "Read these first: either more labels will settle them, or the question does not fit them."
            + _rest(len(labels.table.tasks) - len(rows), "tasks", "tasks.csv"),
            Grid(columns, rows),
        ],
    )


def agreement_section(labels: Labels, positions: Floats | None, times: Floats | None) -> Section:
    """Agreement by task and over time."""
    plot = figures.task_agreement(labels)
    if plot is None:
        return Section("Agreement", ["No task has two labels that could agree, or all labels are the same."])
    by_task = labels.task_agreement
    by_task = by_task[np.isfinite(by_task)]
    parts: list[Part] = [
        "Agreement is 1 when all labels of a task are the same and 0 when they are as far apart as labels of"
        f" different tasks. It is {_number(labels.overall)} on average; on {(by_task <= 0).mean():.0%} of the"
        " tasks labels agree no better than chance.",
        Plot(plot, "How many tasks have which agreement"),
    ]
    for order, axis, sentence in (
        (positions, "position in the batch (the first is 1)",
         "By position in the batch: a line that falls tells of labelers who tire."),
        (times, "time of the reveal (minutes from the first)",
         "By time of the reveal: late batches should agree like early ones."),
    ):  # fmt: skip
        figure = figures.over_time(order, labels.agreement, axis) if order is not None else None
        if figure is not None:
            parts += [sentence + " Bars are standard errors.", Plot(figure, sentence)]
    return Section("Agreement", parts)


def pay_section(books: Books) -> Section:
    """Score against pay, and the scores."""
    count = {state: sum(row.state == state for row in books.seats) for state in figures.STATES}
    scored = [row for row in books.seats if row.score is not None]
    paid, slashed = sum(row.reward > 0 for row in books.seats), sum(row.slash > 0 for row in books.seats)
    odd = [f"{count[state]} {state}" for state in ("unscored", "absent", "denounced") if count[state]]
    sentence = (
        f"Of {len(books.seats):,} seats {paid:,} are paid and {slashed:,} slashed"
        + (f"; {', '.join(odd)}" if odd else "")
        + "."
    )
    if scored:
        middle = int(np.median([row.score for row in scored if row.score is not None]))
        sentence += f" The median score is {points(middle)}."
    if not books.final:
        sentence += " Not all batches are released: this is what they will be by the scores as they stand."
    parts: list[Part] = [
        sentence,
        Plot(figures.score_and_pay(books), "Score against result of every seat, with the curve"),
        "The line is what a score gets when all others of its cohort score in full. Points above it were in"
        " cohorts where others earned less, which raises everybody's share, up to twice the even one. Points"
        " on zero where the line is lower were spared, because their cohort shows no signal.",
    ]
    histogram = figures.score_histogram(books)
    if histogram is not None:
        parts.append(Plot(histogram, "How many seats have which score"))
    return Section("Score and pay", parts)


def look_section(books: Books) -> Section:
    """Seats near the thresholds and the other odd ones."""
    rows = [row for row in books.seats if row.looks]
    rows.sort(key=lambda row: (row.score is None, row.score or 0))
    near = NEAR / BPS
    if not rows:
        text = f"No seat was slashed or spared, and none is within {near:g} of where pay or slashing begins."
        return Section("Seats that deserve a look", [text])
    grid = Grid(
        ["#seat", "labeler", "#batch", "#score", f"#result, {books.token.symbol}", "why"],
        [
            [row.seat, figures.short_name(row.labeler), row.batch,
             "–" if row.score is None else points(row.score),
             books.token.number(row.result, 5), "; ".join(row.looks)]
            for row in rows[:MOST_SEATS]
        ],
    )  # fmt: skip
    return Section(
        "Seats that deserve a look",
        [
            f"Slashed, spared, or within {near:g} of where pay or slashing begins: {len(rows):,} of"
            f" {len(books.seats):,} seats, the lowest scores first."
            + _rest(len(rows) - MOST_SEATS, "of them", "seats.csv"),
            grid,
        ],
    )


def cost_section(books: Books) -> Section:
    """Where the money went."""
    cost = books.cost

    def write(units: int) -> str:
        return f"{books.amount(units):.6g} {books.token.symbol}"

    sentences = (
        f"The experimenter spends {write(cost.spent)} in all: {write(cost.bounty)} of bounty less"
        f" {write(cost.refunded)} refunded for labels never delivered, and {write(cost.fees)} of fees."
        f" That is {_per_label(books)} for each of {books.labels:,} labels revealed."
        f" {write(cost.sunk)} go to the sink, of which {write(cost.slashed + cost.forfeited)} were labelers'"
        " stakes."
    )
    plot = Plot(figures.money(books), "Where bounty, stakes and fees went")
    return Section("What it cost", [sentences, plot])


def labeler_section(labels: Labels, books: Books | None) -> Section:
    """Confusion, bias or pair matrices, and the table of labelers."""
    result = labels.consensus
    parts: list[Part] = [
        "Reliability is the consensus's own estimate of each labeler.",
        Plot(figures.reliability(labels), "Reliability of the labelers, by how much they did"),
    ]
    scatter = figures.bias_and_noise(labels)
    if scatter is not None:
        parts += [
            "A labeler right of the dotted line rates higher than the others, one far up answers unsteadily.",
            Plot(scatter, "Bias and noise of the labelers"),
        ]
    pooled, own = figures.pooled_matrix(labels), figures.own_matrices(labels)
    if pooled is not None:
        ranking = isinstance(result, RankingConsensus)
        parts += [
            "How often the item of one place (by consensus) was put before that of another: dark above the"
            " diagonal is agreement."
            if ranking
            else "What was answered, by what the consensus says: each row sums to 100%, and the diagonal is"
            " agreement.",
            Plot(pooled, "Matrix of all labelers together"),
        ]
    if own is not None:
        parts += [
            "The same of each labeler, those with the most labels (in brackets) first.",
            Plot(own, "Matrices of the labelers with the most labels"),
        ]
    rows = labeler_rows(labels, books)
    names = {"reliability": "#reliability", "mean_score": "#mean score", "labeler": "labeler"}
    columns = list(dict.fromkeys(key for row in rows for key in row))
    unit = f", {books.token.symbol}" if books else ""
    heads = [names.get(c, f"#{c}{unit if c in ('earned', 'lost') else ''}") for c in columns]
    shown = [[_cell(column, row.get(column)) for column in columns] for row in rows[:MOST_LABELERS]]
    parts += [
        "The labelers, the most labels first; labelers.csv has their whole names."
        + _rest(len(rows) - MOST_LABELERS, "labelers", "labelers.csv"),
        Grid(heads, shown),
    ]
    return Section("The labelers", parts)


def _cell(column: str, value: object) -> str:
    if value is None or value == "":
        return "–"
    if column == "labeler":
        return figures.short_name(value)
    if column == "mean_score" and isinstance(value, float):
        return points(round(value))
    if column in ("earned", "lost"):
        return f"{float(str(value)):.5g}"
    return _number(value) if isinstance(value, float) else str(value)


def _number(value: float) -> str:
    return "–" if np.isnan(value) else f"{value:.3f}"


def _per_label(books: Books) -> str:
    if not books.labels:
        return "–"
    return f"{books.amount(books.cost.spent) / books.labels:.3g} {books.token.symbol}"


def _short(content: str) -> str:
    whole = " ".join(content.split())
    return whole if len(whole) <= LONGEST else whole[: LONGEST - 1] + "…"


def _rest(more: int, what: str, file: str) -> str:
    return f" {more:,} more {what} stand in {file}." if more > 0 else ""
