"""What goes wrong between here and the chain and may be otherwise at the next look, and how it is told."""

from __future__ import annotations

from typing import Final

from ape.exceptions import ApeException
from requests.exceptions import RequestException
from web3.exceptions import Web3Exception

from earnest.chain.errors import ODD_ANSWERS, FollowError

# What the node, or the way to it, can do.
NODE_ERRORS: Final = (ApeException, Web3Exception, RequestException, FollowError, *ODD_ANSWERS)


def reason(error: Exception) -> str:
    """What an error says, in one line; of a node's answer what is for people."""
    response = getattr(error, "rpc_response", None)
    answer = response.get("error") if isinstance(response, dict) else None
    message = answer.get("message") if isinstance(answer, dict) else None
    return " ".join(str(message or error).split()) or type(error).__name__


def told(error: Exception) -> str:
    """What went wrong, in one sentence; what is not of this package's making begins with where it is from."""
    text = reason(error)
    if not type(error).__module__.startswith("earnest."):
        here = isinstance(error, OSError) and not isinstance(error, RequestException)
        where = "This machine fails" if here else "The node does not answer as it should"
        text = f"{where}: {text}"
    return text if text.endswith(".") else f"{text}."
