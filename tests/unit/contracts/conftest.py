"""One deployment, and one campaign resting in each phase, for all tests of the contracts.

The clock of a session only goes forward, so that the campaigns reach their phases early, by everybody acting;
only the cancelled one takes time, which the others' deadlines leave room for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from eth_utils.crypto import keccak
from kit import HOUR, Campaign, Opening, Phase, System, deploy

from earnest.protocol.audit import AuditRow

SEATS = 6  # of the usual terms
PLENTY = 10**9
KEY = keccak(b"audit key")
WORD = keccak(b"outcome")

# Of two batches: twelve positions of three classes, two thirds shared, three gold, three repeats.
ROWS = [
    AuditRow(shared=tuple(range(8)), gold=gold, repeats=((0, 8), (3, 9), (5, 11)))
    for gold in (((1, 0), (4, 1), (6, 2)), ((1, 2), (4, 2), (6, 1)))
]


@dataclass(frozen=True)
class Stage:
    """A campaign at rest, and the openings behind its commitments, by seat."""

    campaign: Campaign
    openings: dict[int, Opening]


@pytest.fixture(scope="session")
def system(chain, project, operator, sink, relayer) -> System:
    return deploy(chain, project, operator, sink, relayer)


@pytest.fixture(scope="session")
def earnest(system):
    return system.earnest


@pytest.fixture(scope="session")
def referee(system):
    return system.referee


@pytest.fixture(scope="session")
def token(project, operator, system, experimenter, settler, challenger, labelers):
    """A plain token, of which all but the attacker have plenty in the vault."""
    token = operator.deploy(project.TokenMock)
    for account in (experimenter, settler, challenger, *labelers[:SEATS]):
        system.fund(account, PLENTY, token)
    return token


@pytest.fixture(scope="session")
def by_address(accounts):
    return {account.address: account for account in accounts}


@pytest.fixture(scope="session")
def launch(system, token, experimenter, labelers, by_address):
    """Take a new campaign of the usual terms, in the mock token, to a phase where it then rests."""
    serial = iter(range(1_000_000))

    def launch(phase: Phase, audited: bool = False, rows: Sequence[AuditRow] = ROWS, **changes) -> Stage:
        changes = {"token": token.address, "manifest": keccak(b"%d" % next(serial))} | changes
        changes.setdefault("enroll_in", 24 * HOUR)
        if audited:
            terms, sealed = system.audited_terms(KEY, rows, **({"batch_size": 12} | changes))
        else:
            terms, sealed = system.terms(**changes), []
        key = KEY if audited else bytes(32)
        campaign = system.create(experimenter, terms, key, sealed)
        return Stage(campaign, _advance(campaign, phase))

    def _advance(campaign: Campaign, phase: Phase) -> dict[int, Opening]:
        if phase in (Phase.ENROLLING, Phase.CANCELLED):
            return {}
        seats = campaign.terms.batches * campaign.terms.cohort
        campaign.enroll_signed([campaign.enrolment(labeler, labeler) for labeler in labelers[:seats]])
        if phase == Phase.DRAWING:
            return {}
        campaign.request_draw()
        campaign.draw(WORD)
        if phase == Phase.COMMITTING:
            return {}
        openings = {seat: campaign.opening(seat) for seat in range(int(campaign.life().seats))}
        campaign.commit_signed(
            campaign.signed_commitment(opening, by_address[campaign.labeler_of(seat)])
            for seat, opening in openings.items()
        )
        if phase == Phase.REVEALING:
            return openings
        campaign.reveal_many(openings.values())
        if phase == Phase.FINAL:
            for batch in range(campaign.terms.batches):
                campaign.referee(batch, openings)
        return openings

    return launch


@pytest.fixture(scope="session")
def stages(launch, system, labelers) -> dict[Phase, Stage]:
    """A campaign in each phase but `None`; the cancelled one has two seats taken and is not refunded yet."""
    cancelled = launch(Phase.CANCELLED, enroll_in=HOUR)
    for labeler in labelers[:2]:
        cancelled.campaign.enroll(labeler)
    system.travel(cancelled.campaign.terms.enroll_by)
    rest = {
        phase: launch(phase, audited=phase == Phase.AUDITING)
        for phase in Phase
        if phase not in (Phase.NONE, Phase.CANCELLED)
    }
    found = rest | {Phase.CANCELLED: cancelled}
    assert {phase: stage.campaign.phase() for phase, stage in found.items()} == {p: p for p in found}
    return found


@pytest.fixture
def wrong_phases(stages):
    """The ids of campaigns in all phases but some, and what `WrongPhase` says of each."""

    def wrong_phases(*right: Phase) -> list[tuple[int, dict[str, int]]]:
        nobody = int.from_bytes(keccak(b"no such campaign"), "big")
        found = [(nobody, {"campaign": nobody, "phase": Phase.NONE, "deadline": 0})]
        for phase, stage in stages.items():
            if phase in right:
                continue
            life = stage.campaign.life()
            about = {"campaign": stage.campaign.id, "phase": phase, "deadline": int(life.deadline)}
            found.append((stage.campaign.id, about))
        assert len(found) == len(Phase) - len(right)
        return found

    return wrong_phases
