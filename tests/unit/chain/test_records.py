"""Records against the contract's own events."""

from __future__ import annotations

import json
from dataclasses import fields, replace

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak

from earnest.chain import records
from earnest.chain.follow import Follower
from earnest.chain.records import Deposited, Enrolled, Place, Record, decode_log, signature
from earnest.manifest.errors import ManifestError
from earnest.protocol.terms import TERMS_ABI, campaign_id
from earnest.settler.rows import fetch_rows

PLACE = Place(block=7, index=0, timestamp=1_000, transaction="0x01", block_hash="0x02")
ADDRESS = "0x" + 39 * "0" + "1"


def word(value: int) -> bytes:
    return value.to_bytes(32, "big")


class TestAgainstTheContract:
    @pytest.fixture(scope="class")
    def events(self, project):
        return {event.name: event for event in project.Earnest.contract_type.events}

    def test_every_event_is_a_record(self, events):
        assert set(events) - {"EIP712DomainChanged"} == {record.__name__ for record in records.RECORDS}

    @pytest.mark.parametrize("record", records.RECORDS, ids=lambda record: record.__name__)
    def test_signature_and_order(self, events, record):
        event = events[record.__name__]
        assert signature(record) == event.selector
        renamed = {"from": "sender", "to": "receiver"}
        names = [renamed.get(entry.name, _snake(entry.name)) for entry in event.inputs]
        assert names == [member.name for member in fields(record) if member.name != "place"]

    @pytest.mark.parametrize("record", records.RECORDS, ids=lambda record: record.__name__)
    def test_what_is_indexed(self, events, record):
        assert [member.indexed for member in records._members(record)] == [
            entry.indexed for entry in events[record.__name__].inputs
        ]


class TestDecodeLog:
    def test_fills_a_record(self):
        topics = [keccak(text=signature(Enrolled)), word(5), word(1)]
        assert decode_log(topics, word(3) + word(2), PLACE) == Enrolled(
            place=PLACE, campaign=5, labeler=ADDRESS, first_seat=3, seats=2
        )

    def test_knows_only_the_contracts_events(self):
        assert decode_log([keccak(text="Transfer(address,address,uint256)")], b"", PLACE) is None
        assert decode_log([], b"", PLACE) is None

    def test_refuses_data_that_does_not_fit(self):
        with pytest.raises(ValueError, match="data of 32 bytes is not"):
            decode_log([keccak(text=signature(Enrolled)), word(5), word(1)], word(3), PLACE)


class TestFromAChain:
    def test_a_uri_that_is_no_text_stops_nobody(self, created, attacker, networks, store):
        """The contract takes any bytes for a string."""
        terms, client = replace(created.terms, bounty=0, fee=0), created.client
        kinds, values = (TERMS_ABI, "bytes"), (terms.abi_tuple(), b"ipfs://\xff\xfe\0\xed\xa0\x80")
        data = keccak(text=f"create({TERMS_ABI},string)")[:4] + encode(kinds, values)
        create = networks.provider.network.ecosystem.create_transaction
        attacker.call(create(sender=attacker.address, receiver=client.address, data=data))
        sight = Follower(client.web3, client.address, client.sink, store).look()
        assert set(sight.state.campaigns) == {created.id, campaign_id(attacker.address, terms)}
        uri = sight.state.campaigns[campaign_id(attacker.address, terms)].uri
        assert uri == "ipfs://\ufffd\ufffd\0" + 3 * "\ufffd"
        assert json.loads(json.dumps(uri, ensure_ascii=False).encode()) == uri
        with pytest.raises(ManifestError, match="cannot be read"):
            fetch_rows(uri, terms.manifest)

    def test_terms_come_back_as_they_went(self, created):
        (record,) = [each for each in created.client.records() if isinstance(each, records.Created)]
        assert record.terms == created.terms
        assert (record.campaign, record.uri) == (created.id, "file:manifest.json")
        assert record.experimenter == created.experimenter.address

    def test_places_ascend(self, created):
        places = [record.place for record in created.client.records()]
        assert places == sorted(set(places))
        assert all(place.timestamp for place in places)

    def test_a_transaction_brings_its_own(self, game):
        game.fund(game.experimenter, 5)
        sent = game.client.deposit(game.terms.token, 0, sender=game.experimenter)
        assert sent.only(Deposited).amount == 0
        assert sent.records == tuple(game.client.records(sent.block, sent.block))
        with pytest.raises(ValueError, match="unpack"):
            sent.only(Enrolled)


def test_a_record_is_frozen():
    with pytest.raises(AttributeError):
        Record(place=PLACE).place = replace(PLACE, block=8)


def _snake(name: str) -> str:
    return "".join("_" + letter.lower() if letter.isupper() else letter for letter in name)
