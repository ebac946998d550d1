#compdef rocade
# Completion of rocade in zsh: the program itself says what may stand next.
_rocade() {
    local -a found texts shown
    local line
    found=("${(@f)$(${(Q)words[1]} complete -- "${(@Q)words[2,CURRENT-1]}" "$PREFIX" 2>/dev/null)}")
    for line in "${found[@]}"; do
        [[ -n $line ]] || continue
        texts+=("${line%%$'\t'*}")
        shown+=("${line/$'\t'/  }")
    done
    if (( ! ${#texts} )); then
        _files
        return
    fi
    compadd -l -d shown -a texts
}
if [[ ${funcstack[1]} == _rocade ]]; then
    _rocade "$@"
else
    compdef _rocade rocade
fi
