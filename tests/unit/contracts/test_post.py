import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak
from kit import BatchStatus, Phase, PostingStatus, reverts

from earnest.protocol.settlement import pack

TRUE = [1_000, 2_000, 3_000]
MOST_POSTINGS = 2**14 - 1


@pytest.fixture
def campaign(stages):
    return stages[Phase.SETTLING].campaign


@pytest.fixture
def refuses(earnest, campaign, settler):
    def refuses(which, words, error, sender=settler, **values):
        with reverts(getattr(earnest, error), **values):
            earnest.post.call(campaign.id, which, words, sender=sender)

    return refuses


def test_given_another_phase(earnest, wrong_phases, settler):
    for campaign, about in wrong_phases(Phase.SETTLING):
        with reverts(earnest.WrongPhase, **about):
            earnest.post.call(campaign, [0], [0], sender=settler)


@pytest.mark.parametrize(("batches", "words"), [([0, 1], [0]), ([], [0]), ([0], [])])
def test_when_batches_and_scores_are_not_as_many(refuses, batches, words):
    refuses(batches, words, "LengthMismatch", left=len(batches), right=len(words))


def test_when_the_balance_does_not_cover_the_bond(system, campaign, attacker, token, refuses):
    system.fund(attacker, campaign.terms.bond - 1, token)
    about = {"account": attacker, "token": token, "balance": 200, "required": 201}
    refuses([0], [0], "InsufficientBalance", sender=attacker, **about)


@pytest.mark.parametrize("batch", [2, 2**256 - 1])
def test_when_a_batch_was_not_drawn(refuses, batch):
    refuses([0, batch], [0, 0], "NoSuchBatch", batch=batch, batches=2)


@pytest.mark.parametrize("word", [1 << 48, 1 << 255, pack([0] * 3 + [1])])
def test_when_there_are_scores_beyond_the_cohort(refuses, word):
    refuses([0, 1], [0, word], "InvalidScores", batch=1, scores=word)


def test_when_no_batch_named_is_without_scores(stages, campaign, settler, refuses):
    refuses([], [], "NothingToPost")
    campaign.referee(1, stages[Phase.SETTLING].openings)
    campaign.post({0: TRUE}, settler)
    refuses([0, 1, 0], [0, 0, 0], "NothingToPost")


@pytest.mark.anvil
def test_given_as_many_postings_as_there_can_be(chain, earnest, campaign, settler, refuses):
    """The counter is set where it is stored, beside the experimenter's address."""
    slot, word = _slot_of(chain, earnest, campaign)
    for posted in (MOST_POSTINGS - 1, MOST_POSTINGS):
        changed = (word & ~(0xFFFFFFFF << 160)) | posted << 160
        chain.provider.make_request(
            "anvil_setStorageAt", [earnest.address, hex(slot), "0x" + changed.to_bytes(32, "big").hex()]
        )
        if posted < MOST_POSTINGS:
            assert earnest.post.call(campaign.id, [0], [0], sender=settler) == MOST_POSTINGS
        else:
            refuses([0], [0], "TooManyPostings", most=MOST_POSTINGS)


def _slot_of(chain, earnest, campaign):
    """The slot of a campaign that holds its experimenter's address, and its word."""
    owner = int(campaign.experimenter.address, 16)
    for mapping in range(8):
        base = int.from_bytes(keccak(encode(["uint256", "uint256"], [campaign.id, mapping])), "big")
        for slot in range(base, base + 20):
            answer = chain.provider.make_request("eth_getStorageAt", [earnest.address, hex(slot), "latest"])
            word = int(answer, 16)
            if word & (2**160 - 1) == owner:
                return slot, word
    raise AssertionError("the campaign's experimenter is not where a campaign is stored")


def test_when_some_batches_are_without_scores(system, earnest, stages, campaign, settler):
    campaign.referee(0, stages[Phase.SETTLING].openings)
    refereed = campaign.batch(0)
    before = campaign.balances([settler])
    time = system.chain.pending_timestamp + 12
    system.at(time)
    tx = campaign.post({0: [0, 0, 0], 1: TRUE}, settler)
    assert tx.events == [
        earnest.PostingOpened(campaign.id, 1, settler),
        earnest.Posted(campaign.id, 1, 1, pack(TRUE)),
    ]
    assert campaign.balances([settler]) == [before[0] - campaign.terms.bond]
    assert campaign.batch(0) == refereed
    final_at = time + campaign.terms.periods.challenge
    posted = campaign.batch(1)
    assert (posted.status, posted.finalAt) == (BatchStatus.POSTED, final_at)
    assert (posted.scores, posted.posting) == (pack(TRUE), 1)
    posting = earnest.postingOf(campaign.id, 1)
    assert (posting.settler, posting.postedAt) == (settler.address, time)
    assert (posting.resting, posting.status) == (1, PostingStatus.STANDING)
    life = campaign.life()
    assert (life.phase, life.scored, life.deadline) == (Phase.SETTLING, 2, final_at)


def test_when_a_batch_is_named_twice(earnest, campaign, settler):
    tx = earnest.post(campaign.id, [1, 1], [pack(TRUE), 0], sender=settler)
    assert len(tx.events) == 2
    assert campaign.batch(1).scores == pack(TRUE)
    assert earnest.postingOf(campaign.id, 1).resting == 1
    assert campaign.life().scored == 1


def test_given_a_posting_before(system, earnest, campaign, settler, challenger):
    campaign.post({1: TRUE}, settler)
    first = campaign.batch(1)
    time = int(first.finalAt) + 1_000  # the first posting's scores are final by now
    system.at(time)
    campaign.post({0: TRUE}, challenger)
    assert campaign.batch(1) == first
    second = campaign.batch(0)
    assert (second.posting, second.finalAt) == (2, time + campaign.terms.periods.challenge)
    assert earnest.postingOf(campaign.id, 2).settler == challenger.address
    assert campaign.life().deadline == second.finalAt


def test_given_a_void_posting(stages, campaign, settler, challenger):
    campaign.post({0: [0, 0, 0], 1: TRUE}, settler)
    campaign.referee(0, stages[Phase.SETTLING].openings)
    opened = campaign.batch(1)
    assert (opened.status, opened.finalAt, opened.scores, opened.posting) == (BatchStatus.OPEN, 0, 0, 0)
    campaign.post({1: TRUE}, challenger)
    posted = campaign.batch(1)
    assert (posted.status, posted.scores, posted.posting) == (BatchStatus.POSTED, pack(TRUE), 2)
    assert campaign.life().scored == 2
