"""A settler at work on a real chain."""

from __future__ import annotations

import json
import socket
import sqlite3
import time
import urllib.request
from dataclasses import replace
from hashlib import sha256
from threading import Event, active_count

import pytest
from chain.conftest import ANSWERS, KEY, SEALED
from chain.test_tokens import DEAR, ONES, write
from requests.exceptions import HTTPError

from earnest.chain import events, settle
from earnest.chain.errors import ChainError, SentError
from earnest.chain.follow import Follower
from earnest.chain.life import Phase
from earnest.chain.records import Committed, Disclosed, Drawn, Enrolled, Posted, PostingOpened, Revealed
from earnest.chain.state import BatchStatus, PostingStatus
from earnest.chain.store import Store
from earnest.files import locked
from earnest.manifest.errors import ManifestError
from earnest.manifest.manifest import Manifest, Task
from earnest.manifest.question import Kind, Question
from earnest.protocol.score import UNSCORED
from earnest.protocol.settlement import pack
from earnest.protocol.terms import campaign_id
from earnest.settler.rows import fetch_rows
from earnest.settler.run import Done, Notice, Settler
from earnest.settler.scores import FETCHES, Scorer
from earnest.settler.steps import GAS, WATCHING, Options, Step

FALSE = pack([9_999, 9_999, 9_999])


@pytest.fixture
def enlist(client, tmp_path):
    """A settler for an account, with what it told."""
    stores = []

    def enlist(account, **changes):
        stores.append(Store(tmp_path / "settler.sqlite", 0))
        told = []
        follower = Follower(client.web3, client.address, client.sink, stores[-1])
        changes = {"scorer": Scorer(fetch=lambda *_: SEALED), "options": Options()} | changes
        lock = tmp_path / f"{account.address}.lock"
        found = Settler(
            client=client, account=account, follower=follower, lock=lock, tell=told.append, **changes
        )
        return found, told

    yield enlist
    for store in stores:
        store.close()


def steps(done):
    return [each.action.step for each in done]


def sentences(told):
    return [each.sentence for each in told if isinstance(each, Notice)]


def test_carries_a_campaign_from_the_draw_to_the_end(created, settler, enlist, chain):
    game = created
    game.fund(settler, game.terms.bond)
    mine, told = enlist(settler, options=Options(campaigns=frozenset({game.id})))
    assert mine.once() == []

    game.enroll(7)
    game.travel(game.terms.enroll_by)
    assert steps(mine.once())[:1] == [Step.REQUEST_DRAW]
    chain.mine(3)
    mine.once()
    assert game.campaign.life.phase is Phase.COMMITTING

    for seat in range(5):
        game.commit(seat, ANSWERS[seat])
    game.pass_deadline()
    game.client.reveal_many(game.id, list(game.openings.values()), sender=game.experimenter)
    assert mine.once() == []
    game.client.disclose(game.id, KEY, sender=game.experimenter)

    (posted,) = mine.once()
    assert posted.action.step is Step.POST
    assert list(posted.action.words) == settle.words(game.campaign, SEALED)
    assert mine.once() == []

    game.travel(game.campaign.final_at(0))
    assert steps(mine.once()) == [Step.RELEASE, Step.RETURN_BOND]
    assert all(batch.status is BatchStatus.RELEASED for batch in game.campaign.batches)
    assert game.campaign.locked == 0
    assert mine.once() == []
    expected = game.terms.bond + 2 * game.terms.fee
    assert game.client.balance_of(settler.address, game.terms.token) == expected
    assert [each for each in told if isinstance(each, Done)]


def test_a_watcher_referees_what_is_false_and_does_nothing_else(
    revealed, settler, challenger, attacker, enlist
):
    game = revealed
    game.fund(attacker, game.terms.bond)
    right = settle.words(game.campaign, SEALED)
    posted = game.client.post(game.id, [0, 1], [right[0], FALSE], sender=attacker)
    watcher, _ = enlist(challenger, options=Options(steps=WATCHING))
    (done,) = watcher.once()
    assert (done.action.step, done.action.which) == (Step.REFEREE, (1,))
    campaign = game.campaign
    assert campaign.postings[posted.only(PostingOpened).posting].status is PostingStatus.VOID
    assert campaign.batches[1].scores == right[1]
    won = game.client.balance_of(challenger.address, game.terms.token)
    assert won == game.terms.bond // 2 + game.terms.fee

    game.fund(settler, game.terms.bond)
    honest, _ = enlist(settler)
    assert [each.action.which for each in honest.once() if each.action.step is Step.POST] == [(0,)]
    assert settle.false_batches(game.campaign, right) == []


def test_a_right_posting_is_left_alone(revealed, settler, challenger, enlist):
    revealed.fund(settler, revealed.terms.bond)
    enlist(settler)[0].once()
    assert enlist(challenger, options=Options(steps=WATCHING))[0].once() == []


def test_two_settlers_post_once_and_nothing_is_lost(revealed, settler, challenger, enlist):
    for account in (settler, challenger):
        revealed.fund(account, revealed.terms.bond)
    first, second = enlist(settler)[0], enlist(challenger)[0]
    sight = second.look()
    assert steps(first.once()) == [Step.POST]
    # The second still goes by what it saw before.
    second.follower.look = lambda: sight
    assert second.once() == []
    assert revealed.client.balance_of(challenger.address, revealed.terms.token) == revealed.terms.bond
    assert len(revealed.campaign.postings) == 1


def test_says_once_what_a_bond_lacks_and_takes_it_from_the_wallet_if_told(
    revealed, purse, erc20, settler, enlist
):
    mine, told = enlist(settler)
    mine.once()
    mine.once()
    assert [text for text in sentences(told) if "501" in text] == sentences(told)
    assert len(sentences(told)) == 1

    erc20.transfer(settler, 501, sender=purse)
    ether, _ = enlist(settler, deposit=True)
    assert ether.once() == []  # whose token nobody named
    rich, _ = enlist(settler, deposit=True, tokens=[revealed.terms.token])
    assert steps(rich.once()) == [Step.POST]


def test_in_campaigns_that_are_named_any_token_is_taken(revealed, purse, erc20, settler, enlist):
    erc20.transfer(settler, 501, sender=purse)
    mine, _ = enlist(settler, deposit=True, options=Options(campaigns=frozenset({revealed.id})))
    assert steps(mine.once()) == [Step.POST]


def test_a_missing_manifest_is_told_and_not_fatal(revealed, settler, enlist):
    revealed.fund(settler, revealed.terms.bond)
    clock = [0.0]
    answers = [ManifestError("The manifest is not there."), SEALED[:2], SEALED]

    def fetch(uri, digest):
        found = answers.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    mine, told = enlist(settler, scorer=Scorer(fetch=fetch, clock=lambda: clock[0]))
    assert mine.once() == []
    assert mine.once() == []  # not tried again at once
    assert len(answers) == 2
    assert "The manifest is not there." in sentences(told)[0]
    clock[0] += 60
    assert mine.once() == []
    assert "audit rows have the root" in sentences(told)[1]
    clock[0] += 120
    assert steps(mine.once()) == [Step.POST]


def test_a_manifest_that_never_comes_holds_nobody_up():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        uri = f"http://127.0.0.1:{silent.getsockname()[1]}/manifest.json"
        with pytest.raises(ManifestError, match="was not there after"):
            fetch_rows(uri, bytes(32), limit=0.2)


def test_dear_gas_holds_back_everything_but_refereeing(revealed, attacker, settler, enlist):
    for account in (attacker, settler):
        revealed.fund(account, revealed.terms.bond)
    revealed.client.post(revealed.id, [0], [FALSE], sender=attacker)
    mine, told = enlist(settler, max_gas_price=0)
    if int(revealed.client.web3.eth.gas_price) == 0:
        pytest.skip("gas is free here")
    assert steps(mine.once()) == [Step.REFEREE]
    assert any("only refereeing goes on" in text for text in sentences(told))


def test_refunds_a_cancelled_campaign(created, settler, enlist):
    created.enroll(2)
    created.travel(created.terms.enroll_by)
    assert steps(enlist(settler)[0].once()) == [Step.REFUND]
    assert created.campaign.locked == 0


def test_no_two_processes_of_an_account_act_at_once(created, settler, enlist):
    created.enroll(2)
    created.travel(created.terms.enroll_by)
    mine, told = enlist(settler)
    with locked(mine.lock) as alone:
        assert alone
        assert mine.once() == []
        assert "Another process acts" in sentences(told)[0]
    assert steps(mine.once()) == [Step.REFUND]


def test_gas_stays_below_what_portions_reckon_with(revealed, settler, enlist):
    revealed.fund(settler, revealed.terms.bond)
    mine, _ = enlist(settler)
    done = mine.once()
    revealed.travel(revealed.campaign.final_at(0))
    done += mine.once()
    for each in done:
        if each.action.step in GAS:
            once, one, seat = GAS[each.action.step]
            count = len(each.action.which)
            assert each.sent[-1].gas <= once + count * (one + seat * revealed.terms.cohort)
    assert {Step.POST, Step.RELEASE} <= set(steps(done))


def test_metrics_can_be_scraped(revealed, attacker, settler, enlist):
    revealed.fund(attacker, revealed.terms.bond)
    revealed.client.post(revealed.id, [0], [FALSE], sender=attacker)
    mine, _ = enlist(settler)
    port = mine.metrics.serve(0)
    try:
        mine.once()
        page = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5).read().decode()
    finally:
        mine.metrics.close()
    assert 'earnest_settler_actions_total{result="done",step="referee"} 1.0' in page
    assert 'earnest_settler_campaigns{phase="Settling"}' in page
    assert f"earnest_settler_block {float(revealed.client.web3.eth.block_number)}" in page


def test_a_failed_action_stops_no_other(revealed, settler, enlist, monkeypatch):
    revealed.fund(settler, 2 * revealed.terms.bond)
    mine, told = enlist(settler)

    def refuse(*_, **__):
        raise ChainError("The node is tired.")

    monkeypatch.setattr(mine.client, "post", refuse)
    assert mine.once() == []
    assert any("The node is tired." in text for text in sentences(told))
    monkeypatch.undo()
    assert steps(mine.once()) == [Step.POST]


def test_scores_wait_for_the_chains_own_time(drawn, settler, enlist, monkeypatch):
    """A clock that is ahead shows Settling while seats still reveal: no scores come of the reveals so far."""
    game = drawn
    for seat in range(5):
        game.commit(seat, ANSWERS[seat])
    game.pass_deadline()
    game.client.reveal(game.id, game.openings[0], sender=game.experimenter)
    game.fund(settler, game.terms.bond)
    mine, _ = enlist(settler)
    ahead = sum(vars(game.terms.periods).values()) + game.client.now()
    with monkeypatch.context() as clock:
        clock.setattr("earnest.chain.follow.time.time", lambda: ahead)
        assert mine.once() == []
        rest = [game.openings[seat] for seat in range(1, 5)]
        game.client.reveal_many(game.id, rest, sender=game.experimenter)
        game.client.disclose(game.id, KEY, sender=game.experimenter)
        posted = next(each for each in mine.once() if each.action.step is Step.POST)
    assert list(posted.action.words) == settle.words(game.campaign, SEALED)


@pytest.fixture
def lose(client, tmp_path, monkeypatch):
    """Take logs away: from the records once, or from the node for good."""

    def lose(places, follower=None, for_good=False):
        gone = {(place.block, place.index) for place in places}
        if for_good:
            whole = events.logs_of
            monkeypatch.setattr(
                "earnest.chain.events.logs_of",
                lambda *query: [log for log in whole(*query) if events.spot_of(log)[:2] not in gone],
            )
        with sqlite3.connect(tmp_path / "settler.sqlite") as records:
            records.executemany("delete from logs where block = ? and position = ?", gone)
        records.close()
        return Follower(client.web3, client.address, client.sink, follower._store)

    return lose


def places(game, *kinds, **members):
    """Where records of some kinds are."""
    return [
        each.place
        for each in game.client.records()
        if isinstance(each, kinds) and all(getattr(each, name) == value for name, value in members.items())
    ]


@pytest.mark.parametrize(
    "kinds", [(Disclosed,), (Revealed,), (Enrolled,), (Drawn,), (Committed, Revealed)], ids=str
)
def test_records_that_lack_something_are_read_again_before_anything_is_posted(
    revealed, settler, enlist, lose, kinds
):
    """A bond is not risked on what a node has left out."""
    game = revealed
    game.fund(settler, game.terms.bond)
    mine, told = enlist(settler)
    mine.look()
    mine.follower = lose(places(game, *kinds)[-1:], mine.follower)
    (posted,) = mine.once()
    assert list(posted.action.words) == settle.words(game.campaign, SEALED)
    assert "reorganised" not in " ".join(sentences(told))


@pytest.mark.parametrize("kinds", [(Posted, PostingOpened), (Revealed,), (Disclosed,), (Drawn,)], ids=str)
def test_a_watcher_notices_what_a_node_has_left_out(revealed, attacker, challenger, enlist, lose, kinds):
    game = revealed
    game.fund(attacker, game.terms.bond)
    game.client.post(game.id, [0, 1], [FALSE, FALSE], sender=attacker)
    watcher, _ = enlist(challenger, options=Options(steps=WATCHING))
    watcher.look()
    watcher.follower = lose(places(game, *kinds), watcher.follower)
    assert steps(watcher.once()) == [Step.REFEREE]


def test_what_a_node_never_tells_keeps_from_posting_and_not_from_refereeing(
    revealed, attacker, settler, enlist, lose
):
    """Whose first false batch cannot be refereed loses the bond by the second."""
    game = revealed
    for account in (attacker, settler):
        game.fund(account, game.terms.bond)
    seat = next(seat for seat in game.campaign.cohorts[0].tolist() if game.campaign.seats[seat].revealed)
    game.client.post(game.id, [0, 1], [FALSE, FALSE], sender=attacker)
    mine, told = enlist(settler)
    mine.look()
    mine.follower = lose(places(game, Revealed, seat=seat), mine.follower, for_good=True)
    done = mine.once()
    assert [each.action.which for each in done if each.action.step is Step.REFEREE] == [(1,)]
    assert Step.POST not in steps(done)
    assert game.campaign.postings[1].status is PostingStatus.VOID
    assert any("opened 4, the contract has opened 5" in text for text in sentences(told))
    assert any("not what the contract holds" in text for text in sentences(told))


def test_one_batch_is_refereed_of_a_false_posting(revealed, attacker, challenger, enlist):
    game = revealed
    game.fund(attacker, game.terms.bond)
    game.client.post(game.id, [0, 1], [FALSE, FALSE], sender=attacker)
    watcher, told = enlist(challenger, options=Options(steps=WATCHING))
    assert [each.action.which for each in watcher.once()] == [(0,)]
    assert not sentences(told)


def test_nothing_is_posted_where_only_the_contract_can_tell(
    revealed, settler, enlist, lose, chain, monkeypatch
):
    """Not even when all campaigns were just found to be as read."""
    game = revealed
    game.fund(settler, game.terms.bond)
    monkeypatch.setattr("earnest.settler.run.doubts", lambda *_: {})
    mine, told = enlist(settler)
    chain.mine(20)
    mine.look()
    mine.follower = lose(places(game, Disclosed), mine.follower)
    game.travel(game.client.now() + game.terms.periods.audit)
    assert mine.once() == []
    assert any("no audit key, the contract has audit key" in text for text in sentences(told))
    (posted,) = mine.once()
    assert list(posted.action.words) == settle.words(game.campaign, SEALED)


def test_who_posted_falsely_once_does_not_risk_another_bond(revealed, settler, challenger, enlist):
    game = revealed
    game.fund(settler, 3 * game.terms.bond)
    game.client.post(game.id, [1], [FALSE], sender=settler)
    enlist(challenger, options=Options(steps=WATCHING))[0].once()
    mine, told = enlist(settler)
    assert Step.POST not in steps(mine.once())
    assert any("posting of this account was false" in text for text in sentences(told))


def test_a_token_that_credits_nothing_costs_gas_once(revealed, project, purse, settler, enlist, monkeypatch):
    """Whoever creates a campaign chooses the bond's token, and what its code does with deposits."""
    game = revealed
    token = purse.deploy(project.FeeTokenMock, 10_000)
    token.mint(settler, 10**6, sender=purse)
    _pay_in(game, str(token.address), monkeypatch)
    mine, told = enlist(settler, deposit=True, tokens=[str(token.address)])
    before = settler.nonce
    for _ in range(3):
        assert mine.once() == []
    assert settler.nonce - before == 2  # approve, deposit
    assert any("credited 0 units" in text for text in sentences(told))


def _pay_in(game, token, monkeypatch):
    """As if the campaign's bond were in another token."""
    look = Follower.look

    def other(self):
        sight = look(self)
        campaign = sight.state.campaigns[game.id]
        campaign.terms = replace(campaign.terms, token=token)
        return sight

    monkeypatch.setattr(Follower, "look", other)


def test_one_bad_token_hides_no_campaign(revealed, settler, enlist, attacker, monkeypatch):
    ones, dear = write(attacker, ONES), write(attacker, DEAR)
    _pay_in(revealed, ones, monkeypatch)
    mine, told = enlist(settler, deposit=True, tokens=[ones, dear])
    assert mine.once() == []
    _pay_in(revealed, dear, monkeypatch)
    mine.once()
    assert any("more is needed" in text for text in sentences(told))


@pytest.mark.parametrize(
    "error",
    [
        json.JSONDecodeError("Expecting value", "<html>", 0),
        KeyError("timestamp"),
        TypeError("'NoneType' object is not subscriptable"),
        sqlite3.OperationalError("database or disk is full"),
        OSError(30, "Read-only file system"),
    ],
)
def test_goes_on_after_what_nodes_and_disks_do(revealed, settler, enlist, monkeypatch, error):
    revealed.fund(settler, revealed.terms.bond)
    mine, told = enlist(settler)
    look = Follower.look
    failures = [error]

    def fails_once(self):
        if failures:
            raise failures.pop()
        return look(self)

    monkeypatch.setattr(Follower, "look", fails_once)
    mine.run(0.0, over=lambda sight: bool(sight.state.campaigns[revealed.id].postings), sleep=lambda _: None)
    assert [each for each in told if isinstance(each, Done)]
    assert len(sentences(told)) == 1


def test_the_chain_is_looked_at_again_however_much_is_due(revealed, settler, enlist, monkeypatch):
    """A long list of what is due does not put off what comes up meanwhile."""
    game = revealed
    game.fund(settler, game.terms.bond)
    mine, _ = enlist(settler, options=Options(gas=GAS["post"][0] + GAS["post"][1]))
    game.fund(settler, game.terms.bond)
    looks = []
    look = Follower.look
    monkeypatch.setattr(Follower, "look", lambda self: looks.append(1) or look(self))
    monkeypatch.setattr("earnest.settler.run.LONGEST_ROUND", -1.0)
    assert steps(mine.once()) == [Step.POST, Step.POST]
    assert len(looks) == 3


def test_a_transaction_that_is_never_mined_holds_nothing_up_for_ever(revealed, settler, enlist, monkeypatch):
    revealed.fund(settler, revealed.terms.bond)
    mine, told = enlist(settler)
    monkeypatch.setattr("earnest.settler.run.under_way", lambda *_: 7)
    assert mine.once() == []
    assert any("is sent and not mined yet" in text for text in sentences(told))
    monkeypatch.setattr("earnest.settler.run.STUCK", -1.0)
    assert steps(mine.once()) == [Step.POST]


def test_manifests_that_never_come_hold_no_other_campaign_up(revealed, settler, enlist, monkeypatch):
    """However many campaigns have theirs at a host that never answers."""
    game, ended = revealed, Event()
    game.fund(settler, game.terms.bond)

    def fetch(uri, digest):
        if uri == "file:manifest.json":
            return SEALED
        ended.wait()
        raise ManifestError(f"{uri} never came.")

    look = Follower.look

    def flooded(self):
        sight = look(self)
        campaign = sight.state.campaigns[game.id]
        silent = {
            number: replace(campaign, number=number, uri=f"https://silent/{number}", terms=terms(number))
            for number in range(1, 3 * FETCHES)
        }
        return replace(sight, state=replace(sight.state, campaigns=silent | sight.state.campaigns))

    def terms(number):
        return replace(game.terms, manifest=bytes([number]) * 32)

    monkeypatch.setattr(Follower, "look", flooded)
    mine, _ = enlist(settler, scorer=Scorer(fetch=fetch, patience=0.05), options=Options(steps={Step.POST}))
    began, running = time.monotonic(), active_count()
    mine.right(mine.look())
    assert active_count() - running <= FETCHES
    ended.set()
    while not mine.once():
        assert time.monotonic() < began + 30
    assert len(game.campaign.postings) == 1


def test_an_empty_audit_row_hides_no_false_posting(game, attacker, challenger, enlist, tmp_path):
    """Such a row does not parse: its batch is unscored, and whoever scores it otherwise loses the bond."""
    rows = (b"", *SEALED[1:])
    question = Question(text="Which one?", kind=Kind.CHOICE, options=("x", "y", "z"))
    tasks = tuple(Task(str(number), {"text": "t"}) for number in range(8))
    manifest = Manifest(question, tasks, batches=((tuple(range(8)),),) * 3, audit_rows=rows)
    path = tmp_path / "manifest.json"
    path.write_bytes(manifest.to_bytes())
    game.terms = replace(game.terms, manifest=manifest.digest(), audit_root=manifest.audit_root)
    game.id = campaign_id(game.experimenter.address, game.terms)
    game.fund(game.experimenter, (game.terms.bounty + game.terms.fee) * game.terms.batches)
    game.client.create(game.terms, str(path), sender=game.experimenter)
    game.enroll(7)
    game.travel(game.terms.enroll_by)
    game.draw()
    for seat in range(6):
        game.commit(seat, ANSWERS[seat])
    game.client.reveal_many(game.id, list(game.openings.values()), sender=game.experimenter)
    game.client.disclose(game.id, KEY, sender=game.experimenter)
    game.fund(attacker, game.terms.bond)
    game.client.post(game.id, [0], [FALSE], sender=attacker)
    watcher, _ = enlist(challenger, options=Options(steps=WATCHING), scorer=Scorer())
    assert steps(watcher.once()) == [Step.REFEREE]
    assert game.campaign.scores(0) == [UNSCORED] * 3


def test_a_manifest_that_fails_in_any_way_is_a_sentence(tmp_path):
    path = tmp_path / "manifest.json"
    path.write_bytes(b"[" * 1_000)
    for uri in (str(path), "file:///nowhere", "file://\0", "x" * 300_000, "nosuch://scheme"):
        with pytest.raises(ManifestError, match="The manifest"):
            fetch_rows(uri, sha256(path.read_bytes()).digest())


def test_scores_are_posted_when_no_reorganisation_changes_them(revealed, settler, attacker, enlist, chain):
    """A reveal that a reorganisation drops would make them false; false ones of others do not wait."""
    game = revealed
    for account in (settler, attacker):
        game.fund(account, game.terms.bond)
    game.client.post(game.id, [1], [FALSE], sender=attacker)
    mine, _ = enlist(settler, confirmations=8)
    done = steps(mine.once())
    assert Step.REFEREE in done
    assert Step.POST not in done
    chain.mine(2)
    assert mine.once() == []
    chain.mine(6)
    assert Step.POST in steps(mine.once())


def test_a_strangers_posting_shortens_no_wait(drawn, settler, attacker, enlist, chain):
    """Until the phase that ended is as deep, a reorganisation could let one more reveal or key in."""
    game = drawn
    for account in (settler, attacker):
        game.fund(account, game.terms.bond)
    for seat in range(5):
        game.commit(seat, ANSWERS[seat])
    game.pass_deadline()
    game.client.reveal_many(game.id, [game.openings[seat] for seat in range(4)], sender=game.experimenter)
    chain.mine(20)
    mine, _ = enlist(settler, confirmations=12)
    game.pass_deadline()
    deadline = game.client.life(game.id).deadline
    game.travel(deadline)
    assert game.client.life(game.id).phase is Phase.SETTLING
    assert mine.once() == []
    game.client.post(game.id, [0], settle.words(game.campaign)[:1], sender=attacker)
    assert game.campaign.settling_at(game.client.now()) == deadline
    assert mine.once() == []
    chain.mine(11)
    assert [each.action.which for each in mine.once()] == [(1,)]


def test_a_token_that_cannot_be_asked_holds_no_refereeing_up(
    revealed, attacker, challenger, enlist, monkeypatch
):
    game = revealed
    game.fund(attacker, game.terms.bond)
    game.client.post(game.id, [0], [FALSE], sender=attacker)
    call = type(game.client.web3.eth).call

    def fails(self, transaction, *arguments, **options):
        if str(transaction.get("to", "")).lower() == game.terms.token.lower():
            raise HTTPError("504 Gateway Time-out")
        return call(self, transaction, *arguments, **options)

    monkeypatch.setattr(type(game.client.web3.eth), "call", fails)
    mine, told = enlist(challenger, deposit=True, tokens=[game.terms.token])
    assert steps(mine.once())[0] is Step.REFEREE
    assert any("cannot be deposited" in text and "504" in text for text in sentences(told))


def scraped(mine, name):
    return mine.metrics.registry.get_sample_value(f"earnest_settler_{name}")


@pytest.mark.parametrize("busy", ["pending", "locked"])
def test_gauges_tell_of_false_batches_whatever_keeps_from_acting(
    revealed, attacker, challenger, enlist, monkeypatch, busy
):
    game = revealed
    game.fund(attacker, game.terms.bond)
    game.client.post(game.id, [0], [FALSE], sender=attacker)
    mine, _ = enlist(challenger)
    if busy == "pending":
        monkeypatch.setattr("earnest.settler.run.under_way", lambda *_: 7)
        assert mine.once() == []
    else:
        with locked(mine.lock):
            assert mine.once() == []
    found = [scraped(mine, name) for name in ("false_batches", "campaigns_unaffordable", "pending")]
    assert found == [1, 1, busy == "pending"]
    game.travel(game.campaign.final_at(0))
    mine.once()
    assert scraped(mine, "false_batches") == 0


def test_gas_of_what_failed_is_counted(revealed, project, purse, settler, enlist, monkeypatch):
    token = purse.deploy(project.FeeTokenMock, 10_000)
    token.mint(settler, 10**6, sender=purse)
    _pay_in(revealed, str(token.address), monkeypatch)
    mine, _ = enlist(settler, deposit=True, tokens=[str(token.address)])
    before = settler.balance
    assert mine.once() == []
    assert settler.balance < before
    assert scraped(mine, "gas_total") > 60_000


def test_what_is_over_is_let_go(revealed, settler, enlist):
    game = revealed
    game.fund(settler, game.terms.bond)
    mine, _ = enlist(settler)
    mine.once()
    assert mine.scorer._rows[game.id].rows == tuple(SEALED[:2])  # of the drawn batches
    game.travel(game.campaign.final_at(0))
    mine.once()
    assert (mine.scorer._rows, mine.scorer._words) == ({}, {})


def test_the_largest_bond_is_fetched_first(revealed, attacker, enlist, monkeypatch):
    """However many older campaigns of strangers have their manifests at a host that never answers."""
    game, ended, asked = revealed, Event(), []

    def fetch(uri, digest):
        asked.append(uri)
        ended.wait()
        return SEALED

    look = Follower.look

    def flooded(self):
        sight = look(self)
        campaign = sight.state.campaigns[game.id]
        silent = {
            number: replace(
                campaign, number=number, uri=str(number), terms=replace(game.terms, bond=game.terms.bond - 1)
            )
            for number in range(1, 3 * FETCHES)
        }
        return replace(sight, state=replace(sight.state, campaigns=silent | sight.state.campaigns))

    monkeypatch.setattr(Follower, "look", flooded)
    mine, _ = enlist(attacker, scorer=Scorer(fetch=fetch, patience=0.01))
    mine.right(mine.look())
    ended.set()
    assert len(asked) == FETCHES
    assert asked[0] == "file:manifest.json"


def test_nothing_is_sent_beside_what_was_not_mined_in_time(revealed, attacker, settler, enlist, monkeypatch):
    game = revealed
    for account in (attacker, settler):
        game.fund(account, game.terms.bond)
    game.client.post(game.id, [0], [FALSE], sender=attacker)
    mine, told = enlist(settler)

    def referee(*_, **__):
        monkeypatch.setattr("earnest.settler.run.under_way", lambda *_: 7)
        raise SentError("referee is sent and not mined yet.", transaction="0x07")

    monkeypatch.setattr(mine.client, "referee", referee)
    assert mine.once() == []
    assert any("is sent and not mined yet" in text for text in sentences(told))
    assert game.campaign.postings.keys() == {1}
