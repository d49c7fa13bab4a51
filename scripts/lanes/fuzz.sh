#!/bin/sh
# usage: fuzz.sh SECONDS [TARGET...], or --check: is all here that it needs?
#
# Runs the fuzz targets, each for so long, from the seeds that are committed and
# from what earlier runs found (fuzz/corpus, not committed). Stops at the first
# finding: its input lies in fuzz/artifacts then; give it to
# `cargo +nightly fuzz run TARGET FILE`, and commit it as a seed once mended.
set -eu
cd "$(dirname "$0")/../.."

scripts/lanes/nightly.sh fuzz
[ "$1" != --check ] || exit 0
seconds=$1
shift
[ $# -gt 0 ] || set -- $(ls fuzz/fuzz_targets | sed 's/\.rs$//')

trap 'rm -rf /dev/shm/pam-otp-fuzz-*' EXIT
trap 'exit 1' HUP INT TERM
for target; do
    echo "fuzz: $target for $seconds s"
    mkdir -p "fuzz/corpus/$target"
    log=$(mktemp)
    if scripts/cargo.sh +nightly fuzz run "$target" "fuzz/corpus/$target" "fuzz/seeds/$target" -- \
        -max_total_time="$seconds" -max_len=9000 -timeout=20 -rss_limit_mb=2048 -verbosity=1 \
        >"$log" 2>&1; then
        sed -n 's/^Done/fuzz:/p' "$log"
        rm -f "$log"
    else
        tail -n 60 "$log" >&2
        rm -f "$log"
        exit 1
    fi
done
