#!/bin/sh
# usage: rpm.sh [VERSION DIRECTORY]
#
# Makes the rpm packages of what `make build page` has built, in target/packages; or,
# for tests, as another version elsewhere.
set -eu
cd "$(dirname "$0")/../.."
. scripts/packages/lib.sh

version=${1:-$version}
out=${2:-$packages}
work=$packages/rpm
rm -rf "$work"
mkdir -p "$work"
fill '#CHECK-POLICY#' packaging/check-policy.sh packaging/rpm/post.in >"$work/post"
fill '#IN-USE#' packaging/in-use.sh packaging/rpm/preun.in >"$work/preun"

# On Debian, directories as Fedora and its kin have them.
set --
with_page || set -- --without page
[ ! -e /etc/debian_version ] || set -- "$@" --define "_libdir /usr/lib64"

rpmbuild -bb --build-in-place --noclean "$@" \
    --define "_topdir $work" --define "work $work" \
    --define "version_of_source $version" \
    --define "date_of_source $(date -d "@$SOURCE_DATE_EPOCH" '+%a %b %d %Y')" \
    --define 'use_source_date_epoch_as_buildtime 1' \
    --define 'clamp_mtime_to_source_date_epoch 1' \
    --define 'source_date_epoch_from_changelog 0' \
    --define '_buildhost reproducible' \
    packaging/rpm/pam-otp.spec >"$work/log" 2>&1 || {
    cat "$work/log" >&2
    fail 'rpmbuild failed'
}
mkdir -p "$out"
rm -f "$out"/*pam-otp*.rpm
mv "$work"/RPMS/*/*.rpm "$out/"
give_back
ls -l "$out"/*pam-otp*.rpm
