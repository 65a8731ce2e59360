#!/bin/sh
# Everything that is wrong without a test run being needed to see it. Goes through all checks,
# then fails if one of them did, so that one run shows all there is to mend.
set -u
cd "$(dirname "$0")/.." || exit

failed=

check() {
    name=$1
    shift
    printf '%s\n' "--- $name"
    "$@" || failed="$failed, $name"
}

python=.venv/bin/python

check "ruff check" $python -m ruff check --output-format concise .
check "ruff format" $python -m ruff format --check --output-format concise .
check "mypy" $python -m mypy
check "djlint" $python -m djlint --quiet --lint templates
check "makemigrations" $python manage.py makemigrations --check --dry-run
check "architecture" $python -m pytest -q tests/test_architecture.py

if [ -n "$failed" ]; then
    printf '\n%s\n' "make check failed: ${failed#, }" >&2
    exit 1
fi
printf '\n%s\n' "make check: all clear"
