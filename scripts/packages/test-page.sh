#!/bin/bash
# usage: test-page.sh SUITE...
#
# The package of the page for Cockpit, in a fresh system: put in, seen by Cockpit's
# bridge in the first suite, and taken out without a trace. In the others the bridge,
# which is large, is left out.
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/packages/lib.sh
. scripts/packages/chroot.sh
in_namespace "$@"

package=$(ls "$packages"/pam-otp_*.deb)
page=$(ls "$packages"/cockpit-pam-otp_*.deb)
place=/usr/share/cockpit/pam-otp
with_bridge=$1

put_in() {
    # Without the bridge its package is not content, but its files are there.
    case $suite in
        "$with_bridge") done_well inside apt-get install -y --no-install-recommends "$1" ;;
        *) done_well inside dpkg --force-depends -i "$1" ;;
    esac
}

the_page_is_put_in_beside_the_command() {
    cp "$package" "$root/root/pam-otp.deb"
    cp "$page" "$root/root/page.deb"
    done_well inside apt-get install -y --no-install-recommends /root/pam-otp.deb
    if [ "$suite" = "$with_bridge" ]; then
        done_well inside apt-get install -y --no-install-recommends cockpit-bridge
    fi
    before=$(everything)
    put_in /root/page.deb
    for file in manifest.json index.html page.js page.css; do
        [ -s "$root$place/$file" ] || broken "$place/$file is not there"
    done
    others=$(find "$root$place" \( ! -user root -o ! -group root -o -perm /022 -o ! -perm -444 \))
    [ -z "$others" ] || broken "not root's alone to change, or not for all to read: $others"
    expect_text "$(inside cat /usr/share/doc/cockpit-pam-otp/copyright)" '@patternfly/react-core'
}

cockpit_lists_it() {
    if [ "$suite" = "$with_bridge" ]; then
        expect_text "$(inside cockpit-bridge --packages)" "$place"
    fi
}

the_command_is_not_removed_from_under_it() {
    refused inside dpkg --remove pam-otp
    expect_text "$said" 'cockpit-pam-otp depends on pam-otp'
}

taken_out_it_leaves_nothing_behind() {
    done_well inside dpkg --purge cockpit-pam-otp
    changed=$(diff <(echo "$before") <(everything)) || broken "left behind, or gone: $changed"
}

for suite; do
    debian "$suite"
    fresh "$suite"
    too_new && continue
    run_tests \
        the_page_is_put_in_beside_the_command \
        cockpit_lists_it \
        the_command_is_not_removed_from_under_it \
        taken_out_it_leaves_nothing_behind
done
