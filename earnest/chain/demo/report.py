"""What came of the demo's campaign, as tables."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from rich.console import Console, RenderableType
from rich.table import Table

from earnest.chain import settle
from earnest.chain.demo.cast import Cast, Labeler
from earnest.chain.demo.stage import Stage
from earnest.chain.state import Campaign
from earnest.consensus.dawid_skene import DawidSkene
from earnest.consensus.majority import MajorityVote
from earnest.consensus.stack import Stack
from earnest.consensus.table import LabelTable
from earnest.protocol.score import ABSENT
from earnest.protocol.settlement import CampaignPayouts, settle_campaign

# Steps that a campaign needs; the others bring money in and out.
CAMPAIGN_STEPS = ("create", "enroll", "draw", "commit", "reveal", "disclose", "post", "referee", "release",
                  "return bond")  # fmt: skip


@dataclass(frozen=True)
class Result:
    """What one labeler got."""

    labeler: Labeler
    batch: int
    score: int
    paid: int
    slashed: int


def results(stage: Stage, campaign: Campaign) -> list[Result]:
    """Every labeler's result, the best score first."""
    scores = settle.scores(campaign, stage.rows)
    payouts = settle_campaign(campaign.terms, scores)
    found = [_result(stage, campaign, scores, payouts, labeler) for labeler in stage.cast.labelers]
    return sorted(found, key=lambda result: -result.score)


def labeler_table(stage: Stage, campaign: Campaign) -> RenderableType:
    """Labeler, batch, true accuracy, score, paid, slashed."""
    money, terms = stage.token, campaign.terms
    table = Table(
        title="What the labelers got",
        caption=f"paid on top of the stake of {money.write(terms.stake)}, or slashed of it",
    )
    table.add_column("labeler")
    for name in ("batch", "true accuracy", "score", "paid", "slashed"):
        table.add_column(name, justify="right")
    for result in results(stage, campaign):
        table.add_row(
            result.labeler.name,
            str(result.batch),
            f"{result.labeler.accuracy:.0%}" if result.labeler.accuracy is not None else "–",
            f"{result.score / 10_000:+.2f}" if result.score != ABSENT else "absent",
            f"[green]{money.number(result.paid, 2)}[/green]" if result.paid else "–",
            f"[red]{money.number(result.slashed, 2)}[/red]" if result.slashed else "–",
            style="" if result.labeler.name.startswith("worker") else "bold",
        )
    return table


def consensus_table(cast: Cast, campaign: Campaign) -> RenderableType:
    """How much of the truth each consensus finds, from the labels on chain alone."""
    task, worker, label = zip(
        *((task, seat.labeler, label) for seat in campaign.seats for task, label in enumerate(seat.labels)),
        strict=True,
    )
    table = LabelTable.from_columns(
        np.array(task), np.array(worker), np.array(label), classes=np.unique(cast.truth)
    )
    known = cast.truth[table.tasks]
    shown = Table(title="The consensus against the truth")
    shown.add_column("method")
    shown.add_column("right", justify="right")
    for name, method in (
        ("majority vote", MajorityVote()),
        ("Dawid–Skene, MAP", DawidSkene.maximum_a_posteriori()),
        ("the default: a stack of models", Stack()),
    ):
        right = method.fit_predict(table).labels == known
        shown.add_row(name, f"{right.sum()} of {len(right)} ({right.mean():.1%})")
    return shown


def gas_table(stage: Stage, campaign: Campaign) -> RenderableType:
    """Gas of each step: in all, for each transaction, for each label revealed."""
    labels = sum(len(seat.labels) for seat in campaign.seats)
    table = Table(title=f"Gas, for {labels:,} labels")
    table.add_column("step")
    for name in ("transactions", "gas", "each transaction", "each label"):
        table.add_column(name, justify="right")
    names = dict.fromkeys(step.name for step in stage.steps)
    for name in names:
        sent = [sent for step in stage.steps if step.name == name for sent in step.sent]
        table.add_row(name, *_gas([each.gas for each in sent], labels))
    whole = [sent.gas for step in stage.steps if step.name in CAMPAIGN_STEPS for sent in step.sent]
    table.add_section()
    table.add_row("the campaign, create to return bond", *_gas(whole, labels), style="bold")
    return table


def show(console: Console, stage: Stage, campaign: Campaign) -> None:
    """All tables, and what was checked."""
    for table in (labeler_table(stage, campaign), consensus_table(stage.cast, campaign),
                  gas_table(stage, campaign)):
        console.print()
        console.print(table)
    console.print()
    for check in stage.checks:
        console.print(f"[green]✓[/green] {check}", soft_wrap=True, highlight=False)


def _result(
    stage: Stage, campaign: Campaign, scores: np.ndarray, payouts: CampaignPayouts, labeler: Labeler
) -> Result:
    seat = stage.seats[labeler.name]
    batch = int(campaign.assignment[seat])
    lane = campaign.cohorts[batch].tolist().index(seat)
    lost = payouts.slash[batch, lane] + payouts.forfeit[batch, lane]
    return Result(labeler, batch, int(scores[batch, lane]), int(payouts.reward[batch, lane]), int(lost))


def _gas(gas: list[int], labels: int) -> tuple[str, str, str, str]:
    total = sum(gas)
    return str(len(gas)), f"{total:,}", f"{total / len(gas):,.0f}", f"{total / labels:,.1f}"
