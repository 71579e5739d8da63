from __future__ import annotations

import json
from pathlib import Path

import pytest

from earnest.experimenter.errors import ExperimenterError
from earnest.experimenter.settings import read_settings, settings_of
from earnest.manifest.question import Kind
from earnest.protocol.terms import ZERO_ADDRESS

from .tale import DOCUMENT, settings

PLACE = Path("/nowhere/campaign.yaml")


def test_takes_what_is_usual_where_nothing_is_said():
    found = settings_of(
        {
            "question": "Which?",
            "kind": "choice",
            "options": ["a", "b"],
            "tasks": "t.csv",
            "money": {"bounty": "1", "stake": "2"},
        },
        PLACE,
    )
    assert (found.seats, found.positions, found.money.token) == (5, None, ZERO_ADDRESS)
    assert (found.money.bond, found.money.fee) == ("2", "0")
    assert found.tasks == Path("/nowhere/t.csv")
    assert not found.audit.wanted
    assert vars(found.weights) == {"peers": 1, "gold": 0, "repeats": 0}
    assert found.curve.max_slash <= found.curve.forfeit


def test_yaml_toml_and_json_say_the_same(tmp_path):
    (tmp_path / "c.json").write_text(json.dumps(DOCUMENT))
    (tmp_path / "c.yaml").write_text(
        """
question: Is it a cat?
kind: choice
options: [no, yes]
tasks: tasks.jsonl
seats: 3
positions: 20
money: {bounty: 0.3, stake: 0.05, fee: 0.01, bond: 0.1}
audit: {gold: 4, repeats: 4, shared: 80%}
columns: {gold: truth}
publish: public/
"""
    )
    (tmp_path / "c.toml").write_text(
        """
question = "Is it a cat?"
kind = "choice"
options = ["no", "yes"]
tasks = "tasks.jsonl"
seats = 3
positions = 20
publish = "public/"
money = {bounty = 0.3, stake = "0.05", fee = 0.01, bond = 0.1}
audit = {gold = 4, repeats = 4, shared = 0.8}
columns = {gold = "truth"}
"""
    )
    found = [read_settings(tmp_path / f"c.{kind}") for kind in ("json", "yaml", "toml")]
    assert found[0] == found[1] == found[2]
    assert found[0].question.options == ("no", "yes")


@pytest.mark.parametrize(
    ("options", "kind", "expected"),
    [
        ("1-5", "rating", ("1", "2", "3", "4", "5")),
        ("4", "ranking", ("1", "2", "3", "4")),
        (3, "ranking", ("1", "2", "3")),
        ((), "preference", ("a", "b", "tie")),
        (["both bad"], "preference", ("a", "b", "both bad")),
    ],
)
def test_options_in_short(options, kind, expected):
    asked = settings(options=options, kind=kind).question
    assert (asked.kind, asked.options) == (Kind(kind), expected)


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"question": ""}, "question is missing"),
        ({"kind": "essay"}, "kind is 'essay'; it must be one of choice"),
        ({"options": [True, False]}, "put the text that is meant into quotes"),
        ({"options": ["a"]}, "options: A choice has 1 options"),
        ({"options": ["a", None]}, "options has null; put the text that is meant into quotes"),
        ({"options": "5-1"}, "options is 5-1; it must be a list, or 2 to 255 ascending whole numbers"),
        ({"options": "9" * 5_000}, "2 to 255 ascending"),
        ({"question": "  "}, "question is missing"),
        ({"question": "\ud800?"}, "it must be valid Unicode without a zero character"),
        ({"tasks": "a\0b.jsonl"}, "tasks is 'a\\x00b.jsonl'; it must be valid Unicode"),
        (
            {"gate": {"address": "0x" + "11" * 20, "allowlist": "a\0b"}},
            "gate.allowlist is 'a\\x00b'; it must be valid Unicode",
        ),
        ({"tasks": None}, "tasks is missing"),
        ({"publish": "https://x.example/"}, "publish is 'https://x.example/', where nothing can be written"),
        ({"seats": 2}, "seats is 2; it must be 3 to 15"),
        ({"seats": "many"}, "must be a whole number"),
        ({"positions": 8_161}, "positions is 8161"),
        ({"money": {"stake": 1}}, "money.bounty is missing"),
        ({"money": {"stake": 1, "bounty": "-1"}}, "money.bounty is '-1'"),
        ({"money": {"stake": 1, "bounty": "1,00"}}, "money.bounty is '1,00'"),
        ({"money": {"stake": 1, "bounty": "nan"}}, "money.bounty is 'nan'"),
        ({"money": {"stake": 1, "bounty": "1e9999999999999999999"}}, "money.bounty is"),
        ({"money": {"stake": 1, "bounty": 1, "token": "0x12"}}, "money.token is '0x12'; it must"),
        ({"money": 7}, "money is 7; it must hold names and values"),
        ({"periods": {"commit": "soon"}}, "periods.commit is 'soon'"),
        ({"periods": {"commit": 0}}, "periods.commit is 0; it must be 1s to 365d"),
        ({"periods": {"enroll": "366d"}}, "periods.enroll is 366d; it must be 1s to 365d"),
        ({"periods": {"enroll": "9" * 5_000}}, "it must be a duration such as"),
        ({"audit": {"shared": 2}}, "audit.shared is 2; it must be 0 to 1"),
        ({"curve": {"pay_from": 9_000}}, "slash_full ≤ slash_from ≤ pay_from ≤ pay_full"),
        ({"curve": {"max_slash": 3_000}}, "must not be above curve.forfeit, 2000"),
        ({"curve": {"forfeit": 6_000}}, "curve.forfeit is 6000; it must be 0 to 5000"),
        ({"weights": {"peers": 0, "gold": 0, "repeats": 0}}, "weights are all 0"),
        ({"audit": {}, "weights": {"gold": 1}}, "weights.gold is 1, but audit.gold is 0: fewer than 2"),
        ({"audit": {"gold": 1}, "weights": {"peers": 0}}, "weights.gold is 1, but audit.gold is 1"),
        ({"audit": {"repeats": 1}}, "weights.repeats is 1, but audit.repeats is 1"),
        ({"colour": "red"}, "colour is unknown; there can be audit, columns"),
        ({"gate": {"address": "0x" + "11" * 20}}, "gate.allowlist is missing"),
        ({"gate": {"address": "0x" + "11" * 20, "allowlist": ["x"]}}, "gate.allowlist is 'x'"),
        ({"gate": {"address": "0x" + "11" * 20, "allowlist": "none.txt"}}, "none.txt cannot be read"),
        ({"gate": {"address": "0x" + "11" * 20, "allowlist": 7}}, "gate.allowlist is 7; it must be a list"),
        ({"gate": {"address": "0x52908400098527886E0F7030069857D2E4169Ee7"}}, "one is mistyped (ERC-55)"),
    ],
)
def test_refuses(changes, wrong):
    with pytest.raises(ExperimenterError) as found:
        settings(**changes)
    assert wrong in str(found.value)


@pytest.mark.parametrize(
    "changes", [{"options": "yes"}, {"options": [True, False]}, {"money": "3"}, {"periods": "2h"}]
)
def test_says_nothing_twice(changes):
    with pytest.raises(ExperimenterError) as found:
        settings(**changes)
    assert len(str(found.value).splitlines()) == 1


def test_says_everything_at_once():
    with pytest.raises(ExperimenterError) as found:
        settings(seats=99, kind="essay", money={}, periods={"draw": "x"})
    assert len(str(found.value).splitlines()) == 5


@pytest.mark.parametrize(
    ("name", "content", "wrong"),
    [
        ("c.txt", "x", "must end in .yaml, .toml or .json"),
        ("c.yaml", "a: [", "cannot be read"),
        ("c.yaml", "- a", "must hold names and values"),
        ("c.toml", "a =", "cannot be read"),
        ("c.json", "{", "cannot be read"),
        ("c.json", '{"seats": 3, "seats": 7}', "seats stands twice"),
        ("c.yaml", "seats: 3\nseats: 7", "seats stands twice"),
        ("c.yaml", "money: {fee: 1, fee: 2}", "fee stands twice"),
    ],
)
def test_refuses_files(tmp_path, name, content, wrong):
    (tmp_path / name).write_text(content)
    with pytest.raises(ExperimenterError, match=wrong):
        read_settings(tmp_path / name)


def test_allowlist_from_a_file(tmp_path):
    (tmp_path / "crowd.txt").write_text(f"\ufeff# who\n0x{'11' * 20} 3\n\n0x{'22' * 20}\n")
    document = DOCUMENT | {"gate": {"address": "0x" + "33" * 20, "allowlist": "crowd.txt"}}
    gate = settings_of(document, tmp_path / "c.yaml").gate
    assert gate is not None
    assert gate.seats == {"0x" + "11" * 20: 3, "0x" + "22" * 20: 1}


@pytest.mark.parametrize(
    ("content", "wrong"),
    [(b"# nobody\n", "names nobody"), (b"caf\xe9", "is not in UTF-8"), (b"0x12", "must be an address")],
)
def test_refuses_allowlist_files(tmp_path, content, wrong):
    (tmp_path / "crowd.txt").write_bytes(content)
    document = DOCUMENT | {"gate": {"address": "0x" + "33" * 20, "allowlist": "crowd.txt"}}
    with pytest.raises(ExperimenterError, match=wrong):
        settings_of(document, tmp_path / "c.yaml")
