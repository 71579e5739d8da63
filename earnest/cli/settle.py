"""`earnest settle`: draw, post, check and release, for all campaigns or some."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from earnest.chain.errors import clock, short_id
from earnest.chain.life import Phase
from earnest.chain.settle import open_batches, refereeing
from earnest.chain.state import Campaign, State, lanes
from earnest.cli.acting import withdraw
from earnest.cli.common import (
    Group,
    InputError,
    Session,
    campaign_text,
    parse_campaign,
    pass_session,
    short,
    until,
)
from earnest.files import data_folder
from earnest.protocol.score import ABSENT, UNSCORED
from earnest.protocol.terms import ZERO_ADDRESS
from earnest.settler.errors import SettlerError
from earnest.settler.store import Store

if TYPE_CHECKING:
    from earnest.chain.client import Sent
    from earnest.settler.follow import Follower, Sight
    from earnest.settler.run import Done, Notice
    from earnest.settler.scores import Scorer
    from earnest.settler.steps import Action, Options, Step

POLL: Final = 5.0
MAX_GAS_PRICE: Final = 500.0
PATIENCE: Final = 120.0  # seconds that a command waits for another process of the same account
FALSE_FOUND: Final = 1

CAMPAIGN = click.argument("which", metavar="CAMPAIGN")
BATCHES = click.option("--batch", "batches", type=int, multiple=True, help="Only this batch; several times.")
MANIFEST = click.option("--manifest", "uri", metavar="URI", help="The manifest, where it is elsewhere now.")
DEPOSIT = click.option(
    "--deposit", is_flag=True, help="Take what a bond lacks from the wallet, not from the free balance alone."
)
YES = click.option("--yes", is_flag=True, help="Do not ask before signing.")


@click.group(cls=Group)
def settle() -> None:
    """Draw, post, check and release, for all campaigns or some; anyone can."""


@settle.command()
@click.option("--campaign", "chosen", metavar="CAMPAIGN", multiple=True, help="Only this one; several times.")
@click.option("--watch-only", is_flag=True, help="Only check what others post and referee what is false.")
@click.option("--no-draw", is_flag=True, help="Leave draws to others.")
@click.option("--no-post", is_flag=True, help="Post no scores.")
@click.option("--no-referee", is_flag=True, help="Leave false postings to others.")
@click.option("--no-release", is_flag=True, help="Leave paying out to others.")
@click.option("--no-refund", is_flag=True, help="Leave cancelled campaigns to others.")
@DEPOSIT
@click.option("--once", is_flag=True, help="Do what is due, and end.")
@click.option(
    "--poll", type=click.FloatRange(0.1), default=POLL, show_default=True, help="Seconds between looks."
)
@click.option(
    "--max-gas-price",
    type=click.FloatRange(0.0),
    default=MAX_GAS_PRICE,
    show_default=True,
    help="In gwei; above it only false postings are acted on.",
)
@click.option("--metrics-port", type=click.IntRange(0, 65_535), help="Serve metrics there; 0 for any port.")
@click.option("--metrics-address", default="127.0.0.1", show_default=True, help="Serve them at this address.")
@pass_session
def run(
    session: Session,
    /,
    chosen: Sequence[str],
    deposit: bool,
    once: bool,
    poll: float,
    max_gas_price: float,
    metrics_port: int | None,
    metrics_address: str,
    **left: bool,
) -> None:
    """Do whatever is due, again and again. Can be killed and started again at any point."""
    from earnest.settler.run import Settler

    with _follower(session) as (follower, path):
        settler = Settler(
            client=session.client,
            account=session.account,
            follower=follower,
            lock=_lock(session, path),
            options=_options(session, follower, chosen, left),
            deposit=deposit,
            max_gas_price=int(max_gas_price * 10**9),
            tell=lambda what: _tell(session, what),
        )
        try:
            if metrics_port is not None:
                port = settler.metrics.serve(metrics_port, metrics_address)
                session.say(f"Metrics are at http://{metrics_address}:{port}/metrics.")
            if once:
                settler.once()
            else:
                session.say(f"Settling {session.client.address} as {session.account.address}.")
                settler.run(poll)
        finally:
            settler.metrics.close()


@settle.command()
@pass_session
def status(session: Session) -> None:
    """List the campaigns and what is to be done in them."""
    from earnest.settler.run import now
    from earnest.settler.scores import Scorer
    from earnest.settler.steps import Me, Options, due

    address = session.account.address if session.alias else ZERO_ADDRESS
    with _sight(session) as sight:
        scorer, moment = Scorer(), now(sight)
        right = {
            number: words
            for number, each in sight.state.campaigns.items()
            if isinstance(words := _words(scorer, each, sight), list)
        }
        purse = {each.terms.token: each.terms.bond for each in sight.state.campaigns.values()}
        actions = due(sight.state, moment, Me(address, purse), Options(), right)
        found = [_standing(each, sight, actions, right) for each in sight.state.campaigns.values()]
    rows = [
        [
            short(each["campaign"]),
            each["phase"],
            until(each["deadline"], moment),
            f"{each['scored']}/{each['batches']}",
            len(each["false"]) if each["checked"] else "?",
            each["released"],
            ", ".join(each["due"]) or "–",
        ]
        for each in found
    ]
    columns = ["campaign", "phase", "ends", "#scored", "#false", "#released", "to do"]
    session.show({"campaigns": found, "block": sight.block}, lambda: session.table(columns, rows))


@settle.command()
@CAMPAIGN
@MANIFEST
@click.option("--on-chain", is_flag=True, help="Ask the referee contract, too.")
@pass_session
def check(session: Session, which: str, uri: str | None, on_chain: bool) -> None:
    """Compute a campaign's scores and compare them with those on chain; exit status 1 when some are false."""
    with _sight(session) as sight:
        campaign = _campaign(sight.state, which)
        scorer = _scorer(campaign, uri)
        right = _needed_words(scorer, campaign, sight)
        cohort = campaign.terms.cohort
        found: list[dict[str, Any]] = []
        for batch, word in enumerate(right):
            there, scores = campaign.batch(batch), lanes(word, cohort)
            if on_chain:
                case = refereeing(campaign, batch, scorer.rows(campaign))
                refereed = session.client.referee_scores(campaign, batch, case)
                if refereed != scores:
                    raise InputError(f"Batch {batch}: the chain computes {refereed}, this copy {scores}.")
            posted = campaign.scores(batch)
            verdict = "open" if posted is None else "right" if there.scores == word else "FALSE"
            found.append(
                {"batch": batch, "status": there.status.name.lower(), "verdict": verdict}
                | {"scores": scores, "posted": posted}
            )
    rows = [
        [each["batch"], each["status"], each["verdict"], _scores(each["scores"]), _scores(each["posted"])]
        for each in found
    ]
    session.show(
        {"campaign": campaign_text(campaign.number), "batches": found},
        lambda: session.table(["#batch", "status", "verdict", "scores", "on chain"], rows),
    )
    if any(each["verdict"] == "FALSE" for each in found):
        click.get_current_context().exit(FALSE_FOUND)


@settle.command()
@CAMPAIGN
@BATCHES
@MANIFEST
@DEPOSIT
@YES
@pass_session
def post(
    session: Session, which: str, batches: Sequence[int], uri: str | None, deposit: bool, yes: bool
) -> None:
    """Post the scores of the batches that have none, under a bond for each transaction."""
    from earnest.settler.steps import Step, portions

    with _acting(session) as sight:
        campaign = _campaign(sight.state, which)
        right = _needed_words(_scorer(campaign, uri), campaign, sight)
        todo = _chosen(campaign, batches, open_batches(campaign), "holds scores already")
        bond, token = campaign.terms.bond, session.token(campaign.terms.token)
        some = portions(Step.POST, campaign.terms, todo, _gas(session))
        free = session.client.balance_of(session.account.address, campaign.terms.token)
        if not deposit and free < bond * len(some):
            raise InputError(
                f"{token.write(bond * len(some))} is needed for {len(some)} bonds and {token.write(free)} is"
                f" free: {token.write(bond * len(some) - free)} more is needed; --deposit takes it."
            )
        if todo:
            session.confirm(f"Post {len(todo)} batches under {len(some)} bonds of {token.write(bond)}?", yes)
        words = [tuple(right[batch] for batch in each) for each in some]
        done = _do(session, campaign, Step.POST, some, (), words)
    _report(session, done, f"{len(todo)} batches are posted.")


@settle.command()
@CAMPAIGN
@BATCHES
@MANIFEST
@YES
@pass_session
def referee(session: Session, which: str, batches: Sequence[int], uri: str | None, yes: bool) -> None:
    """Have the chain compute batches: the false ones, or those named, which need no posting and no bond."""
    from earnest.settler.run import now
    from earnest.settler.steps import Step, to_referee

    with _acting(session) as sight:
        campaign, moment = _campaign(sight.state, which), now(sight)
        scorer = _scorer(campaign, uri)
        right = _needed_words(scorer, campaign, sight)
        possible = [
            batch
            for batch in range(len(campaign.batches))
            if campaign.final_at(batch) is None or (campaign.final_at(batch) or 0) > moment
        ]
        todo = to_referee(campaign, moment, right)
        if batches:
            todo = _chosen(campaign, batches, possible, "has final scores")
        if todo:
            session.confirm(f"Have batches {', '.join(map(str, todo))} refereed?", yes)
        done = _do(session, campaign, Step.REFEREE, [(each,) for each in todo], scorer.rows(campaign))
    _report(session, done, f"{len(todo)} batches are refereed." if todo else "No batch is false.")


@settle.command()
@CAMPAIGN
@BATCHES
@YES
@pass_session
def release(session: Session, which: str, batches: Sequence[int], yes: bool) -> None:
    """Pay out the batches whose scores are final, and take one's own bonds back."""
    from earnest.settler.run import now
    from earnest.settler.steps import Me, Options, Step, due, portions, to_release

    with _acting(session) as sight:
        campaign, moment = _campaign(sight.state, which), now(sight)
        todo = _chosen(campaign, batches, to_release(campaign, moment), "is not final, or paid out")
        if todo:
            session.confirm(f"Pay out {len(todo)} batches?", yes)
        some = portions(Step.RELEASE, campaign.terms, todo, _gas(session))
        done = _do(session, campaign, Step.RELEASE, some, ())
        only = Options(steps=frozenset({Step.RETURN_BOND}), campaigns=frozenset({campaign.number}))
        bonds = [each.which for each in due(sight.state, moment, Me(session.account.address), only, {})]
        done += _do(session, campaign, Step.RETURN_BOND, bonds, ())
    _report(session, done, f"{len(todo)} batches are paid out, {len(bonds)} bonds are back.")


settle.add_command(withdraw)


# ── Below ───────────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def _follower(session: Session) -> Iterator[tuple[Follower, Path]]:
    from earnest.settler.follow import Follower

    client = session.client
    path = data_folder() / f"settler-{client.domain.chain_id}-{client.address.lower()}.sqlite"
    store = Store(path, client.first_block)
    try:
        yield Follower(client.web3, client.address, client.sink, store), path
    finally:
        store.close()


@contextmanager
def _sight(session: Session) -> Iterator[Sight]:
    with _follower(session) as (follower, _):
        yield follower.look()


@contextmanager
def _acting(session: Session) -> Iterator[Sight]:
    """A look while no other process acts for the account."""
    from earnest.settler.run import locked

    with _follower(session) as (follower, path), locked(_lock(session, path), PATIENCE) as mine:
        if not mine:
            address = session.account.address
            raise InputError(f"Another process acts for {address} all the time; stop it first.")
        yield follower.look()


def _lock(session: Session, path: Path) -> Path:
    return path.with_suffix(f".{session.account.address.lower()}.lock")


def _options(session: Session, follower: Follower, chosen: Sequence[str], left: dict[str, bool]) -> Options:
    from earnest.settler.steps import ALL_STEPS, WATCHING, Options, Step

    by_option = {
        "no_draw": {Step.DRAW, Step.REQUEST_DRAW},
        "no_post": {Step.POST},
        "no_referee": {Step.REFEREE},
        "no_release": {Step.RELEASE},
        "no_refund": {Step.REFUND},
    }
    steps: frozenset[Step] = WATCHING if left.pop("watch_only") else ALL_STEPS
    for option, without in by_option.items():
        if left[option]:
            steps -= without
    if not steps:
        raise InputError("--watch-only and --no-referee together leave nothing to do.")
    campaigns = None
    if chosen:
        known = follower.look().state.campaigns
        campaigns = frozenset(_number(known, each) for each in chosen)
    return Options(steps=steps, campaigns=campaigns, gas=_gas(session))


def _gas(session: Session) -> int:
    from earnest.settler.steps import MOST_GAS

    limit = int(session.client.web3.eth.get_block("latest")["gasLimit"])
    return min(MOST_GAS, limit)


def _number(known: dict[int, Campaign], text: str) -> int:
    number = parse_campaign(text, known)
    if number not in known:
        raise InputError(f"There is no campaign {text} on this contract; `earnest settle status` lists them.")
    return number


def _campaign(state: State, text: str) -> Campaign:
    return state.campaigns[_number(state.campaigns, text)]


def _scorer(campaign: Campaign, uri: str | None) -> Scorer:
    from earnest.settler.scores import Scorer

    return Scorer(uris={campaign.number: uri} if uri else {})


def _needed_words(scorer: Scorer, campaign: Campaign, sight: Sight) -> list[int]:
    from earnest.settler.run import now

    moment = now(sight)
    life = campaign.life_at(moment)
    if life.phase not in (Phase.SETTLING, Phase.FINAL):
        ends = f" until {clock(life.deadline, moment)}" if life.deadline else ""
        needs = "scores are computed from Settling on"
        raise InputError(f"Campaign {short_id(campaign.number)} is {life.phase.title}{ends}; {needs}.")
    return scorer.words(campaign, sight.forks)


def _words(scorer: Scorer, campaign: Campaign, sight: Sight) -> list[int] | None:
    """The right words; None where there are none to compute, or they cannot be computed."""
    from earnest.settler.run import now
    from earnest.settler.scores import needs_scores

    if not needs_scores(campaign, now(sight)):
        return None
    try:
        return scorer.words(campaign, sight.forks)
    except SettlerError:
        return None


def _standing(
    campaign: Campaign, sight: Sight, actions: Sequence[Action], right: dict[int, list[int]]
) -> dict[str, Any]:
    from earnest.chain.settle import false_batches
    from earnest.settler.run import now

    life = campaign.life_at(now(sight))
    words = right.get(campaign.number)
    settling = life.phase in (Phase.SETTLING, Phase.FINAL) and life.released < life.batches
    mine = [action for action in actions if action.campaign == campaign.number]
    return {
        "campaign": campaign_text(campaign.number),
        "phase": life.phase.title,
        "deadline": life.deadline,
        "batches": life.batches,
        "scored": life.scored,
        "released": life.released,
        "checked": words is not None or not settling,
        "false": false_batches(campaign, words) if words is not None else [],
        "due": list(dict.fromkeys(str(action.step) for action in mine)),
        "bond": campaign.terms.bond,
        "fee": campaign.terms.fee,
    }


def _chosen(campaign: Campaign, named: Sequence[int], possible: Sequence[int], otherwise: str) -> list[int]:
    """The batches named, all of which must be possible; all possible ones when none is named."""
    for batch in named:
        if not 0 <= batch < len(campaign.batches):
            most = len(campaign.batches) - 1
            raise InputError(f"There is no batch {batch}; it must be 0 to {most}.")
        if batch not in possible:
            raise InputError(f"Batch {batch} {otherwise}.")
    return sorted(set(named)) if named else list(possible)


def _do(
    session: Session,
    campaign: Campaign,
    step: Step,
    which: Sequence[tuple[int, ...]],
    rows: Sequence[bytes],
    words: Sequence[tuple[int, ...]] | None = None,
) -> list[Sent]:
    from earnest.settler.act import act
    from earnest.settler.steps import Action

    done: list[Sent] = []
    for some, scores in zip(which, words or [()] * len(which), strict=True):
        action = Action(step, campaign.number, some, scores)
        done += act(session.client, session.account, campaign, action, rows)
    return done


def _tell(session: Session, what: Done | Notice) -> None:
    """One line for people, one JSON object for machines, at once."""
    from earnest.settler.run import Done

    if isinstance(what, Done):
        action, hashes = what.action, [each.transaction for each in what.sent]
        members = {
            "campaign": campaign_text(action.campaign),
            "step": str(action.step),
            "which": action.which,
            "transactions": hashes,
            "gas": sum(each.gas for each in what.sent),
        }
        listed = f" {_listed(action.which)}" if action.which else ""
        text = f"{short_id(action.campaign)} {action.step}{listed}: {', '.join(hashes)}"
    else:
        members, text = {"notice": what.sentence}, what.sentence
    session.show(members, lambda: session.say(f"{clock(int(time.time()))}  {text}"))


def _listed(numbers: Sequence[int]) -> str:
    """Numbers, a run of them by its ends."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join(str(low) if low == high else f"{low}–{high}" for low, high in runs)


def _scores(scores: Sequence[int] | None) -> str:
    names = {ABSENT: "absent", UNSCORED: "unscored"}
    return "–" if scores is None else " ".join(names.get(score, f"{score:+d}") for score in scores)


def _report(session: Session, done: Sequence[Sent], sentence: str) -> None:
    session.show(
        {"transactions": [each.transaction for each in done], "gas": sum(each.gas for each in done)},
        lambda: session.say(sentence),
    )
