#!/bin/sh
# usage: cargo.sh ARGUMENTS: runs cargo.
#
# Under sudo, whose PATH and HOME are root's, it is the cargo of the user who
# called sudo, unless root has one; and what it builds in that user's tree
# stays that user's.
#
# What a release build makes depends on source and compiler alone: no path of
# this machine is left in it, wherever the source, cargo and Rust lie. Flags of
# RUSTFLAGS are kept; rustflags of cargo's configuration files are passed over.
set -eu

hide_paths() {
    separator=$(printf '\037')
    flags=
    for flag in ${RUSTFLAGS:-}; do
        flags="$flags$flag$separator"
    done
    # Of several that fit, rustc takes the last.
    for place in \
        "$(pwd -P)=/pam-otp" \
        "$(readlink -m "${CARGO_TARGET_DIR:-target}")=/pam-otp/target" \
        "$(readlink -m "${CARGO_HOME:-$HOME/.cargo}")=/cargo" \
        "$(rustc --print sysroot)=/rust"; do
        flags="$flags--remap-path-prefix=$place$separator"
    done
    export CARGO_ENCODED_RUSTFLAGS="${flags%"$separator"}"
}

run_cargo() {
    case " $* " in
        *' --release '*) [ -n "${CARGO_ENCODED_RUSTFLAGS+set}" ] || hide_paths ;;
    esac
    cargo "$@"
}

caller=${SUDO_USER:-root}
if [ "$(id -u)" -ne 0 ] || [ "$caller" = root ]; then
    run_cargo "$@"
    exit
fi

home=$(getent passwd "$caller" | cut -d: -f6)
if ! command -v cargo >/dev/null; then
    export CARGO_HOME="$home/.cargo" RUSTUP_HOME="$home/.rustup" PATH="$home/.cargo/bin:$PATH"
fi
give_back() {
    # sudo may have kept the caller's HOME.
    own=${CARGO_HOME:-$HOME/.cargo}
    case $own in
        "$home"/*) [ ! -d "$own" ] || chown -hR "$caller:" "$own" ;;
    esac
    # What root builds in a tree of its own stays root's.
    if [ "$(stat -c %U .)" = "$caller" ] && [ -d "${CARGO_TARGET_DIR:-target}" ]; then
        chown -hR "$caller:" "${CARGO_TARGET_DIR:-target}"
    fi
}
trap give_back EXIT
trap 'exit 1' HUP INT TERM
run_cargo "$@"
