# Files in place. A file is written beside its place, flushed and renamed: it is the old one or the new one.

# Prints the base64 that came with a request: within its line, or in blocks behind it.
content() {
    if [ "$1" = 0 ]; then
        printf '%s\n' "$2"
    elif dd bs=1 count=0 iflag=fullblock 2>/dev/null; then
        dd bs=4096 count="$1" iflag=fullblock <&4 2>/dev/null
    else
        IFS= read -r row <&4
        printf '%s\n' "$row"
    fi
}

# Reads what stands behind the blocks of a request; fails when the stream was cut within them.
skip_filling() {
    [ "$1" != 0 ] || return 0
    while IFS= read -r row <&4; do
        case $row in
            '') ;;
            .) return 0 ;;
            *) break ;;
        esac
    done
    why='the contents did not arrive whole'
    echo "$why"
    return 1
}

# Sets found to the number an account has in a tree with its own accounts, else to its name.
find_number() {
    found=$2
    [ -n "$root" ] && [ -r "$1" ] || return 0
    while IFS=: read -r name _ id _; do
        if [ "$name" = "$2" ]; then found=$id; return 0; fi
    done <"$1"
}

own() {
    find_number ./etc/passwd "$3"
    owner=$found
    find_number ./etc/group "$4"
    chown "$owner:$found" "$1" && chmod "$2" "$1"
}

# Whether a new file in a folder belongs to root:root without being told.
is_born_roots() {
    [ "$2:$3" = root:root ] && [ -O / ] && [ ! -g "$1" ]
}

# Writes contents beside their place and puts them there; runs in a process of its own.
store() {
    # What is begun can be read by nobody whom the whole will not let read.
    born=''
    ! is_born_roots "$folder" "$5" "$6" || case $4 in
        0644 | 644) born=022 ;;
        0640 | 640) born=027 ;;
        0600 | 600) born=077 ;;
    esac
    umask "${born:-077}"
    set -C
    content "$1" "$2" | decode >"$temp" || return 1
    skip_filling "$1" || return 1
    [ -n "$born" ] || own "$temp" "$4" "$5" "$6" || return 1
    sync "$temp" || return 1
    # A link to a folder would take the file into that folder.
    if [ -L "$3" ] && [ -d "$3" ]; then rm -f "$3" || return 1; fi
    mv -f "$temp" "$3"
}

order_put() {
    path=.$3 folder=.${3%/*}
    if [ -d "$path" ] && [ ! -L "$path" ]; then why="a directory stands at $3"; return 1; fi
    [ -d "$folder" ] || why=$(umask 022; mkdir -p "$folder" 2>&1) || return 1
    for stale in "$folder/.${3##*/}.rocade-"*; do
        [ ! -e "$stale" ] || rm -f "$stale"
    done
    temp=$folder/.${3##*/}.rocade-$$
    why=$(store "$1" "$2" "$path" "$4" "$5" "$6" 2>&1) || { rm -f "$temp"; temp=''; return 1; }
    temp=''
    case $3 in */systemd/system/*) reload=1 ;; esac
}

order_own() {
    if [ -L ".$1" ]; then why="a symbolic link stands at $1"; return 1; fi
    why=$(own ".$1" "$2" "$3" "$4" 2>&1)
}

order_directory() {
    why=$(umask 022; mkdir -p ".$1" 2>&1) && why=$(own ".$1" "$2" "$3" "$4" 2>&1)
}

order_remove() {
    if [ -d ".$1" ] && [ ! -L ".$1" ]; then why="a directory stands at $1"; return 1; fi
    why=$(rm -f ".$1" 2>&1)
    case $1 in */systemd/system/*) reload=1 ;; esac
}
