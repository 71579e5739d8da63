"""The audit rows of a stranger's manifest, fetched by a process of its own.

Whoever creates a campaign chooses where its manifest is and what is in it. What never comes, never ends or
fills the memory ends with that process, and holds up nothing else. It knows none of this one's secrets.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from earnest.chain.gas import MOST_GAS
from earnest.manifest.errors import ManifestError
from earnest.manifest.fetch import fetch

FETCH_LIMIT: Final = 60.0
MOST_MEMORY: Final = 4 << 30  # bytes of address space

SPARE: Final = 5.0  # seconds for which the process may outlive whoever waits for it

# A row is refereed as calldata, of which a byte takes 10 gas or more (EIP-7623).
MOST_ROW: Final = MOST_GAS // 10

# What Python, proxies, certificates and the plugins for `s3`, `gs` and `ipfs` go by; passphrases are not.
_NEEDED: Final = frozenset({
    "PATH", "HOME", "USER", "LANG", "TZ", "TMPDIR", "VIRTUAL_ENV", "LD_LIBRARY_PATH",
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
    "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE",
})  # fmt: skip
_FAMILIES: Final = ("LC_", "PYTHON", "XDG_", "FSSPEC_", "AWS_", "GOOGLE_", "GCLOUD_", "CLOUDSDK_", "IPFS")

Rows = Sequence[bytes]


def fetch_rows(uri: str, digest: bytes, limit: float = FETCH_LIMIT) -> Rows:
    """The enciphered audit rows of the manifest at `uri`, its digest checked.

    Raises ManifestError when it cannot be had, is another, has a row that no transaction carries, or takes
    longer than `limit` seconds.
    """
    command = [sys.executable, "-m", __name__, uri, digest.hex(), str(limit)]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=limit,
            env=_needed(os.environ),
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
    """Print the rows of the manifest at a URI with a digest, within some seconds: three arguments."""
    uri, digest, limit = sys.argv[1:]
    signal.setitimer(signal.ITIMER_REAL, float(limit) + SPARE)  # whatever became of who waits for it
    _be_modest()
    try:
        rows = fetch(uri, bytes.fromhex(digest)).audit_rows
    except ManifestError as error:
        sys.exit(str(error))
    except Exception as error:  # a stranger's URI may fail in any way
        sys.exit(f"The manifest at {uri} cannot be read: {str(error) or type(error).__name__}.")
    longest = max(map(len, rows), default=0)
    if longest > MOST_ROW:
        sys.exit(
            f"The manifest at {uri} has an audit row of {longest} bytes; a transaction carries {MOST_ROW} at"
            " most, so that its batch cannot be refereed."
        )
    json.dump([row.hex() for row in rows], sys.stdout)


def _be_modest() -> None:
    """Let memory end this process sooner than others, as far as the system can."""
    with suppress(OSError, ValueError):
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        most = MOST_MEMORY if hard == resource.RLIM_INFINITY else min(MOST_MEMORY, hard)
        resource.setrlimit(resource.RLIMIT_AS, (most, hard))
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")  # on Linux


def _needed(environment: Mapping[str, str]) -> dict[str, str]:
    found = {
        name: value
        for name, value in environment.items()
        if name.upper() in _NEEDED or name.upper().startswith(_FAMILIES)
    }
    return found | {"OPENBLAS_NUM_THREADS": "1"}  # each takes address space


if __name__ == "__main__":
    main()
