#!/bin/sh
# Resolves pyproject.toml into requirements.lock (runtime) and requirements-dev.lock (all):
# every platform, Python 3.11 and newer, each file with its hash. UPGRADE=1 takes newer versions.
set -eu
cd "$(dirname "$0")/.."

UV=${UV:-uv}
command -v "$UV" >/dev/null 2>&1 || {
    echo "uv is needed to resolve the lock files. Type: python3 -m pip install uv" >&2
    exit 1
}

compile() {
    "$UV" --no-config pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
        ${UPGRADE:+--upgrade} "$@"
}

compile pyproject.toml --output-file requirements.lock
compile pyproject.toml --group dev --constraints requirements.lock \
    --output-file requirements-dev.lock
