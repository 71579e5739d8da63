"""What tests need of a devnet beyond Ape's own fixtures; the same on both EVMs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ape.managers.chain import ChainManager


@contextmanager
def rollback(chain: ChainManager) -> Iterator[None]:
    """Undo on the chain whatever the block does, whether it ends well or raises; blocks may nest.

    Neither of Ape's own ways will do: ``chain.isolate()`` swallows the exceptions raised inside it (failed
    assertions too), and ``chain.restore()`` forgets the outer of two snapshots taken at one block of the
    in-process EVM, where a snapshot is the block's hash.
    """
    snapshot = chain.provider.snapshot()
    try:
        yield
    finally:
        chain.provider.restore(snapshot)
        chain.history.revert_to_block(chain.blocks.height)
