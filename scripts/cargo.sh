#!/bin/sh
# usage: cargo.sh ARGUMENTS: runs cargo.
#
# Under sudo, whose PATH and HOME are root's, it is the cargo of the user who
# called sudo; and what it builds stays that user's.
set -eu

if command -v cargo >/dev/null || [ "$(id -u)" -ne 0 ] || [ -z "${SUDO_USER:-}" ]; then
    exec cargo "$@"
fi

home=$(getent passwd "$SUDO_USER" | cut -d: -f6)
export CARGO_HOME="$home/.cargo" RUSTUP_HOME="$home/.rustup" PATH="$home/.cargo/bin:$PATH"
give_back() {
    for directory in "$CARGO_HOME" "${CARGO_TARGET_DIR:-target}"; do
        [ ! -d "$directory" ] || chown -R "$SUDO_USER:" "$directory"
    done
}
trap give_back EXIT
cargo "$@"
