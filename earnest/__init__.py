"""Earnest: staked crowd labels, scored by peers, settled so that anyone can have the chain recompute it."""
