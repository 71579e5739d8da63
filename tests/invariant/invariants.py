"""The eight invariants of the design (section 8). Each looks at a `World` after a step, or fails.

They go by what the chain says (`Books`, events), not by the model, whose books are compared with the chain's
besides.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from eth_abi.abi import decode
from eth_utils.address import to_checksum_address
from invariant.books import CampaignBooks, locked
from invariant.model import POSTED, REFEREED, RELEASED, STANDING, VOID
from invariant.world import World

from earnest.chain import records
from earnest.chain.life import Phase
from earnest.protocol import merkle
from earnest.protocol.settlement import outlook
from earnest.protocol.terms import BPS, ZERO_ADDRESS, Terms, campaign_id

# The phases in which commitments can no longer change.
FIXED = (Phase.REVEALING, Phase.AUDITING, Phase.SETTLING, Phase.FINAL)


def invariant_1_the_contract_holds_what_it_owes(world: World) -> None:
    """For every token: tokens held = Σ vault balances + Σ locked (bounties, stakes, bonds). No call by
    anybody makes the left side smaller than the right. (Tokens sent past `deposit` are nobody's.)
    """
    books = world.step.after
    for token, held in books.held.items():
        owed = books.free(token) + sum(
            locked(c, _is_refunded(world, number))
            for number, c in books.campaigns.items()
            if c.terms.token == token
        )
        assert held == owed + world.strays[token], f"holds {held}, owes {owed}, strays {world.strays[token]}"


def invariant_2_a_labeler_never_loses_more_than_agreed(world: World) -> None:
    """A labeler never loses more than `maxSlash` of a stake by being scored, nor more than `forfeit` by being
    absent, nor anything when refunded or benched.
    """
    for released, c in _released_now(world):
        slash = -(-c.terms.stake * c.terms.curve.max_slash // BPS)
        forfeit = -(-c.terms.stake * c.terms.curve.forfeit // BPS)
        for seat, result in zip(c.cohorts[released.batch], released.results, strict=True):
            most = 0 if c.denounced(seat) else slash if c.revealed(seat) else forfeit
            assert result >= -most, f"seat {seat} loses {-result}, agreed were {most}"
            assert max(result, -result) <= c.terms.stake + c.terms.bounty
            assert -result <= outlook(c.terms).max_loss
            assert result <= outlook(c.terms).max_win
    for record in world.step.records:
        if isinstance(record, records.SeatFreed):
            terms = world.step.after.campaigns[record.campaign].terms
            gain = _gains(world)[record.labeler, terms.token]
            freed = [
                terms.stake for other in world.step.records
                if isinstance(other, records.SeatFreed) and other.labeler == record.labeler
            ]
            assert gain >= sum(freed), f"{record.labeler} gets {gain} for {len(freed)} stakes"


def invariant_3_the_experimenter_never_gains_from_a_loss(world: World) -> None:
    """The experimenter's balance never rises because of a slash, a forfeit or a low score: a released batch
    refunds the bounty of labels never delivered, whatever the scores.
    """
    for released, c in _released_now(world):
        cohort = c.cohorts[released.batch]
        missing = sum(not c.revealed(seat) for seat in cohort)
        assert released.refund == c.terms.bounty * missing // len(cohort)
    gains = _gains(world)
    for number, c in world.step.after.campaigns.items():
        # Who also labels, settles, challenges or has another campaign may gain by that, others by refunds.
        if any(c.experimenter == other for other in _others(world, number)):
            continue
        refunds = sum(
            record.refund for record in world.step.records
            if isinstance(record, records.Released | records.Drawn | records.Cancelled)
            and record.campaign == number
        )
        gain = gains[c.experimenter, c.terms.token]
        assert gain <= refunds + _deposits(world, c), f"the experimenter gains {gain}, refunds are {refunds}"


def invariant_4_a_batch_pays_out_what_was_put_in(world: World) -> None:
    """The sum of what a batch pays, refunds and sinks is exactly its bounty, its fee and its stakes."""
    for released, c in _released_now(world):
        paid = sum(released.results) + released.refund + released.sunk
        assert paid == c.terms.bounty, f"batch {released.batch} pays {paid} of {c.terms.bounty}"
    before = world.step.before
    if not world.step.calls or any(call.name != "release" for call in world.step.calls):
        return
    gains = _gains(world)
    for token in before.held:
        freed = sum(
            _content(before.campaigns[released.campaign], released.batch)
            for released, c in _released_now(world)
            if c.terms.token == token
        )
        gained = sum(gain for (_, kind), gain in gains.items() if kind == token)
        assert gained == freed, f"{freed} were in the batches, {gained} came out"


def invariant_5_labels_stay_hidden_until_all_are_fixed(world: World) -> None:
    """No label is visible on chain before every commitment of the campaign is fixed. (Denouncing apart.)"""
    for record in world.step.records:
        if isinstance(record, records.Revealed):
            assert world.step.after.campaigns[record.campaign].life.phase in FIXED
        if isinstance(record, records.Committed):
            assert not any(world.seen(records.Revealed, record.campaign)), "committed after a reveal"
    for number, c in world.step.after.campaigns.items():
        earlier = world.step.before.campaigns.get(number)
        if earlier is None or earlier.life.phase not in FIXED:
            continue
        for seat, (_, record, revisions) in enumerate(c.seats):
            _, had, times = earlier.seats[seat]
            assert revisions == times or record & 1, f"seat {seat} committed anew"
            assert record == had or (c.revealed(seat) and had & 1 == 0), f"the record of seat {seat} changed"


def invariant_6_released_scores_are_right_or_stood_unchallenged(world: World) -> None:
    """A released score equals what `Referee` computes, or was posted, unchallenged, for a whole challenge
    period.
    """
    for released, c in _released_now(world):
        _, _, scores, posting = c.batches[released.batch]
        if posting:
            _, posted_at, _, status = c.postings[posting - 1]
            assert status != VOID
            assert released.place.timestamp >= posted_at + c.terms.periods.challenge, "released too early"
        else:
            assert scores == _refereed(world, released.campaign, released.batch)
    for number, c in world.step.after.campaigns.items():
        earlier = world.step.before.campaigns.get(number)
        for batch, (status, _, scores, _) in enumerate(c.batches if earlier is not None else ()):
            if earlier.batches[batch][0] >= REFEREED:
                assert status >= earlier.batches[batch][0], "a final batch went back"
                assert scores == earlier.batches[batch][2], "final scores changed"


def invariant_7_everything_can_be_got_out(world: World) -> None:
    """Every seat's stake and every batch's bounty can be got out in the end, whatever any other party does or
    fails to do: from where a campaign stands, time passing, one stranger alone can free all of it.
    """
    moved = [
        number for number, c in world.step.after.campaigns.items()
        if world.step.before.campaigns.get(number) != c
    ]
    if not moved:
        return
    with world.elsewhere(world.now + 20 * 365 * 86_400):
        for number in moved:
            error = world.call("relayer", world.encode("multicall", [way_out(world, number)]))
            assert error == "", f"from {world.step.after.campaigns[number].life}: {error}"


def invariant_8_terms_never_change_and_nobody_is_privileged(world: World) -> None:
    """Terms never change after creation; no address has a privilege that another lacks: a balance falls by
    nothing but its owner's own doing, or that of whom they signed for or made their operator.
    """
    for number, c in world.step.after.campaigns.items():
        assert campaign_id(c.experimenter, c.terms) == number, "the terms are not those of the campaign"
    spenders = _spenders(world)
    for (account, token), (balance, _) in world.step.after.accounts.items():
        if balance < world.step.before.balance(account, token):
            assert account in spenders, f"{world.roles.get(account, account)} loses by {world.step.calls}"


ALL = tuple(function for name, function in sorted(globals().items()) if name.startswith("invariant_"))


def way_out(world: World, number: int) -> list[tuple[str, tuple[Any, ...]]]:
    """The calls by which anybody frees all of a campaign's money, once all its phases could have ended."""
    c = world.step.after.campaigns[number]
    if not c.drawn:
        return [("refund", (number, list(range(len(c.seats)))))]
    calls: list[tuple[str, tuple[Any, ...]]] = [
        ("referee", evidence(world, number, batch))
        for batch, (status, *_) in enumerate(c.batches)
        if status < POSTED
    ]
    calls.append(("release", (number, list(range(len(c.batches))))))
    standing = [index for index, (*_, status) in enumerate(c.postings, 1) if status == STANDING]
    return calls + [("returnBond", (number, posting)) for posting in standing]


def evidence(world: World, number: int, batch: int) -> tuple[Any, ...]:
    """The arguments of `referee`, from what has been revealed and published."""
    c = world.step.after.campaigns[number]
    revealed = {record.seat: record.labels for record in world.seen(records.Revealed, number)}
    labels = b"".join(revealed.get(seat, b"") for seat in c.cohorts[batch])
    rows = world.published.get(number, ())
    if not rows:
        return (number, batch, labels, b"", [])
    return (number, batch, labels, rows[batch], merkle.proof(merkle.tree(rows), batch))


def _released_now(world: World) -> Iterator[tuple[records.Released, CampaignBooks]]:
    for record in world.step.records:
        if isinstance(record, records.Released):
            c = world.step.after.campaigns[record.campaign]
            assert c.batches[record.batch][0] == RELEASED
            yield record, c


def _is_refunded(world: World, number: int) -> bool:
    return any(world.seen(records.Cancelled, number))


def _content(c: CampaignBooks, batch: int) -> int:
    """What is behind a batch that is not released yet: bounty, fee unless it is paid, stakes."""
    fee = c.terms.fee if c.batches[batch][0] == POSTED else 0
    return c.terms.bounty + fee + c.terms.stake * sum(not c.denounced(seat) for seat in c.cohorts[batch])


def _gains(world: World) -> dict[tuple[str, str], int]:
    gains: dict[tuple[str, str], int] = defaultdict(int)
    for key, (balance, _) in world.step.after.accounts.items():
        gains[key] = balance - world.step.before.accounts[key][0]
    return gains


def _deposits(world: World, c: CampaignBooks) -> int:
    return sum(
        record.amount for record in world.step.records
        if isinstance(record, records.Deposited)
        and (record.account, record.token) == (c.experimenter, c.terms.token)
    )


def _others(world: World, number: int) -> Iterator[str]:
    """Who may gain by a step for other reasons than being a campaign's experimenter."""
    for other, c in world.step.after.campaigns.items():
        yield from (labeler for labeler, _, _ in c.seats)
        if other in world.step.before.campaigns:
            yield from (labeler for labeler, _, _ in world.step.before.campaigns[other].seats)
        yield from (settler for settler, *_ in c.postings)
        if other != number:
            yield c.experimenter
    for call in world.step.calls:
        if call.name in ("denounce", "referee"):
            yield call.sender


def _spenders(world: World) -> set[str]:
    """Whose balance may fall by a step."""
    spenders = set()
    for call in world.step.calls:
        if call.name in ("withdraw", "create", "post"):
            spenders.add(call.sender)
        if call.name == "enroll":
            labeler = call.args[1]
            if call.sender == labeler or (labeler, call.sender) in world.model.operators:
                spenders.add(labeler)
        if call.name == "enrollSigned":
            spenders |= {enrolment[0] for enrolment in call.args[1]}
    return {to_checksum_address(spender) for spender in spenders}


def _refereed(world: World, number: int, batch: int) -> int:
    """What the chain's `Referee` says of a batch."""
    c = world.step.after.campaigns[number]
    _, _, labels, row, _ = evidence(world, number, batch)
    labelers = [c.seats[seat][0] if c.revealed(seat) else ZERO_ADDRESS for seat in c.cohorts[batch]]
    referee = world.stage.system.referee
    data = referee.score.encode_input(_rubric(c.terms), labelers, labels, row, c.key, batch)
    found = world.web3.eth.call({"to": referee.address, "data": bytes(data)})
    return int(decode(["uint256"], found)[0])


def _rubric(terms: Terms) -> tuple[Any, ...]:
    weights = (terms.weights.peers, terms.weights.gold, terms.weights.repeats)
    return (int(terms.metric), terms.classes, terms.batch_size, terms.audited, weights)
