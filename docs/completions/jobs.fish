# The jobs that a command can be meant for, with state and command; jobdir looks, and writes nothing.
function __fish_jobdir_jobs
    set -l dir
    set -l words (commandline -opc)
    for at in (seq 2 (count $words))
        switch $words[$at]
            case --state-dir
                set dir --state-dir $words[(math $at + 1)]
            case '--state-dir=*'
                set dir $words[$at]
        end
    end
    command jobdir $dir complete $argv[1] 2>/dev/null
end

