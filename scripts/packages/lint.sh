#!/bin/sh
# usage: lint.sh: lintian and rpmlint. What they find is mended, or stands with
# its reason in packaging/debian/*.lintian-overrides or packaging/rpm/rpmlint.toml.
set -eu
cd "$(dirname "$0")/../.."
. scripts/packages/lib.sh

lintian --allow-root --fail-on error,warning --display-level '>=warning' "$packages"/*pam-otp_*.deb
echo 'lint: lintian: nothing found'
found=$(rpmlint --strict --config packaging/rpm/rpmlint.toml "$packages"/*pam-otp-*.rpm 2>&1) || {
    echo "$found" >&2
    exit 1
}
echo 'lint: rpmlint: nothing found'
