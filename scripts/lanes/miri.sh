#!/bin/sh
# usage: miri.sh, or --check: is all here that it needs?
#
# Codes, answers, token files, state and throttle, interpreted: the core has no
# unsafe code, the crates below it do. Left out is what miri cannot run (files:
# it has no flock; other programs) and what takes an interpreter too long
# (policy and verdicts, which are safe code over what is run here). All of it
# runs in `make test`; what is beyond miri, `make valgrind` looks at.
set -eu
cd "$(dirname "$0")/../.."
scripts/lanes/nightly.sh miri
[ "${1:-}" != --check ] || exit 0

export MIRIFLAGS='-Zmiri-disable-isolation'
scripts/cargo.sh +nightly miri test --quiet --locked --package pam-otp-core --lib -- \
    --skip store:: --skip descriptor --skip verify:: --skip policy:: --skip witness:: \
    --skip oathtool \
    --skip power_cut --skip every_single_bit --skip flood_of_strangers --skip year_of_guessing \
    --skip what_is_written_is_read_again --skip every_day_of_four_centuries
scripts/cargo.sh +nightly miri test --quiet --locked --package pam-otp-core --test properties -- \
    a_new_state_file a_spent_code one_byte_changed an_answer a_field a_recovery_code
