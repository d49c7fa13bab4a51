#!/bin/sh
# usage: bench.sh: measures pam-otp and its peers; as root.
#
# BENCH_QUICK=1  a smoke run of a minute
# BENCH_DIR      where to measure, on the disk that is meant (target/bench)
#
# The peers are Debian's packages, unpacked beside the measurement and not
# installed: to install one of them runs pam-auth-update, and the machine's own
# logins are none of our business. All of it runs in a mount namespace of its
# own, with its own user database.
set -eu

fail() {
    echo "bench: error: $1" >&2
    shift
    for hint; do
        echo "bench: hint: $hint" >&2
    done
    exit 1
}

here=$(cd "$(dirname "$0")/.." && pwd)
target=$(readlink -m "${CARGO_TARGET_DIR:-$here/target}")
directory=$(readlink -m "${BENCH_DIR:-$target/bench}")
peers=$directory/peers
packages='libpam-google-authenticator libpam-oath'

[ "$(id -u)" -eq 0 ] || fail 'it needs root, for a user database of its own' 'sudo make bench'
command -v apt-get >/dev/null || fail 'the peers are packages of Debian, and there is no apt-get'
case $(stat -f -c %T "$(dirname "$directory")" 2>/dev/null) in
    tmpfs | ramfs) fail "$directory is in memory, where nothing is durable" 'BENCH_DIR=/var/tmp/bench' ;;
esac

unpack() {
    rm -rf "$directory"
    mkdir -p "$peers" "$directory/deb" "$directory/etc"
    # shellcheck disable=SC2086 # a list
    (cd "$directory/deb" && apt-get -q -o APT::Sandbox::User=root download $packages >/dev/null) ||
        fail 'the packages of the peers could not be downloaded' 'apt-get update'
    for package in "$directory"/deb/*.deb; do
        dpkg-deb -x "$package" "$directory/deb"
    done
    find "$directory/deb" -name 'pam_*.so' -exec cp {} "$peers" \;
    permit=$(find /lib/*/security /usr/lib/*/security -name pam_permit.so | head -n 1)
    cp "$permit" "$peers"
    for module in permit google_authenticator oath; do
        [ -f "$peers/pam_$module.so" ] || fail "there is no pam_$module.so"
    done
}

# The users who log in, and nobody from elsewhere.
write_users() {
    grep -E '^(root|nobody):' /etc/passwd >"$directory/etc/passwd"
    seq 0 63 | sed 's|.*|u&:x:6&:65534::/nonexistent:/bin/false|' >>"$directory/etc/passwd"
    echo 'passwd: files' >"$directory/etc/nsswitch.conf"
}

unpack
write_users
cd "$here"
scripts/cargo.sh build --quiet --release --locked --package pam-otp --package pam-otp-bench
# Copied like the others, as installing does it: the file as the linker has written
# it, with the same bytes, takes more page faults.
cp "$target/release/libpam_otp.so" "$peers/pam_otp.so"
export PAM_OTP_MODULE="$peers/pam_otp.so"
export BENCH_QUICK="${BENCH_QUICK:-}"
# shellcheck disable=SC2016 # for the inner shell
unshare --mount --propagation private sh -euc '
    [ ! -e /etc/nsswitch.conf ] || mount --bind "$1/etc/nsswitch.conf" /etc/nsswitch.conf
    mount --bind "$1/etc/passwd" /etc/passwd
    exec "$2/release/pam-otp-bench" "$1/peers" "$1/world" "$1"
' sh "$directory" "$target"
echo "bench: written: $directory/bench.json, $directory/bench.svg"
rm -rf "$directory/world" "$directory/deb"
