import pytest
from kit import BatchStatus, Phase, PostingStatus, reverts

from earnest.protocol import audit, merkle
from earnest.protocol.score import ABSENT, UNSCORED
from earnest.protocol.settlement import pack

from .conftest import WORD


@pytest.fixture
def stage(stages):
    return stages[Phase.SETTLING]


@pytest.fixture
def audited(stages):
    """In the audit phase, with everything revealed."""
    return stages[Phase.AUDITING]


def test_given_another_phase(earnest, wrong_phases, attacker):
    for campaign, about in wrong_phases(Phase.SETTLING):
        with reverts(earnest.WrongPhase, **about):
            earnest.referee.call(campaign, 0, b"", b"", [], sender=attacker)


def test_when_the_batch_was_not_drawn(earnest, stage, attacker):
    with reverts(earnest.NoSuchBatch, batch=2, batches=2):
        earnest.referee.call(stage.campaign.id, 2, b"", b"", [], sender=attacker)


@pytest.mark.parametrize(
    ("wrong", "lane"),
    [
        (lambda labels: b"", 0),
        (lambda labels: labels[:-1], 2),
        (lambda labels: labels[:8], 2),
        (lambda labels: bytes([(labels[0] + 1) % 3]) + labels[1:], 0),
        (lambda labels: labels[:5] + bytes([(labels[5] + 1) % 3]) + labels[6:], 1),
        (lambda labels: labels[4:8] + labels[:4] + labels[8:], 0),
    ],
    ids=["none", "one byte short", "one seat short", "first changed", "second changed", "seats swapped"],
)
def test_when_the_labels_are_not_those_revealed(earnest, stage, attacker, wrong, lane):
    campaign = stage.campaign
    _, _, labels, row, proof = campaign.evidence(0, stage.openings)
    with reverts(earnest.WrongLabels, seat=campaign.cohort(0)[lane]):
        earnest.referee.call(campaign.id, 0, wrong(labels), row, proof, sender=attacker)


@pytest.mark.parametrize("more", [b"\0", bytes(4)])
def test_when_labels_are_left_over(earnest, stage, attacker, more):
    _, _, labels, row, proof = stage.campaign.evidence(0, stage.openings)
    with reverts(earnest.LengthMismatch, left=12 + len(more), right=12):
        earnest.referee.call(stage.campaign.id, 0, labels + more, row, proof, sender=attacker)


WRONG_ROWS = [
    "changed",
    "longer",
    "in the clear",
    "another's",
    "unproven",
    "proven too far",
    "under another root",
]


@pytest.mark.parametrize("wrong", WRONG_ROWS)
def test_when_the_audit_row_is_not_the_one_published(earnest, audited, attacker, wrong):
    campaign = audited.campaign
    campaign.disclose()
    arguments = list(campaign.evidence(0, audited.openings))
    row = arguments[3]
    if wrong == "changed":
        arguments[3] = bytes([row[0] ^ 1]) + row[1:]
    if wrong == "longer":
        arguments[3] = row + b"\0"
    if wrong == "in the clear":
        arguments[3] = audit.encipher(row, campaign.key, 0)
    if wrong == "another's":
        arguments[3:] = campaign.evidence(1, audited.openings)[3:]
    if wrong == "unproven":
        arguments[4] = []
    if wrong == "proven too far":
        arguments[4] = [*arguments[4], bytes(32)]
    if wrong == "under another root":
        arguments[4] = [bytes(32)]
    with reverts(earnest.WrongAuditRow, batch=0):
        earnest.referee.call(*arguments, sender=attacker)


def test_given_a_disclosed_audit(earnest, audited, challenger):
    campaign = audited.campaign
    campaign.disclose()
    for batch in range(2):
        scores = campaign.scores(batch, audited.openings)
        assert UNSCORED not in scores
        tx = campaign.referee(batch, audited.openings, challenger)
        assert tx.events == [earnest.Refereed(campaign.id, batch, challenger, pack(scores))]
        assert campaign.batch(batch).scores == pack(scores)


@pytest.mark.parametrize("row", [b"", b"\xff" * 40])
def test_given_an_audit_whose_key_was_not_disclosed(system, earnest, audited, challenger, row):
    campaign = audited.campaign
    system.at(campaign.life().deadline)
    labels = campaign.evidence(0, audited.openings)[2]
    earnest.referee(campaign.id, 0, labels, row, [], sender=challenger)
    assert campaign.batch(0).scores == pack([UNSCORED] * 3)


def test_given_an_audit_row_that_does_not_parse(launch, system, challenger):
    """Enciphered under another key, it is noise."""
    key = b"\x05" * 32
    noise = [audit.encipher(bytes(20), b"\x06" * 32, batch) for batch in range(2)]
    stage = launch(
        Phase.AUDITING, audit_root=merkle.tree(noise)[0], audit_key_hash=audit.key_hash(key)
    )
    campaign = type(stage.campaign)(
        system, stage.campaign.experimenter, stage.campaign.terms, key, tuple(noise)
    )
    assert campaign.row(0) is None
    campaign.disclose()
    campaign.referee(0, stage.openings, challenger)
    assert campaign.batch(0).scores == pack([UNSCORED] * 3)


def test_given_no_scores(earnest, stage, challenger):
    campaign = stage.campaign
    before = campaign.balances([challenger])
    scores = campaign.scores(1, stage.openings)
    tx = campaign.referee(1, stage.openings, challenger)
    assert tx.events == [earnest.Refereed(campaign.id, 1, challenger, pack(scores))]
    assert campaign.balances([challenger]) == [before[0] + campaign.terms.fee]
    found = campaign.batch(1)
    assert (found.status, found.finalAt) == (BatchStatus.REFEREED, 0)
    assert (found.scores, found.posting) == (pack(scores), 0)
    assert campaign.batch(0).status == BatchStatus.OPEN
    life = campaign.life()
    assert (life.phase, life.scored) == (Phase.SETTLING, 1)


@pytest.mark.parametrize("reveals", [0, 1, 2, 4])
def test_given_seats_that_did_not_reveal(system, launch, challenger, reveals):
    stage = launch(Phase.REVEALING)
    campaign = stage.campaign
    revealed = {seat: stage.openings[seat] for seat in range(reveals)}
    if revealed:
        campaign.reveal_many(revealed.values())
    system.travel(campaign.life().deadline)
    for batch in range(2):
        scores = campaign.scores(batch, revealed)
        assert scores.count(ABSENT) == sum(seat not in revealed for seat in campaign.cohort(batch))
        campaign.referee(batch, revealed, challenger)
        assert campaign.batch(batch).scores == pack(scores)


def test_given_two_seats_of_one_labeler(launch, labelers, by_address, challenger):
    campaign = launch(Phase.ENROLLING, cohort=4, batches=1, batch_size=6).campaign
    campaign.enroll(labelers[0], 2)
    campaign.enroll(labelers[1])
    campaign.enroll(labelers[2])
    campaign.request_draw()
    campaign.draw(WORD)
    openings = {seat: campaign.opening(seat) for seat in range(4)}
    campaign.commit_signed(
        campaign.signed_commitment(opening, by_address[campaign.labeler_of(seat)])
        for seat, opening in openings.items()
    )
    campaign.reveal_many(openings.values())
    scores = campaign.scores(0, openings)
    campaign.referee(0, openings, challenger)
    assert campaign.batch(0).scores == pack(scores)


def test_given_the_same_scores_posted(system, earnest, stage, settler, challenger, sink):
    campaign = stage.campaign
    scores = {batch: campaign.scores(batch, stage.openings) for batch in range(2)}
    campaign.post(scores, settler)
    people = [settler, challenger, sink]
    before, posted = campaign.balances(people), campaign.life()
    tx = campaign.referee(0, stage.openings, challenger)
    assert tx.events == [earnest.Refereed(campaign.id, 0, challenger, pack(scores[0]))]
    assert campaign.balances(people) == [before[0] + campaign.terms.fee, *before[1:]]
    found = campaign.batch(0)
    assert (found.status, found.finalAt, found.posting) == (BatchStatus.REFEREED, 0, 0)
    posting = earnest.postingOf(campaign.id, 1)
    assert (posting.resting, posting.status) == (1, PostingStatus.STANDING)
    life = campaign.life()
    assert (life.phase, life.scored, life.deadline) == (Phase.SETTLING, 2, posted.deadline)


@pytest.mark.parametrize("refereed_before", [False, True])
def test_given_other_scores_posted(earnest, launch, settler, challenger, sink, refereed_before):
    stage = launch(Phase.SETTLING, batches=2)
    campaign = stage.campaign
    scores = {batch: campaign.scores(batch, stage.openings) for batch in range(2)}
    false = [scores[0][0] + 1, *scores[0][1:]]
    campaign.post({0: false, 1: scores[1]}, settler)
    if refereed_before:
        campaign.referee(1, stage.openings)
    people = [settler, challenger, sink]
    before = campaign.balances(people)
    tx = campaign.referee(0, stage.openings, challenger)
    assert tx.events == [
        earnest.PostingVoided(campaign.id, 1, challenger),
        earnest.Refereed(campaign.id, 0, challenger, pack(scores[0])),
    ]
    assert campaign.terms.bond == 201
    fee = campaign.terms.fee
    assert campaign.balances(people) == [before[0], before[1] + 100 + fee, before[2] + 101]
    found = campaign.batch(0)
    assert (found.status, found.scores, found.posting) == (BatchStatus.REFEREED, pack(scores[0]), 0)
    rest = campaign.batch(1)
    if refereed_before:
        assert (rest.status, rest.scores) == (BatchStatus.REFEREED, pack(scores[1]))
    else:
        assert (rest.status, rest.scores, rest.posting, rest.finalAt) == (BatchStatus.OPEN, 0, 0, 0)
    assert earnest.postingOf(campaign.id, 1).status == PostingStatus.VOID
    assert campaign.life().scored == 1 + refereed_before


def test_given_the_settler_referees_their_own_false_posting(stage, settler, sink):
    campaign = stage.campaign
    before = campaign.balances([settler, sink])
    campaign.post({0: [0, 0, 1]}, settler)
    campaign.referee(0, stage.openings, settler)
    fee = campaign.terms.fee
    assert campaign.balances([settler, sink]) == [before[0] - 101 + fee, before[1] + 101]


def test_given_the_batch_was_refereed(earnest, stage, attacker):
    stage.campaign.referee(0, stage.openings)
    with reverts(earnest.ScoresFinal, batch=0):
        earnest.referee.call(*stage.campaign.evidence(0, stage.openings), sender=attacker)


@pytest.mark.parametrize("late", [False, True])
def test_given_the_challenge_period(system, earnest, stage, settler, challenger, late):
    campaign = stage.campaign
    campaign.post({0: [0, 0, 1]}, settler)
    system.at(campaign.batch(0).finalAt - 1 + late)
    if late:
        with reverts(earnest.ScoresFinal, batch=0):
            campaign.referee(0, stage.openings, challenger)
    else:
        campaign.referee(0, stage.openings, challenger)
        assert earnest.postingOf(campaign.id, 1).status == PostingStatus.VOID


def test_given_every_other_batch_is_refereed(stage):
    stage.campaign.referee(1, stage.openings)
    assert stage.campaign.phase() == Phase.SETTLING
    stage.campaign.referee(0, stage.openings)
    life = stage.campaign.life()
    assert (life.phase, life.scored, life.deadline) == (Phase.FINAL, 2, 0)
