# Runs as root in a mount namespace of its own whose mounts are private:
# nothing below is seen outside, and all of it ends with the namespace.
set -eu
umask 022

# /run first: it is empty from here on, so it can hold the rest.
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -m 755 /run/pam-otp-test /run/sshd /run/user
mkdir -m 711 /run/sudo
mkdir -m 1777 /run/lock
mkdir -m 700 /run/world
install -m 664 /dev/null /run/utmp
chgrp utmp /run/utmp 2>/dev/null || true

# Users, services and rules are the sandbox's own.
cp -a /etc /run/world/etc
keep_system_users /run/world/etc
mount --bind /run/world/etc /etc

mount -t tmpfs -o mode=755 tmpfs /home
mount -t tmpfs -o mode=700 tmpfs /root

# /var as it is, with changes kept here. Where the kernel cannot lay one file
# system over another (an overlay on overlays), an empty /var must do.
mkdir /run/world/var /run/world/var-work
options=lowerdir=/var,upperdir=/run/world/var,workdir=/run/world/var-work
if ! mount -t overlay -o "$options" overlay /var 2>/dev/null; then
    mount -t tmpfs -o mode=755 tmpfs /var
    mkdir -p /var/cache /var/lib/pam /var/lib/sudo /var/spool
    mkdir -m 1777 /var/tmp
    mkdir -m 2775 /var/mail
    chgrp mail /var/mail
    ln -s /run /var/run
    ln -s /run/lock /var/lock
fi
mkdir -p /var/log /var/lib/pam-otp
mount -t tmpfs -o mode=755 tmpfs /var/log
mount -t tmpfs -o mode=700 tmpfs /var/lib/pam-otp
touch /var/log/lastlog /var/log/wtmp
install -m 600 /dev/null /var/log/btmp

# /dev without /dev/log: the test listens there itself. Terminals stay the
# machine's (same devpts), so that one opened outside has a name inside.
mkdir /run/world/dev
mount -t tmpfs -o mode=755 tmpfs /run/world/dev
cd /run/world/dev
device() {
    mknod -m 666 "$1" c "$2" "$3" 2>/dev/null || {
        touch "$1"
        mount --bind "/dev/$1" "$1"
    }
}
device null 1 3
device zero 1 5
device full 1 7
device random 1 8
device urandom 1 9
device tty 5 0
# Opened, it looks for its brother "pts": a bind mount of it would not find it.
mknod -m 666 ptmx c 5 2 2>/dev/null || ln -s pts/ptmx ptmx
mkdir pts
mkdir -m 1777 shm
mount --rbind /dev/pts pts
ln -s /proc/self/fd fd
ln -s fd/0 stdin
ln -s fd/1 stdout
ln -s fd/2 stderr
cd /
mount --move /run/world/dev /dev
