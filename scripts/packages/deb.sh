#!/bin/sh
# usage: deb.sh: makes the Debian packages of what `make build page` has built, in
# target/packages.
set -eu
cd "$(dirname "$0")/../.."
. scripts/packages/lib.sh

work=$packages/deb
rm -rf "$work"
mkdir -p "$work/pam-otp"
cp -R packaging/debian "$work/pam-otp/debian"
debian=$work/pam-otp/debian

fill '#IN-USE#' packaging/in-use.sh packaging/debian/pam-otp.prerm >"$debian/pam-otp.prerm"
fill '#CHECK-POLICY#' packaging/check-policy.sh packaging/debian/pam-otp.postinst >"$debian/pam-otp.postinst"
# As debian/copyright has texts.
indented() {
    sed 's/[[:space:]]*$//; s/^/ /; s/^ $/ ./'
}

sed -n '/^Permission/,$p' LICENSE-MIT | indented >"$work/mit"
fill '@MIT@' "$work/mit" packaging/debian/copyright >"$work/copyright"
export WITHOUT=--no-package=cockpit-pam-otp
if with_page; then
    WITHOUT=
    indented <"$target/page/LICENSES.txt" >"$work/page"
    fill '@PAGE@' "$work/page" "$work/copyright" >"$debian/copyright"
else
    sed '/^Files: usr.share.cockpit/,/^@PAGE@/d' "$work/copyright" >"$debian/copyright"
fi
cat >"$debian/changelog" <<END
pam-otp ($version-1) unstable; urgency=medium

  * What changed stands in CHANGELOG.md.

 -- $(sed -n 's/^Maintainer: //p' "$debian/control")  $(date -R -d "@$SOURCE_DATE_EPOCH")
END

export TOP="$PWD"
(cd "$work/pam-otp" && dpkg-buildpackage --build=binary --no-sign --no-check-builddeps >"$work/log" 2>&1) || {
    cat "$work/log" >&2
    fail 'dpkg-buildpackage failed'
}
rm -f "$packages"/pam-otp_*.deb "$packages"/cockpit-pam-otp_*.deb
mv "$work"/*.deb "$packages/"
give_back
ls -l "$packages"/*pam-otp_*.deb
