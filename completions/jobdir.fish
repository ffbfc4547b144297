# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_jobdir_global_optspecs
    string join \n state-dir= color= v/verbose h/help V/version
end

function __fish_jobdir_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_jobdir_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_jobdir_using_subcommand
    set -l cmd (__fish_jobdir_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c jobdir -n "__fish_jobdir_needs_command" -l state-dir -d 'Where the jobs are [env: JOBDIR_STATE_DIR]' -r -f -a "(__fish_complete_directories)"
complete -c jobdir -n "__fish_jobdir_needs_command" -l color -d 'Use colour: auto, always or never [env: NO_COLOR]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jobdir -n "__fish_jobdir_needs_command" -s v -l verbose -d 'Say what is done: where, asked of whom, waited for; -vv more'
complete -c jobdir -n "__fish_jobdir_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jobdir -n "__fish_jobdir_needs_command" -s V -l version -d 'Print version'
complete -c jobdir -n "__fish_jobdir_needs_command" -f -a "run" -d 'Start a job'
complete -c jobdir -n "__fish_jobdir_needs_command" -f -a "resume" -d 'Start the next attempt of a job that has ended'
complete -c jobdir -n "__fish_jobdir_needs_command" -f -a "jobs" -d 'List jobs'
complete -c jobdir -n "__fish_jobdir_needs_command" -f -a "ps" -d 'List jobs'
complete -c jobdir -n "__fish_jobdir_needs_command" -f -a "ls" -d 'List jobs'
complete -c jobdir -n "__fish_jobdir_needs_command" -f -a "status" -d 'Show one job in full'
complete -c jobdir -n "__fish_jobdir_needs_command" -f -a "inspect" -d 'Show one job in full'
complete -c jobdir -n "__fish_jobdir_needs_command" -f -a "logs" -d 'Show what a job has printed'
complete -c jobdir -n "__fish_jobdir_needs_command" -f -a "attach" -d 'Follow a job, and type at its terminal'
complete -c jobdir -n "__fish_jobdir_needs_command" -f -a "wait" -d 'Wait until jobs have ended'
complete -c jobdir -n "__fish_jobdir_needs_command" -f -a "kill" -d 'Stop jobs'
complete -c jobdir -n "__fish_jobdir_needs_command" -f -a "stop" -d 'Stop jobs'
complete -c jobdir -n "__fish_jobdir_needs_command" -f -a "delete" -d 'Stop jobs if need be, and remove every trace of them'
complete -c jobdir -n "__fish_jobdir_needs_command" -f -a "rm" -d 'Stop jobs if need be, and remove every trace of them'
complete -c jobdir -n "__fish_jobdir_needs_command" -f -a "abandon" -d 'Give jobs up'
complete -c jobdir -n "__fish_jobdir_needs_command" -f -a "signal" -d 'Send a signal to every process of jobs'
complete -c jobdir -n "__fish_jobdir_needs_command" -f -a "pause" -d 'Stop every process of jobs for a while'
complete -c jobdir -n "__fish_jobdir_needs_command" -f -a "unpause" -d 'Let paused jobs go on'
complete -c jobdir -n "__fish_jobdir_needs_command" -f -a "send" -d 'Write to the input of a job'
complete -c jobdir -n "__fish_jobdir_needs_command" -f -a "events" -d 'Show everything that happened to jobs'
complete -c jobdir -n "__fish_jobdir_needs_command" -f -a "prune" -d 'Remove ended jobs'
complete -c jobdir -n "__fish_jobdir_needs_command" -f -a "doctor" -d 'Find what is wrong here, and say how to mend it'
complete -c jobdir -n "__fish_jobdir_needs_command" -f -a "capabilities" -d 'Show what this version can do on this host'
complete -c jobdir -n "__fish_jobdir_needs_command" -f -a "schema" -d 'Show the JSON Schema of every document'
complete -c jobdir -n "__fish_jobdir_needs_command" -f -a "config" -d 'Show the configuration in force, and where it comes from'
complete -c jobdir -n "__fish_jobdir_needs_command" -f -a "help" -d 'Show help, or the page for AI agents'
complete -c jobdir -n "__fish_jobdir_needs_command" -f -a "skill" -d 'Install the page for AI agents'
complete -c jobdir -n "__fish_jobdir_using_subcommand run" -l name -d 'Give the job a name; only one active job can bear it' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand run" -s l -l label -d 'Give the job a label (can be repeated)' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand run" -l id-file -d 'Write the id to this file before the command starts' -r -F
complete -c jobdir -n "__fish_jobdir_using_subcommand run" -l if-running -d 'When the name is taken: fail, attach, skip or replace' -r -f -a "fail\t''
attach\t''
skip\t''
replace\t''"
complete -c jobdir -n "__fish_jobdir_using_subcommand run" -s C -l cwd -d 'Run in this directory instead of the current one' -r -F
complete -c jobdir -n "__fish_jobdir_using_subcommand run" -s e -l env -d 'Set a variable, or pass one on (can be repeated)' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand run" -l env-file -d 'Set variables from KEY=VALUE lines (can be repeated)' -r -F
complete -c jobdir -n "__fish_jobdir_using_subcommand run" -l umask -d 'Set the file mode creation mask, in octal' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand run" -l nice -d 'Run with this niceness, from -20 to 19' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand run" -l rlimit -d 'Set a resource limit: NOFILE=1024 (can be repeated)' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand run" -l stdin -d 'Where the input comes from: inherit, null, fifo or a file' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand run" -l log-max -d 'Keep each log below this size: its first part and its newest' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand run" -l stop-plan -d 'How to stop it: SIGNAL:WAIT,…,KILL or a preset' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand run" -l stop-signal -d 'The first signal of the stop plan' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand run" -l grace -d 'The longest time between the first signal and KILL' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand run" -l signal-scope -d 'Whom signals before KILL reach: tree, group or leader' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand run" -l leftovers -d 'What becomes of processes that outlive the command' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand run" -l timeout -d 'Stop it when it takes longer' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand run" -l idle-timeout -d 'Stop it when it neither prints nor computes for so long' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand run" -l abandon-after -d 'Give it up when it still lives so long after KILL' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand run" -l early-signal -d 'Send a signal some time before --timeout: USR1@60s' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand run" -l finally -d 'Run shell text after every attempt (can be repeated)' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand run" -l finally-timeout -d 'The limit for all finally steps together' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand run" -l on-exit -d 'Run shell text once the end is recorded' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand run" -l mutex -d 'Hold this mutex while it runs (can be repeated)' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand run" -l slots -d 'Run at most N jobs of a group at once (can be repeated)' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand run" -l after -d 'Start when this job has ended well (can be repeated)' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand run" -l queue-timeout -d 'Give up when it has to wait longer for all this' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand run" -l retries -d 'Repeat a failed attempt so many times' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand run" -l retry-delay -d 'Wait so long before the first retry' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand run" -l retry-backoff -d 'Multiply the delay by this from one retry to the next' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand run" -l resume-with -d 'What \'resume\' runs: a template with {args} and {meta.KEY}' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand run" -l observe -d 'Hand back after this time with the job going on' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand run" -l profile -d 'Use the defaults of this profile' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand run" -l state-dir -d 'Where the jobs are [env: JOBDIR_STATE_DIR]' -r -f -a "(__fish_complete_directories)"
complete -c jobdir -n "__fish_jobdir_using_subcommand run" -l color -d 'Use colour: auto, always or never [env: NO_COLOR]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jobdir -n "__fish_jobdir_using_subcommand run" -l rm -d 'Delete the job when it has succeeded'
complete -c jobdir -n "__fish_jobdir_using_subcommand run" -l clear-env -d 'Start with an empty environment'
complete -c jobdir -n "__fish_jobdir_using_subcommand run" -l no-save-env -d 'Keep only the names of variables on disk, not their values'
complete -c jobdir -n "__fish_jobdir_using_subcommand run" -l merge-output -d 'Keep stdout and stderr in one log, in their true order'
complete -c jobdir -n "__fish_jobdir_using_subcommand run" -l pty -d 'Give the job a terminal of its own'
complete -c jobdir -n "__fish_jobdir_using_subcommand run" -l no-pty -d 'Give it files instead, in the foreground too'
complete -c jobdir -n "__fish_jobdir_using_subcommand run" -s d -l detach -d 'Print the id, and return as soon as it executes'
complete -c jobdir -n "__fish_jobdir_using_subcommand run" -l json -d 'Print one JSON document (with --detach or --observe)'
complete -c jobdir -n "__fish_jobdir_using_subcommand run" -s v -l verbose -d 'Say what is done: where, asked of whom, waited for; -vv more'
complete -c jobdir -n "__fish_jobdir_using_subcommand run" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jobdir -n "__fish_jobdir_using_subcommand resume" -s C -l cwd -d 'Run in this directory instead of the current one' -r -F
complete -c jobdir -n "__fish_jobdir_using_subcommand resume" -s e -l env -d 'Set a variable, or pass one on (can be repeated)' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand resume" -l env-file -d 'Set variables from KEY=VALUE lines (can be repeated)' -r -F
complete -c jobdir -n "__fish_jobdir_using_subcommand resume" -l umask -d 'Set the file mode creation mask, in octal' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand resume" -l nice -d 'Run with this niceness, from -20 to 19' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand resume" -l rlimit -d 'Set a resource limit: NOFILE=1024 (can be repeated)' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand resume" -l stdin -d 'Where the input comes from: inherit, null, fifo or a file' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand resume" -l log-max -d 'Keep each log below this size: its first part and its newest' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand resume" -l stop-plan -d 'How to stop it: SIGNAL:WAIT,…,KILL or a preset' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand resume" -l stop-signal -d 'The first signal of the stop plan' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand resume" -l grace -d 'The longest time between the first signal and KILL' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand resume" -l signal-scope -d 'Whom signals before KILL reach: tree, group or leader' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand resume" -l leftovers -d 'What becomes of processes that outlive the command' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand resume" -l timeout -d 'Stop it when it takes longer' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand resume" -l idle-timeout -d 'Stop it when it neither prints nor computes for so long' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand resume" -l abandon-after -d 'Give it up when it still lives so long after KILL' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand resume" -l early-signal -d 'Send a signal some time before --timeout: USR1@60s' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand resume" -l finally -d 'Run shell text after every attempt (can be repeated)' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand resume" -l finally-timeout -d 'The limit for all finally steps together' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand resume" -l on-exit -d 'Run shell text once the end is recorded' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand resume" -l mutex -d 'Hold this mutex while it runs (can be repeated)' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand resume" -l slots -d 'Run at most N jobs of a group at once (can be repeated)' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand resume" -l after -d 'Start when this job has ended well (can be repeated)' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand resume" -l queue-timeout -d 'Give up when it has to wait longer for all this' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand resume" -l retries -d 'Repeat a failed attempt so many times' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand resume" -l retry-delay -d 'Wait so long before the first retry' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand resume" -l retry-backoff -d 'Multiply the delay by this from one retry to the next' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand resume" -l resume-with -d 'What \'resume\' runs: a template with {args} and {meta.KEY}' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand resume" -l observe -d 'Hand back after this time with the job going on' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand resume" -l profile -d 'Use the defaults of this profile' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand resume" -l state-dir -d 'Where the jobs are [env: JOBDIR_STATE_DIR]' -r -f -a "(__fish_complete_directories)"
complete -c jobdir -n "__fish_jobdir_using_subcommand resume" -l color -d 'Use colour: auto, always or never [env: NO_COLOR]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jobdir -n "__fish_jobdir_using_subcommand resume" -l kill-survivors -d 'Stop processes of earlier attempts that still live'
complete -c jobdir -n "__fish_jobdir_using_subcommand resume" -l clear-env -d 'Start with an empty environment'
complete -c jobdir -n "__fish_jobdir_using_subcommand resume" -l no-save-env -d 'Keep only the names of variables on disk, not their values'
complete -c jobdir -n "__fish_jobdir_using_subcommand resume" -l merge-output -d 'Keep stdout and stderr in one log, in their true order'
complete -c jobdir -n "__fish_jobdir_using_subcommand resume" -l pty -d 'Give the job a terminal of its own'
complete -c jobdir -n "__fish_jobdir_using_subcommand resume" -l no-pty -d 'Give it files instead, in the foreground too'
complete -c jobdir -n "__fish_jobdir_using_subcommand resume" -s d -l detach -d 'Print the id, and return as soon as it executes'
complete -c jobdir -n "__fish_jobdir_using_subcommand resume" -l json -d 'Print one JSON document (with --detach or --observe)'
complete -c jobdir -n "__fish_jobdir_using_subcommand resume" -s v -l verbose -d 'Say what is done: where, asked of whom, waited for; -vv more'
complete -c jobdir -n "__fish_jobdir_using_subcommand resume" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jobdir -n "__fish_jobdir_using_subcommand jobs" -l state -d 'Only jobs in this state (can be repeated)' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand jobs" -l name -d 'Only jobs with such a name (can be repeated)' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand jobs" -s l -l label -d 'Only jobs with this label (can be repeated)' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand jobs" -l cwd -d 'Only jobs started in DIR or below it' -r -f -a "(__fish_complete_directories)"
complete -c jobdir -n "__fish_jobdir_using_subcommand jobs" -l since -d 'Only jobs started since then' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand jobs" -s n -d 'Only so many: the newest, or the highest of --sort' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand jobs" -l sort -d 'Sort by this column instead of the id, lowest first' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand jobs" -l columns -d 'The columns of the table, separated by commas' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand jobs" -l format -d 'Print a table, json, ndjson, or a line by a template' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand jobs" -l state-dir -d 'Where the jobs are [env: JOBDIR_STATE_DIR]' -r -f -a "(__fish_complete_directories)"
complete -c jobdir -n "__fish_jobdir_using_subcommand jobs" -l color -d 'Use colour: auto, always or never [env: NO_COLOR]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jobdir -n "__fish_jobdir_using_subcommand jobs" -s a -l all -d 'Show every job'
complete -c jobdir -n "__fish_jobdir_using_subcommand jobs" -l active -d 'Only what is active, orphaned or has survivors'
complete -c jobdir -n "__fish_jobdir_using_subcommand jobs" -l failed -d 'Only what ended badly'
complete -c jobdir -n "__fish_jobdir_using_subcommand jobs" -l here -d 'Only jobs started in this directory or below it'
complete -c jobdir -n "__fish_jobdir_using_subcommand jobs" -s r -l reverse -d 'Turn the order round'
complete -c jobdir -n "__fish_jobdir_using_subcommand jobs" -s q -l quiet -d 'Print ids alone, a line each'
complete -c jobdir -n "__fish_jobdir_using_subcommand jobs" -l json -d 'Print one JSON document'
complete -c jobdir -n "__fish_jobdir_using_subcommand jobs" -s w -l watch -d 'Go on, and show what changes'
complete -c jobdir -n "__fish_jobdir_using_subcommand jobs" -s v -l verbose -d 'Say what is done: where, asked of whom, waited for; -vv more'
complete -c jobdir -n "__fish_jobdir_using_subcommand jobs" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jobdir -n "__fish_jobdir_using_subcommand ps" -l state -d 'Only jobs in this state (can be repeated)' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand ps" -l name -d 'Only jobs with such a name (can be repeated)' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand ps" -s l -l label -d 'Only jobs with this label (can be repeated)' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand ps" -l cwd -d 'Only jobs started in DIR or below it' -r -f -a "(__fish_complete_directories)"
complete -c jobdir -n "__fish_jobdir_using_subcommand ps" -l since -d 'Only jobs started since then' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand ps" -s n -d 'Only so many: the newest, or the highest of --sort' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand ps" -l sort -d 'Sort by this column instead of the id, lowest first' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand ps" -l columns -d 'The columns of the table, separated by commas' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand ps" -l format -d 'Print a table, json, ndjson, or a line by a template' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand ps" -l state-dir -d 'Where the jobs are [env: JOBDIR_STATE_DIR]' -r -f -a "(__fish_complete_directories)"
complete -c jobdir -n "__fish_jobdir_using_subcommand ps" -l color -d 'Use colour: auto, always or never [env: NO_COLOR]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jobdir -n "__fish_jobdir_using_subcommand ps" -s a -l all -d 'Show every job'
complete -c jobdir -n "__fish_jobdir_using_subcommand ps" -l active -d 'Only what is active, orphaned or has survivors'
complete -c jobdir -n "__fish_jobdir_using_subcommand ps" -l failed -d 'Only what ended badly'
complete -c jobdir -n "__fish_jobdir_using_subcommand ps" -l here -d 'Only jobs started in this directory or below it'
complete -c jobdir -n "__fish_jobdir_using_subcommand ps" -s r -l reverse -d 'Turn the order round'
complete -c jobdir -n "__fish_jobdir_using_subcommand ps" -s q -l quiet -d 'Print ids alone, a line each'
complete -c jobdir -n "__fish_jobdir_using_subcommand ps" -l json -d 'Print one JSON document'
complete -c jobdir -n "__fish_jobdir_using_subcommand ps" -s w -l watch -d 'Go on, and show what changes'
complete -c jobdir -n "__fish_jobdir_using_subcommand ps" -s v -l verbose -d 'Say what is done: where, asked of whom, waited for; -vv more'
complete -c jobdir -n "__fish_jobdir_using_subcommand ps" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jobdir -n "__fish_jobdir_using_subcommand ls" -l state -d 'Only jobs in this state (can be repeated)' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand ls" -l name -d 'Only jobs with such a name (can be repeated)' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand ls" -s l -l label -d 'Only jobs with this label (can be repeated)' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand ls" -l cwd -d 'Only jobs started in DIR or below it' -r -f -a "(__fish_complete_directories)"
complete -c jobdir -n "__fish_jobdir_using_subcommand ls" -l since -d 'Only jobs started since then' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand ls" -s n -d 'Only so many: the newest, or the highest of --sort' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand ls" -l sort -d 'Sort by this column instead of the id, lowest first' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand ls" -l columns -d 'The columns of the table, separated by commas' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand ls" -l format -d 'Print a table, json, ndjson, or a line by a template' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand ls" -l state-dir -d 'Where the jobs are [env: JOBDIR_STATE_DIR]' -r -f -a "(__fish_complete_directories)"
complete -c jobdir -n "__fish_jobdir_using_subcommand ls" -l color -d 'Use colour: auto, always or never [env: NO_COLOR]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jobdir -n "__fish_jobdir_using_subcommand ls" -s a -l all -d 'Show every job'
complete -c jobdir -n "__fish_jobdir_using_subcommand ls" -l active -d 'Only what is active, orphaned or has survivors'
complete -c jobdir -n "__fish_jobdir_using_subcommand ls" -l failed -d 'Only what ended badly'
complete -c jobdir -n "__fish_jobdir_using_subcommand ls" -l here -d 'Only jobs started in this directory or below it'
complete -c jobdir -n "__fish_jobdir_using_subcommand ls" -s r -l reverse -d 'Turn the order round'
complete -c jobdir -n "__fish_jobdir_using_subcommand ls" -s q -l quiet -d 'Print ids alone, a line each'
complete -c jobdir -n "__fish_jobdir_using_subcommand ls" -l json -d 'Print one JSON document'
complete -c jobdir -n "__fish_jobdir_using_subcommand ls" -s w -l watch -d 'Go on, and show what changes'
complete -c jobdir -n "__fish_jobdir_using_subcommand ls" -s v -l verbose -d 'Say what is done: where, asked of whom, waited for; -vv more'
complete -c jobdir -n "__fish_jobdir_using_subcommand ls" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jobdir -n "__fish_jobdir_using_subcommand status" -s P -l property -d 'Print the value of one field of the JSON document' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand status" -l state-dir -d 'Where the jobs are [env: JOBDIR_STATE_DIR]' -r -f -a "(__fish_complete_directories)"
complete -c jobdir -n "__fish_jobdir_using_subcommand status" -l color -d 'Use colour: auto, always or never [env: NO_COLOR]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jobdir -n "__fish_jobdir_using_subcommand status" -l json -d 'Print one JSON document'
complete -c jobdir -n "__fish_jobdir_using_subcommand status" -s v -l verbose -d 'Say what is done: where, asked of whom, waited for; -vv more'
complete -c jobdir -n "__fish_jobdir_using_subcommand status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jobdir -n "__fish_jobdir_using_subcommand inspect" -s P -l property -d 'Print the value of one field of the JSON document' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand inspect" -l state-dir -d 'Where the jobs are [env: JOBDIR_STATE_DIR]' -r -f -a "(__fish_complete_directories)"
complete -c jobdir -n "__fish_jobdir_using_subcommand inspect" -l color -d 'Use colour: auto, always or never [env: NO_COLOR]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jobdir -n "__fish_jobdir_using_subcommand inspect" -l json -d 'Print one JSON document'
complete -c jobdir -n "__fish_jobdir_using_subcommand inspect" -s v -l verbose -d 'Say what is done: where, asked of whom, waited for; -vv more'
complete -c jobdir -n "__fish_jobdir_using_subcommand inspect" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jobdir -n "__fish_jobdir_using_subcommand logs" -l since -d 'Only what is new since a former answer' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand logs" -s n -l tail -d 'Only the last lines' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand logs" -l head -d 'Only the first lines' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand logs" -l max-bytes -d 'Only so many bytes: the newest with --tail, else the first' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand logs" -l grep -d 'Only lines that match this regular expression' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand logs" -s C -l context -d 'With --grep: also so many lines before and after each' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand logs" -l attempt -d 'The output of this attempt, not of the latest' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand logs" -l state-dir -d 'Where the jobs are [env: JOBDIR_STATE_DIR]' -r -f -a "(__fish_complete_directories)"
complete -c jobdir -n "__fish_jobdir_using_subcommand logs" -l color -d 'Use colour: auto, always or never [env: NO_COLOR]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jobdir -n "__fish_jobdir_using_subcommand logs" -s f -l follow -d 'Go on until the job ends'
complete -c jobdir -n "__fish_jobdir_using_subcommand logs" -l stdout -d 'Only stdout'
complete -c jobdir -n "__fish_jobdir_using_subcommand logs" -l stderr -d 'Only stderr'
complete -c jobdir -n "__fish_jobdir_using_subcommand logs" -l strip-ansi -d 'Without colours and other escape sequences'
complete -c jobdir -n "__fish_jobdir_using_subcommand logs" -l json -d 'Print one JSON document'
complete -c jobdir -n "__fish_jobdir_using_subcommand logs" -s v -l verbose -d 'Say what is done: where, asked of whom, waited for; -vv more'
complete -c jobdir -n "__fish_jobdir_using_subcommand logs" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jobdir -n "__fish_jobdir_using_subcommand attach" -l state-dir -d 'Where the jobs are [env: JOBDIR_STATE_DIR]' -r -f -a "(__fish_complete_directories)"
complete -c jobdir -n "__fish_jobdir_using_subcommand attach" -l color -d 'Use colour: auto, always or never [env: NO_COLOR]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jobdir -n "__fish_jobdir_using_subcommand attach" -s v -l verbose -d 'Say what is done: where, asked of whom, waited for; -vv more'
complete -c jobdir -n "__fish_jobdir_using_subcommand attach" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jobdir -n "__fish_jobdir_using_subcommand wait" -l timeout -d 'Stop waiting after this time; the jobs go on' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand wait" -l for -d 'Wait for this instead of the end' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand wait" -l tail -d 'Also show the last lines of each job\'s output' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand wait" -l state -d 'Only jobs in this state (can be repeated)' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand wait" -l name -d 'Only jobs with such a name (can be repeated)' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand wait" -s l -l label -d 'Only jobs with this label (can be repeated)' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand wait" -l cwd -d 'Only jobs started in DIR or below it' -r -f -a "(__fish_complete_directories)"
complete -c jobdir -n "__fish_jobdir_using_subcommand wait" -l since -d 'Only jobs started since then' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand wait" -l state-dir -d 'Where the jobs are [env: JOBDIR_STATE_DIR]' -r -f -a "(__fish_complete_directories)"
complete -c jobdir -n "__fish_jobdir_using_subcommand wait" -l color -d 'Use colour: auto, always or never [env: NO_COLOR]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jobdir -n "__fish_jobdir_using_subcommand wait" -l all -d 'Wait for all of them, which is the default'
complete -c jobdir -n "__fish_jobdir_using_subcommand wait" -l any -d 'Wait for the first of them only'
complete -c jobdir -n "__fish_jobdir_using_subcommand wait" -l json -d 'Print one JSON document'
complete -c jobdir -n "__fish_jobdir_using_subcommand wait" -l active -d 'Only what is active, orphaned or has survivors'
complete -c jobdir -n "__fish_jobdir_using_subcommand wait" -l failed -d 'Only what ended badly'
complete -c jobdir -n "__fish_jobdir_using_subcommand wait" -l here -d 'Only jobs started in this directory or below it'
complete -c jobdir -n "__fish_jobdir_using_subcommand wait" -s v -l verbose -d 'Say what is done: where, asked of whom, waited for; -vv more'
complete -c jobdir -n "__fish_jobdir_using_subcommand wait" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jobdir -n "__fish_jobdir_using_subcommand kill" -l state -d 'Only jobs in this state (can be repeated)' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand kill" -l name -d 'Only jobs with such a name (can be repeated)' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand kill" -s l -l label -d 'Only jobs with this label (can be repeated)' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand kill" -l cwd -d 'Only jobs started in DIR or below it' -r -f -a "(__fish_complete_directories)"
complete -c jobdir -n "__fish_jobdir_using_subcommand kill" -l since -d 'Only jobs started since then' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand kill" -s s -l signal -d 'Send this signal first, instead of the plan\'s' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand kill" -l grace -d 'The longest time between the first signal and KILL' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand kill" -l reason -d 'Record why, for \'jobdir status\' and the events' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand kill" -l timeout -d 'Stop waiting after this time; the stop goes on' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand kill" -l state-dir -d 'Where the jobs are [env: JOBDIR_STATE_DIR]' -r -f -a "(__fish_complete_directories)"
complete -c jobdir -n "__fish_jobdir_using_subcommand kill" -l color -d 'Use colour: auto, always or never [env: NO_COLOR]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jobdir -n "__fish_jobdir_using_subcommand kill" -l all -d 'All jobs to which the verb applies'
complete -c jobdir -n "__fish_jobdir_using_subcommand kill" -l active -d 'Only what is active, orphaned or has survivors'
complete -c jobdir -n "__fish_jobdir_using_subcommand kill" -l failed -d 'Only what ended badly'
complete -c jobdir -n "__fish_jobdir_using_subcommand kill" -l here -d 'Only jobs started in this directory or below it'
complete -c jobdir -n "__fish_jobdir_using_subcommand kill" -l json -d 'Print one JSON document'
complete -c jobdir -n "__fish_jobdir_using_subcommand kill" -l now -d 'Go on to the next step of a stop under way at once'
complete -c jobdir -n "__fish_jobdir_using_subcommand kill" -l force -d 'KILL at once'
complete -c jobdir -n "__fish_jobdir_using_subcommand kill" -l abort -d 'Skip finally steps'
complete -c jobdir -n "__fish_jobdir_using_subcommand kill" -l no-wait -d 'Return as soon as the request is delivered'
complete -c jobdir -n "__fish_jobdir_using_subcommand kill" -s v -l verbose -d 'Say what is done: where, asked of whom, waited for; -vv more'
complete -c jobdir -n "__fish_jobdir_using_subcommand kill" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jobdir -n "__fish_jobdir_using_subcommand stop" -l state -d 'Only jobs in this state (can be repeated)' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand stop" -l name -d 'Only jobs with such a name (can be repeated)' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand stop" -s l -l label -d 'Only jobs with this label (can be repeated)' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand stop" -l cwd -d 'Only jobs started in DIR or below it' -r -f -a "(__fish_complete_directories)"
complete -c jobdir -n "__fish_jobdir_using_subcommand stop" -l since -d 'Only jobs started since then' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand stop" -s s -l signal -d 'Send this signal first, instead of the plan\'s' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand stop" -l grace -d 'The longest time between the first signal and KILL' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand stop" -l reason -d 'Record why, for \'jobdir status\' and the events' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand stop" -l timeout -d 'Stop waiting after this time; the stop goes on' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand stop" -l state-dir -d 'Where the jobs are [env: JOBDIR_STATE_DIR]' -r -f -a "(__fish_complete_directories)"
complete -c jobdir -n "__fish_jobdir_using_subcommand stop" -l color -d 'Use colour: auto, always or never [env: NO_COLOR]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jobdir -n "__fish_jobdir_using_subcommand stop" -l all -d 'All jobs to which the verb applies'
complete -c jobdir -n "__fish_jobdir_using_subcommand stop" -l active -d 'Only what is active, orphaned or has survivors'
complete -c jobdir -n "__fish_jobdir_using_subcommand stop" -l failed -d 'Only what ended badly'
complete -c jobdir -n "__fish_jobdir_using_subcommand stop" -l here -d 'Only jobs started in this directory or below it'
complete -c jobdir -n "__fish_jobdir_using_subcommand stop" -l json -d 'Print one JSON document'
complete -c jobdir -n "__fish_jobdir_using_subcommand stop" -l now -d 'Go on to the next step of a stop under way at once'
complete -c jobdir -n "__fish_jobdir_using_subcommand stop" -l force -d 'KILL at once'
complete -c jobdir -n "__fish_jobdir_using_subcommand stop" -l abort -d 'Skip finally steps'
complete -c jobdir -n "__fish_jobdir_using_subcommand stop" -l no-wait -d 'Return as soon as the request is delivered'
complete -c jobdir -n "__fish_jobdir_using_subcommand stop" -s v -l verbose -d 'Say what is done: where, asked of whom, waited for; -vv more'
complete -c jobdir -n "__fish_jobdir_using_subcommand stop" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jobdir -n "__fish_jobdir_using_subcommand delete" -l state -d 'Only jobs in this state (can be repeated)' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand delete" -l name -d 'Only jobs with such a name (can be repeated)' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand delete" -s l -l label -d 'Only jobs with this label (can be repeated)' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand delete" -l cwd -d 'Only jobs started in DIR or below it' -r -f -a "(__fish_complete_directories)"
complete -c jobdir -n "__fish_jobdir_using_subcommand delete" -l since -d 'Only jobs started since then' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand delete" -l state-dir -d 'Where the jobs are [env: JOBDIR_STATE_DIR]' -r -f -a "(__fish_complete_directories)"
complete -c jobdir -n "__fish_jobdir_using_subcommand delete" -l color -d 'Use colour: auto, always or never [env: NO_COLOR]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jobdir -n "__fish_jobdir_using_subcommand delete" -l all -d 'All jobs to which the verb applies'
complete -c jobdir -n "__fish_jobdir_using_subcommand delete" -l active -d 'Only what is active, orphaned or has survivors'
complete -c jobdir -n "__fish_jobdir_using_subcommand delete" -l failed -d 'Only what ended badly'
complete -c jobdir -n "__fish_jobdir_using_subcommand delete" -l here -d 'Only jobs started in this directory or below it'
complete -c jobdir -n "__fish_jobdir_using_subcommand delete" -l json -d 'Print one JSON document'
complete -c jobdir -n "__fish_jobdir_using_subcommand delete" -l abort -d 'Skip finally steps when it has to be stopped'
complete -c jobdir -n "__fish_jobdir_using_subcommand delete" -s v -l verbose -d 'Say what is done: where, asked of whom, waited for; -vv more'
complete -c jobdir -n "__fish_jobdir_using_subcommand delete" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jobdir -n "__fish_jobdir_using_subcommand rm" -l state -d 'Only jobs in this state (can be repeated)' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand rm" -l name -d 'Only jobs with such a name (can be repeated)' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand rm" -s l -l label -d 'Only jobs with this label (can be repeated)' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand rm" -l cwd -d 'Only jobs started in DIR or below it' -r -f -a "(__fish_complete_directories)"
complete -c jobdir -n "__fish_jobdir_using_subcommand rm" -l since -d 'Only jobs started since then' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand rm" -l state-dir -d 'Where the jobs are [env: JOBDIR_STATE_DIR]' -r -f -a "(__fish_complete_directories)"
complete -c jobdir -n "__fish_jobdir_using_subcommand rm" -l color -d 'Use colour: auto, always or never [env: NO_COLOR]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jobdir -n "__fish_jobdir_using_subcommand rm" -l all -d 'All jobs to which the verb applies'
complete -c jobdir -n "__fish_jobdir_using_subcommand rm" -l active -d 'Only what is active, orphaned or has survivors'
complete -c jobdir -n "__fish_jobdir_using_subcommand rm" -l failed -d 'Only what ended badly'
complete -c jobdir -n "__fish_jobdir_using_subcommand rm" -l here -d 'Only jobs started in this directory or below it'
complete -c jobdir -n "__fish_jobdir_using_subcommand rm" -l json -d 'Print one JSON document'
complete -c jobdir -n "__fish_jobdir_using_subcommand rm" -l abort -d 'Skip finally steps when it has to be stopped'
complete -c jobdir -n "__fish_jobdir_using_subcommand rm" -s v -l verbose -d 'Say what is done: where, asked of whom, waited for; -vv more'
complete -c jobdir -n "__fish_jobdir_using_subcommand rm" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jobdir -n "__fish_jobdir_using_subcommand abandon" -l state -d 'Only jobs in this state (can be repeated)' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand abandon" -l name -d 'Only jobs with such a name (can be repeated)' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand abandon" -s l -l label -d 'Only jobs with this label (can be repeated)' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand abandon" -l cwd -d 'Only jobs started in DIR or below it' -r -f -a "(__fish_complete_directories)"
complete -c jobdir -n "__fish_jobdir_using_subcommand abandon" -l since -d 'Only jobs started since then' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand abandon" -l reason -d 'Record why' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand abandon" -l state-dir -d 'Where the jobs are [env: JOBDIR_STATE_DIR]' -r -f -a "(__fish_complete_directories)"
complete -c jobdir -n "__fish_jobdir_using_subcommand abandon" -l color -d 'Use colour: auto, always or never [env: NO_COLOR]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jobdir -n "__fish_jobdir_using_subcommand abandon" -l all -d 'All jobs to which the verb applies'
complete -c jobdir -n "__fish_jobdir_using_subcommand abandon" -l active -d 'Only what is active, orphaned or has survivors'
complete -c jobdir -n "__fish_jobdir_using_subcommand abandon" -l failed -d 'Only what ended badly'
complete -c jobdir -n "__fish_jobdir_using_subcommand abandon" -l here -d 'Only jobs started in this directory or below it'
complete -c jobdir -n "__fish_jobdir_using_subcommand abandon" -l json -d 'Print one JSON document'
complete -c jobdir -n "__fish_jobdir_using_subcommand abandon" -l kill -d 'Make one attempt to kill the processes'
complete -c jobdir -n "__fish_jobdir_using_subcommand abandon" -s v -l verbose -d 'Say what is done: where, asked of whom, waited for; -vv more'
complete -c jobdir -n "__fish_jobdir_using_subcommand abandon" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jobdir -n "__fish_jobdir_using_subcommand signal" -l state -d 'Only jobs in this state (can be repeated)' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand signal" -l name -d 'Only jobs with such a name (can be repeated)' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand signal" -s l -l label -d 'Only jobs with this label (can be repeated)' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand signal" -l cwd -d 'Only jobs started in DIR or below it' -r -f -a "(__fish_complete_directories)"
complete -c jobdir -n "__fish_jobdir_using_subcommand signal" -l since -d 'Only jobs started since then' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand signal" -l state-dir -d 'Where the jobs are [env: JOBDIR_STATE_DIR]' -r -f -a "(__fish_complete_directories)"
complete -c jobdir -n "__fish_jobdir_using_subcommand signal" -l color -d 'Use colour: auto, always or never [env: NO_COLOR]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jobdir -n "__fish_jobdir_using_subcommand signal" -l all -d 'All jobs to which the verb applies'
complete -c jobdir -n "__fish_jobdir_using_subcommand signal" -l active -d 'Only what is active, orphaned or has survivors'
complete -c jobdir -n "__fish_jobdir_using_subcommand signal" -l failed -d 'Only what ended badly'
complete -c jobdir -n "__fish_jobdir_using_subcommand signal" -l here -d 'Only jobs started in this directory or below it'
complete -c jobdir -n "__fish_jobdir_using_subcommand signal" -l json -d 'Print one JSON document'
complete -c jobdir -n "__fish_jobdir_using_subcommand signal" -s v -l verbose -d 'Say what is done: where, asked of whom, waited for; -vv more'
complete -c jobdir -n "__fish_jobdir_using_subcommand signal" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jobdir -n "__fish_jobdir_using_subcommand pause" -l state -d 'Only jobs in this state (can be repeated)' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand pause" -l name -d 'Only jobs with such a name (can be repeated)' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand pause" -s l -l label -d 'Only jobs with this label (can be repeated)' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand pause" -l cwd -d 'Only jobs started in DIR or below it' -r -f -a "(__fish_complete_directories)"
complete -c jobdir -n "__fish_jobdir_using_subcommand pause" -l since -d 'Only jobs started since then' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand pause" -l state-dir -d 'Where the jobs are [env: JOBDIR_STATE_DIR]' -r -f -a "(__fish_complete_directories)"
complete -c jobdir -n "__fish_jobdir_using_subcommand pause" -l color -d 'Use colour: auto, always or never [env: NO_COLOR]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jobdir -n "__fish_jobdir_using_subcommand pause" -l all -d 'All jobs to which the verb applies'
complete -c jobdir -n "__fish_jobdir_using_subcommand pause" -l active -d 'Only what is active, orphaned or has survivors'
complete -c jobdir -n "__fish_jobdir_using_subcommand pause" -l failed -d 'Only what ended badly'
complete -c jobdir -n "__fish_jobdir_using_subcommand pause" -l here -d 'Only jobs started in this directory or below it'
complete -c jobdir -n "__fish_jobdir_using_subcommand pause" -l json -d 'Print one JSON document'
complete -c jobdir -n "__fish_jobdir_using_subcommand pause" -s v -l verbose -d 'Say what is done: where, asked of whom, waited for; -vv more'
complete -c jobdir -n "__fish_jobdir_using_subcommand pause" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jobdir -n "__fish_jobdir_using_subcommand unpause" -l state -d 'Only jobs in this state (can be repeated)' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand unpause" -l name -d 'Only jobs with such a name (can be repeated)' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand unpause" -s l -l label -d 'Only jobs with this label (can be repeated)' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand unpause" -l cwd -d 'Only jobs started in DIR or below it' -r -f -a "(__fish_complete_directories)"
complete -c jobdir -n "__fish_jobdir_using_subcommand unpause" -l since -d 'Only jobs started since then' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand unpause" -l state-dir -d 'Where the jobs are [env: JOBDIR_STATE_DIR]' -r -f -a "(__fish_complete_directories)"
complete -c jobdir -n "__fish_jobdir_using_subcommand unpause" -l color -d 'Use colour: auto, always or never [env: NO_COLOR]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jobdir -n "__fish_jobdir_using_subcommand unpause" -l all -d 'All jobs to which the verb applies'
complete -c jobdir -n "__fish_jobdir_using_subcommand unpause" -l active -d 'Only what is active, orphaned or has survivors'
complete -c jobdir -n "__fish_jobdir_using_subcommand unpause" -l failed -d 'Only what ended badly'
complete -c jobdir -n "__fish_jobdir_using_subcommand unpause" -l here -d 'Only jobs started in this directory or below it'
complete -c jobdir -n "__fish_jobdir_using_subcommand unpause" -l json -d 'Print one JSON document'
complete -c jobdir -n "__fish_jobdir_using_subcommand unpause" -s v -l verbose -d 'Say what is done: where, asked of whom, waited for; -vv more'
complete -c jobdir -n "__fish_jobdir_using_subcommand unpause" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jobdir -n "__fish_jobdir_using_subcommand send" -l state-dir -d 'Where the jobs are [env: JOBDIR_STATE_DIR]' -r -f -a "(__fish_complete_directories)"
complete -c jobdir -n "__fish_jobdir_using_subcommand send" -l color -d 'Use colour: auto, always or never [env: NO_COLOR]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jobdir -n "__fish_jobdir_using_subcommand send" -s n -l no-newline -d 'Write no newline after TEXT'
complete -c jobdir -n "__fish_jobdir_using_subcommand send" -l eof -d 'Let the job see the end of its input afterwards'
complete -c jobdir -n "__fish_jobdir_using_subcommand send" -l json -d 'Print one JSON document'
complete -c jobdir -n "__fish_jobdir_using_subcommand send" -s v -l verbose -d 'Say what is done: where, asked of whom, waited for; -vv more'
complete -c jobdir -n "__fish_jobdir_using_subcommand send" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jobdir -n "__fish_jobdir_using_subcommand events" -l since -d 'Only events of each job after this number' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand events" -l state-dir -d 'Where the jobs are [env: JOBDIR_STATE_DIR]' -r -f -a "(__fish_complete_directories)"
complete -c jobdir -n "__fish_jobdir_using_subcommand events" -l color -d 'Use colour: auto, always or never [env: NO_COLOR]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jobdir -n "__fish_jobdir_using_subcommand events" -s f -l follow -d 'Go on until the jobs have ended; without JOB for ever'
complete -c jobdir -n "__fish_jobdir_using_subcommand events" -s v -l verbose -d 'Say what is done: where, asked of whom, waited for; -vv more'
complete -c jobdir -n "__fish_jobdir_using_subcommand events" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jobdir -n "__fish_jobdir_using_subcommand prune" -l older-than -d 'Only what ended so long ago' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand prune" -l keep -d 'Keep so many of the newest' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand prune" -l state -d 'Only jobs in this state (can be repeated)' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand prune" -l name -d 'Only jobs with such a name (can be repeated)' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand prune" -s l -l label -d 'Only jobs with this label (can be repeated)' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand prune" -l cwd -d 'Only jobs started in DIR or below it' -r -f -a "(__fish_complete_directories)"
complete -c jobdir -n "__fish_jobdir_using_subcommand prune" -l since -d 'Only jobs started since then' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand prune" -l state-dir -d 'Where the jobs are [env: JOBDIR_STATE_DIR]' -r -f -a "(__fish_complete_directories)"
complete -c jobdir -n "__fish_jobdir_using_subcommand prune" -l color -d 'Use colour: auto, always or never [env: NO_COLOR]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jobdir -n "__fish_jobdir_using_subcommand prune" -l active -d 'Only what is active, orphaned or has survivors'
complete -c jobdir -n "__fish_jobdir_using_subcommand prune" -l failed -d 'Only what ended badly'
complete -c jobdir -n "__fish_jobdir_using_subcommand prune" -l here -d 'Only jobs started in this directory or below it'
complete -c jobdir -n "__fish_jobdir_using_subcommand prune" -l dry-run -d 'Say what would go, and remove nothing'
complete -c jobdir -n "__fish_jobdir_using_subcommand prune" -l json -d 'Print one JSON document'
complete -c jobdir -n "__fish_jobdir_using_subcommand prune" -s v -l verbose -d 'Say what is done: where, asked of whom, waited for; -vv more'
complete -c jobdir -n "__fish_jobdir_using_subcommand prune" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jobdir -n "__fish_jobdir_using_subcommand doctor" -l state-dir -d 'Where the jobs are [env: JOBDIR_STATE_DIR]' -r -f -a "(__fish_complete_directories)"
complete -c jobdir -n "__fish_jobdir_using_subcommand doctor" -l color -d 'Use colour: auto, always or never [env: NO_COLOR]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jobdir -n "__fish_jobdir_using_subcommand doctor" -l fix -d 'Mend what can be mended safely'
complete -c jobdir -n "__fish_jobdir_using_subcommand doctor" -l json -d 'Print one JSON document'
complete -c jobdir -n "__fish_jobdir_using_subcommand doctor" -s v -l verbose -d 'Say what is done: where, asked of whom, waited for; -vv more'
complete -c jobdir -n "__fish_jobdir_using_subcommand doctor" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jobdir -n "__fish_jobdir_using_subcommand capabilities" -l state-dir -d 'Where the jobs are [env: JOBDIR_STATE_DIR]' -r -f -a "(__fish_complete_directories)"
complete -c jobdir -n "__fish_jobdir_using_subcommand capabilities" -l color -d 'Use colour: auto, always or never [env: NO_COLOR]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jobdir -n "__fish_jobdir_using_subcommand capabilities" -l json -d 'Print one JSON document'
complete -c jobdir -n "__fish_jobdir_using_subcommand capabilities" -s v -l verbose -d 'Say what is done: where, asked of whom, waited for; -vv more'
complete -c jobdir -n "__fish_jobdir_using_subcommand capabilities" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jobdir -n "__fish_jobdir_using_subcommand schema" -l state-dir -d 'Where the jobs are [env: JOBDIR_STATE_DIR]' -r -f -a "(__fish_complete_directories)"
complete -c jobdir -n "__fish_jobdir_using_subcommand schema" -l color -d 'Use colour: auto, always or never [env: NO_COLOR]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jobdir -n "__fish_jobdir_using_subcommand schema" -s v -l verbose -d 'Say what is done: where, asked of whom, waited for; -vv more'
complete -c jobdir -n "__fish_jobdir_using_subcommand schema" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jobdir -n "__fish_jobdir_using_subcommand config" -l profile -d 'Show what this profile makes of it' -r
complete -c jobdir -n "__fish_jobdir_using_subcommand config" -l state-dir -d 'Where the jobs are [env: JOBDIR_STATE_DIR]' -r -f -a "(__fish_complete_directories)"
complete -c jobdir -n "__fish_jobdir_using_subcommand config" -l color -d 'Use colour: auto, always or never [env: NO_COLOR]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jobdir -n "__fish_jobdir_using_subcommand config" -l json -d 'Print one JSON document'
complete -c jobdir -n "__fish_jobdir_using_subcommand config" -s v -l verbose -d 'Say what is done: where, asked of whom, waited for; -vv more'
complete -c jobdir -n "__fish_jobdir_using_subcommand config" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jobdir -n "__fish_jobdir_using_subcommand help" -l state-dir -d 'Where the jobs are [env: JOBDIR_STATE_DIR]' -r -f -a "(__fish_complete_directories)"
complete -c jobdir -n "__fish_jobdir_using_subcommand help" -l color -d 'Use colour: auto, always or never [env: NO_COLOR]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jobdir -n "__fish_jobdir_using_subcommand help" -s v -l verbose -d 'Say what is done: where, asked of whom, waited for; -vv more'
complete -c jobdir -n "__fish_jobdir_using_subcommand help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c jobdir -n "__fish_jobdir_using_subcommand skill" -l state-dir -d 'Where the jobs are [env: JOBDIR_STATE_DIR]' -r -f -a "(__fish_complete_directories)"
complete -c jobdir -n "__fish_jobdir_using_subcommand skill" -l color -d 'Use colour: auto, always or never [env: NO_COLOR]' -r -f -a "auto\t''
always\t''
never\t''"
complete -c jobdir -n "__fish_jobdir_using_subcommand skill" -s f -l force -d 'Replace a page that somebody has changed'
complete -c jobdir -n "__fish_jobdir_using_subcommand skill" -l json -d 'Print one JSON document'
complete -c jobdir -n "__fish_jobdir_using_subcommand skill" -s v -l verbose -d 'Say what is done: where, asked of whom, waited for; -vv more'
complete -c jobdir -n "__fish_jobdir_using_subcommand skill" -s h -l help -d 'Print help (see more with \'--help\')'

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

complete -c jobdir -n "__fish_jobdir_using_subcommand resume" -f -k -a "(__fish_jobdir_jobs resume)"
complete -c jobdir -n "__fish_jobdir_using_subcommand status" -f -k -a "(__fish_jobdir_jobs status)"
complete -c jobdir -n "__fish_jobdir_using_subcommand inspect" -f -k -a "(__fish_jobdir_jobs inspect)"
complete -c jobdir -n "__fish_jobdir_using_subcommand logs" -f -k -a "(__fish_jobdir_jobs logs)"
complete -c jobdir -n "__fish_jobdir_using_subcommand attach" -f -k -a "(__fish_jobdir_jobs attach)"
complete -c jobdir -n "__fish_jobdir_using_subcommand wait" -f -k -a "(__fish_jobdir_jobs wait)"
complete -c jobdir -n "__fish_jobdir_using_subcommand kill" -f -k -a "(__fish_jobdir_jobs kill)"
complete -c jobdir -n "__fish_jobdir_using_subcommand stop" -f -k -a "(__fish_jobdir_jobs stop)"
complete -c jobdir -n "__fish_jobdir_using_subcommand delete" -f -k -a "(__fish_jobdir_jobs delete)"
complete -c jobdir -n "__fish_jobdir_using_subcommand rm" -f -k -a "(__fish_jobdir_jobs rm)"
complete -c jobdir -n "__fish_jobdir_using_subcommand abandon" -f -k -a "(__fish_jobdir_jobs abandon)"
complete -c jobdir -n "__fish_jobdir_using_subcommand signal" -f -k -a "(__fish_jobdir_jobs signal)"
complete -c jobdir -n "__fish_jobdir_using_subcommand pause" -f -k -a "(__fish_jobdir_jobs pause)"
complete -c jobdir -n "__fish_jobdir_using_subcommand unpause" -f -k -a "(__fish_jobdir_jobs unpause)"
complete -c jobdir -n "__fish_jobdir_using_subcommand send" -f -k -a "(__fish_jobdir_jobs send)"
complete -c jobdir -n "__fish_jobdir_using_subcommand events" -f -k -a "(__fish_jobdir_jobs events)"
