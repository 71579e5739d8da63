"""What is posted and refereed, from a state."""

from __future__ import annotations

import pytest

from earnest.chain import settle
from earnest.protocol.audit import parse_row
from earnest.protocol.errors import AuditError
from earnest.protocol.score import ABSENT, UNSCORED, scores
from earnest.protocol.settlement import unpack

from .conftest import ANSWERS, ROWS, SEALED


def test_scores_are_those_of_the_protocol_and_of_the_referee(revealed):
    campaign = revealed.campaign
    found = settle.scores(campaign, SEALED)
    assert [unpack(word, 3) for word in settle.words(campaign, SEALED)] == found.tolist()
    for batch, seats in enumerate(campaign.cohorts.tolist()):
        labels = [ANSWERS[seat] if seat < 5 else b"" for seat in seats]
        names = [campaign.seats[seat].labeler for seat in seats]
        assert found[batch].tolist() == scores(campaign.terms, labels, names, ROWS[batch])
        case = settle.refereeing(campaign, batch, SEALED)
        assert case.labels == b"".join(labels)
        assert revealed.client.referee_scores(campaign, batch, case) == found[batch].tolist()
    assert (found == ABSENT).sum() == 1


def test_without_the_key_nobody_is_scored(drawn):
    for seat in range(6):
        drawn.commit(seat, ANSWERS[seat])
    drawn.client.reveal_many(drawn.id, list(drawn.openings.values()), sender=drawn.experimenter)
    drawn.pass_deadline()
    campaign = drawn.campaign
    assert (settle.scores(campaign) == UNSCORED).all()
    case = settle.refereeing(campaign, 0)
    assert (case.row, case.proof) == (b"", ())
    drawn.client.referee(drawn.id, 0, case, sender=drawn.experimenter)
    assert drawn.campaign.scores(0) == [UNSCORED] * 3


@pytest.mark.parametrize("rows", [[], SEALED[:2], [SEALED[1], SEALED[0], SEALED[2]]])
def test_rows_that_are_not_the_campaigns_are_refused(revealed, rows):
    with pytest.raises(AuditError):
        settle.words(revealed.campaign, rows)
    with pytest.raises(AuditError):
        settle.refereeing(revealed.campaign, 0, rows)


def test_the_rows_of_the_test_parse():
    with pytest.raises(AuditError):
        parse_row(SEALED[0], 8, 3)  # enciphered
