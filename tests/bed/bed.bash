# Names, places and the lock of one bed; sourced by every command beside it.
# Rule: everything a bed makes carries BED_NAME or lies under BED_RUN or BED_STORE,
# so that `down` can remove exactly that and nothing else.
set -euo pipefail

BED_NAME=${BED_NAME:-bed}
BED_HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
BED_REPO=$(cd "$BED_HERE/../.." && pwd)
BED_STORE=${BED_STORE:-$BED_REPO/target/bed}
BED_RUN=/run/rocade-bed/$BED_NAME
BED_JSON=$BED_STORE/$BED_NAME.json
BED_OP=$BED_NAME-op
BED_KEY=$BED_STORE/identity/id_ed25519

# What root inside a host may not do, because it would be done to the whole machine:
# set the clock, load kernel modules, reach ports and memory, read the kernel's log.
BED_BOUNDS=-sys_time,-sys_module,-sys_rawio,-syslog,-mac_admin

die() {
    printf 'bed: %s\n' "$*" >&2
    exit 1
}

say() {
    printf 'bed: %s\n' "$*" >&2
}

# The hosts a bed can have: name, layer, address/prefix, operator's address on that
# network, bridge, login, and whether `up` starts it without being asked.
host_table() {
    cat <<'TABLE'
gateway  gateway  192.168.2.1/24      192.168.2.2    lan      admin   default
broker   debian   192.168.145.100/24  192.168.145.2  servers  debian  default
signage  debian   192.168.145.101/24  192.168.145.2  servers  debian  asked
TABLE
}

# Sets HOST, LAYER, CIDR, ADDRESS, VIA, BRIDGE, LOGIN, NETNS from the row of host $1.
host_row() {
    local row
    row=$(host_table | awk -v name="$1" '$1 == name')
    [[ -n $row ]] || die "no host named '$1' (there are: $(host_table | awk '{print $1}' | xargs))"
    read -r HOST LAYER CIDR VIA BRIDGE LOGIN _ <<<"$row"
    ADDRESS=${CIDR%/*}
    NETNS=$BED_NAME-$HOST
}

default_hosts() {
    host_table | awk '$NF == "default" {print $1}'
}

running_hosts() {
    local host
    for host in $(host_table | awk '{print $1}'); do
        [[ -e /run/netns/$BED_NAME-$host ]] && echo "$host"
    done
    return 0
}

# Where the SSH host keys of host $1 are kept between resets.
host_keys() {
    echo "$BED_STORE/identity/$BED_NAME-$1"
}

# The machine's id of the first process of host $1 (process 1 inside), or nothing.
host_init() {
    local pid ids
    for pid in $(ip netns pids "$BED_NAME-$1" 2>/dev/null); do
        ids=$(sed -n 's/^NSpid:[[:space:]]*//p' "/proc/$pid/status" 2>/dev/null) || continue
        if [[ $ids =~ [[:space:]]1$ ]]; then
            echo "$pid"
            return
        fi
    done
}

# The control group of host $1 on this machine (version 2), if it has any.
control_group() {
    local root
    root=$(findmnt --noheadings --first-only --types cgroup2 --output TARGET) || return 1
    echo "$root/rocade-bed-$BED_NAME-$1"
}

# Serialises the commands that change a bed. Whatever outlives the command must
# be started with `9>&-`, or it would hold the lock for ever.
bed_lock() {
    [[ $(id -u) == 0 ]] || die "namespaces and mounts need root"
    [[ $BED_NAME =~ ^[a-z][a-z0-9]*$ ]] || die "BED_NAME '$BED_NAME' must be lower-case letters and digits"
    mkdir -p "$BED_RUN" "$BED_STORE"
    exec 9>"/run/rocade-bed/$BED_NAME.lock"
    flock -n 9 || { say "waiting for another command on bed '$BED_NAME'"; flock 9; }
    mkdir -p "$BED_RUN"
    local owner
    owner=$(cat "$BED_RUN/owner" 2>/dev/null || true)
    if [[ -n $owner && $owner != "$BED_REPO" && -e /run/netns/$BED_OP ]]; then
        die "bed '$BED_NAME' is up for $owner; take it down there, or choose another BED_NAME"
    fi
    echo "$BED_REPO" >"$BED_RUN/owner"
}

need_bed() {
    [[ -e /run/netns/$BED_OP ]] || die "bed '$BED_NAME' is not up (tests/bed/up)"
}
