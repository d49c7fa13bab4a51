#!/bin/sh
# usage: selinux.sh DIRECTORY: compiles the SELinux policy modules into DIRECTORY.
set -eu
cd "$(dirname "$0")/../.."

out=$1
mkdir -p "$out"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

for module in auth_home pam_otp; do
    # -M: for policies with levels, as those of the distributions are; -c 19: also
    # for tools of some years ago.
    checkmodule -M -m -c 19 -o "$work/$module.mod" "packaging/selinux/$module.te"
    semodule_package -o "$out/$module.pp" -m "$work/$module.mod" \
        -f "packaging/selinux/$module.fc"
    chmod 644 "$out/$module.pp"
done
