"""What the contract refuses, in sentences."""

from __future__ import annotations

from dataclasses import replace
from string import Formatter
from types import SimpleNamespace

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak

from earnest.chain.client import Client, error_abi
from earnest.chain.errors import SENTENCES, ChainError, Refusal, Refusals, Situation, explain, revert_data
from earnest.chain.life import Phase
from earnest.chain.messages import Opening
from earnest.chain.settle import refereeing
from earnest.chain.views import DrawView
from earnest.protocol.terms import ZERO_ADDRESS
from earnest.times import clock

from .conftest import ANSWERS, SEALED

SPECIAL = {"WrongPhase", "NotFinal"}
DEPLOYMENT_ONLY = {"InvalidShortString", "StringTooLong"}  # OpenZeppelin's, about the name of the domain
CAMPAIGN = 0x12AB << 240
NOW = 1_800_000_000


class TestSentences:
    def test_every_error_of_the_contracts_has_one(self, project):
        names = {entry["name"] for entry in error_abi()}
        assert names - set(SENTENCES) == SPECIAL | DEPLOYMENT_ONLY

    def test_each_uses_values_that_its_error_has(self, project):
        for entry in error_abi():
            given = {"action", "missing"} | {parameter["name"] for parameter in entry["inputs"]}
            used = {name for _, name, _, _ in Formatter().parse(SENTENCES.get(entry["name"], "")) if name}
            assert used <= given, entry["name"]

    @pytest.mark.parametrize(
        ("action", "phase", "deadline", "says"),
        [
            ("commit", Phase.REVEALING, NOW + 9, "is Revealing until {}; commit needs Committing, which is"),
            ("reveal", Phase.COMMITTING, NOW + 9, "is Committing until {}; reveal needs Revealing, which"),
            ("post", Phase.CANCELLED, 0, "is Cancelled; post needs Settling, which is over."),
            ("refund", Phase.ENROLLING, NOW + 9, "is Enrolling until {}; refund needs Cancelled, which has"),
        ],
    )
    def test_a_wrong_phase(self, action, phase, deadline, says):
        values = {"campaign": CAMPAIGN, "phase": phase, "deadline": deadline}
        sentence = explain(Refusal("WrongPhase", values), Situation(action, NOW))
        assert sentence.startswith("Campaign 0x12ab0000… ")
        assert says.format(clock(deadline, NOW)) in sentence

    def test_no_such_campaign(self):
        values = {"campaign": CAMPAIGN, "phase": 0, "deadline": 0}
        assert explain(Refusal("WrongPhase", values)) == "There is no campaign 0x12ab0000… on this contract."

    def test_money_is_written_in_token_units(self):
        values = {"account": "a", "token": "t", "balance": 1, "required": 4}
        sentence = explain(
            Refusal("InsufficientBalance", values), Situation("enroll", money=lambda m: f"{m} T")
        )
        assert sentence == "a has 1 T free in the vault and enroll takes 4 T: deposit 3 T more."

    def test_scores_not_final(self):
        open_batch = Refusal("NotFinal", {"batch": 2, "finalAt": 0})
        assert explain(open_batch) == "Batch 2 holds no scores yet: they must be posted or refereed first."
        posted = Refusal("NotFinal", {"batch": 2, "finalAt": NOW + 9})
        assert explain(posted, Situation(now=NOW)).endswith(f"challenged until {clock(NOW + 9, NOW)}.")

    def test_an_unknown_error_still_says_what_it_can(self):
        sentence = explain(Refusal("GateSaysNo", {"age": 17}), Situation("enroll"))
        assert sentence == "enroll was refused: GateSaysNo (age 17)."

    def test_times_have_their_date_when_it_is_another_day(self):
        assert len(clock(NOW, NOW)) == len("12:34:56")
        assert clock(NOW + 86_400, NOW).startswith("20")


SEATS = [{"name": "seat", "type": "uint256"}, {"name": "seats", "type": "uint256"}]
ABI = [{"type": "error", "name": "NoSuchSeat", "inputs": SEATS}]


class TestDecoding:
    def data(self, signature, *values):
        kinds = signature[:-1].split("(")[1].split(",")
        return keccak(text=signature)[:4] + encode(kinds, values)

    def test_custom_errors(self):
        found = Refusals(ABI).decode(self.data("NoSuchSeat(uint256,uint256)", 7, 6))
        assert found == Refusal("NoSuchSeat", {"seat": 7, "seats": 6})

    def test_plain_reasons(self):
        found = Refusals([]).decode(self.data("Error(string)", "no"))
        assert explain(found, Situation("deposit")) == "deposit was refused: no."

    def test_an_address_has_its_checksum(self):
        lower = "0x" + "ab" * 20
        data = self.data("ERC20InsufficientAllowance(address,uint256,uint256)", lower, 1, 2)
        assert Refusals([]).decode(data).values["spender"] != lower

    @pytest.mark.parametrize("data", [b"", b"\1\2\3\4", keccak(text="Error(string)")[:4] + b"\xff" * 32])
    def test_anything_else_is_none(self, data):
        assert Refusals(ABI).decode(data) is None

    @pytest.mark.parametrize(
        "refusal",
        [
            Refusal("WrongPhase", {"campaign": 1, "phase": 200, "deadline": 2**255}),
            Refusal("WrongPhase", {"campaign": 1, "phase": 1, "deadline": 2**255}),
            Refusal("DrawNotReady", {"status": 9}),
            Refusal("SignatureExpired", {"deadline": 2**255}),
            Refusal("NotFinal", {"batch": 1, "finalAt": 2**200}),
        ],
    )
    def test_a_stranger_may_say_our_words_with_any_values(self, refusal):
        assert refusal.name in explain(refusal, Situation("enroll", NOW))

    def test_a_reason_that_is_no_text(self):
        data = keccak(text="Error(string)")[:4] + encode(["bytes"], [b"\xff\xfe"])
        assert Refusals([]).decode(data) is None

    def test_revert_data_that_is_no_hexadecimal(self):
        class Node(Exception):
            data = "0x012"

        assert revert_data(Node("reverted")) == b""

    def test_revert_data_of_either_node(self):
        class Node(Exception):
            data = "0x0102"

        assert revert_data(Node("3", "execution reverted")) == b"\x01\x02"
        assert revert_data(Exception("execution reverted: b'\\x01\\x02'")) == b"\x01\x02"
        assert revert_data(Exception("execution reverted")) == b""
        assert revert_data(Exception("insufficient funds for gas")) is None
        assert revert_data(Exception()) is None


class TestFromAChain:
    """The same on both EVMs: nothing is sent, and the sentence says why."""

    def refused(self, call, name):
        with pytest.raises(ChainError) as caught:
            call()
        assert caught.value.refusal.name == name
        return str(caught.value)

    def test_too_little_balance(self, created, labelers):
        before = labelers[0].nonce
        said = self.refused(
            lambda: created.client.enroll(created.id, sender=labelers[0]), "InsufficientBalance"
        )
        token = created.client.token(created.terms.token)
        assert said == (
            f"{labelers[0].address} has 0 {token.symbol} free in the vault and enroll takes "
            f"{token.write(created.terms.stake)}: deposit {token.write(created.terms.stake)} more."
        )
        assert labelers[0].nonce == before

    def test_no_allowance(self, game, labelers):
        said = self.refused(
            lambda: game.client.deposit(game.terms.token, 5, sender=labelers[0]), "ERC20InsufficientAllowance"
        )
        assert said.startswith(f"{game.client.address} may move 0 ")

    def test_wrong_phase(self, created, labelers):
        said = self.refused(
            lambda: created.client.commit(created.id, 0, b"\x01" * 32, sender=labelers[0]), "WrongPhase"
        )
        until = clock(created.terms.enroll_by, created.client.now())
        assert said.endswith(f"is Enrolling until {until}; commit needs Committing, which has not begun.")

    def test_no_such_campaign(self, client, labelers):
        said = self.refused(lambda: client.request_draw(5, sender=labelers[0]), "WrongPhase")
        assert said == "There is no campaign 0x00000000… on this contract."
        with pytest.raises(ChainError, match="There is no campaign 0x00000000…"):
            client.terms(5)

    def test_terms_that_the_referee_refuses(self, game, experimenter):
        terms = replace(game.terms, cohort=16)
        said = self.refused(lambda: game.client.create(terms, "", sender=experimenter), "CohortOutOfRange")
        assert said == "cohort is 16; it must be 3 to 15 seats."

    def test_a_draw_too_early(self, created, experimenter):
        created.enroll(3)
        created.travel(created.terms.enroll_by)
        draw = lambda: created.client.draw(created.id, sender=experimenter)  # noqa: E731
        assert self.refused(draw, "DrawNotRequested") == "The draw was not asked for yet."
        created.client.request_draw(created.id, sender=experimenter)
        assert self.refused(draw, "DrawNotReady") == "The outcome of the draw is still pending."

    def test_someone_elses_opening(self, drawn, labelers):
        drawn.commit(0, ANSWERS[0])
        drawn.pass_deadline()
        wrong = Opening(seat=0, labels=ANSWERS[1], salt=drawn.openings[0].salt)
        said = self.refused(lambda: drawn.client.reveal(drawn.id, wrong, sender=labelers[1]), "WrongOpening")
        assert said == "These labels and this salt are not what seat 0 committed to."

    def test_audit_rows_that_are_not_the_campaigns(self, revealed, experimenter):
        case = refereeing(revealed.campaign, 0, SEALED)
        forged = replace(case, row=case.row + b"\0")
        said = self.refused(
            lambda: revealed.client.referee(revealed.id, 0, forged, sender=experimenter), "WrongAuditRow"
        )
        assert "batch 0" in said

    def test_ether_that_is_not_there(self, client, labelers):
        with pytest.raises(ChainError) as caught:
            client.deposit(ZERO_ADDRESS, 10**30, sender=labelers[0])
        assert caught.value.refusal is None
        assert "deposit" in str(caught.value)


def test_a_node_without_the_block_that_decides_the_draw(created, experimenter, monkeypatch):
    client = created.client
    monkeypatch.setattr(Client, "draw_of", lambda *_: DrawView(1, None, None))
    monkeypatch.setattr(Client, "_view", lambda *_: client.address)
    monkeypatch.setattr(Client, "_call", lambda *_: [0])
    # A web3 of its own: the one that everybody uses would keep what is put into its provider.
    provider = SimpleNamespace(make_request=lambda *_: {"result": None})
    monkeypatch.setattr(
        Client, "web3", SimpleNamespace(provider=provider, eth=SimpleNamespace(block_number=2))
    )
    with pytest.raises(ChainError, match="does not have block 1"):
        client.draw(created.id, sender=experimenter)
