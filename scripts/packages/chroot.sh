# shellcheck shell=bash
# Fresh Debian systems to try packages in. To be read with `.` after lib.sh, and
# only in a mount namespace of one's own: see in_namespace.
#
# A system is made by debootstrap once and kept packed in target/packages; it has
# no network, no daemon, and what the tests drive logins with.

# The whole script again, where mounts are nobody else's and end with it.
in_namespace() {
    if [ -z "${PAM_OTP_NAMESPACE:-}" ]; then
        PAM_OTP_NAMESPACE=1 exec unshare --mount --propagation private "$0" "$@"
    fi
}

# Makes sure that the packed system of suite $1 is there; or one called $2 of that
# suite, with the packages $3 as well.
debian() {
    packed=$packages/${2:-$1}.tar
    [ ! -f "$packed" ] || return 0
    echo "chroot: making Debian $1"
    made=${packed%.tar}.new
    rm -rf "$made"
    # shellcheck disable=SC2086 # the mirror is a word or nothing
    debootstrap --variant=minbase --include="pamtester,oathtool,expect${3:+,$3}" "$1" "$made" \
        ${DEBIAN_MIRROR:-} >"${packed%.tar}.log" 2>&1 || {
        tail -n 20 "${packed%.tar}.log" >&2
        fail "debootstrap of $1 failed" 'DEBIAN_MIRROR=ADDRESS names another mirror'
    }
    rm -f "$made"/var/cache/apt/archives/*.deb
    tar -C "$made" --one-file-system -cf "$packed.new" .
    mv "$packed.new" "$packed"
    rm -rf "$made"
}

# Unpacks the packed system $1 at $root. Its files are in memory: they are
# gone with the namespace.
fresh() {
    root=$packages/root
    mkdir -p "$root"
    ! mountpoint -q "$root" || umount -R "$root"
    mount -t tmpfs -o mode=755 tmpfs "$root"
    tar -C "$root" -xf "$packages/$1.tar"
    mount -t proc proc "$root/proc"
    mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
    ln -sf pts/ptmx "$root/dev/ptmx"
    install -m 755 scripts/packages/login.exp "$root/usr/local/bin/log-in"
    inside useradd --create-home alice
    echo alice:correct-horse | inside chpasswd
}

# Runs a command in it.
inside() {
    env -i PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 HOME=/root \
        DEBIAN_FRONTEND=noninteractive chroot "$root" "$@"
}

# What is on the disk, but for what dpkg, apt and debconf keep for themselves.
everything() {
    (cd "$root" && find . -xdev \( -path ./var/lib/dpkg -o -path ./var/cache -o -path ./var/log \
        -o -path ./var/lib/apt -o -path ./var/lib/pam/seen -o -path ./proc -o -path ./dev \
        -o -path ./tmp -o -path ./root \) -prune -o -print | sort)
}

# Whether $package was built for a newer libc than is here, so that it does not run.
too_new() {
    needed=$(dpkg-deb -f "$package" Depends | grep -o 'libc6 (>= [^)]*' | sed 's/.* //')
    has=$(inside dpkg-query --show --showformat='${Version}' libc6)
    dpkg --compare-versions "$has" lt "$needed" || return 1
    echo "${0##*/}: $suite: LEFT OUT: this package needs libc6 $needed, and there it is $has"
}

# Logs in: service, user, password, code. Prints the questions and the end.
log_in() {
    inside log-in "$@"
}

# Enrols alice; $key is her phone's, and $root/root/codes has her recovery codes.
enrol_alice() {
    key=$(inside pam-otp enroll --user alice --json | field key)
    code_now | inside pam-otp confirm --user alice --json |
        grep -o '"recovery_codes":\[[^]]*\]' | grep -o '[0-9a-z]\{4\}-[0-9a-z-]*' >"$root/root/codes"
    [ -s "$root/root/codes" ] || broken 'no recovery codes'
}

# A text field of a JSON answer.
field() {
    sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"
}

code_now() {
    oath '30 seconds ago'
}

# The code of the step after that of the enrolment.
code_next() {
    oath 'now'
}

oath() {
    inside oathtool --totp --base32 --now "$1" "$key"
}

# One that has not been used. A login by it needs no phone, and no waiting.
recovery_code() {
    head -n 1 "$root/root/codes"
    sed -i 1d "$root/root/codes"
}

# Tests.

# It says what is not so, and in which test.
broken() {
    echo "${0##*/}: error: $suite: $test: $1" >&2
    exit 1
}

run_tests() {
    # Each by its name, in order: one goes on from what the last has left.
    for test; do
        "$test"
        echo "${0##*/}: $suite: $test: ok"
    done
}

expect_text() {
    # $1: what it says; $2: what it should
    case $1 in
        *"$2"*) ;;
        *) broken "\"$2\" is not in: $1" ;;
    esac
}

refused() {
    # the output of a command that must fail
    if said=$("$@" 2>&1); then
        broken "should have been refused: $*: $said"
    fi
}

done_well() {
    said=$("$@" 2>&1) || broken "failed: $*: $said"
}

same() {
    [ "$1" = "$2" ] || broken "\"$1\" is not \"$2\""
}
