#!/bin/bash
# usage: test-page.sh SUITE...
#
# The package of the page for Cockpit, in a fresh system: put in, listed by Cockpit's
# bridge, and taken out without a trace.
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/packages/lib.sh
. scripts/packages/chroot.sh
in_namespace "$@"

package=$(ls "$packages"/pam-otp_*.deb)
page=$(ls "$packages"/cockpit-pam-otp_*.deb)
place=/usr/share/cockpit/pam-otp

the_page_is_put_in_beside_the_command() {
    cp "$package" "$root/root/pam-otp.deb"
    cp "$page" "$root/root/page.deb"
    done_well inside apt-get install -y --no-install-recommends /root/pam-otp.deb cockpit-bridge
    before=$(everything)
    done_well inside dpkg -i /root/page.deb
    for file in manifest.json index.html page.js.gz page.css.gz; do
        [ -s "$root$place/$file" ] || broken "$place/$file is not there"
    done
    others=$(find "$root$place" \( ! -user root -o ! -group root -o -perm /022 -o ! -perm -444 \))
    [ -z "$others" ] || broken "not root's alone to change, or not for all to read: $others"
    expect_text "$(inside cat /usr/share/doc/cockpit-pam-otp/copyright)" '@patternfly/react-core'
}

cockpit_lists_it() {
    expect_text "$(inside cockpit-bridge --packages)" "$place"
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
