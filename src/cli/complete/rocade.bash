# Completion of rocade in bash: the program itself says what may stand next.
_rocade() {
    local -a words=()
    local -i at last=0
    local line prefix=""
    # bash parts words at `=`; the program wants them whole.
    for ((at = 1; at <= COMP_CWORD; at++)); do
        if [[ $last -gt 0 && (${COMP_WORDS[at]} == "=" || ${COMP_WORDS[at - 1]} == "=") ]]; then
            words[last - 1]+=${COMP_WORDS[at]}
        else
            words[last++]=${COMP_WORDS[at]}
        fi
    done
    local current=${words[last - 1]}
    [[ $current == *=* ]] && prefix=${current%%=*}=
    # In `--only=site=x` bash replaces what stands after the last `=`.
    [[ $current == *=*=* ]] && prefix=${current%=*}=
    COMPREPLY=()
    while IFS= read -r line; do
        line=${line%%$'\t'*}
        COMPREPLY+=("${line#"$prefix"}")
    done < <("${COMP_WORDS[0]/#\~/$HOME}" complete -- "${words[@]}" 2>/dev/null)
}
complete -o bashdefault -o default -F _rocade rocade
