"""The state rebuilt from records: after each step of a campaign it is what the contract says."""

from __future__ import annotations

from dataclasses import replace

import pytest

from earnest.chain import settle
from earnest.chain.life import Phase
from earnest.chain.records import Deposited, Enrolled, Place, Withdrawn
from earnest.chain.state import BatchStatus, PostingStatus, State, StateError, rebuild
from earnest.protocol.settlement import Outlook, outlook, pack, settle_batch, unpack

from .conftest import ANSWERS, HOUR, KEY, SEALED


def check(game, accounts):
    """Compare all that the contract tells with the state from its records; return the state."""
    client, state = game.client, game.state()
    token, now = game.terms.token, client.now()
    assert client.held(token) == state.held(token) == state.free(token) + state.locked(token)
    addresses = [*(account.address for account in accounts), client.sink]
    for account, view in zip(addresses, client.accounts(addresses, token), strict=True):
        assert state.balance_of(account, token) == view.balance
        assert state.nonce_of(account, token) == view.nonce
    campaign = state.campaigns[game.id]
    assert (campaign.experimenter, campaign.terms) == client.promise(game.id)
    assert campaign.life_at(now) == client.life(game.id)
    drawn = client.draw_of(game.id)
    assert (campaign.seed, campaign.audit_key) == (drawn.seed, drawn.audit_key)
    assert (campaign.tickets or [None])[-1] == drawn.ticket
    views = client.seats(game.id, range(len(campaign.seats)))
    for seat, view in zip(campaign.seats, views, strict=True):
        assert view.labeler in (seat.labeler, None)
        assert (view.record, view.revisions) == (seat.record, seat.revisions)
    for number, view in enumerate(client.batches(game.id, range(len(campaign.batches)))):
        batch = campaign.batch(number)
        lanes = campaign.scores(number)
        assert view.scores == (None if lanes is None else tuple(lanes))
        assert (view.status, view.posting) == (batch.status, batch.posting)
        assert view.final_at == (campaign.final_at(number) or 0)
    for number, posting in campaign.postings.items():
        assert client.posting(game.id, number) == posting
    return state


@pytest.fixture
def everyone(experimenter, settler, challenger, attacker, relayer, operator, labelers):
    return [experimenter, settler, challenger, attacker, relayer, operator, *labelers[:8]]


class TestWholeLife:
    """One campaign in which everything happens that can."""

    def test_agrees_after_each_step(
        self, created, everyone, settler, challenger, attacker, relayer, operator, labelers
    ):
        game, client = created, created.client
        campaign = game.id
        check(game, everyone)

        # Five enrol by themselves, one lets an operator, one signs and has it carried.
        game.enroll(5)
        for labeler in labelers[5:7]:
            game.fund(labeler, game.terms.stake)
        client.set_operator(operator.address, True, sender=labelers[5])
        client.enroll(campaign, sender=operator, labeler=labelers[5].address)
        signed = client.sign_enrolment(campaign, 1, client.now() + HOUR, signer=labelers[6], nonce=0)
        client.enroll_signed(campaign, [signed], sender=relayer)
        state = check(game, everyone)
        assert state.nonce_of(labelers[6].address, game.terms.token) == 1
        assert (labelers[5].address, operator.address) in state.operators

        game.travel(game.terms.enroll_by)
        assert check(game, everyone).campaigns[campaign].life_at(client.now()).phase is Phase.DRAWING
        game.draw()
        benched = check(game, everyone).campaigns[campaign]
        assert [seat.staked for seat in benched.seats] == [True] * 6 + [False]
        assert benched.batch_of(6) is None

        # Seat 0 commits twice, seat 1 through a relayer, seat 4 tells an attacker, seat 5 never commits.
        game.commit(0, ANSWERS[5])
        game.commit(0, ANSWERS[0])
        commitment = client.commitment(campaign, game.opening(1, ANSWERS[1]))
        signed = client.sign_commitment(campaign, 1, commitment, client.now() + HOUR, signer=labelers[1])
        client.commit_signed(campaign, [signed], sender=relayer)
        for seat in (2, 3, 4):
            game.commit(seat, ANSWERS[seat])
        assert check(game, everyone).campaigns[campaign].seats[0].revisions == 2
        client.denounce(campaign, game.openings[4], sender=attacker)
        assert check(game, everyone).campaigns[campaign].seats[4].denouncer == attacker.address

        game.pass_deadline()
        for seat in (0, 1, 2):
            client.reveal(campaign, game.openings[seat], sender=labelers[seat])
            check(game, everyone)
        client.reveal_many(campaign, [game.openings[3], game.openings[2]], sender=relayer)
        assert check(game, everyone).campaigns[campaign].life.phase is Phase.AUDITING
        client.disclose(campaign, KEY, sender=relayer)
        check(game, everyone)

        # A false posting of both batches is refereed, one batch posted rightly, and that one refereed too.
        for account in (settler, attacker):
            game.fund(account, game.terms.bond)
        right = settle.words(game.campaign, SEALED)
        client.post(campaign, [0, 1], [right[0] ^ 1, right[1]], sender=attacker)
        check(game, everyone)
        assert settle.false_batches(game.campaign, right) == [0]
        client.referee(campaign, 0, settle.refereeing(game.campaign, 0, SEALED), sender=challenger)
        voided = check(game, everyone).campaigns[campaign]
        assert voided.postings[1].status is PostingStatus.VOID
        assert settle.open_batches(voided) == [1]
        client.post(campaign, [1], right[1:], sender=settler)
        check(game, everyone)
        client.release(campaign, [0], sender=relayer)
        check(game, everyone)
        client.referee(campaign, 1, settle.refereeing(game.campaign, 1, SEALED), sender=challenger)
        assert check(game, everyone).campaigns[campaign].postings[2].resting == 0

        client.release(campaign, [0, 1], sender=relayer)
        game.travel(client.now() + game.terms.periods.challenge)
        client.return_bond(campaign, 2, sender=relayer)
        final = check(game, everyone).campaigns[campaign]
        assert final.locked == 0
        assert {batch.status for batch in final.batches} == {BatchStatus.RELEASED}
        assert final.life_at(client.now()).phase is Phase.FINAL

        for batch, found in enumerate(final.batches):
            gone = [seat.denounced for seat in final.cohort(batch)]
            payouts = settle_batch(final.terms, unpack(found.scores, 3), gone)
            assert [seat.paid for seat in final.cohort(batch)] == list(payouts.paid)
            assert (found.refund, found.sunk) == (payouts.refund, payouts.sink)

        for account in everyone:
            free = client.balance_of(account.address, game.terms.token)
            if free:
                client.withdraw(game.terms.token, free, sender=account)
        state = check(game, everyone)
        assert state.held(game.terms.token) == state.balance_of(client.sink, game.terms.token)
        whole = client.state()
        assert (whole.balances, whole.last) == (state.balances, state.last)

    def test_posted_batches_are_released_with_their_fee(self, revealed, everyone, settler):
        game, client = revealed, revealed.client
        game.fund(settler, game.terms.bond)
        client.post(game.id, [0, 1], settle.words(game.campaign, SEALED), sender=settler)
        game.pass_deadline()
        client.release(game.id, [0, 1], sender=settler)
        client.return_bond(game.id, 1, sender=settler)
        state = check(game, everyone)
        fees = 2 * game.terms.fee
        assert state.balance_of(settler.address, game.terms.token) == game.terms.bond + fees

    def test_a_cancelled_campaign_is_refunded(self, created, everyone):
        created.enroll(2)
        created.travel(created.terms.enroll_by)
        assert check(created, everyone).campaigns[created.id].life_at(created.client.now()).phase is (
            Phase.CANCELLED
        )
        created.client.refund(created.id, [1], sender=everyone[0])
        check(created, everyone)
        created.client.refund(created.id, [0, 1], sender=everyone[0])
        state = check(created, everyone)
        assert state.locked(created.terms.token) == 0
        assert state.campaigns[created.id].outlook(0, created.client.now()) == Outlook(0, 0)

    def test_nobody_commits(self, drawn, everyone):
        drawn.pass_deadline()
        assert check(drawn, everyone).campaigns[drawn.id].life_at(drawn.client.now()).phase is Phase.AUDITING
        drawn.pass_deadline()
        check(drawn, everyone)

    def test_all_commit_and_the_phase_ends_at_once(self, drawn, everyone):
        for seat in range(6):
            drawn.commit(seat, ANSWERS[seat])
        found = check(drawn, everyone).campaigns[drawn.id]
        assert found.life.phase is Phase.REVEALING
        last = drawn.client.web3.eth.get_block("latest")
        assert found.committed_in == last["number"]
        assert 0 < found.drawn_at <= last["timestamp"]

    def test_two_campaigns_in_ether_and_token(self, created, everyone, experimenter):
        """What one campaign does is no other's business."""
        other = replace(created.terms, token="0x" + 40 * "0", batches=1)
        money = other.bounty + other.fee
        created.client.deposit(other.token, money + 7, sender=experimenter)
        created.client.create(other, "", sender=experimenter)
        state = check(created, everyone)
        assert state.locked(other.token) == money == created.client.held(other.token) - 7
        assert state.balance_of(experimenter.address, other.token) == 7


class TestOutlook:
    def test_after_the_draw(self, drawn):
        campaign, now = drawn.campaign, drawn.client.now()
        assert campaign.outlook(0, now) == outlook(drawn.terms)
        assert campaign.outlook(6, now) == Outlook(0, 0)  # benched
        with pytest.raises(StateError, match="Seat 7 was not taken: 7 are"):
            campaign.outlook(7, now)

    def test_after_the_reveals(self, revealed):
        """Who is absent has lost the forfeit; who revealed loses no more than the largest slash."""
        campaign, now = revealed.campaign, revealed.client.now()
        assert campaign.outlook(5, now) == Outlook(501, 0)
        assert campaign.outlook(0, now) == Outlook(301, 2 * 10_007 // 3)

    def test_refereed_scores_decide(self, revealed):
        game = revealed
        batch = game.campaign.batch_of(0)
        case = settle.refereeing(game.campaign, batch, SEALED)
        game.client.referee(game.id, batch, case, sender=game.experimenter)
        campaign, now = game.campaign, game.client.now()
        lane = campaign.cohorts[batch].tolist().index(0)
        payouts = settle_batch(game.terms, campaign.scores(batch))
        assert campaign.outlook(0, now) == Outlook(payouts.slash[lane], payouts.reward[lane])
        game.client.release(game.id, [batch], sender=game.experimenter)
        assert game.campaign.outlook(0, now) == Outlook(0, 0)


class TestRecordsThatDoNotFollow:
    PLACE = Place(block=1, index=0, timestamp=1, transaction="0x", block_hash="0x")

    def deposited(self, amount=5, **place):
        return Deposited(
            place=replace(self.PLACE, **place), account="a", token="t", amount=amount, sender="a"
        )

    def test_twice_the_same(self):
        with pytest.raises(StateError, match="is not after"):
            rebuild([self.deposited(), self.deposited()], "sink")

    def test_out_of_order(self):
        with pytest.raises(StateError, match="is not after"):
            rebuild([self.deposited(block=2), self.deposited(index=4)], "sink")

    def test_more_withdrawn_than_deposited(self):
        withdrawn = Withdrawn(
            place=replace(self.PLACE, index=1), account="a", token="t", amount=6, receiver="a"
        )
        with pytest.raises(StateError, match="a would owe 1 of token t: records are missing"):
            rebuild([self.deposited(), withdrawn], "sink")

    def test_a_campaign_whose_creation_is_missing(self, created):
        created.enroll(1)
        records = [each for each in created.client.records() if type(each).__name__ != "Created"]
        with pytest.raises(StateError, match="which was not created"):
            rebuild(records, created.client.sink)

    def test_terms_that_are_not_those_of_the_id(self, created):
        *before, record = created.client.records()
        forged = replace(record, terms=replace(record.terms, stake=1))
        with pytest.raises(StateError, match="is not the hash"):
            rebuild([*before, forged], created.client.sink)

    @pytest.mark.parametrize("lost", ["Enrolled", "PostingOpened", "Drawn"])
    def test_what_later_records_are_about_is_missing(self, revealed, settler, lost):
        """Nodes leave logs out: it is told as that, and not by whatever it led to."""
        revealed.fund(settler, revealed.terms.bond)
        revealed.client.post(revealed.id, [0], [0], sender=settler)
        records = [each for each in revealed.client.records() if type(each).__name__ != lost]
        with pytest.raises(StateError):
            rebuild(records, revealed.client.sink)

    def test_the_last_enrolment_is_missing(self, created):
        """Then each seat would seem to have another batch."""
        created.enroll(6)
        created.travel(created.terms.enroll_by)
        created.draw()
        records = list(created.client.records())
        (last,) = [each for each in records if isinstance(each, Enrolled)][-1:]
        records.remove(last)
        with pytest.raises(StateError, match="2 batches were drawn of 5 seats: enrolments are missing"):
            rebuild(records, created.client.sink)

    def test_a_seat_missing(self, created):
        created.enroll(2)
        first, *rest = [each for each in created.client.records() if type(each).__name__ == "Enrolled"]
        assert (first.first_seat, len(rest)) == (0, 1)
        records = [each for each in created.client.records() if each != first]
        with pytest.raises(StateError, match="Seat 1 was taken after 0 seats"):
            rebuild(records, created.client.sink)


def test_an_unknown_account_has_nothing_and_stays_unknown():
    state = State("sink")
    assert (state.balance_of("a", "t"), state.nonce_of("a", "t"), state.free("t")) == (0, 0, 0)


def test_batches_and_their_cohorts(drawn):
    campaign, client = drawn.campaign, drawn.client
    assert [client.batch_of(drawn.id, seat) for seat in range(7)] == [
        campaign.batch_of(seat) for seat in range(7)
    ]
    assert [client.cohort(drawn.id, batch) for batch in (0, 1)] == campaign.cohorts.tolist()
    with pytest.raises(StateError, match="There is no batch 2: 2 are drawn"):
        campaign.cohort(2)


def test_nonsense_that_was_posted_can_be_read(revealed, attacker):
    game = revealed
    game.fund(attacker, game.terms.bond)
    word = 0x8001 | 0x7FFF << 16 | 0xA000 << 32
    game.client.post(game.id, [0, 1], [word, word], sender=attacker)
    assert game.campaign.scores(0) == [-32_767, 32_767, -24_576] == list(game.client.batch(game.id, 0).scores)
    assert settle.false_batches(game.campaign, settle.words(game.campaign, SEALED)) == [0, 1]


def test_an_outlook_on_final_scores_is_what_the_contract_pays(revealed, settler):
    """Scores posted for who is absent make no difference."""
    game = revealed
    game.fund(settler, game.terms.bond)
    game.client.post(game.id, [0, 1], [pack([900, -400, 2_500])] * 2, sender=settler)
    game.pass_deadline()
    outlooks = [game.campaign.outlook(seat, game.client.now()) for seat in range(6)]
    game.client.release(game.id, [0, 1], sender=settler)
    paid = [seat.paid - game.terms.stake for seat in game.campaign.seats[:6]]
    assert [found.max_win - found.max_loss for found in outlooks] == paid
