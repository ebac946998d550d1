# What stood here before an apply, kept on the host itself, so that it can be put back also when nobody can
# reach the host. It lies in a folder an apply: `list` has a line a thing, contents are in files named by the
# number of their line.

# Sets shelf to the folder of what is kept under a name: on a Conduit where an upgrade leaves it.
find_shelf() {
    kept=./var/lib/rocade/kept
    [ ! -d ./var/config ] || kept=./var/config/rocade/kept
    shelf=$kept/$1
}

is_listed() {
    while IFS=$UNIT read -r sort name _; do
        [ "$sort $name" != "$1 $2" ] || return 0
    done <"$shelf/list"
    return 1
}

list() {
    { printf '%s\037' "$@"; printf '\n'; } >>"$shelf/list"
}

# Keeps what stands at a path; of what is not there, also which folders above it are not.
keep_file() {
    ! is_listed file "$1" || return 0
    path=.$1
    if [ -L "$path" ]; then
        list file "$1" link "$(readlink "$path")"
    elif [ -f "$path" ]; then
        number=$(grep -c '' "$shelf/list")
        # Half a copy would hold room on a disk that has none left.
        cp "$path" "$shelf/$number" || { rm -f "$shelf/$number"; return 1; }
        sum=$(digest "$shelf/$number")
        list file "$1" file "$number" "${sum%% *}" $(stat -c '%a %u %g' "$path")
    elif [ -d "$path" ]; then
        list file "$1" directory $(stat -c '%a %u %g' "$path")
    elif absent "$path"; then
        above=${1%/*}
        [ -z "$above" ] || [ -e ".$above" ] || keep_file "$above" || return 1
        list file "$1" absent
    else
        echo "$1: $why"
        return 1
    fi
}

keep_service() {
    ! is_listed service "$1" || return 0
    read_service "$1" || { echo "$why"; return 1; }
    find_run
    number=$(grep -c '' "$shelf/list")
    tail -n +2 "$run/$1.loaded" >"$shelf/$number" 2>/dev/null
    list service "$1" "$present" "$enabled" "$running" "$number"
}

keep_page() {
    ! is_listed page "$1" || return 0
    number=$(grep -c '' "$shelf/list")
    page=$(fetch GET "$1") || { echo "${page%%"$LINE"*}"; return 1; }
    case ${page##*"$LINE"} in
        2??) ;;
        *) echo "GET $1 was answered with ${page##*"$LINE"}"; return 1 ;;
    esac
    printf '%s' "${page%"$LINE"*}" >"$shelf/$number" || { rm -f "$shelf/$number"; return 1; }
    list page "$1" "${page##*"$LINE"}" "$number"
}

# Keeps the rules of a table of nftables that are in force.
keep_table() {
    [ -z "$root" ] && ! is_listed table "$1" || return 0
    number=$(grep -c '' "$shelf/list")
    if ! command -v nft >/dev/null 2>&1; then
        list table "$1" ''
    elif why=$(nft list table $1 2>&1); then
        printf '%s\n' "$why" >"$shelf/$number" && list table "$1" "$number"
    else
        case $why in
            *'No such file or directory'*) list table "$1" '' ;;
            *) echo "$why"; return 1 ;;
        esac
    fi
}

keep_all() {
    umask 077
    mkdir -p "$shelf" || return 1
    [ -e "$shelf/list" ] || : >"$shelf/list" || return 1
    for thing do
        case $thing in
            file=*) keep_file "${thing#*=}" ;;
            service=*) keep_service "${thing#*=}" ;;
            page=*) keep_page "${thing#*=}" ;;
            table=*) keep_table "${thing#*=}" ;;
        esac || return 1
    done
    # The last few before it are worth their room. Its own name need not be the newest: clocks differ.
    set -- $(ls -1 "$kept" | grep -vxF "${shelf##*/}")
    while [ $# -gt 5 ]; do
        rm -rf "${kept:?}/$1" || return 1
        shift
    done
    sync
}

# An earlier apply that waits to be confirmed did not cut us off: we are here. One that is being put back is
# waited for.
settle_earlier() {
    for other in "$kept"/*/armed; do
        [ "$other" != "$shelf/armed" ] && [ -e "$other" ] || continue
        ! mv "$other" "${other%armed}confirmed" 2>/dev/null || drop_hook
    done
    for other in "$kept"/*/reverting; do
        [ -e "$other" ] || continue
        for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
            [ ! -e "${other%ing}ed" ] || break
            sleep 1
        done
    done
}

order_keep() {
    find_shelf "$1"
    shift
    settle_earlier
    why=$(keep_all "$@" 2>&1 3>&-) || { why="keeping what is there: $why"; return 1; }
}

# Whether a path is as the list has it.
is_same() {
    path=.$1
    case $2 in
        file)
            [ -f "$path" ] && [ ! -L "$path" ] && [ "$(stat -c '%a %u %g' "$path")" = "$5 $6 $7" ] &&
                sum=$(digest "$path") && [ "${sum%% *}" = "$4" ]
            ;;
        link) [ -L "$path" ] && [ "$(readlink "$path")" = "$3" ] ;;
        directory) [ -d "$path" ] && [ ! -L "$path" ] && [ "$(stat -c '%a %u %g' "$path")" = "$3 $4 $5" ] ;;
        absent) absent "$path" ;;
    esac
}

# Whether a folder that was not there stays because something is in it.
is_others() {
    [ "$2" = absent ] && [ -d ".$1" ] && [ ! -L ".$1" ]
}

put_back() {
    path=.$1 folder=.${1%/*}
    case $2 in
        file)
            temp=$folder/.${1##*/}.rocade-$$
            [ -d "$folder" ] || mkdir -p "$folder" || return 1
            if [ -d "$path" ] && [ ! -L "$path" ]; then echo "a directory stands at $1"; return 1; fi
            cp "$shelf/$3" "$temp" && chown "$6:$7" "$temp" && chmod "$5" "$temp" && sync "$temp" || return 1
            if [ -L "$path" ] && [ -d "$path" ]; then rm -f "$path" || return 1; fi
            mv -f "$temp" "$path" && temp=''
            ;;
        link) rm -f "$path" && ln -s -- "$3" "$path" ;;
        directory) mkdir -p "$path" && chown "$4:$5" "$path" && chmod "$3" "$path" ;;
        absent) if [ -d "$path" ] && [ ! -L "$path" ]; then rmdir "$path"; else rm -f "$path"; fi ;;
    esac
}

# Remembers the first thing that went wrong. The rest is put back all the same: it may be our way in.
regret() {
    [ -n "$regretted" ] || regretted=${why:-it failed without a word}
}

# Ends what did not run and was not started at boot, while its script is still there.
end_newcomers() {
    while IFS=$UNIT read -r sort name here boots ran _ <&5; do
        [ "$sort" = service ] || continue
        read_service "$name" || { regret; continue; }
        [ "$present" = 1 ] || continue
        [ "$ran" = 1 ] || [ "$running" = 0 ] || order_service "$name" stop || regret
        [ "$boots" = 1 ] || [ "$enabled" = 0 ] || order_service "$name" disable || regret
        [ "$here" = 1 ] || rm -f ./etc/rc[0-6S].d/[SK][0-9][0-9]"$name" || regret
    done 5<"$shelf/list"
}

put_files_back() {
    sed '1!G;h;$!d' "$shelf/list" >"$shelf/reversed" || { why='there is no room to put it back'; regret; return; }
    while IFS=$UNIT read -r sort name a b c d e f _ <&5; do
        [ "$sort" = file ] || continue
        ! is_same "$name" "$a" "$b" "$c" "$d" "$e" "$f" || continue
        why=$(put_back "$name" "$a" "$b" "$c" "$d" "$e" "$f" 2>&1) || is_others "$name" "$a" ||
            { regret; continue; }
        moved="$moved$name$LINE"
        case $name in */systemd/system/*) reload=1 ;; esac
    done 5<"$shelf/reversed"
}

# Starts again what ran, with what it reads now; its stamp is the one it had.
start_again() {
    while IFS=$UNIT read -r sort name here boots ran stamp _ <&5; do
        [ "$sort" = service ] && [ "$here" = 1 ] || continue
        read_service "$name" || { regret; continue; }
        [ "$boots" = 0 ] || [ "$enabled" = 1 ] || order_service "$name" enable || regret
        [ "$ran" = 1 ] && { [ -n "$moved" ] || [ "$running" = 0 ]; } || continue
        order_service "$name" restart || { regret; continue; }
        [ -n "$root" ] || [ ! -s "$shelf/$stamp" ] ||
            { echo "$pid"; cat "$shelf/$stamp"; } >"$run/$name.loaded"
    done 5<"$shelf/list"
}

# Puts rules in force again, or takes away those that were not there.
put_tables_back() {
    while IFS=$UNIT read -r sort name rules _ <&5; do
        [ "$sort" = table ] && command -v nft >/dev/null 2>&1 || continue
        if [ -n "$rules" ]; then
            why=$({ echo "table $name {}"; echo "delete table $name"; cat "$shelf/$rules"; } | nft -f - 2>&1) || regret
        elif nft list table $name >/dev/null 2>&1; then
            why=$(nft delete table $name 2>&1) || regret
        fi
    done 5<"$shelf/list"
}

# Reads again what was put back.
check_back() {
    while IFS=$UNIT read -r sort name a b c d e f _ <&5; do
        case $sort in
            file)
                is_same "$name" "$a" "$b" "$c" "$d" "$e" "$f" || is_others "$name" "$a" ||
                    { why="$name is not as it was"; regret; }
                ;;
            service)
                read_service "$name" || { regret; continue; }
                [ "$running" = "$c" ] || { why="$name does not run as it did"; regret; }
                ;;
        esac
    done 5<"$shelf/list"
}

revert() {
    moved='' regretted=''
    take_turn
    end_newcomers
    put_files_back
    start_again
    put_tables_back
    [ -z "$reload" ] || ! is_systemd || [ -n "$root" ] || aside systemctl daemon-reload
    reload=''
    sync
    check_back
    rm -f "$turn"
    # What services said meanwhile is not asked for.
    output=$moved why=$regretted
    [ -z "$regretted" ]
}

order_revert() {
    find_shelf "$1"
    [ -e "$shelf/list" ] || { why="nothing is kept as $1"; return 1; }
    limit='' waited=''
    ! mv "$shelf/armed" "$shelf/reverting" 2>/dev/null || waited=1
    if revert; then told=ok; else told=$why; fi
    [ -z "$waited" ] || drop_hook
    why=$told
    echo "$told" >"$shelf/reverted"
    [ "$told" = ok ]
}

# Sets up to the seconds since the host was started: a clock that nobody sets.
read_uptime() {
    read -r up _ </proc/uptime
    up=${up%%.*}
}

# Gives the one who is to confirm more time, and what is done meanwhile as much as it may take. Fails when the
# time ran out: what would still be done would stand beside what was put back.
extend() {
    [ -n "$limit" ] || return 0
    if [ ! -e "$limit" ]; then why='the time ran out and it was put back'; return 1; fi
    read_uptime
    echo "$((up + 1 + patience + ${1:-0}))" >"$limit" || { why='the timer cannot be set'; return 1; }
}

# Waits for the time to run out, unless somebody confirmed, and puts back what was kept. A full disk leaves the
# time empty: the last one that could be read counts.
watch_over() {
    ends=$((up + 1 + patience))
    while [ -e "$limit" ]; do
        until=''
        read -r until <"$limit"
        case $until in '' | *[!0-9]*) ;; *) ends=$until ;; esac
        read_uptime
        [ "$ends" -gt "$up" ] || break
        sleep 1
    done
    mv "$limit" "$shelf/reverting" 2>/dev/null || return 0
    sleep 1
    put_back_alone
    drop_hook
    tell_end
}

# Puts back what nobody confirmed; told is what is to be said of it.
put_back_alone() {
    told=ok
    revert || told=$why
    drop_unsaved
}

# A gateway's API has settings that run and settings that are saved. What ran unsaved when nothing was unsaved
# before is ours: it is dropped. What was saved is left to rocade.
drop_unsaved() {
    while IFS=$UNIT read -r sort name _ number _ <&5; do
        case $sort$name in page*/api/system) ;; *) continue ;; esac
        grep -q '"dbDirty" *: *false' "$shelf/$number" || continue
        page=$(fetch GET "$name") || continue
        case $page in
            *'"dbDirty":true'* | *'"dbDirty": true'* | *'"dbDirty" : true'*)
                fetch POST "${name%/system}/command/revert" </dev/null >/dev/null
                ;;
        esac
    done 5<"$shelf/list"
}

tell_end() {
    echo "$told" >"$shelf/reverted.new"
    mv "$shelf/reverted.new" "$shelf/reverted"
}

order_arm() {
    find_shelf "$1"
    [ -e "$shelf/list" ] || { why="nothing is kept as $1"; return 1; }
    limit=$shelf/armed patience=$2
    content "$3" "$4" | decode >"$shelf/program" || { why='there is no room for the timer'; return 1; }
    skip_filling "$3" >/dev/null || return 1
    [ ! -e "$limit" ] || { extend; return 0; }
    rm -f "$shelf/confirmed" "$shelf/reverted" "$shelf/reverting"
    lacking=''
    set_hook || lacking=$why
    : >"$limit" && extend && sync || { why="the timer cannot be set"; return 1; }
    output=$lacking
    { trap '' HUP; trap - EXIT INT TERM PIPE; watch_over; clean; } </dev/null >/dev/null 2>&1 3>&- 4<&- &
}

order_confirm() {
    find_shelf "$1"
    limit=''
    if [ -e "$shelf/reverting" ] || ! mv "$shelf/armed" "$shelf/confirmed" 2>/dev/null; then
        why='the time ran out and it was put back'
        return 1
    fi
    drop_hook
    sync
}
