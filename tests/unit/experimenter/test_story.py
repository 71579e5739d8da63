"""What is next at each point of a campaign, and the dataset at its end, from records alone."""

from __future__ import annotations

import json

import pytest

from earnest.chain.life import Phase
from earnest.experimenter.errors import ExperimenterError
from earnest.experimenter.export import export
from earnest.experimenter.history import phase_end, phase_starts
from earnest.experimenter.steps import Step, next_step

from .tale import EXPERIMENTER, SINK, Tale, honest, labeler


def step(tale: Tale, has_key: bool = True, now: int | None = None):
    return next_step(tale.campaign, tale.now if now is None else now, EXPERIMENTER, tale.rows, has_key)


def test_each_step_of_a_whole_life():
    tale = Tale.begin()
    assert step(tale).step is Step.WAIT
    tale.enroll(9)
    assert step(tale).step is Step.REQUEST_DRAW
    tale.draw()
    assert step(tale).step is Step.WAIT
    tale.label(honest)
    assert step(tale).step is Step.DISCLOSE
    assert step(tale, has_key=False).step is Step.WAIT
    tale.disclose()
    assert (step(tale).step, step(tale).which) == (Step.POST, (0, 1, 2))
    tale.post(EXPERIMENTER)
    assert step(tale).step is Step.WAIT
    later = tale.now + tale.prepared.terms.periods.challenge
    assert (step(tale, now=later).step, step(tale, now=later).which) == (Step.RELEASE, (0, 1, 2))
    tale.release()
    assert (step(tale).step, step(tale).which) == (Step.RETURN_BOND, (1,))


def test_a_false_posting_is_refereed_while_it_can_be():
    tale = Tale.begin()
    tale.enroll(9)
    tale.draw()
    tale.label(honest)
    tale.disclose()
    tale.post(labeler(99), {1: 0})
    assert (step(tale).step, step(tale).which) == (Step.REFEREE, (1,))


def test_too_few_seats_are_refunded():
    tale = Tale.begin()
    tale.enroll(2)
    found = step(tale, now=tale.prepared.terms.enroll_by)
    assert (found.step, found.which) == (Step.REFUND, (0, 1))


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
