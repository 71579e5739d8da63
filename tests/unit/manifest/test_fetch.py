from __future__ import annotations

import threading
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from earnest.manifest import fetch as module
from earnest.manifest.errors import ManifestError
from earnest.manifest.fetch import fetch
from earnest.manifest.manifest import Manifest, Task
from earnest.manifest.question import Kind, Question

MANIFEST = Manifest(
    Question(text="Which?", kind=Kind.CHOICE, options=("a", "b")), (Task("t", {"text": "x"}),), (((0, 0),),)
)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "manifest.json"
    path.write_bytes(MANIFEST.to_bytes())
    return path


def test_by_path_and_by_uri(file):
    assert fetch(str(file), MANIFEST.digest()) == fetch(file.as_uri(), MANIFEST.digest()) == MANIFEST


@pytest.mark.parametrize("name", ["a b", "Übung", "100%", "%41", "a#b?c"])
def test_whatever_the_path_holds(tmp_path, name):
    path = tmp_path / name / "manifest.json"
    path.parent.mkdir()
    path.write_bytes(MANIFEST.to_bytes())
    for uri in (str(path), path.as_uri(), path.as_uri().replace("file://", "file://localhost")):
        assert fetch(uri, MANIFEST.digest()) == MANIFEST


def test_refuses_another_digest(file):
    with pytest.raises(ManifestError, match=f"{MANIFEST.digest().hex()}; the chain says {bytes(32).hex()}"):
        fetch(str(file), bytes(32))


def test_refuses_a_changed_byte(file):
    file.write_bytes(MANIFEST.to_bytes().replace(b'"x"', b'"y"'))
    with pytest.raises(ManifestError, match="has the digest"):
        fetch(str(file), MANIFEST.digest())


def test_refuses_what_is_no_manifest_whatever_its_digest(file):
    file.write_bytes(b"{}")
    with pytest.raises(ManifestError, match="version"):
        fetch(str(file), sha256(b"{}").digest())


def test_refuses_what_is_too_large(file, monkeypatch):
    monkeypatch.setattr(module, "MAX_BYTES", 10)
    with pytest.raises(ManifestError, match="larger than 10 bytes"):
        fetch(str(file), MANIFEST.digest())


@pytest.mark.parametrize("uri", ["/nowhere/manifest.json", "strange://x", "http://127.0.0.1:9/manifest.json"])
def test_says_when_it_cannot_be_read(uri):
    with pytest.raises(ManifestError, match="cannot be read"):
        fetch(uri, bytes(32))


@pytest.mark.parametrize(
    "uri",
    [
        "sftp://stranger.example/manifest.json",
        "simplecache::https://stranger.example/manifest.json",
        "zip://manifest.json::https://stranger.example/all.zip",
        "https://stranger.example/a::file:///etc/hostname",
        "reference://manifest.json",
        "file:///dev/zero",
        "/dev/zero",
        "filecache::/dev/zero",
        "file:///dev%2Fzero",
        "file:///dev/%7Aero",
    ],
)
def test_reads_nothing_but_one_object_of_a_known_kind(uri, monkeypatch):
    monkeypatch.setattr(module.fsspec, "open", lambda *_: pytest.fail("it was opened"))
    with pytest.raises(ManifestError, match="cannot be read: it"):
        fetch(uri, bytes(32))


@pytest.mark.parametrize("uri", ["file://elsewhere/x", "file:///a%00b", "a\0b", "file:///a%ffb"])
def test_escapes_that_name_no_file(uri):
    with pytest.raises(ManifestError):
        fetch(uri, bytes(32))


class CutOff(BaseHTTPRequestHandler):
    """Promises more than it sends."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("content-length", "1000")
        self.end_headers()
        self.wfile.write(b"{")

    def log_message(self, *_):
        pass


def test_says_that_the_transfer_was_cut_off():
    with ThreadingHTTPServer(("127.0.0.1", 0), CutOff) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.05,)).start()
        uri = f"http://127.0.0.1:{server.server_address[1]}/manifest.json"
        try:
            with pytest.raises(ManifestError, match=f"{uri} cannot be read: Response payload is"):
                fetch(uri, bytes(32))
        finally:
            server.shutdown()


def test_says_why_nobody_answers():
    with pytest.raises(ManifestError, match=r":9/x cannot be read: Cannot connect to host"):
        fetch("http://127.0.0.1:9/x", bytes(32))
