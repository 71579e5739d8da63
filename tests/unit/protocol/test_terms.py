from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_utils.crypto import keccak

from earnest.protocol.errors import ProtocolError, TermsError
from earnest.protocol.terms import TERMS_ABI, Curve, Metric, Periods, Terms, Weights, campaign_id

from .campaigns import EXPERIMENTER, TERMS, WORD, audited, terms

YEAR = 31_536_000


def curve(**changes: int) -> Curve:
    return replace(TERMS.curve, **changes)


def test_defaults_are_the_designs() -> None:
    made = Curve(max_slash=1, forfeit=2)
    assert (made.slash_full, made.slash_from, made.pay_from, made.pay_full) == (-500, 500, 1_000, 3_000)
    assert made.floor == 1_000
    assert int(TERMS.token, 16) == int(TERMS.gate, 16) == TERMS.fee == 0
    assert not TERMS.audited
    assert audited().audited


@pytest.mark.parametrize(
    "good",
    [
        TERMS,
        audited(),
        audited(weights=Weights(peers=0, gold=0, repeats=1)),
        terms(cohort=3),
        terms(cohort=15),
        terms(batch_size=2),
        terms(metric=Metric.INTERVAL, classes=255),
        terms(metric=Metric.RANKING, classes=5),
        terms(bounty=0, stake=0, fee=0),
        terms(bounty=2**96 - 1, stake=2**96 - 1),
        terms(curve=curve(slash_full=0, slash_from=0, pay_from=0, pay_full=0, max_slash=0, forfeit=0)),
        terms(curve=curve(max_slash=5_000)),
        terms(periods=Periods(draw=1, commit=YEAR, reveal=1, audit=1, challenge=1)),
    ],
)
def test_good_terms_are_accepted(good: Terms) -> None:
    good.validate(now=1_999_999_999)


BAD: list[tuple[Any, str]] = [
    ({"curve": curve(slash_full=501)}, r"(501, 500, 1000, 3000)"),
    ({"curve": curve(slash_from=1_001)}, "slash_from ≤ pay_from"),
    ({"curve": curve(pay_full=999)}, "pay_from ≤ pay_full"),
    ({"curve": curve(max_slash=5_001)}, "max_slash is 5001"),
    ({"curve": curve(forfeit=5_001)}, "forfeit is 5001; it must be at most 5000"),
    ({"curve": curve(floor=40_000)}, "curve.floor is 40000"),
    ({"cohort": 2}, "cohort is 2; it must be 3 to 15"),
    ({"cohort": 16}, "cohort is 16"),
    ({"classes": 1}, "classes is 1; for NOMINAL it must be 2 to 255"),
    ({"classes": 256}, "classes is 256"),
    ({"metric": Metric.RANKING, "classes": 6}, "for RANKING it must be 2 to 5"),
    ({"metric": 3}, "metric is 3"),
    ({"batch_size": 1}, "batch_size is 1; it must be 2 to 8160"),
    ({"batch_size": 65_536}, "batch_size is 65536"),
    ({"batches": 0}, "batches is 0"),
    ({"batches": 2**32}, "batches is 4294967296"),
    ({"bond": 0}, "bond is 0"),
    ({"bounty": 2**96}, "bounty is"),
    ({"stake": -1}, "stake is -1"),
    ({"fee": 0.5}, "fee is 0.5"),
    ({"enroll_by": 2**40}, "enroll_by is"),
    ({"weights": Weights(peers=0, gold=0, repeats=0)}, "weights are all 0"),
    ({"weights": Weights(peers=0, gold=1, repeats=1)}, "without an audit"),
    ({"weights": Weights(peers=65_536, gold=1, repeats=1)}, "weights.peers is 65536"),
    ({"audit_root": WORD}, "must both be given"),
    ({"audit_key_hash": WORD}, "must both be given"),
    ({"token": "0x12"}, "token is '0x12'; it must be an address"),
    ({"gate": bytes(20)}, "gate is"),
    ({"manifest": b"short"}, "manifest is b'short'; it must be 32 bytes"),
]


@pytest.mark.parametrize(("changes", "message"), BAD)
def test_terms_that_the_contract_rejects(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(TermsError) as caught:
        terms(**changes).validate()
    assert message in str(caught.value)
    assert isinstance(caught.value, ProtocolError)


@pytest.mark.parametrize("period", ["draw", "commit", "reveal", "audit", "challenge"])
@pytest.mark.parametrize("seconds", [0, YEAR + 1])
def test_each_period_has_a_length(period: str, seconds: int) -> None:
    bad = terms(periods=replace(TERMS.periods, **{period: seconds}))
    with pytest.raises(TermsError, match=rf"periods.{period} is {seconds} s"):
        bad.validate()


def test_enrolling_must_end_in_the_future() -> None:
    TERMS.validate()
    now = TERMS.enroll_by
    with pytest.raises(TermsError, match=f"enroll_by is {now}; it must be {now + 1} to {now + 365 * 86_400}"):
        TERMS.validate(now=now)
    TERMS.validate(now=now - 1)
    TERMS.validate(now=now - 365 * 86_400)
    with pytest.raises(TermsError, match="enroll_by"):
        TERMS.validate(now=now - 365 * 86_400 - 1)


def test_abi_order_is_that_of_the_encoding() -> None:
    assert TERMS_ABI == (
        "(address,uint96,uint96,uint96,uint16,uint8,uint8,uint8,uint96,uint32,uint40,"
        "(int16,int16,int16,int16,int16,uint16,uint16),(uint16,uint16,uint16),"
        "(uint32,uint32,uint32,uint32,uint32),address,bytes32,bytes32,bytes32,bytes32)"
    )
    zero = "0x" + 40 * "0"
    assert terms(metric=Metric.RANKING, fee=7).abi_tuple() == (
        zero, 500, 1_000, 7, 8, 5, 2, 4, 100, 10, 2_000_000_000,
        (-500, 500, 1_000, 3_000, 1_000, 3_000, 5_000), (1, 0, 0), (60, 60, 60, 60, 60),
        zero, bytes(32), bytes(32), bytes(32), WORD,
    )  # fmt: skip


def test_terms_come_back_from_abi() -> None:
    for made in (TERMS, audited(metric=Metric.INTERVAL)):
        assert Terms.from_abi(made.abi_tuple()) == made
    assert isinstance(Terms.from_abi(TERMS.abi_tuple()).metric, Metric)


def test_from_abi_refuses_what_is_no_terms() -> None:
    with pytest.raises(TermsError, match="Terms has 19 members, not 2"):
        Terms.from_abi((1, 2))
    short = (*TERMS.abi_tuple()[:12], (1, 2), *TERMS.abi_tuple()[13:])
    with pytest.raises(TermsError, match="Weights has 3 members, not 2"):
        Terms.from_abi(short)
    wrong = (*TERMS.abi_tuple()[:6], 9, *TERMS.abi_tuple()[7:])
    with pytest.raises(TermsError, match="metric is 9"):
        Terms.from_abi(wrong)


def test_campaign_id_is_the_hash_of_experimenter_and_terms() -> None:
    # All members are static: the encoding is one word each, negative numbers sign-extended.
    numbers = [
        int(EXPERIMENTER, 16), 0, 500, 1_000, 0, 8, 5, 0, 4, 100, 10, 2_000_000_000,
        2**256 - 500, 500, 1_000, 3_000, 1_000, 3_000, 5_000, 1, 0, 0, 60, 60, 60, 60, 60, 0, 0, 0, 0,
    ]  # fmt: skip
    words = b"".join(number.to_bytes(32, "big") for number in numbers) + WORD
    assert words == encode(["address", TERMS_ABI], [EXPERIMENTER, TERMS.abi_tuple()])
    assert campaign_id(EXPERIMENTER, TERMS) == int.from_bytes(keccak(words), "big")


def test_campaign_id_binds_experimenter_and_terms() -> None:
    other = "0x00000000000000000000000000000000000000e2"
    ids = {
        campaign_id(EXPERIMENTER, TERMS),
        campaign_id(other, TERMS),
        campaign_id(EXPERIMENTER, terms(fee=1)),
    }
    assert len(ids) == 3
    with pytest.raises(TermsError, match="experimenter is 'nobody'"):
        campaign_id("nobody", TERMS)
    with pytest.raises(TermsError, match="stake is -1"):
        campaign_id(EXPERIMENTER, terms(stake=-1))
