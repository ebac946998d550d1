# Packages, accounts and programs. Their words go to a file, since a daemon may keep hold of a pipe.

in_tree() {
    if [ -n "$root" ]; then chroot . "$@"; else "$@"; fi
}

apt() {
    aside in_tree env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=120 \
        -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold "$@"
}

order_install() {
    updated=''
    set -- "$1" ./var/lib/apt/lists/*_Packages*
    [ -e "$2" ] || { updated=1; apt update; }
    apt install --no-install-recommends "$1" && return 0
    [ -n "$updated" ] || { apt update && apt install --no-install-recommends "$1" && return 0; }
    why_aside "apt-get install $1" $?
    return 1
}

order_user() {
    if [ -r ./etc/passwd ]; then
        while IFS=: read -r name _; do
            [ "$name" != "$1" ] || return 0
        done <./etc/passwd
    fi
    if command -v useradd >/dev/null 2>&1; then
        set -- "$1" --system --user-group --home-dir "$2" --shell /usr/sbin/nologin
        aside useradd ${root:+--prefix "$root"} "$@"
    else
        aside in_tree adduser -S -D -H -h "$2" -s /bin/false "$1"
    fi || { why_aside "making the account $1" $?; return 1; }
}

order_trial() {
    seconds=$1
    shift
    aside in_tree timeout "$seconds" "$@"
    code=$?
    # 124: still running then (GNU, BusyBox from 1.30 on); 143: the same, from BusyBox before that.
    case $code in 0 | 124 | 143) return 0 ;; esac
    why_aside "$1" "$code"
    return 1
}

feed() {
    blocks=$1 inline=$2
    shift 2
    content "$blocks" "$inline" | decode | aside in_tree "$@"
}

order_run() {
    # The file for its words is made here, since a pipe's parts cannot tell us its name.
    aside true
    feed "$@"
    code=$?
    skip_filling "$1" || return 1
    if [ "$code" != 0 ]; then why_aside "$3" "$code"; return 1; fi
    output=$(cat "$scratch")
}
