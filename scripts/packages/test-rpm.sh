#!/bin/bash
# usage: test-rpm.sh SUITE
#
# The rpm package's life: installed into a root of its own with a database of its
# own. There is no rpm in that root, but a shell and a libpam, so that scriptlets
# and logins run there.
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/packages/lib.sh
. scripts/packages/chroot.sh
in_namespace "$@"

suite=$1
package=$(ls "$packages"/pam-otp-[0-9]*.rpm)
page=$(ls "$packages"/cockpit-pam-otp-*.rpm)
selinux=$(ls "$packages"/pam-otp-selinux-*.rpm)
policy=/etc/security/pam_otp.toml

rpm_in_root() {
    rpm --root "$root" "$@"
}

# What it depends on is there, but is not known to rpm here.
change() {
    rpm_in_root --nodeps "$@"
}

# The same as the next version.
make_next_version() {
    scripts/packages/rpm.sh "$version.1" "$packages/next-rpm" >/dev/null
}

installing_it_changes_no_login() {
    stacks=$(cat "$root"/etc/pam.d/*)
    done_well change -i "$package" "$selinux"
    done_well change --verify pam-otp pam-otp-selinux
    same "$stacks" "$(cat "$root"/etc/pam.d/*)"
    same "$(stat -c '%a %U' "$root/var/lib/pam-otp")" '700 root'
    expect_text "$(rpm_in_root -q --configfiles pam-otp)" "$policy"
    expect_text "$(rpm_in_root -q --list pam-otp)" /usr/lib64/security/pam_otp.so
}

a_stack_as_of_authselect_asks_for_password_and_code() {
    # The shape of Fedora's files, with Debian's modules.
    printf '%s\n' 'auth sufficient pam_unix.so' 'auth required pam_deny.so' \
        >"$root/etc/pam.d/password-auth"
    # What authselect makes of our line when its feature is on. This libpam looks
    # elsewhere for modules.
    sed -n 's/{include if "with-pam-otp"}//p' packaging/authselect/postlogin |
        sed 's:pam_otp.so:/usr/lib64/security/&:' >"$root/etc/pam.d/postlogin"
    printf '%s\n' 'auth substack password-auth' 'auth include postlogin' \
        'account required pam_unix.so' >"$root/etc/pam.d/daemon"
    enrol_alice
    same "$(log_in daemon alice correct-horse "$(code_next)")" 'password code granted'
    same "$(log_in daemon alice battery-staple "$(recovery_code)" || true)" 'password code denied'
    same "$(log_in daemon alice correct-horse no-such-code-here || true)" 'password code denied'
}

an_upgrade_keeps_state_records_and_policy() {
    sed -i 's/^#window = 1/window = 2/' "$root$policy"
    kept=$(cd "$root" && sha256sum home/alice/.pam-otp/* ".$policy" etc/pam.d/*)
    done_well change -U "$packages"/next-rpm/pam-otp-[0-9]*.rpm "$packages"/next-rpm/pam-otp-selinux-*.rpm
    expect_text "$(rpm_in_root -q pam-otp)" "$version.1"
    same "$kept" "$(cd "$root" && sha256sum home/alice/.pam-otp/* ".$policy" etc/pam.d/*)"
    same "$(log_in daemon alice correct-horse "$(recovery_code)")" 'password code granted'
}

a_policy_that_does_not_parse_is_said_at_an_upgrade_and_left_alone() {
    cp "$root$policy" "$root/root/policy"
    echo 'windw = 2' >>"$root$policy"
    kept=$(sha256sum "$root$policy")
    done_well change -U --oldpackage "$package" "$selinux"
    expect_text "$said" 'windw'
    expect_text "$said" 'pam-otp: hint: nothing was changed'
    same "$kept" "$(sha256sum "$root$policy")"
    cp "$root/root/policy" "$root$policy"
}

it_is_not_removed_while_a_stack_names_it() {
    refused change -e pam-otp-selinux pam-otp
    expect_text "$said" '/etc/pam.d/postlogin'
    expect_text "$said" 'hint: take the pam_otp.so lines out'
    done_well rpm_in_root -q pam-otp
    same "$(log_in daemon alice correct-horse "$(recovery_code)")" 'password code granted'
}

the_page_for_cockpit_comes_and_goes_with_its_own_package() {
    at=$root/usr/share/cockpit/pam-otp
    [ ! -e "$at" ] || broken 'it is in another package'
    done_well change -i "$page"
    for file in manifest.json index.html page.js.gz page.css.gz; do
        same "$(stat -c '%a %U:%G' "$at/$file")" '644 root:root'
    done
    expect_text "$(rpm_in_root -q --requires cockpit-pam-otp)" 'cockpit-bridge >= 287'
    done_well change -e cockpit-pam-otp
    [ ! -e "$at" ] || broken "left behind: $(ls "$at")"
}

removing_it_keeps_records_and_a_changed_policy() {
    rm "$root/etc/pam.d/postlogin" "$root/etc/pam.d/daemon"
    install -d -m 700 "$root/var/lib/pam-otp/bob" "$root/var/lib/pam-otp-setup/panel"
    touch "$root/var/lib/pam-otp-setup/.lock" "$root/var/lib/pam-otp-setup/.panel.stack.changed"
    done_well change -e pam-otp
    expect_text "$said" 'files that were changed after setup are kept'
    same "$(ls -A "$root/var/lib/pam-otp-setup")" .panel.stack.changed
    [ ! -e "$root/usr/lib64/security/pam_otp.so" ] || broken 'the module is still there'
    [ -e "$root$policy.rpmsave" ] || broken 'the policy is not kept'
    [ -d "$root/var/lib/pam-otp/bob" ] || broken 'a record in the system store is gone'
    [ -s "$root/home/alice/.pam-otp/token.toml" ] || broken 'a record in a home is gone'
}

make_next_version
debian "$suite"
fresh "$suite"
run_tests \
    installing_it_changes_no_login \
    a_stack_as_of_authselect_asks_for_password_and_code \
    an_upgrade_keeps_state_records_and_policy \
    a_policy_that_does_not_parse_is_said_at_an_upgrade_and_left_alone \
    the_page_for_cockpit_comes_and_goes_with_its_own_package \
    it_is_not_removed_while_a_stack_names_it \
    removing_it_keeps_records_and_a_changed_policy
