"""The ground that all other tests stand on: clean chains, honest exceptions, movable clocks."""

import pytest
from devnet import rollback

ETHER = 10**18


@pytest.fixture
def pay(experimenter, sink):
    """One visible change of state."""
    return lambda: experimenter.transfer(sink, ETHER)


class TestRollback:
    def test_undoes_what_the_block_did(self, chain, sink, pay):
        balance, height = sink.balance, chain.blocks.height
        with rollback(chain):
            pay()
            assert sink.balance == balance + ETHER
        assert (sink.balance, chain.blocks.height) == (balance, height)

    @pytest.mark.parametrize("error", [AssertionError, ValueError, KeyboardInterrupt])
    def test_undoes_and_lets_an_exception_through(self, chain, sink, pay, error):
        balance = sink.balance
        with pytest.raises(error), rollback(chain):
            pay()
            raise error
        assert sink.balance == balance

    def test_nests_at_one_block(self, chain, sink, pay):
        balance = sink.balance
        with rollback(chain):
            with rollback(chain):
                pay()
            pay()
            with rollback(chain):
                pay()
            assert sink.balance == balance + ETHER
        assert sink.balance == balance

    def test_lasts_for_many_cycles(self, chain, sink, pay):
        balance = sink.balance
        for cycle in range(50):
            with rollback(chain):
                chain.pending_timestamp += 1000 * cycle
                pay()
        assert sink.balance == balance

    def test_takes_the_nonce_and_the_history_back(self, chain, experimenter, pay):
        nonce, sent = experimenter.nonce, len(experimenter.history)
        with rollback(chain):
            pay()
        assert (experimenter.nonce, len(experimenter.history)) == (nonce, sent)


@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_finds_a_clean_chain(chain, sink, pay, turn):
    assert sink.balance == 10_000 * ETHER
    with rollback(chain):  # at the very block of the fixture's own snapshot, which must survive it
        pay()
    pay()


class TestClock:
    def test_moves_forward_to_the_second(self, chain, pay):
        wanted = chain.pending_timestamp + 86_400
        chain.pending_timestamp = wanted
        pay()
        assert wanted <= chain.blocks.head.timestamp <= wanted + 2

    def test_comes_back_after_a_rollback(self, chain, pay):
        before = chain.blocks.head.timestamp
        with rollback(chain):
            chain.pending_timestamp += 10 * 86_400
            pay()
        pay()
        assert before <= chain.blocks.head.timestamp < before + 86_400


ROLES = ["experimenter", "settler", "challenger", "attacker", "relayer", "operator", "sink"]


def test_roles_are_distinct(request, labelers):
    actors = [*map(request.getfixturevalue, ROLES), *labelers]
    assert len({actor.address for actor in actors}) == len(actors)
    assert len(labelers) >= 45
