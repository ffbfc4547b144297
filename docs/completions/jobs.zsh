# The jobs that a command can be meant for, with state and command; jobdir looks, and writes nothing.
(( $+functions[_jobdir_jobs] )) ||
_jobdir_jobs() {
    local -a jobs dir
    local line
    [[ -n ${opt_args[--state-dir]} ]] && dir=(--state-dir ${(q)opt_args[--state-dir]})
    for line in ${(f)"$(_call_program jobs jobdir $dir complete $argv[-1] 2>/dev/null)"}; do
        jobs+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
    done
    _describe -V -t jobs job jobs
}
