#!/bin/bash
# usage: test-reproducible.sh
#
# Makes the packages a second time, of a copy of the source at another place, with
# another umask, time zone and language: they must be the same, byte for byte.
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/packages/lib.sh

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
trap 'exit 1' HUP INT TERM

# What belongs to the source: all but what was built.
git -c safe.directory='*' ls-files -z --cached --others --exclude-standard |
    xargs -0 cp -a --parents -t "$copy"

(
    cd "$copy"
    umask 077
    export CARGO_TARGET_DIR="$copy/elsewhere" LC_ALL=C.UTF-8 TZ=Asia/Kolkata
    make --no-print-directory deb rpm >"$copy/log" 2>&1 || {
        cat "$copy/log" >&2
        fail 'the second build failed'
    }
)

status=0
for package in "$packages"/*pam-otp_*.deb "$packages"/*pam-otp-*.rpm; do
    if cmp "$package" "$copy/elsewhere/packages/${package##*/}"; then
        echo "${0##*/}: ${package##*/}: the same bytes"
    else
        status=1
    fi
done
for place in "$PWD" "$copy" "$target" "$HOME"; do
    if grep -aq "$place/" "$target/release/pam_otp.so" "$target/release/pam-otp"; then
        echo "${0##*/}: error: the build holds the path $place" >&2
        status=1
    fi
done
exit $status
