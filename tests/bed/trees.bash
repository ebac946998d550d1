# The read-only trees hosts start from: one base, and one layer a kind of host.
# Rule: a tree is named by the hash of all it was made from, is complete as soon as
# it has that name, and is never written again. All mounts of a build live in a mount
# namespace of their own, so a build that dies leaves no mount behind.

BASE_PACKAGES=openssh-server,sudo,procps,iproute2,iputils-ping,curl,ca-certificates,openssl,nftables
BASE_PACKAGES+=,logrotate,init-system-helpers,sysvinit-utils
RELEASE=bookworm

# "URI suite component" of the Debian archives this machine itself installs from.
machine_archives() {
    apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)' 'Identifier: Packages' |
        awk -v release="$RELEASE" '$2 ~ "^" release "(-updates|-security)?$" && $4 == "Debian" {print $1, $2, $3}' |
        sort -u
}

base_hash() {
    { cat "$BED_HERE/trees.bash"; machine_archives; } | sha256sum | cut -c1-12
}

base_tree() {
    echo "$BED_STORE/trees/base-$(base_hash)"
}

layer_tree() {
    local hash
    hash=$({ base_hash; cat "$BED_HERE/layers/$1"; cat "$BED_STORE/identity/$1.password"; cat "$BED_KEY.pub"; } |
        sha256sum | cut -c1-12)
    echo "$BED_STORE/trees/$1-$hash"
}

# The operator's key and one password a layer, made once and kept out of git. The
# passwords hold what breaks a careless quoting in a shell, a URL or a prompt.
make_identity() {
    local layer
    mkdir -p "$BED_STORE/identity"
    chmod 700 "$BED_STORE/identity"
    [[ -e $BED_KEY ]] || ssh-keygen -q -t ed25519 -N '' -C operator -f "$BED_KEY"
    for layer in gateway debian; do
        [[ -e $BED_STORE/identity/$layer.password ]] ||
            (umask 077 && printf "%s&#'\$ %%Z9" "$(openssl rand -hex 6)" >"$BED_STORE/identity/$layer.password")
    done
}

make_trees() {
    local layer tree
    make_identity
    mkdir -p "$BED_STORE/trees"
    forget_old_trees "$@"
    tree=$(base_tree)
    if [[ ! -e $tree ]]; then
        say "building the base tree (one to two minutes, once)"
        build_in_namespace build_base "$tree"
    fi
    for layer in "$@"; do
        tree=$(layer_tree "$layer")
        if [[ ! -e $tree ]]; then
            say "building the $layer layer"
            build_in_namespace build_layer "$layer" "$tree"
        fi
    done
}

# Removes what was built from older recipes, unless some bed may stand on it.
forget_old_trees() {
    local tree current
    ! compgen -G '/run/rocade-bed/*/namespaces' >/dev/null || return 0
    current=" $(base_tree) $(for layer; do layer_tree "$layer"; done | xargs) "
    for tree in "$BED_STORE"/trees/*-*; do
        [[ $current == *" $tree "* || ! -d $tree ]] || rm -rf "$tree"
    done
}

# Runs function $1 of this file in its own mount and process namespace; its output
# goes to a log that is shown only when it fails.
build_in_namespace() {
    local log=$BED_STORE/trees/$1.log
    if ! unshare --mount --pid --fork --propagation private \
        bash -c 'source "$1/bed.bash"; source "$1/trees.bash"; shift; "$@"' build "$BED_HERE" "$@" \
        >"$log" 2>&1 </dev/null 9>&-; then
        tail -n 40 "$log" >&2
        die "$1 failed; the whole log is $log"
    fi
}

build_base() {
    local tree=$1 uri suite component
    uri=$(machine_archives | awk -v suite="$RELEASE" '$2 == suite {print $1; exit}')
    [[ -n $uri ]] || die "apt on this machine knows no archive of $RELEASE"
    rm -rf "$tree.new"
    debootstrap --variant=minbase "$RELEASE" "$tree.new" "$uri"
    while read -r uri suite component; do
        echo "deb $uri $suite $component"
    done < <(machine_archives) >"$tree.new/etc/apt/sources.list"
    mount_for_build "$tree.new"
    in_tree "$tree.new" apt-get update -q
    in_tree "$tree.new" apt-get install -qy --no-install-recommends ${BASE_PACKAGES//,/ }
    in_tree "$tree.new" apt-get clean
    rm -f "$tree.new"/etc/ssh/ssh_host_*
    unmount_after_build "$tree.new"
    mv "$tree.new" "$tree"
}

build_layer() {
    local layer=$1 tree=$2 merged
    merged=$BED_STORE/trees/merged
    rm -rf "$tree.new" "$tree.work"
    mkdir -p "$tree.new" "$tree.work" "$merged"
    mount -t overlay -o "lowerdir=$(base_tree),upperdir=$tree.new,workdir=$tree.work" overlay "$merged"
    mount_for_build "$merged"
    [[ $layer == gateway ]] && put_python "$merged"
    in_tree "$merged" env LOGIN="$(layer_login "$layer")" OPERATOR_KEY="$(cat "$BED_KEY.pub")" \
        PASSWORD_FILE=/dev/fd/3 bash /dev/fd/4 3<"$BED_STORE/identity/$layer.password" 4<"$BED_HERE/layers/$layer"
    unmount_after_build "$merged"
    umount "$merged"
    rm -rf "$tree.work"
    mv "$tree.new" "$tree"
}

layer_login() {
    host_table | awk -v layer="$1" '$2 == layer {print $6; exit}'
}

in_tree() {
    local tree=$1
    shift
    chroot "$tree" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
        DEBIAN_FRONTEND=noninteractive "$@"
}

mount_for_build() {
    mount -t proc proc "$1/proc"
    mount --rbind /dev "$1/dev"
    cp --remove-destination /etc/resolv.conf "$1/etc/resolv.conf"
    # Nothing may start while packages are unpacked; removed below, so hosts start services freely.
    printf '#!/bin/sh\nexit 101\n' >"$1/usr/sbin/policy-rc.d"
    chmod 755 "$1/usr/sbin/policy-rc.d"
}

unmount_after_build() {
    rm -f "$1/usr/sbin/policy-rc.d" "$1/etc/resolv.conf"
    umount -R "$1/dev"
    umount "$1/proc"
}

# The prefix of a Python 3.8 on this machine, or nothing.
machine_python38() {
    local python
    for python in "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.8.*/bin/python3.8 \
        /usr/local/bin/python3.8 /usr/bin/python3.8; do
        if [[ -x $python ]] && "$python" -c 'import ssl, ctypes, sqlite3' 2>/dev/null; then
            "$python" -c 'import sys; print(sys.base_prefix)'
            return
        fi
    done
}

# Puts the machine's Python 3.8 at /usr of tree $1, where the gateway's firmware has
# it, with the paho-mqtt of mPower 6. Without a 3.8 the layer takes Debian's python3.
put_python() {
    local tree=$1 prefix lib=$1/usr/lib/python3.8
    prefix=$(machine_python38)
    [[ -n $prefix ]] || return 0
    mkdir -p "$lib/site-packages"
    tar -C "$prefix/lib/python3.8" --exclude=./test --exclude=./idlelib --exclude=./tkinter --exclude=./turtledemo \
        --exclude=./ensurepip --exclude=./lib2to3 --exclude='./config-3.8*' --exclude=./site-packages \
        --exclude='*/tests' --exclude='*/test' --exclude=__pycache__ --exclude='_tkinter*' -cf - . |
        tar -C "$lib" --no-same-owner -xf -
    find "$prefix/lib" -maxdepth 1 -name 'libpython3.8.so*' -exec cp -d {} "$tree/usr/lib/" \;
    cp "$prefix/bin/python3.8" "$tree/usr/bin/python3.8"
    # It was built for another prefix and finds its library only from /usr/bin, but at boot /bin comes first.
    printf '#!/bin/sh\nPYTHONHOME=/usr exec /usr/bin/python3.8 "$@"\n' >"$tree/usr/bin/python3"
    chmod 755 "$tree/usr/bin/python3"
    "$prefix/bin/python3.8" -m pip install --quiet --no-deps --no-compile \
        --target "$lib/site-packages" paho-mqtt==1.6.1
}
