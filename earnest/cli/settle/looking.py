"""`earnest settle status` and `check`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

import click

from earnest.chain.settle import false_batches, refereeing
from earnest.chain.state import Campaign, lanes
from earnest.cli.errors import InputError
from earnest.cli.groups import MANIFEST, Command
from earnest.cli.session import Session, pass_session
from earnest.cli.settle.acting import CAMPAIGN
from earnest.cli.settling import right_words, scorer_of, sight_of
from earnest.cli.text import campaign_text, scores_text, short, until
from earnest.protocol.terms import ZERO_ADDRESS
from earnest.settler.errors import SettlerError

if TYPE_CHECKING:
    from earnest.chain.follow import Sight
    from earnest.settler.scores import Scorer
    from earnest.settler.steps import Action

FALSE_FOUND: Final = 1
ENOUGH: Final = 1 << 256


@click.command(cls=Command)
@pass_session
def status(session: Session) -> None:
    """List the campaigns and what is to be done in them."""
    from earnest.settler.scores import Scorer, needs_scores
    from earnest.settler.steps import Me, Options, due

    address = session.address if session.alias else ZERO_ADDRESS
    sight, scorer = session.look(), Scorer()
    settling = [each for each in sight.state.campaigns.values() if needs_scores(each, sight.time)]
    # Strangers' manifests are not waited for one after another.
    scorer.begin({each.number for each in settling})
    right = {each.number: words for each in settling if (words := _words(scorer, each, sight)) is not None}
    # As if each bond could be paid: what is to be done, whoever does it.
    purse = dict.fromkeys((each.terms.token for each in settling), ENOUGH)
    actions = due(sight.state, sight.now, Me(address, purse), Options(), right)
    found = [_standing(each, sight, actions, right) for each in sight.state.campaigns.values()]
    rows = [
        [
            short(each["campaign"]),
            each["phase"],
            until(each["deadline"], sight.now),
            f"{each['scored']}/{each['batches']}",
            len(each["false"]) if each["checked"] else "?",
            each["released"],
            ", ".join(each["due"]) or "–",
        ]
        for each in found
    ]
    columns = ["campaign", "phase", "ends", "#scored", "#false", "#released", "to do"]
    session.show({"campaigns": found, "block": sight.block}, lambda: session.table(columns, rows))


@click.command(cls=Command)
@CAMPAIGN
@MANIFEST
@click.option("--on-chain", is_flag=True, help="Ask the referee contract, too.")
@pass_session
def check(session: Session, which: str, uri: str | None, on_chain: bool) -> None:
    """Compute a campaign's scores and compare them with those on chain; exit status 1 when some are false."""
    sight, campaign = sight_of(session, which)
    scorer = scorer_of(campaign.number, uri)
    right = right_words(scorer, campaign, sight)
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
        [
            each["batch"],
            each["status"],
            each["verdict"],
            scores_text(each["scores"]),
            scores_text(each["posted"]),
        ]
        for each in found
    ]
    session.show(
        {"campaign": campaign_text(campaign.number), "batches": found},
        lambda: session.table(["#batch", "status", "verdict", "scores", "on chain"], rows),
    )
    if any(each["verdict"] == "FALSE" for each in found):
        click.get_current_context().exit(FALSE_FOUND)


def _words(scorer: Scorer, campaign: Campaign, sight: Sight) -> list[int] | None:
    """The right words; None where they cannot be computed."""
    try:
        return scorer.words(campaign, sight.forks)
    except SettlerError:
        return None


def _standing(
    campaign: Campaign, sight: Sight, actions: Sequence[Action], right: dict[int, list[int]]
) -> dict[str, Any]:
    from earnest.settler.scores import needs_scores

    life = campaign.life_at(sight.now)
    words = right.get(campaign.number)
    mine = [action for action in actions if action.campaign == campaign.number]
    return {
        "campaign": campaign_text(campaign.number),
        "phase": life.phase.title,
        "deadline": life.deadline,
        "batches": life.batches,
        "scored": life.scored,
        "released": life.released,
        "checked": words is not None or not needs_scores(campaign, sight.time),
        "false": false_batches(campaign, words) if words is not None else [],
        "due": list(dict.fromkeys(str(action.step) for action in mine)),
        "bond": campaign.terms.bond,
        "fee": campaign.terms.fee,
    }
