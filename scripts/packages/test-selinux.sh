#!/bin/bash
# usage: test-selinux.sh SUITE
#
# The SELinux modules of the package, linked with a distribution's whole policy:
# every type and attribute that they require must be there. No kernel enforces it
# here; setools says what it would.
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/packages/lib.sh
. scripts/packages/chroot.sh
in_namespace "$@"

suite=$1

# The permissions that source $1 has for files of label $2.
allowed() {
    inside sesearch --allow -s "$1" -t "$2" -c file "$root_policy"
}

the_modules_link_with_the_distributions_policy() {
    cp /etc/resolv.conf "$root/etc/resolv.conf"
    done_well inside apt-get update
    done_well inside apt-get install -y --no-install-recommends selinux-policy-default setools
    scripts/packages/selinux.sh "$root/root" >/dev/null
    done_well inside semodule -n -s default -i /root/auth_home.pp /root/pam_otp.pp
    root_policy=$(inside sh -c 'ls /etc/selinux/default/policy/policy.*')
}

those_who_log_people_in_may_read_records_and_update_their_state() {
    members=$(inside seinfo -a pam_otp_login -x "$root_policy")
    for program in sshd_t local_login_t xdm_t cockpit_session_t staff_sudo_t staff_su_t; do
        expect_text "$members" "$program"
    done
    expect_text "$(allowed sshd_t auth_home_t)" \
        'allow pam_otp_login auth_home_t:file { create getattr ioctl lock open read rename setattr unlink write };'
    # Of this label are the witnesses of trials too, which logins append to.
    expect_text "$(allowed sshd_t var_auth_t)" \
        'allow pam_otp_login var_auth_t:file { append create getattr ioctl lock open read rename setattr unlink write };'
    expect_text "$(inside sesearch --type_trans -s sysadm_t -t var_lib_t -c file "$root_policy")" \
        'var_auth_t witness;'
}

users_may_enrol_and_what_they_make_is_labelled() {
    expect_text "$(allowed user_t auth_home_t)" 'allow userdomain auth_home_t:file { append create'
    expect_text "$(inside sesearch --type_trans -s user_t -t user_home_dir_t -c dir "$root_policy")" \
        'auth_home_t .pam-otp;'
}

a_web_server_may_not_open_records() {
    for label in auth_home_t var_auth_t; do
        case $(allowed httpd_t $label) in
            *open*) broken "httpd_t may open files of $label" ;;
        esac
    done
}

records_of_both_stores_have_their_labels() {
    for place in /home/alice/.pam-otp /home/alice/.pam-otp/state /root/.pam-otp/token.toml \
        /home/alice/.google_authenticator; do
        expect_text "$(inside matchpathcon -m file "$place")" :auth_home_t:
    done
    expect_text "$(inside matchpathcon /var/lib/pam-otp/alice/state)" :var_auth_t:
    expect_text "$(inside matchpathcon /run/pam-otp)" :var_auth_t:
    expect_text "$(inside matchpathcon -m file /var/lib/pam-otp-setup/su/witness)" :var_auth_t:
    expect_text "$(inside matchpathcon -m file /var/lib/pam-otp-setup/su/stack.before)" :var_lib_t:
}

debian "$suite"
fresh "$suite"
run_tests \
    the_modules_link_with_the_distributions_policy \
    those_who_log_people_in_may_read_records_and_update_their_state \
    users_may_enrol_and_what_they_make_is_labelled \
    a_web_server_may_not_open_records \
    records_of_both_stores_have_their_labels
