"""The report in a real browser, with the network off: all is drawn, nothing is loaded, nothing injected."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from earnest.datasets import load_classes
from earnest.report import report_campaign, report_table

from . import samples

BROWSER = Path(__file__).parent / "browser"


def look(page: Path, folder: Path) -> dict:
    """What the browser saw. Chromium is npm's, or Debian's where that one cannot start."""
    if not (BROWSER / "node_modules").is_dir():
        pytest.fail("There is no browser to test the report with: run `make setup-bench`.")
    own = os.environ.get("CHROMIUM") or shutil.which("chromium")
    faults = []
    for extra in ({}, {"CHROMIUM": own} if own else None):
        if extra is None:
            continue
        done = subprocess.run(
            ["node", "look.mjs", page, folder],
            cwd=BROWSER, env=os.environ | extra, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        if done.returncode == 0:
            return json.loads(done.stdout)
        faults.append(done.stderr)
    pytest.fail("No browser starts; install Debian's (apt-get install chromium):\n" + "\n".join(faults))


def check(seen: dict, page: Path, folder: Path, plots: int) -> None:
    """What holds for every report."""
    assert seen["errors"] == []
    assert [url for url in seen["requests"] if not url.startswith("data:")] == [page.as_uri()]
    assert (seen["images"], seen["links"], seen["injected"]) == (0, 0, None)
    assert seen["scripts"] == 3
    assert seen["width"] <= 0, "the page is wider than its window"
    assert len(seen["plots"]) == plots
    for plot in seen["plots"]:
        assert plot["drawn"] >= 1, plot
        assert plot["marks"] >= 1, plot
        assert plot["height"] > 100, plot
    with Image.open(folder / "page.png") as picture:
        assert picture.width == 1100
        assert len(picture.convert("RGB").getcolors(2**24)) > 50
    assert (folder / "page.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize(
    ("sample", "plots", "says"),
    [
        ("choice", 12, ["answered", "as it says", "absent"]),
        ("rating", 11, ["bias", "noise"]),
        ("ranking", 12, ["item ranked first", "place 4"]),
    ],
)
def test_a_campaigns_report_is_drawn(sample, plots, says, tmp_path):
    tale, truth = getattr(samples, sample)()
    report_campaign(tale.campaign, tale.prepared.manifest, tmp_path, truth=truth, records=tale.told)
    seen = look(tmp_path / "report.html", tmp_path)
    check(seen, tmp_path / "report.html", tmp_path, plots)
    assert {"Score and pay", "Agreement", "The labelers", "What it cost"} <= set(seen["headings"])
    for word in says:
        assert word in seen["text"]


def test_what_is_hostile_is_shown_as_text(tmp_path):
    tale, _ = samples.choice()
    report_campaign(tale.campaign, tale.prepared.manifest, tmp_path)
    seen = look(tmp_path / "report.html", tmp_path)
    assert seen["injected"] is None
    assert seen["title"] == f"What is it? {samples.HOSTILE}"
    assert seen["headings"][0] == f"What is it? {samples.HOSTILE}"
    assert "dog <b" in seen["text"]  # in a plot, whose texts may hold markup


def test_a_plain_tables_report_is_drawn(tmp_path):
    found = load_classes("rte")
    report_table(found.table, tmp_path, truth=found.truth)
    seen = look(tmp_path / "report.html", tmp_path)
    check(seen, tmp_path / "report.html", tmp_path, 7)
    assert "Score and pay" not in seen["headings"]
