"""`earnest campaign run`: a campaign from file to dataset, in one command that can be stopped anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from earnest.chain.errors import ChainError
from earnest.chain.life import Phase
from earnest.chain.state import Campaign
from earnest.cli.campaign.acting import FORMATS, TO, chosen_formats, write_dataset
from earnest.cli.campaign.creating import FOLDER, created
from earnest.cli.campaign.which import check_chain, manifest_in
from earnest.cli.errors import InputError
from earnest.cli.groups import POLLING, YES, Command
from earnest.cli.session import Session, pass_session
from earnest.cli.settle.running import tell
from earnest.cli.settling import confirmations_of, gas_limit, scorer_of
from earnest.cli.text import campaign_text, known_campaign, until
from earnest.experimenter.errors import ExperimenterError
from earnest.experimenter.folder import Folder, Record
from earnest.experimenter.steps import Standing, standing
from earnest.times import clock

if TYPE_CHECKING:
    from earnest.chain.follow import Sight

SAY_EVERY: Final = 60  # seconds between lines about the same wait


@click.command(cls=Command)
@click.argument("file", metavar="FILE|FOLDER", type=click.Path(exists=True, path_type=Path))
@FOLDER
@TO
@FORMATS
@POLLING
@YES
@pass_session
def run(
    session: Session,
    file: Path,
    folder: Path | None,
    to: Path | None,
    formats: str | None,
    poll: float,
    yes: bool,
) -> None:
    """Carry a campaign from file to dataset; can be stopped and started again at any point.

    The folder of a campaign that is created already carries that one on, whatever became of its files.
    """
    chosen = chosen_formats(session, formats)
    with _campaign(session, file, folder, yes) as (home, record):
        found = _carry(session, record, home, poll)
        cancelled = found.life_at(session.now).phase is Phase.CANCELLED
        revealed = any(seat.revealed for seat in found.seats)
        written = write_dataset(found, str(home.path), to, None, chosen) if revealed else []
    token, free = found.terms.token, session.state.balance_of(found.experimenter, found.terms.token)
    lines = list(map(str, written))
    if cancelled:
        lines = ["The campaign is cancelled; everything is given back."]
    elif not revealed:
        lines = ["Nobody revealed a label: there is no dataset, and the bounties are given back."]
    if free:
        lines.append(
            f"{session.token(token).write(free)} is free in the vault; `earnest campaign withdraw` takes it."
        )
    phase = Phase.CANCELLED if cancelled else Phase.FINAL
    session.show(
        {"campaign": campaign_text(record.campaign), "phase": phase.title, "files": written, "free": free},
        lambda: session.say("\n".join(lines)),
    )


@contextmanager
def _campaign(
    session: Session, file: Path, folder: Path | None, yes: bool
) -> Iterator[tuple[Folder, Record]]:
    """The campaign of a campaign file, created if need be, or of a folder that has one."""
    if not file.is_dir():
        with created(session, file, folder or file.with_suffix(""), yes) as (home, record, _):
            yield home, record
        return
    home = Folder(file)
    record = home.needed_record()
    check_chain(session, record, home)
    if session.client.life(record.campaign).phase is Phase.NONE:
        raise InputError(f"The campaign in {file} is not created yet: name its campaign file to create it.")
    with home.locked():
        yield home, record


def _carry(session: Session, record: Record, home: Folder, poll: float) -> Campaign:
    """Do what anyone may do as a settler does, and the experimenter's own part, until nothing is left."""
    from earnest.chain.wallet import sending_lock
    from earnest.settler.run import Settler
    from earnest.settler.steps import Options

    number = record.campaign
    own = _OwnPart(session, number, _key(session, record, home))
    settler = Settler(
        client=session.client,
        account=session.account,
        follower=session.follower,
        lock=sending_lock(session.client.web3, session.account.address),
        scorer=scorer_of(number, manifest_in(home, record.uri)),
        options=Options(campaigns=frozenset({number}), gas=gas_limit(session)),
        deposit=True,
        confirmations=confirmations_of(session),
        tell=lambda what: tell(session, what),
    )
    settler.run(poll, over=own.over)
    return known_campaign(campaign_text(number), session.state.campaigns)


def _key(session: Session, record: Record, home: Folder) -> bytes | None:
    """The audit's key, if it is here; a file that does not hold it is told of, and the rest goes on."""
    if not record.terms.audited:
        return None
    try:
        return home.key(record.terms.audit_key_hash)
    except ExperimenterError as error:
        session.say(f"{error} The audit cannot be opened: put the key back and start this again.")
        return None


@dataclass
class _OwnPart:
    """What only the experimenter does: disclose; and saying now and then what is waited for."""

    session: Session
    number: int
    key: bytes | None
    phase: Phase | None = None
    reason: str = ""
    at: int = 0

    def over(self, sight: Sight) -> bool:
        """Disclose when it is time; whether nothing is left to do."""
        campaign = sight.state.campaigns.get(self.number)
        if campaign is None:  # a reorganisation took the creation away
            self._wait(Phase.NONE, Standing("the chain does not have the campaign any more"), sight.now)
            return False
        # By a clock that is ahead of the chain the key would be shown while seats still reveal.
        stands = standing(campaign, sight.time, self.session.account.address, self.key is not None)
        if stands.disclose and self.key is not None:
            self._disclose(self.key)
        elif not stands.over:
            self._wait(campaign.life_at(sight.now).phase, stands, sight.now)
        return stands.over

    def _disclose(self, key: bytes) -> None:
        try:
            with self.session.alone():
                sent = self.session.client.disclose(self.number, key, sender=self.session.account)
        except (ChainError, InputError) as error:
            self._say(f"disclose: {error}")
        else:
            self._say(f"disclose: {sent.transaction}")

    def _wait(self, phase: Phase, stands: Standing, now: int) -> None:
        if phase is self.phase and (stands.reason == self.reason or now < self.at + SAY_EVERY):
            return
        self.phase, self.reason, self.at = phase, stands.reason, now
        until_when = f", until {until(stands.until, now)}" if stands.until else ""
        self._say(f"{phase.title}: {stands.reason}{until_when}")

    def _say(self, text: str) -> None:
        now = self.session.now
        self.session.say(f"{clock(now, now)}  {text}")
