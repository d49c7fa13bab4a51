#!/bin/sh
# usage: install.sh TOOLS [LIST...]
#
# Puts what Debian does not have into TOOLS: a virtual environment for each list of
# requirements/, and the proxy of package.json; or some of the lists alone. What fails
# is said, and left to the run to report; only the clients are needed.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
tools=$(cd "$1" && pwd)
shift
all=$#
# shellcheck disable=SC2046 # names of ours, without blanks
[ $# -gt 0 ] || set -- $(cd "$here/requirements" && ls -- *.txt)
# Debian's: the sandbox has no /root and no /home, where others may be.
python=/usr/bin/python3

# What a list holds was installed before, if its copy is the same.
for name; do
    name=${name%.txt}
    list=$here/requirements/$name.txt
    cmp -s "$list" "$tools/$name/installed.txt" && continue
    rm -rf "${tools:?}/$name"
    echo "apps: installing $name"
    if $python -m venv "$tools/$name" &&
        "$tools/$name/bin/python" -m pip install -q --disable-pip-version-check --no-deps -r "$list"; then
        cp "$list" "$tools/$name/installed.txt"
    else
        echo "apps: error: $name cannot be installed" >&2
        [ "$name" != clients ] || exit 1
    fi
done
[ "$all" -eq 0 ] || exit 0

if ! cmp -s "$here/requirements/package-lock.json" "$tools/node/installed.json"; then
    rm -rf "$tools/node"
    mkdir "$tools/node"
    cp "$here/requirements/package.json" "$here/requirements/package-lock.json" "$tools/node"
    echo 'apps: installing the proxy of JupyterHub'
    if npm --prefix "$tools/node" ci --silent --no-audit --no-fund --ignore-scripts; then
        cp "$here/requirements/package-lock.json" "$tools/node/installed.json"
    else
        echo 'apps: error: the proxy cannot be installed' >&2
    fi
fi
