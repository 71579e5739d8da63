"""`earnest label find`, `show` and `enroll`."""

from __future__ import annotations

import pytest

from earnest.chain.money import ETHER
from earnest.chain.records import Enrolled
from earnest.times import clock

from .labeling import BOUNTY, COHORT, HOUR, STAKE

pytestmark = pytest.mark.anvil


class TestFind:
    def test_lists_what_is_open(self, opened, labeler):
        said = labeler.does("find", which=False)
        assert opened.which[:10] in said
        assert clock(opened.life.deadline) in said
        assert "0/3" in said
        assert "1 ETH" in said
        (found,) = labeler.told("find", which=False)["campaigns"]
        assert found["campaign"] == opened.which
        assert found["stake"] == str(STAKE)
        assert found["likely"] == str(BOUNTY // COHORT)
        assert (found["seats"], found["taken"], found["deadline"]) == (COHORT, 0, opened.life.deadline)

    def test_not_what_is_full_or_drawn(self, drawn, labeler):
        assert labeler.does("find", which=False) == "No campaign is open now.\n"
        assert labeler.told("find", which=False) == {"campaigns": []}


class TestShow:
    def test_says_what_may_be_won_and_lost(self, opened, labeler):
        said = labeler.does("show")
        for part in ("Is it so?", "yes, no, can't say", "0.3333 ETH", "-0.5 ETH", "2h to commit"):
            assert part in said
        told = labeler.told("show")
        assert told["question"]["options"] == ["yes", "no", "can't say"]
        terms = told["terms"]
        assert terms["periods"]["commit"] == 2 * HOUR
        assert (terms["curve"]["forfeit"], terms["weights"]["peers"]) == (5_000, 1)
        assert terms["metric"] == "NOMINAL"
        assert terms["manifest"] == "0x" + opened.found.terms.manifest.hex()
        assert (told["max_loss"], told["tasks"], told["phase"]) == (str(STAKE // 2), 4, "Enrolling")


class TestEnroll:
    def test_takes_a_seat_with_what_is_missing_deposited(self, opened, labeler):
        said = labeler.does("enroll", "--yes")
        assert "Your seats in campaign" in said
        assert opened.seats_of(labeler.account) == [0]
        assert opened.client.balance_of(labeler.account.address, opened.found.terms.token) == 0

    def test_again_takes_no_more(self, opened, labeler):
        labeler.does("enroll", "--seats", 2, "--yes")
        height = opened.chain.blocks.height
        told = labeler.told("enroll", "--seats", 2, "--yes")
        assert (told["seats"], told["transactions"]) == ([0, 1], [])
        assert opened.chain.blocks.height == height
        assert labeler.told("enroll", "--seats", 3, "--yes")["seats"] == [0, 1, 2]

    def test_again_when_enrolling_is_over_tells_the_seats(self, drawn, labeler):
        told = labeler.told("enroll", "--yes")
        assert (told["seats"], told["transactions"]) == ([0], [])

    def test_more_than_are_left(self, opened, labeler):
        assert labeler.refused("enroll", "--seats", 4, "--yes") == "4 seats are wanted and 3 are left."

    def test_a_closed_campaign_and_when_it_closed(self, drawn, person):
        late = person("carrier")
        full = max(each.place.timestamp for each in drawn.client.records() if isinstance(each, Enrolled))
        ends = clock(drawn.life.deadline)
        assert late.refused("enroll", "--yes").startswith(
            f"Enrolling was over at {clock(full)}: the campaign is Committing, until {ends} (in "
        )

    def test_nobody_to_ask(self, opened, labeler):
        done = labeler.run("enroll")
        assert (done.exit_code, done.stderr) == (2, "There is nobody to ask: agree beforehand with --yes.\n")
        assert "Careful: " not in done.stdout
        assert "stake" in done.stdout
        assert opened.seats_of(labeler.account) == []

    def test_what_is_free_in_the_vault_is_staked_first(self, opened, labeler):
        token = opened.found.terms.token
        opened.client.deposit(token, STAKE // 4, sender=labeler.account)
        before = labeler.account.balance
        labeler.does("enroll", "--yes")
        assert STAKE * 3 // 4 <= before - labeler.account.balance < STAKE * 3 // 4 + 10**16
        assert opened.client.balance_of(labeler.account.address, token) == 0


class TestTooLittle:
    def test_ether_for_the_stake(self, stage, labeler):
        balance = labeler.account.balance
        stage.create(stake=balance + 3 * 10**17)
        assert labeler.refused("enroll", "--yes") == (
            f"The stake is {ETHER.write(balance + 3 * 10**17)}: 0.3 ETH more is needed than"
            f" {labeler.account.address} has in its wallet and free in the vault."
        )

    def test_ether_for_gas(self, stage, labeler):
        stage.create(stake=labeler.account.balance)
        few, many = (labeler.refused("enroll", "--seats", seats, "--yes") for seats in (1, 2))
        assert few.startswith("Gas until the labels are revealed may take 0.000")
        assert few.endswith(f"than {labeler.account.address} has in its wallet beside the stake.")
        assert many.startswith("The stake is ")

    def test_ether_for_gas_until_all_seats_have_revealed(self, stage, labeler, settler):
        """Whoever cannot pay for revealing forfeits."""
        stage.create(batches=4)
        price = int(stage.client.web3.eth.gas_price)
        held = labeler.account.balance
        labeler.account.transfer(settler, held - 12 * STAKE - 21_000 * 10 * price - 10**6 * price)
        assert labeler.refused("enroll", "--seats", 12, "--yes").startswith("Gas until the labels are")
        settler.transfer(labeler.account, 12 * 250_000 * price)
        labeler.does("enroll", "--seats", 12, "--yes")
        assert len(stage.seats_of(labeler.account)) == 12

    def test_tokens(self, stage, erc20, purse, labeler):
        stage.create(token=str(erc20.address), purse=purse, stake=1_001, bounty=30_000, bond=501)
        erc20.mint(labeler.account, 1_000, sender=purse)
        assert labeler.refused("enroll", "--yes") == (
            f"The stake is 0.000000000000001001 TOK: 0.000000000000000001 TOK more is needed than"
            f" {labeler.account.address} has in its wallet and free in the vault."
        )


def test_a_token_that_takes_most_of_it(stage, project, operator, labeler):
    """What was deposited before it was seen to be too little is not lost, and said to be there."""
    token = operator.deploy(project.FeeTokenMock, 6_000)
    client, address = stage.client, str(token.address)
    for account in (operator, labeler.account):
        token.mint(account, 10**9, sender=operator)
    client.approve(address, 10**9, sender=operator)
    client.deposit(address, 10**8, sender=operator, account=stage.experimenter.address)
    stage.create(token=address, purse=operator, stake=1_000_000, bounty=30_000, bond=501)
    done = labeler.run("enroll", "--yes")
    free = client.balance_of(labeler.account.address, address)
    assert 0 < free < 1_000_000
    assert done.exit_code == 2
    assert f"credited {free} units of the 1000000 that were deposited" in done.stderr
    assert done.stderr.endswith("what was credited can be withdrawn.\n")
    assert stage.seats_of(labeler.account) == []


class TestTokenStake:
    @pytest.fixture(autouse=True)
    def _open(self, stage, erc20, purse, labeler):
        stage.create(token=str(erc20.address), purse=purse, stake=1_001, bounty=30_000, bond=501)
        erc20.mint(labeler.account, 5_000, sender=purse)

    def test_is_shown_with_the_tokens_address(self, erc20, labeler):
        """A symbol is what a token calls itself: worthless ones call themselves as good ones do."""
        assert erc20.address in labeler.does("show")

    def test_is_approved_and_deposited(self, stage, erc20, labeler):
        told = labeler.told("enroll", "--seats", 2, "--yes")
        assert told["seats"] == stage.seats_of(labeler.account) == [0, 1]
        assert len(told["transactions"]) == 3  # approve, deposit, enroll
        assert erc20.balanceOf(labeler.account) == 5_000 - 2 * 1_001
        assert erc20.allowance(labeler.account, stage.client.address) == 0
        assert labeler.told("enroll", "--seats", 2, "--yes")["transactions"] == []

    def test_amounts_are_in_token_units(self, labeler):
        said = labeler.does("show")
        assert "0.000000000000001001 TOK" in said
        assert "0.00000000000001 TOK, going by an even share" in said
