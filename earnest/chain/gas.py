"""What bounds a transaction."""

from typing import Final

# The gas that one transaction may use (EIP-7825).
MOST_GAS: Final = 1 << 24
