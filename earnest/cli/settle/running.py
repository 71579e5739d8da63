"""`earnest settle run`: whatever is due, again and again."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import click

from earnest.addresses import read_address
from earnest.chain.errors import short_id
from earnest.cli.errors import InputError
from earnest.cli.groups import POLLING, Command
from earnest.cli.number import Number
from earnest.cli.session import Session, pass_session
from earnest.cli.settle.acting import DEPOSIT
from earnest.cli.settling import confirmations_of, gas_limit
from earnest.cli.text import campaign_text, known_campaign
from earnest.times import clock, seconds

if TYPE_CHECKING:
    from earnest.settler.run import Done, Notice
    from earnest.settler.steps import Options, Step

MAX_GAS_PRICE: Final = 500.0  # gwei, unless another is given
MOST_GWEI: Final = 10.0**9


@click.command(cls=Command)
@click.option("--campaign", "chosen", metavar="CAMPAIGN", multiple=True, help="Only this one; several times.")
@click.option("--watch-only", is_flag=True, help="Only check what others post and referee what is false.")
@click.option("--no-draw", is_flag=True, help="Leave draws to others.")
@click.option("--no-post", is_flag=True, help="Post no scores.")
@click.option("--no-referee", is_flag=True, help="Leave false postings to others.")
@click.option("--no-release", is_flag=True, help="Leave paying out to others.")
@click.option("--no-refund", is_flag=True, help="Leave cancelled campaigns to others.")
@DEPOSIT
@click.option(
    "--deposit-token",
    "tokens",
    metavar="ADDRESS",
    multiple=True,
    help="With --deposit: take this token, too, in campaigns that are not named; several times.",
)
@click.option("--once", is_flag=True, help="Do what is due, and end.")
@POLLING
@click.option(
    "--max-gas-price",
    type=Number(0.0, MOST_GWEI),
    default=MAX_GAS_PRICE,
    show_default=True,
    help="In gwei; above it only false postings are acted on.",
)
@click.option(
    "--longest-lock",
    metavar="DURATION",
    help="Post no scores where the bond is locked for longer; 30d unless given, any time in campaigns named.",
)
@click.option("--metrics-port", type=Number(0, 65_535), help="Serve metrics there; 0 for any port.")
@click.option("--metrics-address", default="127.0.0.1", show_default=True, help="Serve them at this address.")
@pass_session
def run(
    session: Session,
    /,
    chosen: Sequence[str],
    deposit: bool,
    tokens: Sequence[str],
    once: bool,
    poll: float,
    max_gas_price: float,
    longest_lock: str | None,
    metrics_port: int | None,
    metrics_address: str,
    **left: bool,
) -> None:
    """Do whatever is due, again and again. Can be killed and started again at any point."""
    from earnest.chain.wallet import sending_lock
    from earnest.settler.run import Settler
    from earnest.settler.scores import Scorer

    if tokens and not deposit:
        raise InputError("--deposit-token says which tokens --deposit takes from the wallet: say both.")
    scorer = Scorer() if once else Scorer(patience=poll)  # what is on its way is there at a later look
    settler = Settler(
        client=session.client,
        account=session.account,
        follower=session.follower,
        lock=sending_lock(session.client.web3, session.account.address),
        scorer=scorer,
        confirmations=confirmations_of(session),
        options=_options(session, chosen, left, longest_lock),
        deposit=deposit,
        tokens=[read_address("--deposit-token", token) for token in tokens],
        max_gas_price=int(max_gas_price * 10**9),
        tell=lambda what: tell(session, what),
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


def _options(
    session: Session, chosen: Sequence[str], left: dict[str, bool], longest_lock: str | None
) -> Options:
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
        known = session.look().state.campaigns
        campaigns = frozenset(known_campaign(each, known).number for each in chosen)
    found = Options(steps=steps, campaigns=campaigns, gas=gas_limit(session))
    if longest_lock is None:
        return found
    return replace(found, longest_lock=seconds(longest_lock, "--longest-lock"))


def tell(session: Session, what: Done | Notice) -> None:
    """Say what was done: one line for people, one JSON object for machines, at once."""
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
