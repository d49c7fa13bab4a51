#!/bin/sh
# usage: unshare ... enter.sh NAME=DIRECTORY... MODULE [WORD...]
#
# Called in namespaces of its own: makes the testkit's sandbox of them, with each
# DIRECTORY at /run/pam-otp-test/NAME, and runs a module of Python there. Needed are
# `tree`, this source, and `tools`, what install.sh made.
set -eu

# Opened before the sandbox hides the places.
names=
number=3
while case $1 in *=*) ;; *) false ;; esac do
    eval "exec $number<\"\${1#*=}\""
    names="$names ${1%%=*}"
    number=$((number + 1))
    shift
done
here=$(dirname "$0")/../crates/testkit/src/sandbox
ip link set lo up
hostname host
cat "$here/people.sh" "$here/setup.sh" | sh
own=/run/pam-otp-test
number=3
for name in $names; do
    mkdir "$own/$name"
    mount --no-canonicalize --bind "/proc/self/fd/$number" "$own/$name"
    eval "exec $number<&-"
    number=$((number + 1))
done
mount -t tmpfs -o mode=1777 tmpfs /tmp
cd $own/tree
exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    HOME=/root LC_ALL=C.UTF-8 TERM=dumb PYTHONDONTWRITEBYTECODE=1 \
    $own/tools/clients/bin/python -m "$@"
