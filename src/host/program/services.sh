# Services under systemd and System V init. What a service runs with is remembered in a stamp below /run.

is_systemd() {
    if [ -n "$root" ]; then
        [ -e ./lib/systemd/systemd ] || [ -e ./usr/lib/systemd/systemd ]
    else
        [ -d /run/systemd/system ]
    fi
}

# Sets unit to the path of a service's unit file or init script, whichever its init prefers; empty when it
# has none.
find_unit() {
    set -- "./etc/init.d/$1" "./etc/systemd/system/$1.service" "./lib/systemd/system/$1.service" \
        "./usr/lib/systemd/system/$1.service"
    ! is_systemd || set -- "$2" "$3" "$4" "$1"
    for unit do
        [ ! -e "$unit" ] || return 0
    done
    unit=''
}

has_start_link() {
    for link in ./etc/rc[2345S].d/S[0-9][0-9]"$1" ./etc/systemd/system/*.wants/"$1.service"; do
        if [ -L "$link" ] || [ -e "$link" ]; then return 0; fi
    done
    return 1
}

# Whether a process is there and not only the record of its end.
is_alive() {
    case $1 in '' | *[!0-9]*) return 1 ;; esac
    read -r record 2>/dev/null <"/proc/$1/stat" || return 1
    case ${record##*) } in [ZX]*) return 1 ;; esac
}

# Sets pid to the process of a service that has no manager: 0 when there is none.
find_process() {
    # The script of a service named otherwise than its program (ssh, sshd) says where its record is.
    said=$(grep -o -e '--pidfile */[^ ;"]*' "./etc/init.d/$1" 2>/dev/null)
    for place in "/run/$1.pid" "/var/run/$1.pid" "/run/$1/$1.pid" "/var/run/$1/$1.pid" $said; do
        [ -r "$place" ] || continue
        pid=''
        read -r pid <"$place" || :
        ! is_alive "$pid" || return 0
    done
    pid=0
    for process in $(pidof "$1" 2>/dev/null); do
        ! is_alive "$process" || pid=$process
    done
}

# Sets present, enabled, running, pid and, without a process, began.
read_service() {
    present=0 enabled=0 running=0 pid=0 began=0
    if [ -n "$root" ] || ! is_systemd; then
        find_unit "$1"
        [ -n "$unit" ] || return 0
        present=1
        ! has_start_link "$1" || enabled=1
        # Nothing of an image or a chroot runs: there is nothing to start and nothing out of date.
        if [ -n "$root" ]; then running=1; return 0; fi
        find_process "$1"
        [ "$pid" = 0 ] || running=1
        return 0
    fi
    facts=LoadState,UnitFileState,ActiveState,MainPID,ActiveEnterTimestampMonotonic
    why=$(systemctl show -p "$facts" "$1" 2>&1) || return 1
    for pair in $why; do
        case $pair in
            LoadState=not-found) return 0 ;;
            LoadState=*) present=1 ;;
            UnitFileState=enabled* | UnitFileState=static) enabled=1 ;;
            UnitFileState=alias | UnitFileState=generated) enabled=1 ;;
            ActiveState=active | ActiveState=reloading) running=1 ;;
            MainPID=*) pid=${pair#*=} ;;
            ActiveEnterTimestampMonotonic=*) began=$((${pair#*=} / 1000000)) ;;
        esac
    done
}

# Sets watched to the files a service reads and loaded to their digests.
read_watched() {
    watched='' loaded=''
    for place do
        if [ -d ".$place" ]; then
            for file in ".$place"/*; do
                [ ! -f "$file" ] || watched="$watched$file$LINE"
            done
        elif [ -f ".$place" ]; then
            watched="$watched.$place$LINE"
        fi
    done
    [ -n "$watched" ] || return 0
    IFS=$LINE; set -f
    set -- $watched
    IFS=$BLANK; set +f
    loaded=$(digest "$@" 2>/dev/null)
}

# Sets run to the folder for what must not outlive a boot.
find_run() {
    for run in /run /var/run; do
        [ ! -d "$run" ] || break
    done
    run=$run/rocade
}

# Whether the process began after the last change of what it reads, with two seconds for rounding.
began_later() {
    boot=$(grep '^btime ' /proc/stat)
    if [ "$pid" != 0 ]; then
        read -r ticks <"/proc/$pid/stat" || return 1
        set -f
        set -- ${ticks##*) }
        set +f
        # Field 22, in hundredths of a second on every Linux we meet (proc(5)).
        began=$((${20} / 100))
    fi
    began=$((began + ${boot#btime }))
    IFS=$LINE; set -f
    set -- $watched
    IFS=$BLANK; set +f
    for changed in $(stat -c %Z "$@" 2>/dev/null); do
        [ "$began" -gt $((changed + 1)) ] || return 1
    done
}

ask_service() {
    name=$1
    shift
    read_service "$name" || { unread "$why"; return 0; }
    [ "$present" = 1 ] || { reply service-none; return 0; }
    current=$running
    if [ "$running" = 1 ] && [ -z "$root" ] && [ $# -gt 0 ]; then
        read_watched "$@"
        find_run
        stamp=$(cat "$run/$name.loaded" 2>/dev/null)
        if [ "$stamp" != "$pid${loaded:+$LINE$loaded}" ]; then
            [ "${stamp%%"$LINE"*}" != "$pid" ] && began_later || current=0
        fi
    fi
    reply service "$enabled" "$running" "$current"
}

# Makes a service without a manager start at boot.
link_service() {
    find_unit "$1"
    case $unit in
        '') why="there is no service $1"; return 1 ;;
        ./etc/init.d/*) ;;
        *)
            wants=./etc/systemd/system/multi-user.target.wants
            why=$( { umask 022; mkdir -p "$wants" && ln -sf "${unit#.}" "$wants/$1.service"; } 2>&1)
            return
            ;;
    esac
    if [ -z "$root" ] && command -v update-rc.d >/dev/null 2>&1; then
        aside update-rc.d "$1" defaults && aside update-rc.d "$1" enable
        ! has_start_link "$1" || return 0
    fi
    for level in 2 3 4 5; do
        links=./etc/rc$level.d
        why=$( { umask 022; mkdir -p "$links" && ln -sf "../init.d/$1" "$links/S99$1"; } 2>&1) || return 1
    done
}

unlink_service() {
    if [ -z "$root" ] && command -v update-rc.d >/dev/null 2>&1; then aside update-rc.d "$1" disable; fi
    why=$(rm -f ./etc/rc[2345S].d/S[0-9][0-9]"$1" ./etc/systemd/system/*.wants/"$1.service" 2>&1)
}

# Runs what may leave a daemon behind: it gets none of our streams, and its words go to a file.
aside() {
    if [ -z "$scratch" ]; then
        find_run
        if ! mkdir -p "$run" 2>/dev/null || ! [ -O "$run" ]; then run=$(mktemp -d) || return 1; fi
        scratch=$run/said.$$
    fi
    "$@" >"$scratch" 2>&1 3>&- 4<&- 5<&-
}

# Sets why to the end of what the last command aside said.
why_aside() {
    why=$(tail -c 2000 "$scratch")
    why="$1: ${why:-it ended with status $2}"
}

# Runs an init script. Its words go nowhere: its daemon may keep the stream for as long as it lives.
silently() {
    "$@" >/dev/null 2>&1 3>&- 4<&- 5<&- || { why="$* ended with status $?"; return 1; }
}

# Makes a service's manager do something.
act() {
    if is_systemd; then
        [ -z "$reload" ] || aside systemctl daemon-reload
        reload=''
        aside systemctl "$2" "$1" || { why_aside "systemctl $2 $1" $?; return 1; }
    elif command -v setsid >/dev/null 2>&1; then
        silently setsid "./etc/init.d/$1" "$2"
    else
        silently "./etc/init.d/$1" "$2"
    fi
}

# Waits until a service runs, after a restart as another process than before.
await_service() {
    for _ in 1 2 3 4 5; do
        read_service "$1" || return 1
        if [ "$running" = 1 ]; then
            if [ "$pid" = 0 ] || [ "$2" != restart ] || [ "$pid" != "$3" ]; then return 0; fi
        fi
        sleep 1
    done
    why="$1 does not run after its $2"
    return 1
}

order_service() {
    name=$1 deed=$2
    shift 2
    read_service "$name" || return 1
    [ "$present" = 1 ] || { why="there is no service $name"; return 1; }
    case $deed in
        enable | disable)
            if [ -z "$root" ] && is_systemd; then act "$name" "$deed"
            elif [ "$deed" = enable ]; then link_service "$name"
            else unlink_service "$name"
            fi
            return
            ;;
    esac
    if [ -n "$root" ]; then output='nothing runs under a prefix'; return 0; fi
    read_watched "$@"
    before=$pid
    if [ "$deed" != reload ]; then act "$name" "$deed"
    elif is_systemd; then act "$name" reload-or-restart
    elif [ "$running" = 0 ]; then act "$name" restart
    else act "$name" reload
    fi || return 1
    find_run
    if [ "$deed" = stop ]; then rm -f "$run/$name.loaded"; return 0; fi
    await_service "$name" "$deed" "$before" || return 1
    # A start of what ran already made it read nothing.
    if [ "$deed" = start ] && [ "$before" = "$pid" ]; then return 0; fi
    why=$({ mkdir -p "$run" && printf '%s\n' "$pid$LINE$loaded" >"$run/$name.loaded"; } 2>&1)
}
