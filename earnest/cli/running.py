"""`earnest campaign run`: a campaign from file to dataset, in one command that can be stopped anywhere."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from earnest.chain.errors import clock
from earnest.chain.life import Phase
from earnest.chain.state import Campaign
from earnest.cli.acting import FORMATS, TO, do, write_dataset
from earnest.cli.common import Command, Session, campaign_text, pass_session, until
from earnest.cli.looking import POLLING
from earnest.cli.planning import FILE, FOLDER, YES, ensure_created
from earnest.experimenter.folder import Folder, Record
from earnest.experimenter.steps import Next, Step, next_step

if TYPE_CHECKING:
    from earnest.chain.client import Sent

SAY_EVERY: Final = 60  # seconds between lines about the same wait


@click.command(cls=Command)
@FILE
@FOLDER
@TO
@FORMATS
@POLLING
@YES
@pass_session
def run(
    session: Session, file: Path, folder: Path | None, to: Path | None, formats: str, poll: float, yes: bool
) -> None:
    """Carry a campaign from file to dataset; can be stopped and started again at any point."""
    home = Folder(folder or file.with_suffix(""))
    with home.locked():
        record, _ = ensure_created(session, file, home, yes)
        found = _carry(session, record, home, poll)
        cancelled = found.life_at(session.now).phase is Phase.CANCELLED
        written = [] if cancelled else write_dataset(found, str(home.path), to, None, formats)
    phase = Phase.CANCELLED if cancelled else Phase.FINAL
    lines = ["The campaign is cancelled; everything is given back."] if cancelled else map(str, written)
    session.show(
        {"campaign": campaign_text(record.campaign), "phase": phase.title, "files": written},
        lambda: session.say("\n".join(lines)),
    )


def _carry(session: Session, record: Record, home: Folder, poll: float) -> Campaign:
    """Do step after step until there is none left."""
    rows, secret = home.manifest().audit_rows, home.secret()
    log = _Log(session)
    while True:
        found = session.client.state().campaigns[record.campaign]
        now = session.now
        what = next_step(found, now, session.account.address, rows, secret is not None)
        if what.step is Step.DONE:
            return found
        phase = found.life_at(now).phase
        done: list[Sent] = []
        if what.step is not Step.WAIT:
            done = do(session, found, what, rows, secret.audit_key if secret else None)
        if done:
            log.did(phase, what, done)
        else:
            log.waits(phase, what, now)
            time.sleep(poll)


@dataclass
class _Log:
    """Tells people what was done, and now and then what is waited for."""

    session: Session
    phase: Phase = Phase.NONE
    reason: str = ""
    at: int = 0

    def did(self, phase: Phase, what: Next, done: list[Sent]) -> None:
        self.phase = Phase.NONE
        self._say(f"{phase.title}: {what.step}, " + ", ".join(each.transaction for each in done))

    def waits(self, phase: Phase, what: Next, now: int) -> None:
        if what.step is not Step.WAIT:
            return
        if phase is self.phase and (what.reason == self.reason or now < self.at + SAY_EVERY):
            return
        self.phase, self.reason, self.at = phase, what.reason, now
        self._say(f"{phase.title}: {what.reason}, until {until(what.until or 0, now)}")

    def _say(self, text: str) -> None:
        now = self.session.now
        self.session.say(f"{clock(now, now)}  {text}")
