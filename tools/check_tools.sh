#!/bin/sh
# What has to be on the machine before anything else: one clear sentence for each thing that is not.
# Usage: check_tools.sh PYTHON
python=${1:-python3}
missing=0

say() {
    echo "$1" >&2
    missing=1
}

if ! command -v "$python" >/dev/null; then
    say "Python is missing: install Python 3.11 or later, or name it: make PYTHON=/path/to/python3 …"
elif ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    say "$python is $("$python" -V 2>&1), but Python 3.11 or later is needed: install it, or name it: make PYTHON=python3.11 …"
elif ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    say "$python cannot make virtual environments: install its venv module (Debian and Ubuntu: python3-venv)."
fi

if ! command -v node >/dev/null; then
    say "Node.js is missing: install Node.js 20 or later."
elif [ "$(node -p 'process.versions.node.split(".")[0]')" -lt 20 ]; then
    say "node is $(node --version), but Node.js 20 or later is needed."
fi

command -v npm >/dev/null || say "npm is missing: install it with Node.js 20 or later."
command -v git >/dev/null || say "git is missing: install it."

exit $missing
