#!/bin/bash
# usage: test-deb.sh SUITE...
#
# The life of the Debian package in a fresh system: installed, switched on,
# upgraded, removed, purged, with logins through its libpam at each step.
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/packages/lib.sh
. scripts/packages/chroot.sh
in_namespace "$@"

package=$(ls "$packages"/pam-otp_*.deb)
policy=/etc/security/pam_otp.toml

# The next version: another number, and another comment in the policy file.
make_next_version() {
    rm -rf "$packages/next"
    dpkg-deb -R "$package" "$packages/next"
    sed -i "s/^Version: .*/&.1/" "$packages/next/DEBIAN/control"
    echo '# The next version says more.' >>"$packages/next$policy"
    dpkg-deb --root-owner-group -Znone -b "$packages/next" "$packages/next.deb" >/dev/null
    rm -rf "$packages/next"
}

copy_in() {
    cp "$package" "$root/root/pam-otp.deb"
    cp "$packages/next.deb" "$root/root/next.deb"
}

status() {
    inside dpkg-query --show --showformat='${db:Status-Abbrev}' pam-otp 2>/dev/null | tr -d ' '
}

module() {
    ls "$root"/usr/lib/*/security/pam_otp.so 2>/dev/null
}

stack_of() {
    # $1: service; then its auth lines
    service=$1
    shift
    {
        printf '%s\n' "$@"
        echo 'account required pam_unix.so'
    } >"$root/etc/pam.d/$service"
}

installing_it_changes_no_login() {
    before=$(everything)
    stacks=$(cat "$root"/etc/pam.d/*)
    # apt, for what it depends on.
    done_well inside apt-get install -y --no-install-recommends /root/pam-otp.deb
    same "$(status)" ii
    same "$stacks" "$(cat "$root"/etc/pam.d/*)"
    same "$(stat -c '%a %U' "$root/var/lib/pam-otp")" '700 root'
    wanted=/usr/lib/systemd/system/multi-user.target.wants/pam-otp-setup.service
    expect_text "$(inside cat "$wanted")" 'ExecStart=/usr/bin/pam-otp setup --watch'
    same "$(log_in login alice correct-horse 000000)" 'password granted'
    done_well inside bash -c '. /usr/share/bash-completion/completions/pam-otp; complete -p pam-otp'
}

the_policy_that_is_installed_is_understood_and_a_users_own_command_works() {
    expect_text "$(inside setpriv --reuid=alice --regid=alice --init-groups \
        env HOME=/home/alice pam-otp status)" 'two-factor login: off'
}

an_example_asks_for_password_and_code_and_each_code_opens_once() {
    enrol_alice
    sed '/pam_loginuid/d' pam.d-examples/sshd-password-and-code >"$root/etc/pam.d/ssh-otp"
    code=$(code_next)
    same "$(log_in ssh-otp alice correct-horse "$code")" 'password code granted'
    same "$(log_in ssh-otp alice correct-horse "$code" || true)" 'password code denied'
    same "$(log_in ssh-otp alice battery-staple "$(recovery_code)" || true)" 'password code denied'
    rm "$root/etc/pam.d/ssh-otp"
}

pam_auth_update_asks_for_a_code_everywhere_after_a_right_password() {
    done_well inside pam-auth-update --package --enable pam-otp
    stack_of daemon '@include common-auth'
    same "$(log_in daemon alice correct-horse "$(recovery_code)")" 'password code granted'
    same "$(log_in daemon alice correct-horse no-such-code-here || true)" 'password code denied'
    same "$(log_in daemon alice battery-staple 123456 || true)" 'password denied'
    # Nobody gets in who is not enrolled, unless the policy says so.
    same "$(log_in daemon root battery-staple 123456 || true)" 'password denied'
}

with_the_second_profile_a_wrong_password_is_not_told_from_a_wrong_code() {
    done_well inside pam-auth-update --package --enable pam-otp-ask-always
    same "$(log_in daemon alice correct-horse "$(recovery_code)")" 'password code granted'
    same "$(log_in daemon alice battery-staple "$(recovery_code)" || true)" 'password code denied'
    same "$(log_in daemon alice correct-horse no-such-code-here || true)" 'password code denied'
    same "$(log_in daemon alice battery-staple no-such-code-here || true)" 'password code denied'
    same "$(log_in daemon nobody-at-all battery-staple 123456 || true)" 'password code denied'
    # As docs/packages.md shows it. On a fresh system there is nothing else.
    same "$(sed -n '/^auth  /p' docs/packages.md | tr -s ' ')" \
        "$(grep ^auth "$root/etc/pam.d/common-auth" | tr -s '[:blank:]' ' ' | sed 's: $::')"
}

switched_off_it_asks_for_no_code() {
    done_well inside pam-auth-update --package --disable pam-otp pam-otp-ask-always
    same "$(log_in daemon alice correct-horse 000000)" 'password granted'
    done_well inside pam-auth-update --package --enable pam-otp pam-otp-ask-always
}

an_upgrade_keeps_state_records_policy_and_profiles() {
    sed -i 's/^#window = 1/window = 2/' "$root$policy"
    used=$(recovery_code)
    same "$(log_in daemon alice correct-horse "$used")" 'password code granted'
    kept=$(cd "$root" && sha256sum home/alice/.pam-otp/* ".$policy" etc/pam.d/*)
    done_well inside dpkg --force-confold -i /root/next.deb
    same "$(status)" ii
    same "$kept" "$(cd "$root" && sha256sum home/alice/.pam-otp/* ".$policy" etc/pam.d/*)"
    grep -q 'The next version says more' "$root$policy.dpkg-dist" || broken 'no .dpkg-dist'
    same "$(log_in daemon alice correct-horse "$used" || true)" 'password code denied'
    same "$(log_in daemon alice correct-horse "$(recovery_code)")" 'password code granted'
}

a_policy_that_does_not_parse_is_said_at_an_upgrade_and_left_alone() {
    cp "$root$policy" "$root/root/policy"
    echo 'windw = 2' >>"$root$policy"
    kept=$(sha256sum "$root$policy")
    done_well inside dpkg --force-confold --force-downgrade -i /root/pam-otp.deb
    expect_text "$said" 'windw'
    expect_text "$said" 'pam-otp: hint: nothing was changed'
    same "$(status)" ii
    same "$kept" "$(sha256sum "$root$policy")"
    cp "$root/root/policy" "$root$policy"
}

it_is_not_removed_while_a_stack_names_it() {
    stack_of panel 'auth required pam_unix.so' 'auth required pam_otp.so'
    kept=$(cd "$root" && sha256sum etc/pam.d/*)
    for way in --remove --purge; do
        refused inside dpkg $way pam-otp
        expect_text "$said" '/etc/pam.d/panel'
        expect_text "$said" 'hint: take the pam_otp.so lines out'
        same "$(status)" "$([ $way = --remove ] && echo ri || echo pi)"
        same "$kept" "$(cd "$root" && sha256sum etc/pam.d/*)"
    done
    same "$(log_in panel alice correct-horse "$(recovery_code)")" 'password code granted'
    same "$(log_in daemon alice correct-horse "$(recovery_code)")" 'password code granted'
    # What is commented out, or set aside by dpkg, names nothing.
    sed 's/^auth.*pam_otp/#&/' "$root/etc/pam.d/panel" >"$root/etc/pam.d/panel.new"
    mv "$root/etc/pam.d/panel" "$root/etc/pam.d/panel.dpkg-old"
    mv "$root/etc/pam.d/panel.new" "$root/etc/pam.d/panel"
}

it_is_not_removed_from_common_files_that_were_changed_by_hand() {
    cp -a "$root/etc/pam.d/common-auth" "$root/root/common-auth"
    sed -i 's/pam_unix.so/pam_unix.so audit/; /end of pam-auth-update/d' "$root/etc/pam.d/common-auth"
    sed -i '1i auth optional pam_echo.so' "$root/etc/pam.d/common-auth"
    sed -i 's/^\(auth.*\)requisite\(.*pam_otp\)/\1required\2/' "$root/etc/pam.d/common-auth"
    if inside dpkg --remove pam-otp >"$root/root/said" 2>&1; then
        # It could be done all the same: then nothing may name it.
        broken "removed: $(grep -n otp "$root"/etc/pam.d/common-auth)"
    fi
    expect_text "$(cat "$root/root/said")" '/etc/pam.d/common-auth'
    [ -n "$(module)" ] || broken 'the module is gone'
    cp -a "$root/root/common-auth" "$root/etc/pam.d/common-auth"
    done_well inside pam-auth-update --package --enable pam-otp pam-otp-ask-always
    # A line beside those that pam-auth-update writes: it is refused before these go.
    echo 'auth optional pam_otp.so' >>"$root/etc/pam.d/common-auth"
    kept=$(cd "$root" && sha256sum etc/pam.d/common-* var/lib/pam/* var/cache/debconf/config.dat)
    refused inside dpkg --remove pam-otp
    expect_text "$said" '/etc/pam.d/common-auth'
    same "$kept" "$(cd "$root" && sha256sum etc/pam.d/common-* var/lib/pam/* var/cache/debconf/config.dat)"
    sed -i '$d' "$root/etc/pam.d/common-auth"
}

removing_it_takes_it_out_of_the_common_stacks_and_keeps_records_and_policy() {
    kept=$(cd "$root" && sha256sum home/alice/.pam-otp/* ".$policy")
    done_well inside apt-get remove -y pam-otp
    same "$(status)" rc
    [ -z "$(module)" ] || broken 'the module is still there'
    ! grep -l '^[^#]*pam_otp' "$root"/etc/pam.d/common-* || broken 'a common stack names it'
    same "$(log_in daemon alice correct-horse 000000)" 'password granted'
    same "$kept" "$(cd "$root" && sha256sum home/alice/.pam-otp/* ".$policy")"
}

installed_anew_it_knows_the_records() {
    done_well inside dpkg -i /root/pam-otp.deb
    stack_of panel 'auth required pam_unix.so' 'auth required pam_otp.so'
    same "$(log_in panel alice correct-horse "$(recovery_code)")" 'password code granted'
    rm "$root"/etc/pam.d/panel "$root"/etc/pam.d/panel.dpkg-old "$root/etc/pam.d/daemon"
}

purging_it_removes_the_policy_and_no_record() {
    install -d -m 700 "$root/var/lib/pam-otp/bob" "$root/var/lib/pam-otp-setup/panel"
    done_well inside apt-get purge -y pam-otp
    expect_text "$said" 'the records in /var/lib/pam-otp are kept'
    [ ! -e "$root$policy" ] || broken 'the policy is still there'
    [ ! -e "$root/var/lib/pam-otp-setup" ] || broken 'copies of stacks are still there'
    [ -d "$root/var/lib/pam-otp/bob" ] || broken 'a record in the system store is gone'
    [ -s "$root/home/alice/.pam-otp/token.toml" ] || broken 'a record in a home is gone'
}

purging_it_leaves_nothing_behind_where_there_are_no_records() {
    rm -r "$root/var/lib/pam-otp" "$root/home/alice/.pam-otp"
    done_well inside dpkg -i /root/pam-otp.deb
    done_well inside pam-otp setup login --yes
    done_well inside pam-otp setup login --undo --yes
    done_well inside dpkg --purge pam-otp
    rm -f "$root$policy.dpkg-dist" "$root"/etc/pam.d/*.pam-old
    changed=$(diff <(echo "$before") <(everything)) || broken "left behind, or gone: $changed"
    same "$stacks" "$(cat "$root"/etc/pam.d/*)"
}

make_next_version
for suite; do
    debian "$suite"
    fresh "$suite"
    copy_in
    too_new && continue
    run_tests \
        installing_it_changes_no_login \
        the_policy_that_is_installed_is_understood_and_a_users_own_command_works \
        an_example_asks_for_password_and_code_and_each_code_opens_once \
        pam_auth_update_asks_for_a_code_everywhere_after_a_right_password \
        with_the_second_profile_a_wrong_password_is_not_told_from_a_wrong_code \
        switched_off_it_asks_for_no_code \
        an_upgrade_keeps_state_records_policy_and_profiles \
        a_policy_that_does_not_parse_is_said_at_an_upgrade_and_left_alone \
        it_is_not_removed_while_a_stack_names_it \
        it_is_not_removed_from_common_files_that_were_changed_by_hand \
        removing_it_takes_it_out_of_the_common_stacks_and_keeps_records_and_policy \
        installed_anew_it_knows_the_records \
        purging_it_removes_the_policy_and_no_record \
        purging_it_leaves_nothing_behind_where_there_are_no_records
done
