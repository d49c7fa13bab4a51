#!/bin/bash
# usage: packages.sh, or --check: is all here that it needs?
#
# Makes the packages, and tries them: lint, the life of each in fresh systems with
# logins through their libpam, trials of setup on a machine that boots, the SELinux
# modules in a distribution's policy, and a second build that must give the same
# bytes. As root, on Debian or Ubuntu; the systems and some packages are downloaded.
set -euo pipefail
cd "$(dirname "$0")/../.."

if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null || ! unshare --mount true 2>/dev/null; then
    echo 'packages: error: it makes root file systems: for that it must be root, on Debian or Ubuntu' >&2
    echo 'packages: hint: sudo make check-packages' >&2
    exit 3
fi

[ "${1:-}" != --check ] || exit 0

step() {
    local start=$SECONDS
    "$@"
    echo "packages: '${*##*/}' took $((SECONDS - start)) s"
}

step scripts/install-deps.sh packages
step make --no-print-directory build page
step scripts/packages/deb.sh
step scripts/packages/rpm.sh
step scripts/packages/lint.sh
step scripts/packages/test-make-install.sh
step scripts/packages/test-deb.sh bookworm trixie
step scripts/packages/test-booted.sh bookworm
step scripts/packages/test-page.sh bookworm trixie
step scripts/packages/test-rpm.sh trixie
step scripts/packages/test-selinux.sh bookworm
step scripts/packages/test-reproducible.sh
