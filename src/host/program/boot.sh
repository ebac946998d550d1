# What outlives a power cut: the timer is a process and ends with the power. While it waits, a hook at boot and
# this very program on disk stand by; the hook puts back what is still armed then.

HOOK=rocade-revert

# Sets unit_file and init_script to where the hook lies, under systemd and without it.
find_hook() {
    unit_file=./etc/systemd/system/$HOOK.service init_script=./etc/init.d/$HOOK
    wants=./etc/systemd/system/multi-user.target.wants
}

write_unit() {
    umask 022
    mkdir -p "$wants" || return 1
    printf '%s\n' '[Unit]' 'Description=Puts back what rocade changed and nobody confirmed' \
        "RequiresMountsFor=${shelf#.}" '[Service]' "ExecStart=/bin/sh ${shelf#.}/program boot /" \
        '[Install]' 'WantedBy=multi-user.target' >"$unit_file" && ln -sf "../$HOOK.service" "$wants/$HOOK.service"
}

write_script() {
    umask 022
    printf '%s\n' '#!/bin/sh' '### BEGIN INIT INFO' "# Provides:          $HOOK" \
        '# Required-Start:    $all' '# Required-Stop:' '# Default-Start:     2 3 4 5' '# Default-Stop:' \
        '# Short-Description: Puts back what rocade changed and nobody confirmed' '### END INIT INFO' \
        'export PATH=/usr/local/bin:/usr/bin:/bin' \
        "[ \"\$1\" != start ] || sh ${shelf#.}/program boot / </dev/null >/dev/null 2>&1 &" >"$init_script" &&
        chmod 755 "$init_script"
}

# Makes the program run at boot. Why says what is lacking when it cannot be.
set_hook() {
    find_hook
    if is_systemd; then
        why=$(write_unit 2>&1)
    elif [ -d ./etc/init.d ]; then
        why=$(write_script 2>&1) && link_service "$HOOK"
    else
        why='its init is neither systemd nor one with /etc/init.d'
        return 1
    fi
}

# Takes the hook away, unless somebody came in meanwhile and armed anew: it is that one's then.
drop_hook() {
    for armed in "$kept"/*/armed; do
        [ ! -e "$armed" ] || return 0
    done
    find_hook
    if [ -e "$unit_file" ]; then rm -f "$wants/$HOOK.service" "$unit_file"; fi
    [ -e "$init_script" ] || return 0
    rm -f "$init_script"
    if [ -z "$root" ] && command -v update-rc.d >/dev/null 2>&1; then aside update-rc.d "$HOOK" remove; fi
    rm -f ./etc/rc[0-6S].d/[SK][0-9][0-9]"$HOOK"
}

# Puts back what was armed, or was being put back, when the power went.
after_boot() {
    find_shelf none
    for state in "$kept"/*/armed "$kept"/*/reverting; do
        shelf=${state%/*}
        [ -e "$state" ] && [ ! -e "$shelf/reverted" ] || continue
        [ "$state" = "$shelf/reverting" ] || mv "$state" "$shelf/reverting" 2>/dev/null || continue
        put_back_alone
        tell_end
    done
    drop_hook
    sync
}

# One at a time puts back. The link says which process does; one that died at it is not waited for, and one that
# takes minutes no longer than that.
take_turn() {
    turn=$LOCK.turn waits=0
    mkdir -p "${LOCK%/*}" 2>/dev/null
    read -r me _ </proc/self/stat
    while [ "$waits" -lt 150 ] && ! ln -s "$me" "$turn" 2>/dev/null; do
        if is_alive "$(readlink "$turn")"; then sleep 2; else rm -f "$turn"; fi
        waits=$((waits + 1))
    done
}
