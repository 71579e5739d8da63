"""The plots, as Plotly figures: each a pure function of labels or books, None where it has nothing to show.

Plotly reads markup in texts, so all that come from a campaign pass through `text`.
"""

from __future__ import annotations

from html import escape
from typing import Any, Final

import numpy as np
import plotly.graph_objects as go  # type: ignore[import-untyped]
from plotly.subplots import make_subplots  # type: ignore[import-untyped]

from earnest.consensus.result import ClassConsensus, RankingConsensus, RatingConsensus
from earnest.consensus.table import Floats, LabelTable, RankingTable
from earnest.protocol.terms import BPS
from earnest.report.books import Books, SeatRow, pay_curve, points
from earnest.report.labels import Labels, class_confusion, mean_by, pair_orders

INK: Final = "#1f2933"
BLUE: Final = "#2864a6"
ORANGE: Final = "#c8651b"
GREY: Final = "#8a94a0"
RED: Final = "#b3262e"
GREEN: Final = "#2f7d4f"
STATES: Final = {"scored": BLUE, "unscored": GREY, "absent": ORANGE, "denounced": RED}

MOST_POINTS: Final = 4_000
"""Points drawn of a scatter plot; of more, as many evenly spaced ones."""

MOST_MATRICES: Final = 12
"""Labelers whose own matrix is drawn, those with the most labels first."""

MOST_CLASSES: Final = 30
"""Classes of a matrix that can still be read; with more there is none."""

BLOCKS: Final = 20
"""Points of a line over time."""

Figure = Any


def text(value: object, most: int = 24) -> str:
    """A text from outside for a plot, whose texts may hold markup: escaped, and cut to `most` characters."""
    whole = " ".join(str(value).split())
    return escape(whole if len(whole) <= most else whole[: most - 1] + "…")


def spaced(size: int, most: int = MOST_POINTS) -> slice:
    """At most `most` places of `size`, evenly spaced."""
    return slice(None, None, max(1, -(-size // most)))


def score_and_pay(books: Books) -> Figure:
    """Score against result of every seat, with the curve."""
    low, high = _score_range(books)
    curve = books.terms.curve
    span = np.arange(round(low * BPS), round(high * BPS) + 1)
    corners = [curve.slash_full, curve.slash_from, curve.pay_from, curve.pay_full]
    wanted = sorted({*span[:: max(1, len(span) // 400)].tolist(), *corners, *(c - 1 for c in corners)})
    grid = np.array([score for score in wanted if span[0] <= score <= span[-1]])
    figure = go.Figure()
    figure.add_scatter(
        x=grid / BPS,
        y=[books.amount(pay) for pay in pay_curve(books.terms, grid)],
        mode="lines",
        line={"color": INK, "width": 2},
        name="the curve",
        hoverinfo="skip",
    )
    gap = (high - low) / 12
    places = {"unscored": low - gap, "absent": low - 2 * gap, "denounced": low - 3 * gap}
    used = {row.state for row in books.seats}
    for state, colour in STATES.items():
        rows = [row for row in books.seats if row.state == state]
        rows = rows[spaced(len(rows))]
        if not rows:
            continue
        figure.add_scatter(
            x=[row.score / BPS if row.score is not None else places[state] for row in rows],
            y=[books.amount(row.result) for row in rows],
            mode="markers",
            marker={"color": colour, "size": 9, "opacity": 0.65, "symbol": _symbol(state)},
            name=f"{state} seats",
            text=[_seat_text(books, row) for row in rows],
            hoverinfo="text",
        )
    ticks = _ticks(low, high)
    odd = [state for state in ("unscored", "absent", "denounced") if state in used]
    _layout(figure, "score (1: full agreement, 0: chance)", f"won or lost by a seat, {_unit(books)}")
    figure.update_xaxes(
        tickvals=[*(places[state] for state in odd), *ticks],
        ticktext=[*odd, *(f"{tick:g}" for tick in ticks)],
    )
    _thresholds(figure, books)
    figure.add_hline(y=0, line={"color": GREY, "width": 1})
    return figure


def score_histogram(books: Books) -> Figure | None:
    """How many seats have which score."""
    scores = [row.score / BPS for row in books.seats if row.score is not None]
    if not scores:
        return None
    low, high = _score_range(books)
    figure = _histogram(np.array(scores), low, high, "seats")
    _layout(figure, "score (1: full agreement, 0: chance)", "seats")
    _thresholds(figure, books)
    return figure


def money(books: Books) -> Figure:
    """Where the bounty, the stakes and the fees went."""
    cost = books.cost
    parts = [
        ("paid to labelers", cost.paid, GREEN),
        ("refunded to the experimenter", cost.refunded, BLUE),
        ("bounty nobody earned (sink)", cost.unearned, GREY),
        ("fees of settlers", cost.fees, INK),
        ("slashed from stakes (sink)", cost.slashed, RED),
        ("forfeited stakes (sink)", cost.forfeited, ORANGE),
        ("stakes lost by denouncing", cost.denounced, RED),
    ]
    shown = [part for part in parts if part[1] or part[0].startswith("paid")][::-1]
    figure = go.Figure(
        go.Bar(
            x=[books.amount(amount) for _, amount, _ in shown],
            y=[name for name, _, _ in shown],
            orientation="h",
            marker={"color": [colour for _, _, colour in shown]},
            text=[books.token.number(amount, 4) for _, amount, _ in shown],
            textposition="auto",
            hoverinfo="text",
        )
    )
    _layout(figure, _unit(books), "", height=90 + 38 * len(shown)).update_layout(bargap=0.25)
    return figure


def confidence(labels: Labels) -> Figure:
    """How sure the consensus is of how many tasks."""
    values = labels.sure
    if isinstance(labels.consensus, RatingConsensus):
        top = float(values.max(initial=0.0)) or 1.0
        figure = _histogram(values, 0.0, top, "tasks")
        holds = f"{labels.consensus.coverage:.0%}"
        return _layout(
            figure, f"width of the interval that holds the truth with probability {holds}", "tasks"
        )
    figure = _histogram(values, 0.0, 1.0, "tasks", bins=40)
    figure.update_xaxes(range=[max(0.0, float(values.min(initial=1.0)) - 0.05), 1.01])
    what = "answer" if isinstance(labels.consensus, ClassConsensus) else "whole ranking"
    return _layout(figure, f"probability that the {what} is right", "tasks")


def values(labels: Labels) -> Figure:
    """What the consensus is, of how many tasks."""
    result = labels.consensus
    if isinstance(result, RatingConsensus):
        figure = _histogram(
            result.value, float(np.nanmin(result.value)), float(np.nanmax(result.value)), "tasks"
        )
        return _layout(figure, "value by consensus", "tasks")
    if isinstance(result, ClassConsensus):
        names = [str(each) for each in result.classes]
        count = np.bincount(result.label, minlength=len(names))
        answered = np.bincount(labels.table.label, minlength=len(names))  # type: ignore[union-attr]
        axis = "class"
    else:
        size = result.ranking.shape[1]
        names = [labels.names[item] if labels.names else str(item) for item in range(size)]
        count = np.bincount(result.ranking[:, 0], minlength=size)
        answered = np.bincount(labels.table.ranking[:, 0], minlength=size)  # type: ignore[union-attr]
        axis = "item ranked first"
    shown = [text(name) for name in names]
    figure = go.Figure()
    figure.add_bar(x=shown, y=count / count.sum(), name="by consensus, of the tasks", marker_color=BLUE)
    figure.add_bar(x=shown, y=answered / answered.sum(), name="as answered, of the labels", marker_color=GREY)
    _layout(figure, axis, "share").update_layout(bargap=0.3)
    figure.update_yaxes(tickformat=".0%")
    figure.update_xaxes(type="category")
    return figure


def calibration(labels: Labels) -> Figure | None:
    """Where the truth is known: is what was called probable right as often?"""
    known = np.isfinite(labels.right)
    if not known.any():
        return None
    result = labels.consensus
    if isinstance(result, RatingConsensus):
        truth = result.value[known] - labels.right[known]
        figure = go.Figure()
        both = np.concatenate([truth, result.value[known]])
        ends = [float(both.min()), float(both.max())]
        figure.add_scatter(x=ends, y=ends, mode="lines", line={"color": GREY, "dash": "dot"}, name="equal")
        part = spaced(int(known.sum()))
        figure.add_scatter(
            x=truth[part],
            y=result.value[known][part],
            mode="markers",
            marker={"color": BLUE, "size": 7, "opacity": 0.5},
            name="tasks",
            error_y={
                "type": "data",
                "symmetric": False,
                "array": (result.high - result.value)[known][part],
                "arrayminus": (result.value - result.low)[known][part],
                "color": BLUE,
                "thickness": 0.6,
                "width": 0,
            },
        )
        return _layout(figure, "truth", "consensus, with its interval")
    said = labels.confidence[known]
    right = (
        labels.right[known]
        if isinstance(result, ClassConsensus)
        else (labels.right[known] == 1).astype(float)
    )
    cells = np.minimum((said * 10).astype(int), 9)
    count = np.bincount(cells, minlength=10)
    used = count > 0
    mean_said, mean_right = mean_by(said, cells, 10)[used], mean_by(right, cells, 10)[used]
    number = count[used]
    figure = go.Figure()
    figure.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", line={"color": GREY, "dash": "dot"}, name="as it says"
    )
    figure.add_scatter(
        x=mean_said,
        y=mean_right,
        mode="markers+lines",
        marker={"color": BLUE, "size": np.clip(6 + 3 * np.log2(number), 6, 34)},
        line={"color": BLUE, "width": 1},
        error_y={
            "type": "data",
            "array": np.sqrt(np.maximum(mean_right * (1 - mean_right), 0.25 / (number + 1)) / number),
            "thickness": 1,
        },
        name="tasks by confidence, ± a standard error",
        text=[
            f"{n} tasks: said {s:.1%}, right {r:.1%}"
            for n, s, r in zip(number, mean_said, mean_right, strict=True)
        ],
        hoverinfo="text",
    )
    return _layout(figure, "probability, as the consensus says", "share right, by the truth")


def task_agreement(labels: Labels) -> Figure | None:
    """How many tasks have which agreement of their labels."""
    agreement = labels.task_agreement
    agreement = agreement[np.isfinite(agreement)]
    if not len(agreement):
        return None
    figure = _histogram(agreement, float(min(agreement.min(), 0)), 1.0, "tasks", bins=40)
    figure.add_vline(x=0, line={"color": GREY, "width": 1, "dash": "dot"})
    return _layout(figure, "agreement of a task's labels (1: full, 0: chance)", "tasks")


def over_time(positions: Floats, agreement: Floats, axis: str) -> Figure | None:
    """Mean agreement in blocks of equally many labels, ordered by `positions` [n]; with standard errors."""
    there = np.isfinite(agreement)
    if there.sum() < 2 or np.ptp(positions[there]) == 0:
        return None
    order = np.argsort(positions[there], kind="stable")
    place, value = positions[there][order], agreement[there][order]
    # Equal places belong to one block, however many there are.
    edges = np.unique(np.quantile(place, np.linspace(0, 1, BLOCKS + 1)))
    block = np.clip(np.searchsorted(edges, place, side="right") - 1, 0, len(edges) - 2)
    mean, middle = mean_by(value, block, len(edges) - 1), mean_by(place, block, len(edges) - 1)
    count = np.bincount(block, minlength=len(edges) - 1)
    square = mean_by((value - mean[block]) ** 2, block, len(edges) - 1)
    used = count > 0
    figure = go.Figure(
        go.Scatter(
            x=middle[used],
            y=mean[used],
            mode="lines+markers",
            marker={"color": BLUE, "size": 8},
            line={"color": BLUE, "width": 1.5},
            error_y={
                "type": "data",
                "array": np.sqrt(square[used] / count[used]),
                "thickness": 1,
                "color": GREY,
            },
            text=[f"{n} labels: {m:.3f}" for n, m in zip(count[used], mean[used], strict=True)],
            hoverinfo="text",
        )
    )
    _layout(figure, axis, "agreement with the other labelers")
    figure.update_yaxes(rangemode="tozero")
    return figure


def pooled_matrix(labels: Labels) -> Figure | None:
    """Confusion matrix, or pair matrix of a ranking, of all labelers together."""
    found = _matrices(labels)
    if found is None:
        return None
    matrices, rows, columns = found
    figure = go.Figure(_heatmap(_shares(labels, matrices.sum(axis=0), None), rows, columns, scale=True))
    size = max(320, 130 + 44 * len(rows))
    return _matrix_layout(figure, labels, min(size, 900))


def own_matrices(labels: Labels) -> Figure | None:
    """The same of the labelers with the most labels, side by side."""
    found = _matrices(labels)
    if found is None or len(labels.table.workers) < 2:
        return None
    matrices, rows, columns = found
    load = labels.table.per_worker
    most = np.argsort(-load, kind="stable")[:MOST_MATRICES]
    across = 4
    down = -(-len(most) // across)
    titles = [f"{text(short_name(labels.table.workers[w]))} ({load[w]})" for w in most]
    figure = make_subplots(
        rows=down,
        cols=across,
        subplot_titles=titles,
        horizontal_spacing=0.05,
        vertical_spacing=0.3 / (down + 1),
    )
    for place, worker in enumerate(most):
        shares = _shares(labels, matrices[worker], float(load[worker]))
        cell = _heatmap(shares, rows, columns, scale=False, numbers=len(rows) <= 5)
        figure.add_trace(cell, row=place // across + 1, col=place % across + 1)
    _layout(figure, "", "", height=80 + 230 * down)
    figure.update_xaxes(tickfont={"size": 9}, type="category", showticklabels=len(rows) <= 8)
    figure.update_yaxes(
        tickfont={"size": 9}, type="category", autorange="reversed", showticklabels=len(rows) <= 8
    )
    for column in range(2, across + 1):  # the names once a row
        figure.update_yaxes(showticklabels=False, col=column)
    figure.update_annotations(font={"size": 11})
    return figure


def bias_and_noise(labels: Labels) -> Figure | None:
    """Of ratings: what each labeler adds to the truth, and how noisily."""
    result = labels.consensus
    if not isinstance(result, RatingConsensus) or np.isnan(result.noise).all():
        return None
    part = spaced(len(result.workers))
    load = labels.table.per_worker
    figure = go.Figure(
        go.Scatter(
            x=result.bias[part],
            y=result.noise[part],
            mode="markers",
            marker={
                "size": np.clip(6 + 2 * np.log2(np.maximum(load, 1)), 6, 26)[part],
                "color": result.reliability[part],
                "colorscale": "Viridis",
                "colorbar": {"title": "reliability"},
                "line": {"width": 0.5, "color": INK},
            },
            text=[
                f"{text(short_name(worker), 44)}: {count} labels"
                for worker, count in zip(result.workers[part], load[part], strict=True)
            ],
            hoverinfo="text+x+y",
        )
    )
    _layout(figure, "bias: what the labeler adds to the truth (rating units)", "noise (standard deviation)")
    figure.add_vline(x=0, line={"color": GREY, "width": 1, "dash": "dot"})
    figure.update_yaxes(rangemode="tozero")
    return figure


def reliability(labels: Labels) -> Figure:
    """How reliable the labelers are, by how much they did, if that differs."""
    result, load = labels.consensus, labels.table.per_worker
    if load.max() < 2 * load.min():
        figure = _histogram(result.reliability, 0.0, 1.0, "labelers")
        return _layout(figure, f"reliability: {_reliability_name(labels)}", "labelers")
    part = spaced(len(result.workers))
    figure = go.Figure(
        go.Scatter(
            x=load[part],
            y=result.reliability[part],
            mode="markers",
            marker={"color": BLUE, "size": 9, "opacity": 0.65},
            text=[text(short_name(worker), 44) for worker in result.workers[part]],
            hoverinfo="text+x+y",
        )
    )
    _layout(figure, "labels given", _reliability_name(labels))
    figure.update_yaxes(range=[min(0.0, float(np.nanmin(result.reliability))) - 0.02, 1.03])
    if load.max() > 20 * max(load.min(), 1):
        figure.update_xaxes(type="log")
    else:
        figure.update_xaxes(rangemode="tozero")
    return figure


def _reliability_name(labels: Labels) -> str:
    if isinstance(labels.consensus, RatingConsensus):
        return "squared correlation with the truth"
    pairs = isinstance(labels.consensus, RankingConsensus)
    return "probability to order two items rightly" if pairs else "probability to be right"


def _matrices(labels: Labels) -> tuple[Floats, list[str], list[str]] | None:
    """Counts of each worker, [W, rows, columns], and the names of rows and columns."""
    table, result = labels.table, labels.consensus
    if isinstance(table, LabelTable) and isinstance(result, ClassConsensus):
        if len(table.classes) > MOST_CLASSES:
            return None
        names = [text(each, 16) for each in table.classes]
        return class_confusion(table, result), names, names
    if isinstance(table, RankingTable) and isinstance(result, RankingConsensus):
        size = table.ranking.shape[1]
        places = [f"place {place + 1}" for place in range(size)]
        return pair_orders(table, result)[0], places, places
    return None


def _shares(labels: Labels, counts: Floats, answers: float | None) -> Floats:
    if isinstance(labels.table, RankingTable):
        shares = counts / (len(labels.table) if answers is None else answers)
        np.fill_diagonal(shares, np.nan)
        return np.asarray(shares)
    total = counts.sum(axis=1, keepdims=True)
    return np.asarray(np.divide(counts, total, out=np.full(counts.shape, np.nan), where=total > 0.5))


def _heatmap(
    shares: Floats, rows: list[str], columns: list[str], *, scale: bool, numbers: bool = True
) -> Any:
    shown = [["" if np.isnan(x) else f"{x:.0%}" for x in row] for row in shares]
    numbers = numbers and len(rows) <= 15
    return go.Heatmap(
        z=shares,
        x=columns,
        y=rows,
        zmin=0,
        zmax=1,
        colorscale=[[0, "#f4f7fa"], [1, "#1c4f8a"]],
        showscale=scale,
        colorbar={"tickformat": ".0%"},
        text=shown,
        texttemplate="%{text}" if numbers else "",
        hovertemplate="%{y} → %{x}: %{text}<extra></extra>",
        xgap=1,
        ygap=1,
    )


def _matrix_layout(figure: Figure, labels: Labels, height: int) -> Figure:
    if isinstance(labels.table, RankingTable):
        _layout(figure, "… stood before the item of this place", "how often the item of …", height=height)
    else:
        _layout(figure, "answered", "by consensus", height=height)
    figure.update_xaxes(type="category", showgrid=False)
    figure.update_yaxes(type="category", autorange="reversed", showgrid=False)
    return figure


def _histogram(values: Floats, low: float, high: float, what: str, bins: int = 40) -> Figure:
    """A histogram whose bins are counted here, so that the page holds bins and not values."""
    finite = values[np.isfinite(values)]
    edges = np.linspace(low, high if high > low else low + 1, bins + 1)
    count, _ = np.histogram(np.clip(finite, edges[0], edges[-1]), edges)
    return go.Figure(
        go.Bar(
            x=(edges[:-1] + edges[1:]) / 2,
            y=count,
            width=np.diff(edges),
            marker={"color": BLUE, "line": {"color": "white", "width": 1}},
            text=[
                f"{a:.3g} to {b:.3g}: {n} {what}" for a, b, n in zip(edges, edges[1:], count, strict=False)
            ],
            textposition="none",
            hoverinfo="text",
        )
    )


def _score_range(books: Books) -> tuple[float, float]:
    scores = [row.score for row in books.seats if row.score is not None]
    curve = books.terms.curve
    low = min([*scores, curve.slash_full - 500, -500])
    high = max([*scores, curve.pay_full + 500])
    return max(low, -BPS) / BPS, min(high, BPS) / BPS


def _ticks(low: float, high: float) -> list[float]:
    step = 0.1 if high - low < 0.9 else 0.2
    return [round(step * n, 1) for n in range(int(np.ceil(low / step)), int(high / step + 1e-9) + 1)]


def _thresholds(figure: Figure, books: Books) -> None:
    curve = books.terms.curve
    lines = [
        (curve.slash_full, "slashed in full", RED, 0),
        (curve.slash_from, "slashed below", RED, 1),
        (curve.pay_from, "paid above", GREEN, 2),
        (curve.pay_full, "paid in full", GREEN, 3),
    ]
    for score, name, colour, level in lines:
        figure.add_vline(x=score / BPS, line={"color": colour, "width": 1, "dash": "dash"})
        figure.add_annotation(
            x=score / BPS,
            y=1,
            yshift=4 + 17 * level,
            yref="paper",
            text=f"{name} {points(score)}",
            showarrow=False,
            xanchor="left",
            yanchor="bottom",
            font={"size": 11, "color": colour},
        )
    figure.update_layout(margin={"t": 90})


def _layout(figure: Figure, x: str, y: str, height: int = 380) -> Figure:
    figure.update_layout(
        template="plotly_white",
        height=height,
        margin={"l": 70, "r": 20, "t": 30, "b": 55},
        font={"family": "system-ui, sans-serif", "size": 13, "color": INK},
        legend={"orientation": "h", "y": -0.22, "x": 0},
        xaxis_title=x,
        yaxis_title=y,
        bargap=0,
        barmode="group",
        hoverlabel={"align": "left"},
    )
    figure.update_yaxes(automargin=True)
    figure.update_xaxes(automargin=True)
    return figure


def _seat_text(books: Books, row: SeatRow) -> str:
    score = row.state if row.score is None else f"score {points(row.score)}"
    result = books.token.write(row.result)
    return f"seat {row.seat}, batch {row.batch}<br>{text(row.labeler, 44)}<br>{score}: {text(result)}"


def _symbol(state: str) -> str:
    return {"scored": "circle", "unscored": "circle-open", "absent": "x", "denounced": "diamond"}[state]


def _unit(books: Books) -> str:
    return text(books.token.symbol)


def short_name(name: object) -> str:
    """A labeler's name; an address by its ends."""
    whole = str(name)
    return f"{whole[:6]}…{whole[-4:]}" if whole.startswith("0x") and len(whole) == 42 else whole
