# Starting and stopping one host. Rule: a host is a chain of processes in its own
# network namespace and nothing else: its mounts are private to them and its written
# files lie in their memory, so ending the processes resets it and leaves nothing.

# Starts host $1 from its factory state; its log is $BED_RUN/NAME.log.
start_host() {
    host_row "$1"
    make_host_keys "$1"
    nsenter --net="/run/netns/$NETNS" unshare --mount --uts --ipc --propagation private \
        setsid "$BED_HERE/power" "$1" "$(layer_tree "$LAYER"):$(base_tree)" \
        </dev/null >>"$BED_RUN/$1.log" 2>&1 9>&- &
    disown
    wait_for_boot "$1"
}

stop_host() {
    end_processes "$BED_NAME-$1"
    remove_control_group "$1"
}

remove_control_group() {
    local group
    group=$(control_group "$1") || return 0
    [[ ! -d $group ]] || find "$group" -depth -type d -exec rmdir {} +
}

# Ends every process of namespace $1. The first process of a host takes all others
# with it; the loop waits until the kernel has let go of the last one.
end_processes() {
    local pids turn
    for turn in {1..100}; do
        pids=$(ip netns pids "$1" 2>/dev/null | grep -vx "$$" || true)
        [[ -n $pids ]] || return 0
        kill -KILL $pids 2>/dev/null || true
        sleep 0.1
    done
    die "processes of $1 do not end: $(xargs <<<"$pids")"
}

wait_for_boot() {
    local init turn
    for turn in {1..300}; do
        init=$(host_init "$1")
        [[ -n $init ]] && has_booted "$init" && return
        sleep 0.1
    done
    tail -n 20 "$BED_RUN/$1.log" >&2
    die "$1 did not come up in 30 s"
}

# Whether the init of a host has started what is enabled at boot.
has_booted() {
    if [[ -d /proc/$1/root/run/systemd/system ]]; then
        nsenter --target "$1" --mount --pid --root systemctl is-active --quiet multi-user.target 2>/dev/null
    else
        [[ -e /proc/$1/root/run/booted ]]
    fi
}

make_host_keys() {
    local keys
    keys=$(host_keys "$1")
    mkdir -p "$keys"
    [[ -e $keys/ssh_host_ed25519_key ]] ||
        ssh-keygen -q -t ed25519 -N '' -C "root@$1" -f "$keys/ssh_host_ed25519_key"
    [[ -e $keys/ssh_host_rsa_key ]] ||
        ssh-keygen -q -t rsa -b 2048 -N '' -C "root@$1" -f "$keys/ssh_host_rsa_key"
}

forget_host_keys() {
    rm -rf "$(host_keys "$1")"
}

# Tells tests where everything is; written anew whenever a host changed.
write_json() {
    local host separator=
    {
        printf '{\n  "name": "%s",\n  "operator_namespace": "%s",\n' "$BED_NAME" "$BED_OP"
        printf '  "identity_key_path": "%s",\n  "commands": "%s",\n  "hosts": {' "$BED_KEY" "$BED_HERE"
        for host in $(running_hosts); do
            host_row "$host"
            printf '%s\n' "$separator"
            host_json
            separator=,
        done
        printf '\n  }\n}\n'
    } >"$BED_JSON.new"
    chmod 600 "$BED_JSON.new"
    mv "$BED_JSON.new" "$BED_JSON"
}

host_json() {
    local public
    public=$(host_keys "$HOST")/ssh_host_ed25519_key.pub
    printf '    "%s": {\n      "address": "%s", "port": 22, "network": "%s", "operator_address": "%s",\n' \
        "$HOST" "$ADDRESS" "$CIDR" "$VIA"
    printf '      "user": "%s", "password": "%s",\n' "$LOGIN" "$(cat "$BED_STORE/identity/$LAYER.password")"
    printf '      "host_key": "%s",\n' "$(cut -d' ' -f1,2 "$public")"
    printf '      "host_key_fingerprint": "%s",\n' "$(ssh-keygen -lf "$public" | cut -d' ' -f2)"
    printf '      "namespace": "%s", "log": "%s"\n    }' "$NETNS" "$BED_RUN/$HOST.log"
}
