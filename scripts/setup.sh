#!/bin/sh
# Makes .venv and installs the locked dependencies: setup.sh runtime|dev
#
# Done again only when the lock changed: what was installed last is kept beside the packages
# and compared. PYTHON=... chooses the interpreter.
set -eu
cd "$(dirname "$0")/.."

what=${1:-runtime}
case $what in
    runtime) lock=requirements.lock ;;
    dev) lock=requirements-dev.lock ;;
    *) echo "usage: setup.sh runtime|dev" >&2; exit 2 ;;
esac
venv=.venv
fits='import sys; sys.exit(sys.version_info < (3, 11))'

die() {
    printf '%s\n' "$@" >&2
    exit 1
}

# The first Python that is new enough and can make a virtual environment.
find_python() {
    old_enough_but_no_venv=
    for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11 python}; do
        "$candidate" -c "$fits" >/dev/null 2>&1 || continue
        if "$candidate" -c 'import ensurepip, venv' >/dev/null 2>&1; then
            echo "$candidate"
            return
        fi
        old_enough_but_no_venv=$candidate
    done
    if [ -n "$old_enough_but_no_venv" ]; then
        version=$("$old_enough_but_no_venv" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        die "Python $version is here, but without its venv module. Type this, then start again:" \
            "    sudo apt-get install python$version-venv"
    fi
    if [ -n "${PYTHON:-}" ]; then
        die "PYTHON=$PYTHON is not a Python 3.11 or newer."
    fi
    die "Python 3.11 or newer is needed. Type one of these, then start again:" \
        "    sudo apt-get install python3 python3-venv    (Debian 12, Ubuntu 24.04 or newer)" \
        "    sudo dnf install python3.12                  (Fedora, RHEL 9)" \
        "    brew install python@3.13                     (macOS)"
}

installed=$venv/installed-$what.lock
dev_installed=$venv/installed-dev.lock

if [ -e "$venv" ] && ! "$venv/bin/python" -c "$fits" >/dev/null 2>&1; then
    echo "The .venv here does not start (moved, or its Python is gone): it is made again."
    rm -rf "$venv"
fi
if ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    python=$(find_python)
    echo "Making .venv with $("$python" --version) ..."
    "$python" -m venv --clear "$venv"
fi

# The development lock holds everything that the runtime lock holds.
if ! cmp -s "$lock" "$installed"; then
    echo "Installing the locked dependencies of $lock (once; a minute or two) ..."
    rm -f "$installed"
    "$venv/bin/python" -m pip install --quiet --no-input --disable-pip-version-check \
        --root-user-action=ignore --require-hashes --requirement "$lock" \
        || die "The dependencies could not be installed: see above." \
               "Behind a proxy, set HTTPS_PROXY; then start again."
    cp "$lock" "$installed"
    if [ "$what" = dev ]; then
        cp requirements.lock "$venv/installed-runtime.lock"
    elif [ -e "$dev_installed" ]; then
        rm -f "$dev_installed" # the runtime versions moved on: look at the others again too
    fi
fi

# Message catalogues (.po) are committed, what is read at run time (.mo) is compiled from them.
if [ -d locale ]; then
    find locale -name '*.po' | while read -r catalogue; do
        compiled=${catalogue%.po}.mo
        if [ ! -e "$compiled" ] || [ -n "$(find "$catalogue" -newer "$compiled")" ]; then
            "$venv/bin/python" -m babel.messages.frontend --quiet compile \
                --input-file "$catalogue" --output-file "$compiled"
        fi
    done
fi
