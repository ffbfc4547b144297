# The jobs that a command can be meant for; jobdir looks, and writes nothing.
_jobdir_with_jobs() {
    local cur=${COMP_WORDS[COMP_CWORD]} before= verb= word
    local -a dir=() jobs=()
    _jobdir "$@"
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        # An option may be written in three words: its name, '=', its value.
        [[ $word == "=" ]] && continue
        if [[ $before == --state-dir ]]; then
            dir=(--state-dir "$word")
        elif [[ $word == -- ]]; then
            return
        elif [[ -z $verb && $word != -* && $before != --color ]]; then
            verb=$word
        fi
        before=$word
    done
    [[ $cur == -* || $cur == "=" ]] && return
    case $verb,$before in
@CASES@
        *) return ;;
    esac
    # A file is no job.
    compopt +o default +o bashdefault 2>/dev/null
    COMPREPLY=()
    while IFS=$'\t' read -r word _; do
        jobs+=("$word")
    done < <("$1" "${dir[@]}" complete "$verb" 2>/dev/null)
    for word in "${jobs[@]}"; do
        [[ $word == "$cur"* ]] && COMPREPLY+=("$word")
    done
}
