# The program a Linux host runs for rocade: sh -c PROGRAM rocade-host ask|order ROOT. Any POSIX shell will
# do (dash, bash, BusyBox ash). Requests come on standard input and answers go to standard output as wire.rs
# says; no content and no secret ever stands in an argument. Questions (ask_*) change nothing. The files of
# this folder are sent as one, without lines that begin with # and without indentation.

set -u
export LC_ALL=C
umask 077
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
LINE='
'
UNIT=$(printf '\037')
BLANK=" $(printf '\t')$LINE"
mode=$1 root=${2%/} number=0 word='' why='' output='' temp='' scratch='' reload='' files='' packages=''
limit='' patience=0

say() {
    { printf '\036'; printf '%s\037' "$@"; printf '\n'; } >&3
}

reply() {
    say "$number" "$@"
}

# Says why a question has no answer.
unread() {
    armor "${1:-it failed without a word}"
    reply unread "$word"
}

# Both stand at the end of a pipe or in a substitution only: they take the place of that process.
if command -v base64 >/dev/null 2>&1; then
    encode() { exec base64; }
    decode() { exec base64 -d; }
elif command -v openssl >/dev/null 2>&1; then
    encode() { exec openssl base64; }
    decode() { tr -d '\n' | openssl base64 -d -A; }
else
    encode() { python3 -c 'import base64,sys; base64.encode(sys.stdin.buffer,sys.stdout.buffer)'; }
    decode() { python3 -c 'import base64,sys; base64.decode(sys.stdin.buffer,sys.stdout.buffer)'; }
fi

# Sets word to base64 that came on several lines.
join() {
    IFS=$LINE; set -f
    set -- $1
    IFS=''; word="$*"
    IFS=$BLANK; set +f
}

# Sets word to a text in base64.
armor() {
    word=''
    [ -z "$1" ] || join "$(printf %s "$1" | encode)"
}

if command -v sha256sum >/dev/null 2>&1; then
    digest() { sha256sum "$@"; }
elif command -v openssl >/dev/null 2>&1; then
    digest() { openssl dgst -sha256 -r "$@"; }
else
    digest() {
        python3 -c 'import hashlib,sys
for p in sys.argv[1:]: print(hashlib.sha256(open(p,"rb").read()).hexdigest()+"  "+p)' "$@"
    }
fi
