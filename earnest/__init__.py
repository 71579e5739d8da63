"""Earnest: staked crowd labels, scored by peers, with a settlement that anyone can have recomputed on chain."""
