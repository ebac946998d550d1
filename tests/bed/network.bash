# The cables of a bed. Rule: every link is made inside a namespace of the bed; the
# machine's own namespace gets no link, address, route or rule.

make_namespace() {
    [[ -e /run/netns/$1 ]] && return
    echo "$1" >>"$BED_RUN/namespaces"
    [[ -e /run/netns ]] || touch "$BED_RUN/made-netns-directory"
    ip netns add "$1"
    ip -n "$1" link set lo up
}

# The operator's namespace stands in both networks and routes between them, as the
# customer's router would.
make_operator() {
    local bridge via prefix
    make_namespace "$BED_OP"
    ip netns exec "$BED_OP" sysctl -qw net.ipv4.ip_forward=1
    while read -r bridge via prefix; do
        ip -n "$BED_OP" link show "$bridge" >/dev/null 2>&1 && continue
        ip -n "$BED_OP" link add "$bridge" type bridge
        ip -n "$BED_OP" address add "$via/$prefix" dev "$bridge"
        ip -n "$BED_OP" link set "$bridge" up
    done < <(host_table | awk '{split($3, cidr, "/"); print $5, $4, cidr[2]}' | sort -u)
}

# Puts a cable from host $1 into its bridge.
make_cable() {
    host_row "$1"
    make_namespace "$NETNS"
    ip -n "$NETNS" link show eth0 >/dev/null 2>&1 && return
    ip -n "$BED_OP" link add "$HOST" type veth peer name eth0 netns "$NETNS"
    ip -n "$BED_OP" link set "$HOST" master "$BRIDGE" up
}

# Removes the namespaces this bed made, with every process in them.
remove_namespaces() {
    local name
    [[ -e $BED_RUN/namespaces ]] || return 0
    while read -r name; do
        [[ -e /run/netns/$name ]] || continue
        end_processes "$name"
        remove_control_group "${name#"$BED_NAME-"}"
        ip netns delete "$name"
    done < <(sort -u "$BED_RUN/namespaces")
    if [[ -e $BED_RUN/made-netns-directory ]]; then
        # Fails, rightly, while somebody else keeps a namespace there.
        umount /run/netns 2>/dev/null && rmdir /run/netns 2>/dev/null || true
    fi
}
