"""Whether what was read of a campaign is what the contract itself holds: a node may have left logs out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from earnest.chain.errors import RecordsError
from earnest.chain.life import Life, Phase
from earnest.chain.state import Campaign

if TYPE_CHECKING:
    from earnest.chain.client import Client
    from earnest.chain.follow import Sight
    from earnest.chain.views import DrawView

AT_ONCE: Final = 100  # campaigns that are asked for in one question to the node

# What changes no more once scores can be computed, and all of them hang on.
_FIXED: Final = ("seats", "taken", "committed", "opened", "seed", "audit_key")


def doubts(client: Client, sight: Sight, campaigns: Iterable[int]) -> dict[int, str]:
    """Those of some campaigns whose records are not what the contract holds as of the same block, and the
    difference in a sentence. What is over is not asked for.
    """
    of = sight.state.campaigns
    numbers = [number for number in campaigns if not _is_over(of[number], sight.time)]
    found = {}
    for at in range(0, len(numbers), AT_ONCE):
        some = numbers[at : at + AT_ONCE]
        for number, (life, draw) in zip(some, client.standings(some, sight.block), strict=True):
            here, there = _read(of[number], sight.time), _held(life, draw)
            # Some nodes take the time of the question for the block's: a deadline may have passed by it.
            if here != there != _read(of[number], max(sight.time, here["deadline"])):
                found[number] = _sentence(here, there)
    return found


def check_records(client: Client, campaign: Campaign) -> None:
    """Raise RecordsError unless the contract holds, now, all that a campaign's scores hang on as it was read:
    a bond hangs on each of them.
    """
    number = campaign.number
    here, there = _read(campaign, 0), _held(client.life(number), client.draw_of(number))
    if any(here[name] != there[name] for name in _FIXED):
        fixed = ({name: each[name] for name in _FIXED} for each in (here, there))
        raise RecordsError(f"{_sentence(*fixed)} Nothing is posted by such records.")


def _is_over(campaign: Campaign, now: int) -> bool:
    life = campaign.life_at(now)
    if life.phase is Phase.CANCELLED:
        return not campaign.escrowed and not any(seat.staked for seat in campaign.seats)
    return life.phase is Phase.FINAL and life.released == life.batches


def _read(campaign: Campaign, now: int) -> dict[str, Any]:
    ticket = campaign.tickets[-1] if campaign.tickets else None
    return asdict(campaign.life_at(now)) | {
        "ticket": ticket,
        "seed": campaign.seed,
        "audit_key": campaign.audit_key,
    }


def _held(life: Life, draw: DrawView) -> dict[str, Any]:
    return asdict(life) | asdict(draw)


def _sentence(here: Mapping[str, Any], there: Mapping[str, Any]) -> str:
    names = [name for name in here if here[name] != there[name]]
    ours, theirs = (", ".join(_written(name, each[name]) for name in names) for each in (here, there))
    return (
        f"The node's logs show {ours}, the contract has {theirs}. They are read again; where that does not"
        " help, delete their file, or ask another node."
    )


def _written(name: str, value: Any) -> str:
    title = name.replace("_", " ")
    if value is None:
        return f"no {title}"
    if isinstance(value, Phase):
        return f"{title} {value.title}"
    return f"{title} {value.hex() if isinstance(value, bytes) else value}"
