"""A plan into what is signed: a layout, a fresh audit key, the manifest and the terms that fix them."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from random import Random

from earnest.experimenter import allowlist
from earnest.experimenter.folder import Secret
from earnest.experimenter.layout import arrange
from earnest.experimenter.plan import Plan
from earnest.experimenter.settings import Settings
from earnest.manifest.manifest import Manifest
from earnest.protocol import audit
from earnest.protocol.labels import label_count
from earnest.protocol.terms import ZERO_ADDRESS, ZERO_WORD, Terms
from earnest.tasks.columns import TaskFile


@dataclass(frozen=True)
class Prepared:
    """Everything that a campaign's creation takes, and what is to be kept secret until its end."""

    manifest: Manifest
    terms: Terms
    secret: Secret


def prepare(settings: Settings, tasks: TaskFile, plan: Plan, now: int) -> Prepared:
    """Deal the tasks, seal the audit and write the terms; `now` is the unix time at which enrolling begins.

    Raises ManifestError or TermsError for what no campaign can have.
    """
    seed = settings.seed if settings.seed is not None else secrets.randbits(128)
    secret = Secret(audit_key=secrets.token_bytes(32), seed=seed)
    question, shape, random = settings.question, plan.shape, Random(seed)
    tasks = _shuffled(tasks, random)
    layout = arrange(shape, len(tasks.tasks), tasks.gold, random)
    size = label_count(question.metric, question.classes)
    rows = audit.seal(layout.rows, secret.audit_key, shape.positions, size) if layout.rows else []
    manifest = Manifest(question, tasks.tasks, layout.batches, tuple(rows))
    amounts = plan.amounts
    terms = Terms(
        token=settings.money.token,
        stake=amounts.stake,
        bounty=amounts.bounty,
        fee=amounts.fee,
        batch_size=shape.positions,
        cohort=shape.seats,
        metric=question.metric,
        classes=question.classes,
        bond=amounts.bond,
        batches=shape.batches,
        enroll_by=now + settings.enroll,
        curve=settings.curve,
        weights=settings.weights,
        periods=settings.periods,
        gate=settings.gate.address if settings.gate else ZERO_ADDRESS,
        gate_rule=allowlist.root(settings.gate.seats) if settings.gate else ZERO_WORD,
        audit_root=manifest.audit_root,
        audit_key_hash=audit.key_hash(secret.audit_key) if rows else ZERO_WORD,
        manifest=manifest.digest(),
    )
    terms.validate(now)
    manifest.check_terms(terms)
    return Prepared(manifest, terms, secret)


def _shuffled(tasks: TaskFile, random: Random) -> TaskFile:
    """The tasks in another order, so that their places in the manifest do not tell which are gold."""
    order = random.sample(range(len(tasks.tasks)), len(tasks.tasks))
    gold = {new: tasks.gold[old] for new, old in enumerate(order) if old in tasks.gold}
    return TaskFile(tuple(tasks.tasks[old] for old in order), gold)


def inputs_digest(*paths: Path) -> str:
    """A digest of the files that a campaign is prepared from."""
    whole = sha256()
    for path in paths:
        whole.update(sha256(path.read_bytes()).digest())
    return whole.hexdigest()
