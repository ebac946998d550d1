# Requests in their order; the first order that fails ends them.

ask() {
    case $1 in
        facts) ask_facts ;;
        file) files="$files.$2$LINE" ;;
        content) ask_content ".$2" ;;
        files) ask_below ".$2" ;;
        package) packages="$packages $2" ;;
        service) shift; ask_service "$@" ;;
        user) ask_user "$2" ;;
        get) ask_get "$2" ;;
        listening) ask_listening ;;
        firewall) ask_nft list table $2 ;;
        ruleset) ask_nft -s -t list ruleset ;;
        *) unread 'this host does not know the question' ;;
    esac
}

order() {
    deed=$1 why='' output=''
    shift
    case $deed in
        put | own | directory | remove | install | service | user | trial | run | send) ;;
        keep | arm | confirm | revert | lock | unlock) ;;
        *) why='this host does not know the order'; false ;;
    esac && case $deed in
        # Packages take their time.
        install) extend 1800 ;;
        *) extend ;;
    esac && "order_$deed" "$@" && extend
    if [ $? = 0 ]; then
        armor "$output"
        reply 'done' "$word"
    else
        armor "$why"
        reply failed "$word"
        return 1
    fi
}

clean() {
    [ -z "$temp$scratch" ] || rm -f ${temp:+"$temp"} ${scratch:+"$scratch"}
}

cd "${root:-/}" || exit 1
exec 3>&1 4<&0 </dev/null >/dev/null
trap clean EXIT
trap 'exit 1' HUP INT TERM PIPE
if [ "$mode" = boot ]; then
    after_boot
    exit 0
fi
while :; do
    IFS= read -r line <&4 || exit 1
    [ "$line" != 'rocade-host 1' ] || break
done
[ "$mode" = ask ] || say begin
while IFS= read -r line <&4; do
    if [ "$line" = end ]; then
        answer_files
        answer_packages
        say end
        exit 0
    fi
    IFS=$UNIT; set -f
    set -- $line
    IFS=$BLANK; set +f
    "$mode" "$@" || { say end; cat <&4 >/dev/null; exit 0; }
    number=$((number + 1))
done
exit 1
