# keep_system_users ETC: takes the machine's people out of a copy of /etc, so
# that a test's users can have any name. Kept are user ids below 1000, nobody,
# and the groups of these.
keep_system_users() (
    umask 077
    etc=$1
    leaves='$1 ~ /^[^+-]/ && $3 >= 1000 && $1 != "nobody"'
    people=$(awk -F: "$leaves { print \$1 }" "$etc/passwd")
    ids=$(awk -F: "$leaves { print \$3 }" "$etc/passwd")
    primary=$(awk -F: "!($leaves) { print \$4 }" "$etc/passwd")
    groups=$(primary=$primary awk -F: '
        BEGIN { n = split(ENVIRON["primary"], a, " "); while (n) kept[a[n--]] }
        $1 ~ /^[^+-]/ && $3 >= 1000 && $1 !~ /^(nobody|nogroup)$/ && !($3 in kept) { print $1 }
    ' "$etc/group")
    export people ids groups

    # Above the machine's own ids: a test's user is nobody who is logged in here.
    free=$(awk -F: '$3 >= 1000 && $3 < 50000 && $3 > top { top = $3 }
        END { print (top ? top + 1 : 1000) }' "$etc/passwd" "$etc/group")

    rewrite() {
        [ -f "$etc/$1" ] || return 0
        awk -F: -v OFS=: '
            function words(name, into,   n, a) {
                n = split(ENVIRON[name], a, " ")
                while (n) into[a[n--]]
            }
            function without(members,   n, i, a, left) {
                n = split(members, a, ",")
                for (i = 1; i <= n; i++)
                    if (!(a[i] in person)) left = left (left == "" ? "" : ",") a[i]
                return left
            }
            BEGIN { words("people", person); words("ids", id); words("groups", group) }
        '"$2" "$etc/$1" >"$etc/.people"
        # Into the file that is there: owner and mode stay.
        cat "$etc/.people" >"$etc/$1"
        rm "$etc/.people"
    }
    rewrite passwd '!($1 in person)'
    rewrite shadow '!($1 in person)'
    rewrite group '!($1 in group) { if (NF >= 4) $4 = without($4); print }'
    rewrite gshadow '!($1 in group) { if (NF >= 4) { $3 = without($3); $4 = without($4) } print }'
    rewrite subuid '!($1 in person) && !($1 in id)'
    rewrite subgid '!($1 in person) && !($1 in id)'

    for key in UID_MIN GID_MIN; do
        [ ! -f "$etc/login.defs" ] || sed -i "/^$key[[:space:]]/d" "$etc/login.defs"
        echo "$key $free" >>"$etc/login.defs"
    done
    # What the machine's people may do goes with them; so do people who come from
    # a directory.
    rm -f "$etc"/sudoers.d/*
    [ ! -f "$etc/nsswitch.conf" ] ||
        sed -i -E '/^(passwd|group|shadow|gshadow|initgroups|subid):/s/[[:space:]]+(sss|ldap|winbind|nis)\>//g' \
            "$etc/nsswitch.conf"
)
