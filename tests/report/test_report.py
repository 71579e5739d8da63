"""What the report says, without a browser: figures, tables, escaping, and the odd cases."""

from __future__ import annotations

import csv
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from earnest.chain.money import ETHER
from earnest.consensus.majority import MajorityVote
from earnest.consensus.table import LabelTable, RankingTable, RatingTable
from earnest.experimenter.errors import ExperimenterError
from earnest.manifest.errors import ManifestError
from earnest.protocol import score
from earnest.protocol.labels import pair_bits
from earnest.protocol.terms import Metric
from earnest.report import figures, report_campaign, report_table, reveal_times
from earnest.report.books import books, pay_curve
from earnest.report.labels import Labels, class_confusion, pair_orders
from earnest.report.page import Grid, Section, embedded, page

from . import samples


@pytest.fixture(scope="module")
def told():
    return samples.choice()


def rows_of(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


class Tags(HTMLParser):
    """Names of all elements, and texts of the scripts."""

    def __init__(self, text):
        super().__init__()
        self.names, self.attributes = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.names.append(tag)
        self.attributes += [name for name, _ in attrs]


# Agreement, against plain loops and against the protocol's own.


def plain_agreement(table, distance):
    """1 − observed / expected disagreement, by loops over pairs: one number for each task."""
    n = len(table)
    expected = np.mean([distance(i, j) for i in range(n) for j in range(n) if i != j])
    found = []
    for start, end in zip(table.start, table.start[1:], strict=False):
        pairs = [distance(i, j) for i in range(start, end) for j in range(start, end) if i != j]
        found.append(1 - np.mean(pairs) / expected if pairs else np.nan)
    return found


def random_table(kind):
    rng = np.random.default_rng(5)
    rows = [(t, w) for t in range(12) for w in range(6) if rng.random() < 0.7]
    task, worker = zip(*rows, strict=True)
    if kind == "class":
        return LabelTable.from_columns(task, worker, rng.integers(0, 3, len(rows)))
    if kind == "rating":
        return RatingTable.from_columns(task, worker, rng.normal(size=len(rows)))
    return RankingTable.from_columns(task, worker, [rng.permutation(4) for _ in rows])


@pytest.mark.parametrize("kind", ["class", "rating", "ranking"])
def test_agreement_is_that_of_plain_loops(kind, monkeypatch):
    table = random_table(kind)
    distances = {
        "class": lambda i, j: float(table.label[i] != table.label[j]),
        "rating": lambda i, j: (table.rating[i] - table.rating[j]) ** 2,
        "ranking": lambda i, j: sum(
            (list(table.ranking[i]).index(a) < list(table.ranking[i]).index(b))
            != (list(table.ranking[j]).index(a) < list(table.ranking[j]).index(b))
            for a in range(4)
            for b in range(a)
        ),
    }
    monkeypatch.setattr(Labels, "__post_init__", lambda self: None)
    found = Labels(table, None)
    np.testing.assert_allclose(found.task_agreement, plain_agreement(table, distances[kind]), atol=1e-12)


def test_agreement_of_two_is_the_protocols():
    rng = np.random.default_rng(6)
    u = rng.integers(0, 3, 40)
    v = np.where(rng.random(40) < 0.7, u, rng.integers(0, 3, 40))
    table = LabelTable.from_columns([*range(40)] * 2, [0] * 40 + [1] * 40, [*u, *v])
    found = Labels(table, MajorityVote().fit_predict(table)).overall
    agreed = score.agreement(Metric.NOMINAL, 3, u.astype(np.uint8), v.astype(np.uint8))
    # The protocol's chance leaves out a labeler beside themselves; with 40 tasks that is a small difference.
    assert found == pytest.approx(int(agreed) / 10_000, abs=0.03)


def test_confusion_counts_every_label_once():
    table = LabelTable.from_columns([0, 0, 1, 1], [0, 1, 0, 1], ["a", "a", "b", "a"])
    result = MajorityVote().fit_predict(table)
    found = class_confusion(table, result)
    np.testing.assert_allclose(found.sum(axis=(1, 2)), [2, 2])
    np.testing.assert_allclose(found[0, :, 0], result.probability[0])  # worker 0 said a on task 0 alone
    np.testing.assert_allclose(found[0, :, 1], result.probability[1])


def test_pair_orders_are_by_the_places_of_the_consensus():
    from earnest.consensus.borda import Borda

    table = RankingTable.from_columns([0, 0, 0], [0, 1, 2], [[2, 0, 1], [2, 0, 1], [1, 0, 2]])
    found, count = pair_orders(table, Borda().fit_predict(table))
    assert count.tolist() == [1, 1, 1]
    assert found[0].tolist() == np.triu(np.ones((3, 3)), 1).tolist()  # as the consensus
    assert found[2].tolist() == np.tril(np.ones((3, 3)), -1).tolist()  # the other way round
    assert pair_bits(3)[0] == 0


# The books.


def test_results_are_those_that_were_released(told):
    campaign = told[0].campaign
    found = books(campaign, told[0].prepared.manifest)
    assert found.final
    released = {}
    for number, batch in enumerate(campaign.batches):
        released |= dict(zip(campaign.cohorts[number].tolist(), batch.results, strict=True))
    assert {row.seat: row.result for row in found.seats} == released
    cost = found.cost
    assert cost.refunded == sum(batch.refund for batch in campaign.batches)
    assert cost.sunk == sum(batch.sunk for batch in campaign.batches)
    assert cost.bounty == cost.paid + cost.refunded + cost.unearned
    assert sum(row.state == "absent" for row in found.seats) == 2
    assert found.labels == sum(len(seat.labels) for seat in campaign.seats)


def test_scores_that_nobody_posted_are_computed():
    tale, _ = samples.choice(seats=10, released=False)
    before = books(tale.campaign, tale.prepared.manifest)
    tale.post("0x00000000000000000000000000000000000005E7")
    after = books(tale.campaign, tale.prepared.manifest)
    assert not before.final
    assert before.seats == after.seats


def test_a_false_posting_deserves_a_look():
    tale, _ = samples.choice(seats=10, released=False)
    from earnest.chain import settle

    words = dict(enumerate(settle.words(tale.campaign, tale.rows)))
    seat = next(s for s in range(2, 10) if tale.campaign.batch_of(s) == 0)
    lane = tale.campaign.cohorts[0].tolist().index(seat)
    words[0] = words[0] & ~(0xFFFF << 16 * lane) | 9_999 << 16 * lane
    tale.post("0x00000000000000000000000000000000000005E7", words)
    found = books(tale.campaign, tale.prepared.manifest)
    row = next(row for row in found.seats if row.seat == seat)
    assert "another score is posted than the chain would compute" in row.looks[0]


def test_the_curve_is_what_a_settlement_pays(told):
    terms = told[0].prepared.terms
    curve = terms.curve
    low, edge, half, full = pay_curve(
        terms, np.array([-10_000, curve.pay_from, (curve.pay_from + curve.pay_full) // 2, 10_000])
    )
    assert low == -(terms.stake * curve.max_slash // 10_000)
    assert edge == 0
    assert full == terms.bounty // terms.cohort
    assert full / 2 < half < full  # the even share is of fewer full weights then


# The page.


def test_the_same_campaign_gives_the_same_bytes(told, tmp_path):
    tale, truth = told
    for name in ("one", "two"):
        report_campaign(
            tale.campaign, tale.prepared.manifest, tmp_path / name, truth=truth, records=tale.told
        )
    for name in ("report.html", "seats.csv", "tasks.csv", "labelers.csv"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_tables_hold_everything(told, tmp_path):
    tale, truth = told
    written = report_campaign(tale.campaign, tale.prepared.manifest, tmp_path, truth=truth)
    assert sorted(path.name for path in written) == ["labelers.csv", "report.html", "seats.csv", "tasks.csv"]
    seats = rows_of(tmp_path / "seats.csv")
    found = books(tale.campaign, tale.prepared.manifest)
    assert [int(row["seat"]) for row in seats] == [row.seat for row in found.seats]
    assert [ETHER.parse(row["reward"]) for row in seats] == [row.reward for row in found.seats]
    assert [row["score"] for row in seats] == ["" if r.score is None else str(r.score) for r in found.seats]
    tasks = rows_of(tmp_path / "tasks.csv")
    assert sum(int(row["labels"]) for row in tasks) == sum(
        int(r["labels"]) for r in rows_of(tmp_path / "labelers.csv")
    )
    assert next(row["content"] for row in tasks if row["task"] == "t8") == "Photo 8: what is on it?"
    assert {(row["told"], row["right"]) for row in tasks} == {
        ("true", ""),
        ("false", "0.0"),
        ("false", "1.0"),
    }


def test_nothing_from_outside_becomes_markup(told, tmp_path):
    tale, _ = told
    report_campaign(tale.campaign, tale.prepared.manifest, tmp_path)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    tags = Tags(text)
    assert tags.names.count("script") == 3
    assert not {"img", "iframe", "a", "link", "object", "embed", "form", "base"} & set(tags.names)
    assert not [name for name in tags.attributes if name.startswith("on") or name in ("src", "href")]
    assert "script-src 'sha256-" in text


def test_every_text_of_the_page_is_escaped():
    evil = "\"><script>x</script>'&"
    section = Section(evil, [evil, Grid([evil, "#" + evil], [[evil, evil]])])
    text = page(evil, [evil], [(evil, evil)], [section])
    assert Tags(text).names.count("script") == 3
    assert text.count("<script>x") == 0
    assert "</script" not in embedded({"x": evil, evil: ["<!--", "]]>"]})
    assert json.loads(embedded({evil: 1})) == {evil: 1}
    assert figures.text("<a href='javascript:x'>" + "y" * 99, 30).startswith("&lt;a href=&#x27;")


def test_classes_in_plots_are_escaped(told, tmp_path):
    tale, _ = told
    report_campaign(tale.campaign, tale.prepared.manifest, tmp_path)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    drawn = re.search(r'id="figures">(.*?)</script>', text).group(1)
    assert "dog \\u0026lt;b" in drawn
    assert "dog \\u003cb" not in drawn


def test_times_of_reveals_come_from_the_records(told):
    tale, _ = told
    times = reveal_times(tale.told, tale.number)
    assert sorted(times) == [seat for seat, each in enumerate(tale.campaign.seats) if each.revealed]
    assert reveal_times(tale.told, tale.number + 1) == {}


def test_answers_that_it_was_told_prove_nothing():
    table = LabelTable.from_columns([0, 0, 1, 1], [0, 1, 0, 1], ["a", "a", "b", "a"])
    gold = {0: "b"}
    result = MajorityVote().fit_predict(table, gold)
    found = Labels(table, result, truth={0: "b", 1: "a"}, gold=frozenset(gold))
    assert np.isnan(found.right[0])
    assert found.right[1] in (0.0, 1.0)
    assert found.sure.tolist() == [found.confidence[1]]
    everything = Labels(table, result, gold=frozenset({0, 1}))
    assert len(everything.sure) == 2


# Odd cases.


@pytest.mark.parametrize(
    "table",
    [
        LabelTable.from_columns([0], [0], ["only"]),
        LabelTable.from_columns([0, 1, 2], [0, 0, 0], ["a", "b", "a"]),
        LabelTable.from_columns([0, 0], [0, 1], ["same", "same"]),
        RatingTable.from_columns([0, 0, 1], [0, 1, 0], [3.0, 3.0, 3.0]),
        RankingTable.from_columns([0, 0], [0, 1], [[0, 1], [1, 0]]),
    ],
)
def test_poor_tables_have_a_report(table, tmp_path):
    report_table(table, tmp_path)
    assert "The labelers" in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert rows_of(tmp_path / "tasks.csv")


def test_many_classes_have_no_matrix(tmp_path):
    names = [f"class {index}" for index in range(60)]
    table = LabelTable.from_columns([*range(60)] * 2, [0] * 60 + [1] * 60, names * 2)
    labels = Labels(table, MajorityVote().fit_predict(table))
    assert figures.pooled_matrix(labels) is None
    report_table(table, tmp_path, consensus=labels.consensus)


def test_what_a_report_refuses(told, tmp_path):
    tale, _ = told
    manifest = tale.prepared.manifest
    table = LabelTable.from_columns([0, 1], [0, 0], ["a", "b"])
    other = LabelTable.from_columns([0, 2], [0, 0], ["a", "b"])
    with pytest.raises(ValueError, match="must be of the same tasks"):
        Labels(table, MajorityVote().fit_predict(other))
    with pytest.raises(ValueError, match="is no RatingConsensus"):
        Labels(RatingTable.from_columns([0], [0], [1.0]), MajorityVote().fit_predict(table))
    with pytest.raises(ManifestError, match="'horse' is no option"):
        report_campaign(tale.campaign, manifest, tmp_path, truth={"t1": "horse"})
    with pytest.raises(ManifestError, match="manifest digest"):
        report_campaign(tale.campaign, samples.rating()[0].prepared.manifest, tmp_path)
    empty = samples.Tale.begin()
    with pytest.raises(ExperimenterError, match="No label is revealed"):
        report_campaign(empty.campaign, empty.prepared.manifest, tmp_path)
    assert list(tmp_path.iterdir()) == []
