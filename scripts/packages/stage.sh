#!/bin/sh
# usage: stage.sh ROOT debian|redhat [PAGE-ROOT]
#
# Puts below ROOT what packages have besides what `make install` puts there. The page
# for Cockpit goes below PAGE-ROOT, if its package is another tree.
set -eu
cd "$(dirname "$0")/../.."
. scripts/packages/lib.sh

root=$1
family=$2
page_root=${3:-$root}
doc=$root/usr/share/doc/pam-otp

put() {
    # $1: the file; then where it goes
    install -D -m 644 "$1" "$root$2"
}

case $family in
    debian)
        # Where Debian's zsh looks.
        mv "$root/usr/share/zsh/site-functions" "$root/usr/share/zsh/vendor-completions"
        for profile in packaging/pam-configs/*; do
            put "$profile" "/usr/share/pam-configs/${profile##*/}"
        done
        ;;
    redhat)
        put packaging/authselect/postlogin /usr/share/doc/pam-otp/authselect/postlogin
        ;;
esac

put packaging/tmpfiles.d/pam-otp.conf /usr/lib/tmpfiles.d/pam-otp.conf
# Wanted by the link, which no package script need make; `systemctl mask` ends it.
units=/usr/lib/systemd/system
put packaging/systemd/pam-otp-setup.service "$units/pam-otp-setup.service"
install -d "$root$units/multi-user.target.wants"
ln -sf ../pam-otp-setup.service "$root$units/multi-user.target.wants/pam-otp-setup.service"
install -d -m 700 "$root/var/lib/pam-otp"
put packaging/fail2ban/filter.d/pam-otp.conf /etc/fail2ban/filter.d/pam-otp.conf
put packaging/fail2ban/jail.d/pam-otp.conf /etc/fail2ban/jail.d/pam-otp.conf

scripts/packages/selinux.sh "$root/usr/share/selinux/packages/pam-otp"

# What users and administrators read; how it is built stays in the source.
for page in README.md SECURITY.md docs/formats.md docs/json.md docs/json-schema.json \
    docs/legacy-formats.md docs/logs.md docs/migrating.md docs/packages.md docs/stacks.md \
    docs/stores.md docs/threats.md; do
    # Where the links between them lead.
    put "$page" "/usr/share/doc/pam-otp/$page"
done
scripts/packages/third-party.sh >"$doc/THIRD-PARTY"
chmod 644 "$doc/THIRD-PARTY"

page=$root/usr/share/cockpit
if with_page; then
    install -d "$page_root/usr/share/doc/cockpit-pam-otp"
    mv "$page/pam-otp/LICENSES.txt" "$page_root/usr/share/doc/cockpit-pam-otp/THIRD-PARTY"
    [ "$page_root" = "$root" ] || mv "$page" "$page_root/usr/share/"
else
    rm -rf "$page"
fi
