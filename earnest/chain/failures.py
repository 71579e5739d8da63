"""What goes wrong between here and the chain and may be otherwise at the next look, and how it is told."""

from __future__ import annotations

from typing import Final

from ape.exceptions import ApeException
from requests.exceptions import RequestException
from web3.exceptions import Web3Exception

from earnest.chain.errors import ODD_ANSWERS, FollowError

# What the node, or the way to it, can do.
NODE_ERRORS: Final = (ApeException, Web3Exception, RequestException, FollowError, *ODD_ANSWERS)


def told(error: Exception) -> str:
    """What went wrong, in one sentence; what is not of this package's making begins with where it is from."""
    text = " ".join(str(error).split()) or type(error).__name__
    if not type(error).__module__.startswith("earnest."):
        here = isinstance(error, OSError) and not isinstance(error, RequestException)
        where = "This machine fails" if here else "The node does not answer as it should"
        text = f"{where}: {text}"
    return text if text.endswith(".") else f"{text}."
