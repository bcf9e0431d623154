#!/bin/sh
# A browser for the tests: the system's Chromium, else Debian's package when root on Debian, else Playwright's own.
set -e
if command -v chromium >/dev/null 2>&1; then exit 0; fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium fonts-dejavu-core >/dev/null
else
    "$1" -m playwright install chromium
fi
