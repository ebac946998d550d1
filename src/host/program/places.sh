# What stands where. All files are asked for with one stat and one digest, however many there are.

is_absence() {
    case $1 in
        *': No such file or directory' | *': Not a directory') ;;
        *) return 1 ;;
    esac
}

# Whether nothing stands at a path; else why says what does, or why it cannot be told.
absent() {
    if why=$(stat -c %f "$1" 2>&1); then
        why='it is no regular file'
        return 1
    fi
    is_absence "$why"
}

# Whether any line of an error is something else than "not there".
is_odd() {
    IFS=$LINE; set -f
    for fault in $1; do
        is_absence "$fault" || { IFS=$BLANK; set +f; return 0; }
    done
    IFS=$BLANK; set +f
    return 1
}

# Says the numbers and names of a tree's own accounts or groups.
say_numbers() {
    what=$1 table=$2
    set --
    while IFS=: read -r name _ id _; do
        set -- "$@" "$id=$name"
    done <"$table"
    say "$what" "$@"
}

# Answers all questions for files at once: one stat, one digest.
answer_files() {
    [ -n "$files" ] || return 0
    names='%%U\037%%G'
    if [ -n "$root" ] && [ -r ./etc/passwd ] && [ -r ./etc/group ]; then
        names='%%u\037%%g'
        say_numbers owners ./etc/passwd
        say_numbers groups ./etc/group
    fi
    form=$(printf "\\036file\\037%%n\\037%%f\\037$names\\037%%s\\037")
    IFS=$LINE; set -f
    set -- $files
    IFS=$BLANK; set +f
    faults=$(stat -c "$form" "$@" 2>&1 >&3)
    if [ $? -gt 1 ] || is_odd "$faults"; then
        for path do
            why=$(stat -c "$form" "$path" 2>&1 >&3) || is_absence "$why" || {
                armor "$why"
                say file-unread "$path" "$word"
            }
        done
    fi
    count=$#
    while [ "$count" -gt 0 ]; do
        [ ! -f "$1" ] || [ -L "$1" ] || set -- "$@" "$1"
        shift
        count=$((count - 1))
    done
    [ $# -gt 0 ] || return 0
    say digests
    digest "$@" >&3 2>/dev/null
}

ask_content() {
    if [ -f "$1" ]; then
        if content=$(encode <"$1" 2>&1); then
            join "$content"
            reply content "$word"
        else
            unread "$content"
        fi
    elif absent "$1"; then
        reply content-none
    else
        unread "$why"
    fi
}

ask_below() {
    if [ -d "$1" ]; then
        reply names
        if why=$(find -H "$1" -type f ! -name '*[[:cntrl:]]*' 2>&1 >&3); then
            reply names-end
        else
            unread "$why"
        fi
    elif absent "$1"; then
        reply names
        reply names-end
    else
        unread "it is no directory"
    fi
}
