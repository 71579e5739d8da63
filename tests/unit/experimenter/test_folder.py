"""A campaign's folder: no audit key is ever replaced, whatever is stopped where."""

from __future__ import annotations

import json

import pytest

from earnest.experimenter.errors import ExperimenterError
from earnest.experimenter.folder import Folder, Record
from earnest.protocol.audit import key_hash

from .tale import EXPERIMENTER, KEY, Tale


@pytest.fixture
def home(tmp_path):
    return Folder(tmp_path / "job")


def kept(home, key=KEY):
    """What a campaign leaves, as it is created."""
    tale = Tale.begin()
    home.save_key(key)
    home.save_manifest(tale.prepared.manifest.to_bytes())
    record = Record(
        campaign=tale.number,
        chain=1,
        contract=EXPERIMENTER,
        experimenter=EXPERIMENTER,
        inputs="",
        terms=tale.prepared.terms,
        sent=True,
    )
    home.save(record)
    return record


def test_keys_stand_beside_each_other_for_their_owner_alone(home):
    kept(home)
    home.save_key(bytes(32))
    assert home.key(key_hash(KEY)) == KEY
    assert home.key(key_hash(bytes(32))) == bytes(32)
    assert home.key(bytes(32)) is None
    files = list((home.path / "secrets").iterdir())
    assert len(files) == 2
    assert all(file.stat().st_mode & 0o077 == 0 for file in (*files, home.path / "secrets"))


def test_a_file_that_does_not_hold_its_key_is_said_to_be_garbled(home):
    kept(home)
    (file,) = (home.path / "secrets").iterdir()
    for text in ('{"audit_key": "00"}', '{"audit_key": 1}', json.dumps({"audit_key": "ab" * 32}), "{}"):
        file.write_text(text)
        with pytest.raises(ExperimenterError, match="does not hold the key with the hash of its name"):
            home.key(key_hash(KEY))


def test_what_is_kept_of_an_earlier_campaign_is_kept_once(home):
    """Stopped between the next one's manifest and its record, and done again."""
    record = kept(home)
    manifest = home.manifest_bytes()
    home.keep_earlier(record)
    home.save_manifest(b"the next one's")
    home.keep_earlier(record)
    earlier = Folder(home.path / "earlier" / f"0x{record.campaign:064x}")
    assert earlier.manifest_bytes() == manifest
    assert earlier.record() == record
    assert earlier.key(record.terms.audit_key_hash) == KEY


def test_a_manifest_whose_record_is_gone_is_kept(home):
    record = kept(home)
    manifest = home.manifest_bytes()
    (home.path / "campaign.json").unlink()
    home.keep_earlier(None)
    home.save_manifest(b"the next one's")
    assert Folder(home.path / "earlier" / record.terms.manifest.hex()).manifest_bytes() == manifest


def test_nothing_to_keep(home, tmp_path):
    home.keep_earlier(None)
    assert not home.path.exists()
    (tmp_path / "file").write_text("")
    assert Folder(tmp_path / "file").record() is None
