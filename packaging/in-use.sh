# shellcheck shell=sh
# Prints the PAM stacks below $1 that name pam_otp.so, one a line. Without the
# module each of them refuses everybody. Left out is what no service is called
# by: files that a package or an editor set aside.
stacks_in_use() {
    for stack in "$1"/etc/pam.d/* "$1"/usr/lib/pam.d/* "$1"/usr/etc/pam.d/* "$1"/etc/pam.conf; do
        case $stack in
            *.dpkg-* | *.ucf-* | *.rpmnew | *.rpmsave | *.rpmorig | *.pam-old | *'~') continue ;;
        esac
        if [ -f "$stack" ] && grep -q '^[^#]*pam_otp\.so' "$stack"; then
            echo "$stack"
        fi
    done
}

# Says that they do, and what to do.
refuse_removal() {
    {
        echo 'pam-otp: error: these PAM stacks still name pam_otp.so, and without it they refuse everybody:'
        echo "$1" | sed 's/^/    /'
        echo 'pam-otp: hint: take the pam_otp.so lines out of them (what setup has put there: pam-otp setup SERVICE --undo), then remove the package again'
    } >&2
    exit 1
}
