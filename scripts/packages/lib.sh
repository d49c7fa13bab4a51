# shellcheck shell=sh
# What the scripts that make packages share. To be read with `.` at the top of
# the source.

target=$(readlink -m "${CARGO_TARGET_DIR:-target}")
export CARGO_TARGET_DIR="$target"
packages=$target/packages

fail() {
    echo "${0##*/}: error: $1" >&2
    [ $# -lt 2 ] || echo "${0##*/}: hint: $2" >&2
    exit 1
}

# Whether the page for Cockpit gets a package: it was made, or is not wanted.
with_page() {
    [ "${PAGE:-page}" = page ] || return 1
    [ -f "$target/page/manifest.json" ] ||
        fail 'the page for Cockpit is not made' 'make page; or PAGE=no leaves it out'
}

# The version is written once, in Cargo.toml.
version=$(sed -n '/^\[workspace\.package\]/,/^\[/s/^version = "\(.*\)"$/\1/p' Cargo.toml)
[ -n "$version" ] || fail 'Cargo.toml has no version under [workspace.package]'

# Packages carry the time of the source, not that of their making.
if [ -z "${SOURCE_DATE_EPOCH:-}" ]; then
    SOURCE_DATE_EPOCH=$(git -c safe.directory='*' log -1 --format=%ct 2>/dev/null) ||
        SOURCE_DATE_EPOCH=$(date -d "$(grep -om 1 '[0-9]\{4\}-[0-9][0-9]-[0-9][0-9]$' CHANGELOG.md)" +%s)
fi
export SOURCE_DATE_EPOCH
export LC_ALL=C TZ=UTC
umask 022

# Prints the file $3, with the file $2 in the place of the line $1.
fill() {
    sed -e "/^$1\$/{r $2" -e 'd}' "$3"
}

# Under sudo, what is made in a user's tree is that user's.
give_back() {
    if [ -n "${SUDO_USER:-}" ] && [ "$(stat -c %U .)" = "$SUDO_USER" ]; then
        chown -hR "$SUDO_USER:" "$packages"
    fi
}
