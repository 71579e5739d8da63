"""The audit rows of a stranger's manifest, fetched by a process of its own.

Whoever creates a campaign chooses where its manifest is and what is in it. What never comes, never ends or
fills the memory ends with that process, and holds up nothing else.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Sequence
from typing import Final

from earnest.manifest.errors import ManifestError
from earnest.manifest.fetch import fetch

FETCH_LIMIT: Final = 60.0
MOST_MEMORY: Final = 4 << 30  # bytes of address space

Rows = Sequence[bytes]


def fetch_rows(uri: str, digest: bytes, limit: float = FETCH_LIMIT) -> Rows:
    """The enciphered audit rows of the manifest at `uri`, its digest checked.

    Raises ManifestError when it cannot be had, is another, or takes longer than `limit` seconds.
    """
    command = [sys.executable, "-m", __name__, uri, digest.hex()]
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}  # each takes address space
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=limit,
            env=environment,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ManifestError(f"The manifest at {uri} was not there after {limit:g} s.") from None
    except (OSError, ValueError) as error:  # a URI that no command line holds
        raise ManifestError(f"The manifest at {uri!r} cannot be read: {error}.") from error
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines() or ["its process ended"]
        raise ManifestError(said[-1] if done.returncode == 1 else f"The manifest at {uri}: {said[-1]}.")
    return [bytes.fromhex(row) for row in json.loads(done.stdout)]


def main() -> None:
    """Print the rows of the manifest at a URI with a digest, both from the command line."""
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = MOST_MEMORY if hard == resource.RLIM_INFINITY else min(MOST_MEMORY, hard)
    resource.setrlimit(resource.RLIMIT_AS, (most, hard))
    uri, digest = sys.argv[1:]
    try:
        rows = fetch(uri, bytes.fromhex(digest)).audit_rows
    except ManifestError as error:
        sys.exit(str(error))
    except Exception as error:  # a stranger's URI may fail in any way
        sys.exit(f"The manifest at {uri} cannot be read: {str(error) or type(error).__name__}.")
    json.dump([row.hex() for row in rows], sys.stdout)


if __name__ == "__main__":
    main()
