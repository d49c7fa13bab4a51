#!/bin/sh
# usage: nightly.sh miri|fuzz
#
# Exits 3, and says what to install, where a tool of the lane is missing. The
# lanes call it first.
set -eu

lacks() {
    echo "$lane: error: $1 is not installed" >&2
    shift
    for hint; do
        echo "$lane: hint: $hint" >&2
    done
    exit 3
}

lane=$1
here=$(dirname "$0")
cargo="$here/../cargo.sh"

$cargo +nightly --version >/dev/null 2>&1 ||
    lacks 'a nightly Rust' 'rustup toolchain install nightly'
case $lane in
    miri) $cargo +nightly miri --version >/dev/null 2>&1 ||
        lacks miri 'rustup component add --toolchain nightly miri rust-src' ;;
    fuzz) $cargo +nightly fuzz --version >/dev/null 2>&1 ||
        lacks cargo-fuzz 'cargo install cargo-fuzz --locked' 'and g++ is needed: apt-get install g++' ;;
esac
