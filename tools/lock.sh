#!/bin/bash
# Pin anew what pyproject.toml and package.json ask for; registry hosts stay out of the lock files.
# Needs uv (`pip install uv`). What is pinned already and still fits stays as it is; delete a lock file to start over.
set -euo pipefail
cd "$(dirname "$0")/.."

command -v uv >/dev/null || { echo "lock: uv is missing: pip install uv" >&2; exit 1; }
compile=(uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url)

"${compile[@]}" pyproject.toml --extra io --extra report --group dev -o requirements.lock
"${compile[@]}" --group bench -c requirements.lock -o requirements-bench.lock
for folder in . tests/report/browser; do
    npm install --prefix "$folder" --package-lock-only --ignore-scripts --omit-lockfile-registry-resolved
done
