# HTTP from the host itself. Bodies come and go by pipe.

# Prints a page, a line end and its status. The body, if the method has one, comes on standard input.
fetch() {
    if command -v curl >/dev/null 2>&1; then
        method=$1 url=$2
        set -- -sS -g --noproxy '*' --max-time 120 -w '\n%{http_code}' -X "$1"
        set -- "$@" -H 'Content-Type: application/json'
        [ "$method" = GET ] || set -- "$@" --data-binary @-
        case $url in https://127.* | https://localhost[:/]*) set -- "$@" -k ;; esac
        curl "$@" "$url" 2>&1
    elif command -v python3 >/dev/null 2>&1; then
        python3 -c 'import ssl,sys,urllib.error,urllib.request as r
m,u=sys.argv[1:]
d=None if m=="GET" else sys.stdin.buffer.read()
c=ssl.create_default_context()
if u.startswith(("https://127.","https://localhost")): c.check_hostname,c.verify_mode=False,ssl.CERT_NONE
q=r.Request(u,d,{"Content-Type":"application/json"},method=m)
try: a=r.build_opener(r.ProxyHandler({}),r.HTTPSHandler(context=c)).open(q,timeout=120)
except urllib.error.HTTPError as e: a=e
except OSError as e: sys.exit(str(e))
sys.stdout.buffer.write(a.read()+b"\n%d"%a.getcode())' "$1" "$2" 2>&1
    else
        echo 'this host has neither curl nor python3'
        return 1
    fi
}

ask_get() {
    if page=$(fetch GET "$1"); then
        armor "${page%"$LINE"*}"
        reply page "${page##*"$LINE"}" "$word"
    else
        unread "${page%%"$LINE"*}"
    fi
}

order_send() {
    page=$(content "$1" "$2" | decode | fetch "$3" "$4") || { why=${page%%"$LINE"*}; return 1; }
    skip_filling "$1" || return 1
    status=${page##*"$LINE"} output=${page%"$LINE"*}
    # Only the page's own error is repeated: the rest may hold what was sent.
    fault=''
    case $output in *'"error"'*)
        fault=${output#*\"error\"} fault=${fault#*\"}
        fault=": ${fault%%\"*}"
        ;;
    esac
    case $status in
        2??) ;;
        *) why="$3 $4 was answered with $status$fault"; return 1 ;;
    esac
    case $output in
        *'"status":"fail"'* | *'"status": "fail"'* | *'"status" : "fail"'* | \
        *'"status":"error"'* | *'"status": "error"'* | *'"status" : "error"'*)
            why="$3 $4 was refused$fault"
            return 1
            ;;
    esac
    # The page may repeat what was sent, keys too: that it was good is all that is told.
    output=''
}
