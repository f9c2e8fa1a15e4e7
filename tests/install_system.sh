#!/bin/sh
# Installs what pip cannot: with "python" only what the lab needs, a Python that can make environments and the library
# that LightGBM computes with; otherwise also a browser and PostgreSQL.
# On a system without apt-get, or without the right to use it, says what to install instead.
set -eu

missing=""
need() { missing="$missing $1"; }
lacks_library() { [ "$(uname -s)" = Linux ] && [ -z "$(ls /usr/lib*/"$1" /usr/lib/*/"$1" 2>/dev/null)" ]; }

if ! "${PYTHON:-python3}" -c 'import sys, venv, ensurepip; assert sys.version_info >= (3, 11)' 2>/dev/null; then
    need python3-venv
fi
if lacks_library libgomp.so.1; then need libgomp1; fi
if [ "${1:-}" != python ]; then
    # A page costs the headless shell half of what it costs the whole browser.
    browser=""
    for name in chromium-headless-shell chromium chromium-browser google-chrome; do
        [ -n "$browser" ] || browser=$(command -v $name || true)
    done
    [ -n "$browser" ] || need chromium-headless-shell
    # The Node.js within Playwright's wheel needs it.
    if lacks_library libatomic.so.1; then need libatomic1; fi
    ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null || need postgresql
fi
[ -z "$missing" ] && exit 0

if command -v apt-get >/dev/null; then
    as_root=""
    [ "$(id -u)" = 0 ] || as_root="sudo -n"
    export DEBIAN_FRONTEND=noninteractive
    if $as_root apt-get update -q >/dev/null && $as_root apt-get install -y -q --no-install-recommends $missing >/dev/null; then
        exit 0
    fi
fi
echo "Install these packages first, then try again:$missing (Python must be 3.11 or newer)." >&2
exit 1
