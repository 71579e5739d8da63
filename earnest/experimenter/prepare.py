"""A plan into what is signed: a layout dealt by the audit's key, the manifest, the terms that fix them."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from hashlib import sha256

from earnest.experimenter.layout import Deal, arrange
from earnest.experimenter.plan import Plan
from earnest.experimenter.settings import Settings
from earnest.manifest.manifest import Manifest
from earnest.protocol import audit
from earnest.protocol.labels import label_count
from earnest.protocol.terms import ZERO_WORD, Terms
from earnest.tasks.columns import TaskFile


@dataclass(frozen=True)
class Prepared:
    """Everything that a campaign's creation takes."""

    manifest: Manifest
    terms: Terms


def prepare(settings: Settings, tasks: TaskFile, plan: Plan, now: int, key: bytes) -> Prepared:
    """Deal the tasks, seal the audit and write the terms; `now` is the unix time at which enrolling begins.

    `key`, 32 bytes, is the audit's: the same deals the same tasks the same way again, and whoever has it
    knows what is hidden. Raises ManifestError or TermsError for what no campaign can have.
    """
    question, shape, deal = settings.question, plan.shape, Deal(key)
    tasks = _shuffled(tasks, deal)
    layout = arrange(shape, len(tasks.tasks), tasks.gold, deal)
    size = label_count(question.metric, question.classes)
    rows = audit.seal(layout.rows, key, shape.positions, size) if layout.rows else []
    manifest = Manifest(question, tasks.tasks, layout.batches, tuple(rows))
    terms = replace(
        plan.terms,
        enroll_by=now + settings.enroll,
        audit_root=manifest.audit_root,
        audit_key_hash=audit.key_hash(key) if rows else ZERO_WORD,
        manifest=manifest.digest(),
    )
    terms.validate(now)
    manifest.check_terms(terms)
    return Prepared(manifest, terms)


def _shuffled(tasks: TaskFile, deal: Deal) -> TaskFile:
    """The tasks in another order, so that their places in the manifest do not tell which are gold."""
    order = deal.shuffled(range(len(tasks.tasks)), "tasks")
    gold = {new: tasks.gold[old] for new, old in enumerate(order) if old in tasks.gold}
    return TaskFile(tuple(tasks.tasks[old] for old in order), gold)


def inputs_digest(settings: Settings) -> str:
    """A digest of what a campaign is prepared from: what its file says, an allowlist in another file
    included, and the file of tasks, wherever they are. Raises OSError when that cannot be read.
    """
    said = {name: value for name, value in asdict(settings).items() if name != "tasks"}
    text = json.dumps(said, sort_keys=True).encode()
    return sha256(sha256(text).digest() + sha256(settings.tasks.read_bytes()).digest()).hexdigest()
