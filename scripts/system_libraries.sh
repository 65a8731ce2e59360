#!/bin/sh
# Makes sure that WeasyPrint finds Pango, which draws the PDF rosters.
#
# Installs it where that needs no question (root, or sudo without a password); otherwise says
# the one command to type. Never fails: without PDF the same pages print from the browser.
set -u
cd "$(dirname "$0")/.." || exit

draws() { .venv/bin/python -c 'import weasyprint' >/dev/null 2>&1; }

draws && exit 0

debian="libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core"
fedora="pango harfbuzz dejavu-sans-fonts"

as_root=
[ "$(id -u)" = 0 ] || as_root="sudo -n"

may_install() { [ -z "$as_root" ] || $as_root true >/dev/null 2>&1; }

apt_install() {
    # shellcheck disable=SC2086  # a list of packages
    $as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -qq -y --no-install-recommends -o DPkg::Lock::Timeout=120 $debian
}

if command -v apt-get >/dev/null 2>&1; then
    command="sudo apt-get install -y $debian"
    if may_install; then
        echo "Installing Pango for the PDF rosters ..."
        log=$(mktemp)
        { apt_install || { $as_root apt-get update -qq && apt_install; }; } >"$log" 2>&1 </dev/null
        draws && { rm -f "$log"; exit 0; }
        tail -n 5 "$log"
        rm -f "$log"
    fi
elif command -v dnf >/dev/null 2>&1; then
    command="sudo dnf install -y $fedora"
    if may_install; then
        echo "Installing Pango for the PDF rosters ..."
        # shellcheck disable=SC2086  # a list of packages
        $as_root dnf install -q -y $fedora </dev/null
        draws && exit 0
    fi
elif command -v brew >/dev/null 2>&1; then
    command="brew install pango"
else
    command="install Pango 1.44 or newer with your system's package manager"
fi

cat <<END

PDF rosters need a system library (Pango) that is not here. To have them, type:

    $command

Going on without: every roster still opens in the browser and prints from there.

END
exit 0
