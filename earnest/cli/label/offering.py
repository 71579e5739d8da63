"""What a campaign asks, and what a seat in it may win and lose."""

from __future__ import annotations

from typing import Any

from earnest.chain.life import Life, Phase
from earnest.chain.state import Campaign
from earnest.cli.label.amounts import about
from earnest.cli.session import Session
from earnest.cli.text import campaign_text, phase_text
from earnest.labeler.offer import DENOUNCING, Offer
from earnest.manifest.manifest import Manifest
from earnest.protocol.terms import ZERO_ADDRESS
from earnest.times import duration


def offer_members(found: Campaign, life: Life, prospects: Offer) -> dict[str, Any]:
    """For machines."""
    terms = found.terms
    return {
        "campaign": campaign_text(found.number),
        "experimenter": found.experimenter,
        "uri": found.uri,
        "phase": life.phase.title,
        "deadline": life.deadline,
        "seats": life.seats,
        "taken": life.taken,
        "token": terms.token,
        "stake": terms.stake,
        "bounty": terms.bounty,
        "batch_size": terms.batch_size,
        "cohort": terms.cohort,
        "enroll_by": terms.enroll_by,
        "gate": terms.gate,
        "max_loss": prospects.max_loss,
        "max_win": prospects.max_win,
        "likely": prospects.likely,
        "basis": prospects.basis,
        "warnings": prospects.warnings,
    }


def show_offer(session: Session, found: Campaign, manifest: Manifest, prospects: Offer) -> None:
    """For people, with what to think about before staking."""
    terms, life, now = found.terms, found.life_at(session.now), session.now
    token, periods, curve = session.token(terms.token), terms.periods, terms.curve
    signals = {name: weight for name, weight in vars(terms.weights).items() if weight}
    session.members(
        {
            "campaign": campaign_text(found.number),
            "phase": phase_text(life, now),
            "question": manifest.question.text,
            "kind": f"{manifest.question.kind}: {', '.join(manifest.question.options)}",
            "a seat": f"{terms.batch_size} labels; {life.seats - life.taken} of {life.seats} seats are free"
            if life.phase is Phase.ENROLLING
            else f"{terms.batch_size} labels",
            "paid in": "ether"
            if terms.token == ZERO_ADDRESS
            else f"the token {terms.token}; it calls itself {token.symbol}, as any may",
            "stake": token.write(terms.stake),
            "likely pay": f"{about(token, prospects.likely)}, going by {prospects.basis}",
            "at best": f"{about(token, prospects.max_win)}"
            f" (an even share: {about(token, prospects.even_share)})",
            "at worst": f"{token.write(-prospects.max_loss)}; for a bad score at most"
            f" {curve.max_slash / 100:g}% of the stake, for not committing or not revealing"
            f" {curve.forfeit / 100:g}%",
            "score": " + ".join(f"{weight} × {name}" for name, weight in signals.items())
            + f"; paid from {curve.pay_from:+d} bps, in full from {curve.pay_full:+d}; slashed below"
            f" {curve.slash_from:+d}",
            "time": f"{duration(periods.commit)} to commit, {duration(periods.reveal)} to reveal,"
            f" {duration(periods.challenge)} to challenge scores",
            "for": "everybody" if terms.gate == ZERO_ADDRESS else f"whom the gate {terms.gate} admits",
        }
    )
    for warning in prospects.warnings:
        session.say(f"Careful: {warning}")
    session.say(DENOUNCING)
