# Sourced, by the Makefile for every recipe and by you for a shell of your own: `source tools/env.sh`.
# Ape, py-solc-x and the devnet then keep all that they write inside the project; your own Ape accounts are untouched.
root=$(cd "$(dirname "${BASH_SOURCE[0]:-$0}")/.." && pwd)

export APE_DATA_FOLDER="${APE_DATA_FOLDER:-$root/.ape}"
export SOLCX_BINARY_PATH="$root/.solcx"
case "$PATH" in
    "$root/.venv/bin:"*) ;;
    *) export PATH="$root/.venv/bin:$root/node_modules/.bin:$PATH" ;;
esac

# Package managers insist on a cache; where your home folder cannot hold it, the project does.
if [ ! -w "${HOME:-/nonexistent}" ]; then
    export HOME="$root/.cache/home"
    mkdir -p "$HOME"
fi

unset root
