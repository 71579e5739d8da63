"""Campaigns and tables to report on: labelers of unequal skill, told as records without a chain."""

from __future__ import annotations

from itertools import permutations

import numpy as np
from unit.experimenter.tale import Tale, settings

from earnest.manifest.manifest import Task
from earnest.manifest.question import RANK_SEPARATOR
from earnest.protocol.labels import ranking_to_label
from earnest.tasks.columns import TaskFile

HOSTILE = "</script><script>window.injected=1</script><img src=x onerror=window.injected=2>"
CHOICES = ("cat", "dog <b", "bird & fish")
SKILLS = (0.95, 0.9, 0.85, 0.8, 0.7, 0.6, 0.34, 0.34)  # the last two guess


def choice(seats: int = 50, released: bool = True) -> tuple[Tale, dict[str, str]]:
    """Three classes, gold and repeats; two seats stay away. The tale and the truth."""
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 3, 300)
    listed = [Task(f"t{index}", {"text": f"Photo {index}: what is on it?"}) for index in range(300)]
    listed[7] = Task("t7", {"text": HOSTILE, "image": "https://example.org/photo.png"})
    given = TaskFile(tuple(listed), {index: int(truth[index]) for index in range(60)})
    tale = Tale.begin(settings(question=f"What is it? {HOSTILE}", options=list(CHOICES), seats=5), given)
    seats = min(seats, tale.campaign.life.seats)
    tale.enroll(seats)
    tale.now = tale.campaign.life.deadline or tale.now
    tale.draw()

    def answer(seat: int, task: str) -> int:
        known = rng.random() < SKILLS[seat % len(SKILLS)]
        return int(truth[int(task[1:])]) if known else int(rng.integers(0, 3))

    tale.label(answer, range(2, tale.campaign.life.seats))
    if tale.campaign.audit_key is None:
        tale.now = max(tale.now, 0)
        tale.disclose()
    if released:
        tale.post("0x00000000000000000000000000000000000005E7")
        tale.release()
    return tale, {f"t{index}": CHOICES[label] for index, label in enumerate(truth.tolist())}


def rating() -> tuple[Tale, dict[str, str]]:
    """Levels 1 to 5, rated with bias and noise of each labeler's own."""
    rng = np.random.default_rng(2)
    truth = rng.integers(0, 5, 200)
    given = TaskFile(
        tuple(Task(f"t{index}", {"text": f"Essay {index}"}) for index in range(200)),
        {index: int(truth[index]) for index in range(40)},
    )
    tale = Tale.begin(settings(kind="rating", options=["1", "2", "3", "4", "5"], question="How good?"), given)
    tale.enroll(tale.campaign.life.seats)
    tale.draw()

    def answer(seat: int, task: str) -> int:
        spread = 0.3 + 0.25 * (seat % 6)
        return int(np.clip(round(truth[int(task[1:])] + (seat % 3 - 1) * 0.4 + rng.normal(0, spread)), 0, 4))

    tale.label(answer)
    tale.disclose()
    return tale, {f"t{index}": str(level + 1) for index, level in enumerate(truth.tolist())}


def ranking() -> tuple[Tale, dict[str, str]]:
    """Four items each, ordered by noisy strengths."""
    rng = np.random.default_rng(3)
    orders = list(permutations(range(4)))
    truth = [orders[index] for index in rng.integers(0, 24, 150)]
    given = TaskFile(
        tuple(
            Task(f"t{index}", {"text": f"Story {index}", "items": [{"text": f"ending {e}"} for e in "abcd"]})
            for index in range(150)
        ),
        {index: ranking_to_label(truth[index]) for index in range(40)},
    )
    options = ["1", "2", "3", "4"]
    tale = Tale.begin(settings(kind="ranking", options=options, question="Which ending is best?"), given)
    tale.enroll(tale.campaign.life.seats)
    tale.draw()

    def answer(seat: int, task: str) -> int:
        place = np.argsort(truth[int(task[1:])])
        return ranking_to_label(np.argsort(place + rng.normal(0, 0.3 + 0.4 * (seat % 5), 4)).tolist())

    tale.label(answer)
    tale.disclose()
    return tale, {f"t{i}": RANK_SEPARATOR.join(options[item] for item in row) for i, row in enumerate(truth)}
