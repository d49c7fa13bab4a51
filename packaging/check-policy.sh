# shellcheck shell=sh
# Says whether the policy file is one that logins deny by. Mends nothing: what
# was meant is the administrator's to say.
check_policy() {
    if said=$(pam-otp status --json </dev/null 2>&1); then
        return
    fi
    case $said in
        *'"bad_policy"'*) ;;
        *) return ;;
    esac
    {
        echo 'pam-otp: error: the policy has a mistake; until it is mended, every login that asks for a code is refused:'
        pam-otp status </dev/null 2>&1 | sed 's/^/    /'
        echo 'pam-otp: hint: nothing was changed; keep a root session open, mend the file, and run: pam-otp status'
    } >&2
}
