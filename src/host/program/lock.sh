# The lock of those who write here: who holds it, until when (seconds since the start of the host), and words
# for others. It lies where nothing outlives a boot.

LOCK=./var/lock/rocade

read_lock() {
    holder='' until=0 words=''
    { IFS= read -r holder && IFS= read -r until && IFS= read -r words; } 2>/dev/null <"$LOCK"
    case $until in '' | *[!0-9]*) until=0 ;; esac
}

write_lock() {
    umask 022
    # The folder is everybody's: nobody's link is written through.
    rm -f "$LOCK.$$"
    set -C
    printf '%s\n' "$1" "$((up + $2))" "$3" >"$LOCK.$$" && mv -f "$LOCK.$$" "$LOCK"
}

# Only one at a time looks and takes. Who died in between is not waited for longer than it could take.
take_lock() {
    mkdir -p "${LOCK%/*}" || return 1
    for _ in 1 2 3 4 5; do
        ! mkdir "$LOCK.door" 2>/dev/null || break
        sleep 1
    done
    read_uptime
    read_lock
    if [ -z "$holder" ] || [ "$holder" = "$1" ] || [ "$until" -le "$up" ]; then
        write_lock "$@"
        taken=$?
    else
        echo "it is locked for $((until - up)) s more: $words"
        taken=1
    fi
    rmdir "$LOCK.door" 2>/dev/null
    return $taken
}

order_lock() {
    why=$(take_lock "$@" 2>&1)
}

order_unlock() {
    read_lock
    [ "$holder" != "$1" ] || rm -f "$LOCK"
}
