#!/bin/bash
# usage: test-booted.sh SUITE
#
# What only a machine that has booted can show: a Debian with systemd in a container,
# without a network, where the package is installed and two-factor login switched on
# for its sshd as README tells. Where no container boots, it is left out, and that is
# said. The suite must still boot in whatever control groups this machine has.
set -euo pipefail
cd "$(dirname "$0")/../.."
. scripts/packages/lib.sh
. scripts/packages/chroot.sh
in_namespace "$@"

suite=$1
package=$(ls "$packages"/pam-otp_*.deb)
console=$packages/booted.log
container=
init=

boot() {
    # --register, --keep-unit: this machine may have no systemd of its own.
    setsid systemd-nspawn --quiet --register=no --keep-unit --private-network \
        --directory="$root" --boot </dev/null >"$console" 2>&1 &
    container=$!
    wait_for 60 has_booted
    init=$(pgrep --parent "$container")
}

has_booted() {
    kill -0 "$container" 2>/dev/null || return 1
    init=$(pgrep --parent "$container") &&
        case $(booted systemctl is-system-running 2>/dev/null) in
            running | degraded) ;;
            *) false ;;
        esac
}

# As if the plug was pulled: nothing in it hears of it.
cut_the_power() {
    kill -KILL "$init"
    wait "$container" 2>/dev/null || true
    container=
}

switch_off() {
    [ -z "$container" ] || kill -KILL "$init" "$container" 2>/dev/null || true
}

# Runs a command in the container that has booted.
booted() {
    nsenter --target "$init" --mount --uts --ipc --net --pid --root --wd \
        env -i PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 HOME=/root "$@"
}

# Waits up to $1 seconds for a command to succeed.
wait_for() {
    local until=$((SECONDS + $1))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$until" ] || return 1
        sleep 1
    done
}

# Logs alice in by ssh with a code; prints what the server let her run. A server that
# starts, or reloads, is waited for.
ssh_with() {
    echo "$1" >"$root/root/code"
    booted setsid env SSH_ASKPASS=/usr/local/bin/answer SSH_ASKPASS_REQUIRE=force \
        ssh -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR \
        -o NumberOfPasswordPrompts=1 -o ConnectionAttempts=20 alice@127.0.0.1 id -un
}

stack_asks() {
    grep -q '^auth.*pam_otp\.so' "$root/etc/pam.d/$1"
}

stack_asks_no_more() {
    ! stack_asks "$1"
}

sshd_asks_once_it_is_switched_on_on_trial_and_the_journal_has_the_events() {
    done_well booted dpkg -i /root/pam-otp.deb
    stacks=$(cat "$root"/etc/pam.d/*)
    enrol_alice
    same "$(ssh_with 000000)" alice
    done_well booted pam-otp setup sshd --try 5m --yes
    done_well booted systemctl reload ssh
    refused booted pam-otp setup sshd --confirm
    refused ssh_with 000000
    code=$(code_next)
    same "$(ssh_with "$code")" alice
    refused ssh_with "$code"
    done_well booted pam-otp setup sshd --confirm
    expect_text "$(booted pam-otp events --json --user alice)" '"log":"journal"'
    expect_text "$(booted pam-otp events --json --user alice)" '"reason":"used_code"'
    same "$(ssh_with "$(recovery_code)")" alice
    done_well booted pam-otp setup sshd --undo --yes
    done_well booted systemctl reload ssh
    same "$(cat "$root"/etc/pam.d/*)" "$stacks"
    same "$(ssh_with 000000)" alice
}

the_machines_timer_undoes_a_trial_when_its_watcher_was_killed() {
    done_well booted pam-otp setup sshd --try 1m --yes
    stack_asks sshd || broken 'the trial did not begin'
    done_well booted pkill -KILL -f 'pam-otp setup --watch'
    wait_for 120 stack_asks_no_more sshd || broken 'still on trial'
    expect_text "$(booted journalctl --no-pager --identifier pam-otp)" 'action=setup-undo'
    # No file of it is left in sshd's settings either.
    refused ls "$root/etc/ssh/sshd_config.d/10-pam-otp.conf"
}

a_trial_is_undone_at_the_next_start_when_the_power_was_cut() {
    done_well booted pam-otp setup sshd --try 1m --yes
    cut_the_power
    stack_asks sshd || broken 'undone too early'
    sleep 61
    boot || broken 'it does not boot again'
    wait_for 30 stack_asks_no_more sshd || broken 'still on trial'
    same "$(cat "$root"/etc/pam.d/*)" "$stacks"
}

leave_out() {
    echo "${0##*/}: $suite: LEFT OUT: $1"
    exit 0
}

command -v systemd-nspawn >/dev/null || leave_out 'there is no systemd-nspawn (package systemd-container)'
debian "$suite" "$suite-booted" systemd-sysv,dbus,libpam-systemd,openssh-server,openssh-client,procps
fresh "$suite-booted"
umount "$root/proc" "$root/dev/pts"
rm "$root/dev/ptmx"
cp "$package" "$root/root/pam-otp.deb"
printf 'ListenAddress 127.0.0.1\n' >"$root/etc/ssh/sshd_config.d/loopback.conf"
install -m 755 /dev/stdin "$root/usr/local/bin/answer" <<'ANSWER'
#!/bin/sh
case $1 in *[Pp]assword*) echo correct-horse ;; *) cat /root/code ;; esac
ANSWER
trap switch_off EXIT
boot || leave_out "systemd does not boot in a container here: $(tail -n 1 "$console")"
run_tests \
    sshd_asks_once_it_is_switched_on_on_trial_and_the_journal_has_the_events \
    the_machines_timer_undoes_a_trial_when_its_watcher_was_killed \
    a_trial_is_undone_at_the_next_start_when_the_power_was_cut
