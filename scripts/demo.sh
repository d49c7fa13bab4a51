#!/bin/sh
# Builds pam-otp and shows what it does, in a sandbox: users, PAM stacks and
# the log of the demonstration exist nowhere else, and are gone at its end.
set -eu
cd "$(dirname "$0")/.."

if [ "$(id -u)" -ne 0 ]; then
    echo 'demo: error: it makes users and runs an sshd in a sandbox; for that it must be root' >&2
    echo 'demo: hint: sudo make demo' >&2
    exit 1
fi

scripts/install-deps.sh demo
make --no-print-directory build
scripts/cargo.sh build --quiet --locked --package pam-otp-testkit --bin demo

target=${CARGO_TARGET_DIR:-target}
PAM_OTP_MODULE=$target/release/pam_otp.so PAM_OTP_COMMAND=$target/release/pam-otp \
    exec "$target/debug/demo"
