"""How it stands at each point of a campaign, and the dataset at its end, from records alone."""

from __future__ import annotations

import json

import pytest

from earnest.chain.life import Phase
from earnest.chain.phases import phase_end, phase_starts
from earnest.experimenter.errors import ExperimenterError
from earnest.experimenter.export import export
from earnest.experimenter.steps import Standing, standing

from .tale import EXPERIMENTER, SINK, Tale, honest, labeler, settings, tasks


def stands(tale: Tale, has_key: bool = True, now: int | None = None):
    return standing(tale.campaign, tale.now if now is None else now, EXPERIMENTER, has_key)


def test_how_a_campaign_stands_in_each_phase_of_its_life():
    tale = Tale.begin()
    terms = tale.prepared.terms
    assert stands(tale) == Standing("0 of 9 seats are taken", terms.enroll_by)
    tale.enroll(9)
    assert stands(tale).reason == "the randomness of the draw is to come"
    tale.draw()
    assert stands(tale).reason == "0 of 9 seats have committed"
    tale.label(honest)
    assert stands(tale).disclose
    assert not stands(tale, has_key=False).disclose
    assert "without it every seat is paid in full" in stands(tale, has_key=False).reason
    tale.disclose()
    assert stands(tale).reason == "3 of 3 batches have no scores"
    tale.post(EXPERIMENTER)
    final = max(tale.campaign.final_at(batch) for batch in range(3))
    assert stands(tale) == Standing("scores can be challenged", final)
    tale.release()
    assert not stands(tale).over  # the bond is still there
    assert standing(tale.campaign, tale.now, labeler(99), has_key=True).over


def test_a_cancelled_campaign_is_over_when_everything_is_given_back():
    tale = Tale.begin()
    tale.enroll(2)
    enroll_by = tale.prepared.terms.enroll_by
    assert stands(tale, now=enroll_by) == Standing("stakes and bounties are to be given back")


def test_phases_begin_at_their_deadlines():
    tale = Tale.begin()
    tale.enroll(3)
    enroll_by = tale.prepared.terms.enroll_by
    starts = phase_starts(tale.told, SINK, tale.number, enroll_by + 5)
    assert starts[Phase.DRAWING] == enroll_by == phase_end(starts, Phase.ENROLLING)
    assert phase_end(starts, Phase.DRAWING) is None


def test_the_dataset_is_right_and_the_same_twice(tmp_path):
    tale = Tale.begin()
    tale.enroll(9)
    tale.draw()
    with pytest.raises(ExperimenterError, match="No label is revealed"):
        export(tale.campaign, tale.prepared.manifest, tmp_path / "none")
    tale.label(honest)
    tale.disclose()
    files = [export(tale.campaign, tale.prepared.manifest, tmp_path / name) for name in ("one", "two")]
    assert [f.read_bytes() for f in files[0]] == [f.read_bytes() for f in files[1]]
    rows = [json.loads(line) for line in (tmp_path / "one" / "dataset.jsonl").read_text().splitlines()]
    assert all(row["label"] == ("yes" if honest(0, row["id"]) else "no") for row in rows)
    assert sum("gold" in row for row in rows) == 12


@pytest.mark.parametrize(
    ("options", "values"),
    [
        (["1", "2", "nan"], {0.0, 1.0}),  # places from 0 where the options are no numbers that ascend
        (["-inf", "1", "2"], {0.0, 1.0}),
        (["5", "3", "1"], {0.0, 1.0}),
        (["-1.5", "2", "10"], {-1.5, 2.0}),
    ],
)
def test_a_rating_is_exported_whatever_its_options_are(tmp_path, options, values):
    audit = {"kind": "rating", "options": options, "audit": {}, "columns": {}}
    tale = Tale.begin(settings(**audit), tasks(known=0))
    tale.enroll(9)
    tale.draw()
    tale.label(honest)
    export(tale.campaign, tale.prepared.manifest, tmp_path / "out")
    rows = [json.loads(line) for line in (tmp_path / "out" / "dataset.jsonl").read_text().splitlines()]
    assert {round(row["value"], 1) for row in rows} == values
