#!/bin/sh
# usage: valgrind.sh [TEST...], or --check: is all here that it needs?
#
# The tests that log in through the real libpam, in one process, under
# valgrind's memcheck: no invalid access, no use of what was never written,
# nothing lost, no descriptor left open, in application, libpam and module alike.
# The module is the one that is shipped (release profile).
set -eu
cd "$(dirname "$0")/../.."

[ $# -gt 0 ] || set -- libpam hostile_replies one_field bad_records telling first_login

if ! command -v valgrind >/dev/null; then
    echo 'valgrind: error: valgrind is not installed' >&2
    echo 'valgrind: hint: apt-get install valgrind' >&2
    exit 3
fi

[ "${1:-}" != --check ] || exit 0

logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
trap 'exit 1' HUP INT TERM

# Blocks that are still reachable are the test program's own: what it set up
# once. After pam_end the module is unloaded, so what it left behind is lost.
# keep-debuginfo: and can still be named.
runner="valgrind --quiet --error-exitcode=99 --track-fds=yes --keep-debuginfo=yes
    --leak-check=full --show-leak-kinds=definite,indirect
    --errors-for-leak-kinds=definite,indirect
    --suppressions=$PWD/scripts/lanes/valgrind.supp --child-silent-after-fork=yes --log-file=$logs/%p"
# Cargo splits it at spaces.
runner=$(echo "$runner" | tr '\n' ' ' | tr -s ' ')
host=$(rustc -vV | sed -n 's/^host: //p' | tr 'a-z-' 'A-Z_')

status=0
for test; do
    echo "valgrind: $test"
    env "CARGO_TARGET_${host}_RUNNER=$runner" \
        scripts/cargo.sh test --quiet --release --locked --test "$test" -- --test-threads=1 || status=1
done

# --track-fds tells of descriptors, and fails nobody.
for log in "$logs"/*; do
    left=$(awk '/Open (file descriptor|AF_)/ { open = $0; next }
        open != "" { if ($0 !~ /inherited from parent/) print open; open = "" }' "$log")
    if [ -n "$left" ]; then
        echo "valgrind: error: descriptors left open: $left" >&2
        status=1
    fi
    if [ "$status" -ne 0 ]; then
        cat "$log" >&2
    fi
done
[ "$status" -ne 0 ] || echo 'valgrind: no error, nothing lost, no descriptor left open'
exit "$status"
