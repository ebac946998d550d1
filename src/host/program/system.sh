# The system itself, read from its own tables where a command would cost a process.

ask_facts() {
    title='' os='' version=''
    for place in ./etc/os-release ./usr/lib/os-release; do
        [ -r "$place" ] || continue
        while IFS='=' read -r key value; do
            value=${value#\"} value=${value%\"}
            case $key in
                ID) os=$value ;;
                VERSION_ID) version=$value ;;
                PRETTY_NAME) title=$value ;;
            esac
        done <"$place"
        break
    done
    python=python3
    [ ! -x /usr/bin/python3 ] || python=/usr/bin/python3
    python=$($python --version 2>/dev/null)
    read -r hostname </proc/sys/kernel/hostname
    read -r kernel </proc/sys/kernel/osrelease
    init=sysvinit
    is_systemd && init=systemd
    set -- "os=$os" "version=$version" "title=$title" "init=$init" "clock=$(date +%s)"
    [ -z "$python" ] || set -- "$@" "python=${python#Python }"
    reply facts "$@" "hostname=$hostname" "kernel=$kernel" "arch=$(uname -m)"
}

# Answers all questions for packages at once.
answer_packages() {
    [ -n "$packages" ] || return 0
    why='this host has no dpkg-query'
    if command -v dpkg-query >/dev/null 2>&1; then
        if [ -n "$root" ] && [ ! -e ./var/lib/dpkg/status ]; then return 0; fi
        form=$(printf '\036package\037${Package}\037${db:Status-Status}\037${Version}\037\\n')
        why=$(dpkg-query ${root:+--admindir=./var/lib/dpkg} -W -f="$form" $packages 2>&1 >&3)
        [ $? -gt 1 ] || return 0
    fi
    armor "$why"
    say packages-unread "$word"
}

ask_user() {
    [ -r ./etc/passwd ] || { reply user-none; return 0; }
    wanted=$1
    while IFS=: read -r name _ uid gid _ home shell; do
        [ "$name" = "$wanted" ] || continue
        set --
        [ ! -r ./etc/group ] || while IFS=: read -r group _ id members; do
            case "$id,$members," in
                "$gid,"* | *",$name,"*) set -- "$@" "$group" ;;
            esac
        done <./etc/group
        reply user "$uid" "$home" "$shell" "$@"
        return 0
    done <./etc/passwd
    reply user-none
}

# Sets b1 to b4 to the bytes of a word of /proc/net/tcp, which little-endian machines print in reverse.
bytes_of() {
    b1=${1#??????} b2=${1%??} b3=${1%????} b4=${1%??????}
    b2=${b2#????} b3=${b3#??}
}

ask_listening() {
    IFS=$LINE; set -f
    rows=$(grep -hi ': [0-9a-f:]* [0-9a-f:]* 0A ' /proc/net/tcp /proc/net/tcp6 2>/dev/null)
    sockets=''
    for row in $rows; do
        row=${row#*: } row=${row%% *}
        port=$((0x${row#*:})) row=${row%:*}
        case $row in
            ????????) bytes_of "$row"; socket="$((0x$b1)).$((0x$b2)).$((0x$b3)).$((0x$b4))" ;;
            *)
                socket=''
                while [ -n "$row" ]; do
                    bytes_of "${row%"${row#????????}"}"
                    row=${row#????????} socket="$socket:$b1$b2:$b3$b4"
                done
                socket="[${socket#:}]"
                ;;
        esac
        sockets="$sockets$socket:$port$LINE"
    done
    set -- $sockets
    IFS=$BLANK; set +f
    reply listening "$@"
}

ask_nft() {
    if ! command -v nft >/dev/null 2>&1; then
        reply content-none
    elif rules=$(nft "$@" 2>&1); then
        armor "$rules$LINE"
        reply content "$word"
    else
        case $rules in
            *'No such file or directory'*) reply content-none ;;
            *) unread "$rules" ;;
        esac
    fi
}
