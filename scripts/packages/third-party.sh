#!/bin/sh
# Prints the crates that are linked into module and command, with their licences.
# Where one gives a choice, it is taken as MIT; else as it is.
set -eu
cd "$(dirname "$0")/../.."
. scripts/packages/lib.sh

host=$(scripts/cargo.sh -vV | sed -n 's/^host: //p')
sources=$(scripts/cargo.sh metadata --format-version 1 --locked --offline --filter-platform "$host" |
    grep -o '"manifest_path":"[^"]*"' | sed 's/^"manifest_path":"//; s/\/Cargo\.toml"$//')

echo "These crates are part of pam_otp.so and pam-otp, beside Rust's own library (MIT OR Apache-2.0)."
for crate in $(scripts/cargo.sh tree --locked --offline --edges normal,no-proc-macro --prefix none \
    --package pam-otp --package pam-otp-cli --format '{p}' |
    sed -n 's/^\([^ ]*\) v\([^ ]*\)$/\1-\2/p' |
    sort -u); do
    source=$(echo "$sources" | grep -m 1 "/$crate\$") || fail "the source of $crate is not there"
    licence=$(sed -n 's/^license = "\(.*\)"$/\1/p' "$source/Cargo.toml")
    printf '\n%s\n%s: %s\n\n' '------------------------------' "$crate" "$licence"
    texts=
    case $licence in
        *MIT*) texts=$(find "$source" -maxdepth 1 -type f -iname 'licen[sc]e*mit*' | sort) ;;
    esac
    [ -n "$texts" ] || texts=$(find "$source" -maxdepth 1 -type f \
        \( -iname 'licen[sc]e*' -o -iname 'copying*' \) | sort)
    [ -n "$texts" ] || echo '(the crate carries no text of it)'
    for text in $texts; do
        cat "$text"
    done
done
