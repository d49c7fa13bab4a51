#!/bin/sh
# usage: miri.sh, or --check: is all here that it needs?
#
# The rules, interpreted: codes, answers, records, state, throttle. What miri
# cannot run is left out: files (it has no flock, no openat), other programs, and
# loops that take an interpreter hours; those run in `make test`, and memory is
# looked at by `make valgrind`.
set -eu
cd "$(dirname "$0")/../.."
scripts/lanes/nightly.sh miri
[ "${1:-}" != --check ] || exit 0

export MIRIFLAGS='-Zmiri-disable-isolation'
scripts/cargo.sh +nightly miri test --quiet --locked --package pam-otp-core --lib -- \
    --skip store:: --skip descriptor --skip verify:: \
    --skip oathtool --skip policy_file --skip the_manual --skip shipped \
    --skip power_cut --skip every_single_bit --skip flood_of_strangers --skip year_of_guessing \
    --skip what_is_written_is_read_again --skip every_key_can_be_set
scripts/cargo.sh +nightly miri test --quiet --locked --package pam-otp-core --test properties
