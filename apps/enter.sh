#!/bin/sh
# usage: unshare ... enter.sh TREE BUILT TOOLS PROGRAM
#
# Called in namespaces of its own: makes the testkit's sandbox of them, with the
# tree at /run/pam-otp-test/tree, what cargo built at built, what was installed for
# this run at tools, and lets apps/inside.py try PROGRAM there.
set -eu

# Opened before the sandbox hides the places.
exec 3<"$1" 4<"$2" 5<"$3"
ip link set lo up
hostname host
cat "$1/crates/testkit/src/sandbox/people.sh" "$1/crates/testkit/src/sandbox/setup.sh" | sh
own=/run/pam-otp-test
mkdir $own/tree $own/built $own/tools
mount --no-canonicalize --bind /proc/self/fd/3 $own/tree
mount --no-canonicalize --bind /proc/self/fd/4 $own/built
mount --no-canonicalize --bind /proc/self/fd/5 $own/tools
exec 3<&- 4<&- 5<&-
mount -t tmpfs -o mode=1777 tmpfs /tmp
cd $own/tree
exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    HOME=/root LC_ALL=C.UTF-8 TERM=dumb PYTHONDONTWRITEBYTECODE=1 \
    $own/tools/clients/bin/python -m apps.inside "$4"
