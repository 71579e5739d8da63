"""`deposit` and `withdraw`, which every role has."""

from __future__ import annotations

import pytest

from earnest.protocol.terms import ZERO_ADDRESS

pytestmark = pytest.mark.anvil

MISTYPED = "0x2C7B2382A0C19fd0d1B4BC6F27F6B6138b401B7A"


def free(stage, account, token=ZERO_ADDRESS):
    return stage.client.balance_of(account.address, token)


@pytest.mark.parametrize("group", ["campaign", "label", "settle"])
def test_in_and_out_again(stage, person, group):
    someone = person("settler", group=group)
    told = someone.told("deposit", "--amount", "1.5", "--yes", which=False)
    assert len(told["transactions"]) == 1
    assert free(stage, someone.account) == 15 * 10**17
    assert "0.5 ETH stays" in someone.does("withdraw", "--amount", "1", "--yes", which=False)
    assert "0.5 ETH is withdrawn" in someone.does("withdraw", "--yes", which=False)
    assert free(stage, someone.account) == 0


def test_for_somebody_else(stage, person, labelers):
    labeler = labelers[0]
    said = person("settler", group="label").does(
        "deposit", "--amount", "1", "--for", labeler.address, "--yes", which=False
    )
    assert said == f"1 ETH is in the vault for {labeler.address}.\n"
    assert free(stage, labeler) == 10**18


@pytest.mark.parametrize("group", ["campaign", "label", "settle"])
def test_to_somebody_else(stage, person, labelers, project, operator, group):
    """Whom a token has blacklisted, or who cannot take ether, has the money sent elsewhere."""
    someone, receiver = person("settler", group=group), labelers[0]
    someone.does("deposit", "--amount", "1.5", "--yes", which=False)
    refusing = operator.deploy(project.RefusingReceiver)
    assert someone.refused("withdraw", "--to", refusing.address, "--yes", which=False) == (
        f"{refusing.address} does not accept ether: withdraw the 1500000000000000000 wei to another address."
    )
    before = receiver.balance
    said = someone.does("withdraw", "--to", receiver.address, "--amount", "1", "--yes", which=False)
    assert said == f"1 ETH is withdrawn to {receiver.address}; 0.5 ETH stays.\n"
    assert receiver.balance == before + 10**18
    for nobody in ("0x12", "earnest.eth"):
        assert someone.refused("withdraw", "--to", nobody, "--yes", which=False) == (
            f"--to is {nobody!r}; it must be an address, 0x and 40 hexadecimal digits."
        )
    assert someone.refused("withdraw", "--to", ZERO_ADDRESS, "--yes", which=False) == (
        "The address is 0; it must be somebody's."
    )


def test_a_token(stage, person, erc20, purse):
    someone = person("settler", group="settle")
    erc20.mint(someone.account, 10**18, sender=purse)
    told = someone.told("deposit", "--amount", "1", "--token", erc20.address, "--yes", which=False)
    assert len(told["transactions"]) == 2  # the allowance, too
    assert free(stage, someone.account, erc20.address) == 10**18
    sentence = someone.refused("deposit", "--amount", "1", "--token", erc20.address, "--yes", which=False)
    assert sentence.endswith("has 0 TOK: 1 TOK more is needed.")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--amount", "0"], "--amount is '0'; it must be more than 0."),
        (["--amount", "x"], "The amount is 'x'"),
        (["--amount", "1", "--for", "0x12"], "--for is '0x12'; it must be an address"),
        (["--amount", "1", "--token", "0x12"], "--token is '0x12'; it must be an address"),
        (["--amount", "1", "--for", MISTYPED], f"--for is '{MISTYPED}', but the case of its letters says"),
        (["--amount", "99999999"], "99,999,999 ETH is to be deposited and"),
    ],
)
def test_what_cannot_be_deposited(stage, person, arguments, sentence):
    someone = person("settler", group="settle")
    assert someone.refused("deposit", *arguments, "--yes", which=False).startswith(sentence)


def test_asks_first(stage, person):
    assert "agree beforehand with --yes" in person("settler", group="settle").refused(
        "deposit", "--amount", "1", which=False
    )


def test_one_account_sends_one_thing_at_a_time_in_all_its_roles(opened, labeler):
    labeler.does("enroll", "--yes")
    (lock,) = {path.name for path in labeler.data.glob("*.lock")}
    labeler.does("deposit", "--amount", "1", "--yes", which=False)
    assert {path.name for path in labeler.data.glob("*.lock")} == {lock}
