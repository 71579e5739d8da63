"""Who takes part in the demo, what they answer, and what the experimenter asks; free of Ape.

The labels are those that 39 workers gave to all 108 images of the `bluebird` set (Welinder et al. 2010).
Beside them stand a spammer who guesses, one who always gives the same answer, and one who never shows up: 42
seats, six batches of seven. The set is complete, so that every batch can be all 108 images.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from eth_utils.crypto import keccak
from numpy.typing import NDArray

from earnest.datasets import ClassDataset, load_classes
from earnest.manifest.manifest import Manifest, Task
from earnest.manifest.question import Kind, Question
from earnest.protocol import audit
from earnest.protocol.terms import Curve, Periods, Terms, Weights

COHORT: Final = 7
BATCHES: Final = 6
GOLD: Final = 36  # known answers of a batch, as many of either class
HOUR: Final = 3_600
SEED: Final = 2010

AUDIT_KEY: Final = keccak(text="the demo's audit key")
SPAMMER, SAME, NO_SHOW = "spammer", "always the same", "no-show"


@dataclass(frozen=True)
class Labeler:
    """A labeler: what they answer to all images, empty for who never does, and the share that is true."""

    name: str
    labels: bytes
    accuracy: float | None


@dataclass(frozen=True, eq=False)
class Cast:
    """Everything that the demo brings along."""

    dataset: ClassDataset
    labelers: tuple[Labeler, ...]
    truth: NDArray[np.uint8]
    manifest: Manifest

    @property
    def tasks(self) -> int:
        """Images."""
        return len(self.truth)


def cast() -> Cast:
    """The labelers and the manifest, the same every time."""
    dataset = load_classes("bluebird")
    classes = list(dataset.table.classes)
    truth = np.array([classes.index(dataset.truth[task]) for task in dataset.table.tasks], dtype=np.uint8)
    random = np.random.default_rng(SEED)
    cheats = {
        SPAMMER: random.integers(0, len(classes), len(truth), dtype=np.uint8),
        SAME: np.zeros(len(truth), dtype=np.uint8),
    }
    people = _workers(dataset) | cheats
    labelers = [
        Labeler(name, given.tobytes(), float((given == truth).mean())) for name, given in people.items()
    ]
    manifest = _manifest(dataset, truth, random)
    return Cast(dataset, (*labelers, Labeler(NO_SHOW, b"", None)), truth, manifest)


def terms(manifest: Manifest, token: str, unit: int, now: int) -> Terms:
    """What the experimenter promises; `unit` is one token in its smallest units."""
    question = manifest.question
    return Terms(
        token=token,
        stake=20 * unit,
        bounty=70 * unit,
        fee=1 * unit,
        batch_size=manifest.batch_size,
        cohort=COHORT,
        metric=question.metric,
        classes=question.classes,
        bond=50 * unit,
        batches=BATCHES,
        enroll_by=now + HOUR,
        curve=Curve(floor=0, max_slash=5_000, forfeit=5_000),
        weights=Weights(peers=1, gold=1, repeats=0),
        periods=Periods(draw=HOUR, commit=24 * HOUR, reveal=24 * HOUR, audit=HOUR, challenge=24 * HOUR),
        audit_root=manifest.audit_root,
        audit_key_hash=audit.key_hash(AUDIT_KEY),
        manifest=manifest.digest(),
    )


def _workers(dataset: ClassDataset) -> dict[str, NDArray[np.uint8]]:
    """What each worker answered, by task; every worker answered every task."""
    table = dataset.table
    answers = np.zeros((len(table.workers), len(table.tasks)), dtype=np.uint8)
    answers[table.worker, table.task] = table.label
    order = np.argsort(table.workers.astype(int))
    return {f"worker {table.workers[worker]}": answers[worker] for worker in order}


def _manifest(dataset: ClassDataset, truth: NDArray[np.uint8], random: np.random.Generator) -> Manifest:
    question = Question(
        text="Is the bird an indigo bunting or a blue grosbeak?",
        kind=Kind.CHOICE,
        options=tuple(dataset.table.classes.tolist()),
    )
    rows = [audit.AuditRow(tuple(range(len(truth))), _gold(truth, random)) for _ in range(BATCHES)]
    return Manifest(
        question=question,
        tasks=tuple(Task(str(task), {"text": f"image {task}"}) for task in dataset.table.tasks),
        batches=((tuple(range(len(truth))),),) * BATCHES,
        audit_rows=tuple(audit.seal(rows, AUDIT_KEY, len(truth), question.classes)),
    )


def _gold(truth: NDArray[np.uint8], random: np.random.Generator) -> tuple[tuple[int, int], ...]:
    """Some positions with their true labels, as many of either class."""
    either = [random.choice(np.flatnonzero(truth == label), GOLD // 2, replace=False) for label in (0, 1)]
    return tuple((int(position), int(truth[position])) for position in np.sort(np.concatenate(either)))
