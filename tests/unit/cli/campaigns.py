"""A campaign file and its tasks, as an experimenter writes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .labeling import COHORT, OPTIONS, POSITIONS

DOCUMENT: dict[str, Any] = {
    "question": "Is it so?",
    "kind": "choice",
    "options": list(OPTIONS),
    "tasks": "tasks.jsonl",
    "seats": COHORT,
    "positions": POSITIONS,
    "money": {"bounty": "1", "stake": "0.5", "fee": "0.01", "bond": "0.1"},
    "periods": {
        "enroll": "1h",
        "draw": "1h",
        "commit": "1h",
        "reveal": "1h",
        "audit": "1h",
        "challenge": "1h",
    },
    "publish": "public/",
}
COST = 101 * 10**16
AUDITED = {"positions": 8, "audit": {"gold": 2}, "columns": {"gold": "truth"}}


def write_campaign(folder: Path, tasks: int = POSITIONS, name: str = "job", **changes: Any) -> Path:
    """A campaign file with its tasks beside it; the first three tasks have a known answer."""
    rows = [{"id": f"t{index}", "text": f"Is {index} so?"} for index in range(tasks)]
    for index, row in enumerate(rows[:3]):
        row["truth"] = OPTIONS[index]
    (folder / "tasks.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    path = folder / f"{name}.json"
    path.write_text(json.dumps(DOCUMENT | changes))
    return path
