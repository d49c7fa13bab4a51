#!/bin/sh
# usage: install-deps.sh build|check|demo|deb|rpm|packages|apps|bench|page|check-page
#
# Sees to it that what the make target needs is there. Installs missing
# packages by apt where it may (as root, on Debian and Ubuntu); says elsewhere
# what is missing. No daemon is started, now or at the next boot, and nothing
# of the machine's own login configuration is touched.
set -eu

purpose=${1:-}
here=$(dirname "$0")

build='gcc libc6-dev libpam0g-dev make'
# useradd and chpasswd; setpriv; the server, its client, and the phone.
demo='passwd util-linux mount openssh-server openssh-client oathtool'
# Faults: system calls that fail, fixtures in C, full disks, wrong clocks.
check="$demo login sudo binutils bsdutils findutils strace gcc e2fsprogs faketime"
# SELinux modules are in packages of both kinds.
selinux='checkpolicy semodule-utils'
deb="debhelper dpkg-dev $selinux"
rpm="rpm $selinux"
trial="$deb $rpm debootstrap lintian rpmlint diffutils util-linux"
# The phone, which brings the library of one of the peers; what counts.
bench='oathtool strace valgrind util-linux'
# Their tests are skipped where a distribution has none of them.
wanted='cockpit-ws cockpit-bridge fail2ban valgrind mandoc zsh fish busybox'
# What apps/ runs, and what runs it. The applications are wanted, not needed: one
# that is not to be had is for the run to report, and not to stop the others.
apps='passwd util-linux mount iproute2 python3 python3-venv nodejs'
applications="openssh-server openssh-client sudo login cockpit-ws cockpit-bridge cockpit-system
    chromium postgresql postgresql-client sasl2-bin freeradius freeradius-utils openvpn
    squid polkitd pkexec dbus i3lock sway swaylock wtype xvfb xdotool"

# The page, in a browser against a real Cockpit, and a service that it switches on.
browser='passwd util-linux mount iproute2 python3 python3-venv sudo openssh-server
    cockpit-ws cockpit-bridge cockpit-system chromium'

case $purpose in
    build) needed=$build wanted= ;;
    check) needed="$build $check" ;;
    demo) needed="$build $demo" wanted= ;;
    deb) needed="$build $deb" wanted= ;;
    rpm) needed="$build $rpm" wanted= ;;
    packages) needed="$build $trial" wanted=systemd-container ;;
    apps) needed="$build $apps" wanted=$applications ;;
    bench) needed="$build $bench" wanted= ;;
    page) needed='nodejs' wanted= ;;
    check-page) needed="$build $browser" wanted= ;;
    *)
        echo 'usage: install-deps.sh build|check|demo|deb|rpm|packages|apps|bench|page|check-page' >&2
        exit 2
        ;;
esac

fail() {
    echo "install-deps: error: $1" >&2
    shift
    for hint; do
        echo "install-deps: hint: $hint" >&2
    done
    exit 1
}

# Rust is for its owner to choose; only its age matters.
find_rust() {
    version=$("$here/cargo.sh" --version 2>/dev/null) || fail 'there is no cargo' \
        'Rust 1.85 or newer is needed: https://rustup.rs, or on Debian 13 and newer: apt install cargo'
    version=${version#cargo }
    major=${version%%.*}
    minor=${version#*.}
    minor=${minor%%.*}
    if [ "$major" -eq 1 ] && [ "$minor" -lt 85 ]; then
        fail "cargo is ${version%% *}, and 1.85 or newer is needed" \
            'see https://rustup.rs, or on Debian 13 and newer: apt install cargo'
    fi
}

installed() {
    [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

missing() {
    for package; do
        installed "$package" || printf '%s ' "$package"
    done
}

# Without dpkg, programs and files are all there is to look at.
look_elsewhere() {
    lacking=
    phone_and_server='ssh ssh-keygen oathtool useradd setpriv'
    case $purpose in
        demo) programs=$phone_and_server ;;
        check) programs="$phone_and_server strace mkfs.ext4 faketime" ;;
        deb) programs='dpkg-buildpackage dh checkmodule semodule_package' ;;
        rpm) programs='rpmbuild checkmodule semodule_package' ;;
        bench) programs='oathtool strace valgrind' ;;
        *) programs= ;;
    esac
    for program in cc make $programs; do
        command -v "$program" >/dev/null || lacking="$lacking $program"
    done
    echo 'int pam_start(void); int main(void) { return pam_start(); }' |
        cc -x c - -lpam -o /dev/null 2>/dev/null || lacking="$lacking libpam-headers"
    case $purpose in
        demo | check) [ -x /usr/sbin/sshd ] || lacking="$lacking sshd" ;;
    esac
    [ -z "$lacking" ] || fail "missing:$lacking" \
        "what they are called here is not known to this script; on Debian: apt-get install $needed"
}

# Debian starts a daemon as soon as it is installed, and at every boot after.
keep_daemons_quiet() {
    policy=/usr/sbin/policy-rc.d
    [ ! -e $policy ] || return 0
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
    trap 'exit 1' HUP INT TERM
    printf '#!/bin/sh\nexit 101\n' >$policy
    chmod 755 $policy
}

keep_quiet_at_boot() {
    # $1: a package that was missing before; then its services
    case " $packages " in
        *" $1 "*) shift ;;
        *) return 0 ;;
    esac
    if command -v systemctl >/dev/null; then
        systemctl --no-reload disable "$@" >/dev/null 2>&1 || true
    fi
    for unit; do
        [ ! -e "/etc/init.d/${unit%.*}" ] || update-rc.d "${unit%.*}" disable >/dev/null 2>&1 || true
    done
    echo "install-deps: $* installed, but not enabled"
}

apt() {
    DEBIAN_FRONTEND=noninteractive apt-get -q "$@" </dev/null
}

case $purpose in
    page) ;;
    *) find_rust ;;
esac
case $purpose in
    apps | page)
        # Some builds of nodejs bring npm, Debian's does not.
        command -v npm >/dev/null || needed="$needed npm"
        # However they came: by a package of any name, or from elsewhere.
        [ "$purpose" = apps ] || ! command -v node >/dev/null || needed=${needed#nodejs}
        ;;
esac
if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    look_elsewhere
    exit 0
fi

# shellcheck disable=SC2086 # lists of words
packages=$(missing $needed)
# shellcheck disable=SC2086
optional=$(missing $wanted)
[ -n "$packages$optional" ] || exit 0

if [ "$(id -u)" -ne 0 ]; then
    if [ -n "$packages" ]; then
        fail "these packages are missing: $packages" \
            "apt-get update && apt-get install --no-install-recommends $packages$optional"
    fi
    echo "install-deps: tests of these packages are skipped: $optional"
    exit 0
fi

echo "install-deps: installing $packages$optional"
keep_daemons_quiet
apt update
for package in $optional; do
    if apt-cache show "$package" >/dev/null 2>&1; then
        packages="$packages$package "
    else
        echo "install-deps: there is no package $package here; its tests are skipped"
    fi
done
# shellcheck disable=SC2086
if ! apt install -y --no-install-recommends $packages; then
    [ "$purpose" = apps ] || exit 1
    # One by one: what one application lacks is not to stop the others.
    for package in $packages; do
        apt install -y --no-install-recommends "$package" ||
            echo "install-deps: $package cannot be installed; the run will say so"
    done
    lacking=$(missing $needed)
    [ -z "$lacking" ] || fail "these packages cannot be installed: $lacking"
fi
keep_quiet_at_boot openssh-server ssh.service ssh.socket
keep_quiet_at_boot cockpit-ws cockpit.socket
keep_quiet_at_boot fail2ban fail2ban.service
keep_quiet_at_boot postgresql postgresql.service
keep_quiet_at_boot sasl2-bin saslauthd.service
keep_quiet_at_boot freeradius freeradius.service
keep_quiet_at_boot openvpn openvpn.service
keep_quiet_at_boot squid squid.service
