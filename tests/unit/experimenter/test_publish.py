"""The manifest where labelers fetch it; what stands there and is something else stays."""

from __future__ import annotations

import fsspec
import pytest

from earnest.experimenter.errors import ExperimenterError
from earnest.experimenter.publish import publish
from earnest.manifest.fetch import fetch
from earnest.manifest.manifest import Manifest, Task
from earnest.manifest.question import Kind, Question


def manifest(text="Which?"):
    question = Question(text=text, kind=Kind.CHOICE, options=("a", "b"))
    return Manifest(question, (Task("t", {"text": "x"}),), (((0, 0),),))


MANIFEST = manifest()
NAME = f"{MANIFEST.digest().hex()}.json"


@pytest.fixture
def bucket(monkeypatch):
    """A place for uploads, which is fetched from like any other."""
    monkeypatch.setattr("earnest.manifest.fetch.SCHEMES", ("file", "memory"))
    yield fsspec.filesystem("memory")
    fsspec.filesystem("memory").store.clear()


def put(base, to, uri=None, found=MANIFEST, folder="job"):
    kept = base / folder / "manifest.json"
    kept.parent.mkdir(exist_ok=True)
    kept.write_bytes(found.to_bytes())
    return publish(found.to_bytes(), found.digest(), base=base, to=to, uri=uri, kept=kept)


@pytest.mark.parametrize(
    ("to", "there"),
    [
        ("public/", f"public/{NAME}"),
        ("out", f"out/{NAME}"),  # a folder that is there
        ("new/m.json", "new/m.json"),
        ("m-{digest}.json", f"m-{NAME}"),
        ("my public/100%/#1/", f"my public/100%/#1/{NAME}"),
        ("Übung?/", f"Übung?/{NAME}"),
        ("%41/", f"%41/{NAME}"),
    ],
)
def test_to_a_path_and_back(tmp_path, to, there):
    (tmp_path / "out").mkdir()
    found = put(tmp_path, to)
    assert found == (tmp_path / there).as_uri()
    assert fetch(found, MANIFEST.digest()) == MANIFEST
    assert put(tmp_path, to) == found


def test_to_a_file_uri_and_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert put(tmp_path, (tmp_path / "a b").as_uri() + "/") == (tmp_path / "a b" / NAME).as_uri()
    assert put(tmp_path / "job", "~/public/") == (tmp_path / "public" / NAME).as_uri()


def test_stays_in_its_folder(tmp_path):
    found = put(tmp_path, None, folder="my job #1")
    assert fetch(found, MANIFEST.digest()) == MANIFEST


@pytest.mark.parametrize("to", ["tasks.jsonl", "public/manifest.json", "memory://bucket/manifest.json"])
def test_what_is_something_else_stays(tmp_path, bucket, to):
    (tmp_path / "tasks.jsonl").write_text("precious")
    first = put(tmp_path, to) if to != "tasks.jsonl" else None
    with pytest.raises(ExperimenterError, match=r"is there and is not this manifest: name another place"):
        put(tmp_path, to, found=manifest("Other?"))
    assert (tmp_path / "tasks.jsonl").read_text() == "precious"
    assert first is None or fetch(first, MANIFEST.digest()) == MANIFEST


def test_uploads_where_nothing_can_be_read(tmp_path, bucket, monkeypatch):
    """A name with the digest is nobody else's: a key that may write but not look will do."""
    assert put(tmp_path, "memory://bucket/") == f"memory://bucket/{NAME}"
    usual = fsspec.open

    def open_(target, mode):
        if mode == "rb":
            raise PermissionError("Forbidden")
        return usual(target, mode)

    monkeypatch.setattr("earnest.experimenter.publish.fsspec.open", open_)
    kept = (tmp_path / "job" / "manifest.json").as_uri()
    assert put(tmp_path, "memory://bucket/", uri=kept) == kept
    with pytest.raises(ExperimenterError, match=r"cannot be written to memory://bucket/m\.json: Forbidden"):
        put(tmp_path, "memory://bucket/m.json")


@pytest.mark.parametrize(
    ("to", "wrong"),
    [
        ("strange://x/", "cannot be written to strange://x/"),
        ("file://elsewhere/x", "names the machine 'elsewhere'"),
        ("tasks.jsonl/m.json", "cannot be written to tasks.jsonl/m.json: "),
        ("~nobody-at-all/", "cannot be written to ~nobody-at-all/"),
    ],
)
def test_says_where_it_cannot_be_written(tmp_path, to, wrong):
    (tmp_path / "tasks.jsonl").write_text("precious")
    with pytest.raises(ExperimenterError, match=wrong):
        put(tmp_path, to)


def test_says_where_it_cannot_be_fetched(tmp_path):
    with pytest.raises(ExperimenterError, match="Labelers must be able to fetch it there"):
        put(tmp_path, "public/", uri="file:///nowhere/{digest}.json")
