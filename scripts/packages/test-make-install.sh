#!/bin/bash
# usage: test-make-install.sh
#
# make install and make uninstall, below a DESTDIR.
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/packages/lib.sh

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
trap 'exit 1' HUP INT TERM

broken() {
    fail "$1"
}

run() {
    make --no-print-directory "$1" DESTDIR="$root" "${@:2}" >"$packages/make.log" 2>&1
}

for prefix in /usr/local /opt/otp; do
    run install PREFIX=$prefix PAMDIR=/usr/lib/security
    for file in $prefix/bin/pam-otp /usr/lib/security/pam_otp.so /etc/security/pam_otp.toml \
        $prefix/share/man/man8/pam_otp.8 $prefix/share/doc/pam-otp/pam.d-examples/sudo; do
        [ -f "$root$file" ] || broken "$file is not there"
    done
    [ ! -f "$target/page/manifest.json" ] || [ -f "$root$prefix/share/cockpit/pam-otp/page.js.gz" ] ||
        broken 'the page for Cockpit is not there'
    "$root$prefix/bin/pam-otp" --version | grep -q "$version" || broken 'the command is of another version'

    # A policy that was changed stays, when it is installed anew and after.
    echo '# changed' >>"$root/etc/security/pam_otp.toml"
    run install PREFIX=$prefix PAMDIR=/usr/lib/security
    grep -q '^# changed' "$root/etc/security/pam_otp.toml" || broken 'the policy was written over'

    mkdir -p "$root/etc/pam.d"
    echo 'auth required pam_otp.so' >"$root/etc/pam.d/panel"
    ! run uninstall PREFIX=$prefix PAMDIR=/usr/lib/security || broken 'uninstalled while a stack names it'
    [ -f "$root/usr/lib/security/pam_otp.so" ] || broken 'the module is gone, and a stack names it'
    rm "$root/etc/pam.d/panel"

    run uninstall PREFIX=$prefix PAMDIR=/usr/lib/security
    left=$(cd "$root" && find . -type f)
    [ "$left" = ./etc/security/pam_otp.toml ] || broken "left behind: $left"
    rm -r "${root:?}"/*
    echo "${0##*/}: $prefix: installed, kept and uninstalled"
done
