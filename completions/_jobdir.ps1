
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'jobdir' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'jobdir'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'jobdir' {
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'Where the jobs are [env: JOBDIR_STATE_DIR]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colour: auto, always or never [env: NO_COLOR]')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say what is done: where, asked of whom, waited for; -vv more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say what is done: where, asked of whom, waited for; -vv more')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('run', 'run', [CompletionResultType]::ParameterValue, 'Start a job')
            [CompletionResult]::new('resume', 'resume', [CompletionResultType]::ParameterValue, 'Start the next attempt of a job that has ended')
            [CompletionResult]::new('jobs', 'jobs', [CompletionResultType]::ParameterValue, 'List jobs')
            [CompletionResult]::new('ps', 'ps', [CompletionResultType]::ParameterValue, 'List jobs')
            [CompletionResult]::new('ls', 'ls', [CompletionResultType]::ParameterValue, 'List jobs')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'Show one job in full')
            [CompletionResult]::new('inspect', 'inspect', [CompletionResultType]::ParameterValue, 'Show one job in full')
            [CompletionResult]::new('logs', 'logs', [CompletionResultType]::ParameterValue, 'Show what a job has printed')
            [CompletionResult]::new('attach', 'attach', [CompletionResultType]::ParameterValue, 'Follow a job, and type at its terminal')
            [CompletionResult]::new('wait', 'wait', [CompletionResultType]::ParameterValue, 'Wait until jobs have ended')
            [CompletionResult]::new('kill', 'kill', [CompletionResultType]::ParameterValue, 'Stop jobs')
            [CompletionResult]::new('stop', 'stop', [CompletionResultType]::ParameterValue, 'Stop jobs')
            [CompletionResult]::new('delete', 'delete', [CompletionResultType]::ParameterValue, 'Stop jobs if need be, and remove every trace of them')
            [CompletionResult]::new('rm', 'rm', [CompletionResultType]::ParameterValue, 'Stop jobs if need be, and remove every trace of them')
            [CompletionResult]::new('abandon', 'abandon', [CompletionResultType]::ParameterValue, 'Give jobs up')
            [CompletionResult]::new('signal', 'signal', [CompletionResultType]::ParameterValue, 'Send a signal to every process of jobs')
            [CompletionResult]::new('pause', 'pause', [CompletionResultType]::ParameterValue, 'Stop every process of jobs for a while')
            [CompletionResult]::new('unpause', 'unpause', [CompletionResultType]::ParameterValue, 'Let paused jobs go on')
            [CompletionResult]::new('send', 'send', [CompletionResultType]::ParameterValue, 'Write to the input of a job')
            [CompletionResult]::new('events', 'events', [CompletionResultType]::ParameterValue, 'Show everything that happened to jobs')
            [CompletionResult]::new('prune', 'prune', [CompletionResultType]::ParameterValue, 'Remove ended jobs')
            [CompletionResult]::new('doctor', 'doctor', [CompletionResultType]::ParameterValue, 'Find what is wrong here, and say how to mend it')
            [CompletionResult]::new('capabilities', 'capabilities', [CompletionResultType]::ParameterValue, 'Show what this version can do on this host')
            [CompletionResult]::new('schema', 'schema', [CompletionResultType]::ParameterValue, 'Show the JSON Schema of every document')
            [CompletionResult]::new('config', 'config', [CompletionResultType]::ParameterValue, 'Show the configuration in force, and where it comes from')
            [CompletionResult]::new('help', 'help', [CompletionResultType]::ParameterValue, 'Show help, or the page for AI agents')
            [CompletionResult]::new('skill', 'skill', [CompletionResultType]::ParameterValue, 'Install the page for AI agents')
            break
        }
        'jobdir;run' {
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'Give the job a name; only one active job can bear it')
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Give the job a label (can be repeated)')
            [CompletionResult]::new('--label', '--label', [CompletionResultType]::ParameterName, 'Give the job a label (can be repeated)')
            [CompletionResult]::new('--id-file', '--id-file', [CompletionResultType]::ParameterName, 'Write the id to this file before the command starts')
            [CompletionResult]::new('--if-running', '--if-running', [CompletionResultType]::ParameterName, 'When the name is taken: fail, attach, skip or replace')
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'Run in this directory instead of the current one')
            [CompletionResult]::new('--cwd', '--cwd', [CompletionResultType]::ParameterName, 'Run in this directory instead of the current one')
            [CompletionResult]::new('-e', '-e', [CompletionResultType]::ParameterName, 'Set a variable, or pass one on (can be repeated)')
            [CompletionResult]::new('--env', '--env', [CompletionResultType]::ParameterName, 'Set a variable, or pass one on (can be repeated)')
            [CompletionResult]::new('--env-file', '--env-file', [CompletionResultType]::ParameterName, 'Set variables from KEY=VALUE lines (can be repeated)')
            [CompletionResult]::new('--umask', '--umask', [CompletionResultType]::ParameterName, 'Set the file mode creation mask, in octal')
            [CompletionResult]::new('--nice', '--nice', [CompletionResultType]::ParameterName, 'Run with this niceness, from -20 to 19')
            [CompletionResult]::new('--rlimit', '--rlimit', [CompletionResultType]::ParameterName, 'Set a resource limit: NOFILE=1024 (can be repeated)')
            [CompletionResult]::new('--stdin', '--stdin', [CompletionResultType]::ParameterName, 'Where the input comes from: inherit, null, fifo or a file')
            [CompletionResult]::new('--log-max', '--log-max', [CompletionResultType]::ParameterName, 'Keep each log below this size: its first part and its newest')
            [CompletionResult]::new('--stop-plan', '--stop-plan', [CompletionResultType]::ParameterName, 'How to stop it: SIGNAL:WAIT,…,KILL or a preset')
            [CompletionResult]::new('--stop-signal', '--stop-signal', [CompletionResultType]::ParameterName, 'The first signal of the stop plan')
            [CompletionResult]::new('--grace', '--grace', [CompletionResultType]::ParameterName, 'The longest time between the first signal and KILL')
            [CompletionResult]::new('--signal-scope', '--signal-scope', [CompletionResultType]::ParameterName, 'Whom signals before KILL reach: tree, group or leader')
            [CompletionResult]::new('--leftovers', '--leftovers', [CompletionResultType]::ParameterName, 'What becomes of processes that outlive the command')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Stop it when it takes longer')
            [CompletionResult]::new('--idle-timeout', '--idle-timeout', [CompletionResultType]::ParameterName, 'Stop it when it neither prints nor computes for so long')
            [CompletionResult]::new('--abandon-after', '--abandon-after', [CompletionResultType]::ParameterName, 'Give it up when it still lives so long after KILL')
            [CompletionResult]::new('--early-signal', '--early-signal', [CompletionResultType]::ParameterName, 'Send a signal some time before --timeout: USR1@60s')
            [CompletionResult]::new('--finally', '--finally', [CompletionResultType]::ParameterName, 'Run shell text after every attempt (can be repeated)')
            [CompletionResult]::new('--finally-timeout', '--finally-timeout', [CompletionResultType]::ParameterName, 'The limit for all finally steps together')
            [CompletionResult]::new('--on-exit', '--on-exit', [CompletionResultType]::ParameterName, 'Run shell text once the end is recorded')
            [CompletionResult]::new('--mutex', '--mutex', [CompletionResultType]::ParameterName, 'Hold this mutex while it runs (can be repeated)')
            [CompletionResult]::new('--slots', '--slots', [CompletionResultType]::ParameterName, 'Run at most N jobs of a group at once (can be repeated)')
            [CompletionResult]::new('--after', '--after', [CompletionResultType]::ParameterName, 'Start when this job has ended well (can be repeated)')
            [CompletionResult]::new('--queue-timeout', '--queue-timeout', [CompletionResultType]::ParameterName, 'Give up when it has to wait longer for all this')
            [CompletionResult]::new('--retries', '--retries', [CompletionResultType]::ParameterName, 'Repeat a failed attempt so many times')
            [CompletionResult]::new('--retry-delay', '--retry-delay', [CompletionResultType]::ParameterName, 'Wait so long before the first retry')
            [CompletionResult]::new('--retry-backoff', '--retry-backoff', [CompletionResultType]::ParameterName, 'Multiply the delay by this from one retry to the next')
            [CompletionResult]::new('--resume-with', '--resume-with', [CompletionResultType]::ParameterName, 'What ''resume'' runs: a template with {args} and {meta.KEY}')
            [CompletionResult]::new('--observe', '--observe', [CompletionResultType]::ParameterName, 'Hand back after this time with the job going on')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Use the defaults of this profile')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'Where the jobs are [env: JOBDIR_STATE_DIR]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colour: auto, always or never [env: NO_COLOR]')
            [CompletionResult]::new('--rm', '--rm', [CompletionResultType]::ParameterName, 'Delete the job when it has succeeded')
            [CompletionResult]::new('--clear-env', '--clear-env', [CompletionResultType]::ParameterName, 'Start with an empty environment')
            [CompletionResult]::new('--no-save-env', '--no-save-env', [CompletionResultType]::ParameterName, 'Keep only the names of variables on disk, not their values')
            [CompletionResult]::new('--merge-output', '--merge-output', [CompletionResultType]::ParameterName, 'Keep stdout and stderr in one log, in their true order')
            [CompletionResult]::new('--pty', '--pty', [CompletionResultType]::ParameterName, 'Give the job a terminal of its own')
            [CompletionResult]::new('--no-pty', '--no-pty', [CompletionResultType]::ParameterName, 'Give it files instead, in the foreground too')
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'Print the id, and return as soon as it executes')
            [CompletionResult]::new('--detach', '--detach', [CompletionResultType]::ParameterName, 'Print the id, and return as soon as it executes')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON document (with --detach or --observe)')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say what is done: where, asked of whom, waited for; -vv more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say what is done: where, asked of whom, waited for; -vv more')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'jobdir;resume' {
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'Run in this directory instead of the current one')
            [CompletionResult]::new('--cwd', '--cwd', [CompletionResultType]::ParameterName, 'Run in this directory instead of the current one')
            [CompletionResult]::new('-e', '-e', [CompletionResultType]::ParameterName, 'Set a variable, or pass one on (can be repeated)')
            [CompletionResult]::new('--env', '--env', [CompletionResultType]::ParameterName, 'Set a variable, or pass one on (can be repeated)')
            [CompletionResult]::new('--env-file', '--env-file', [CompletionResultType]::ParameterName, 'Set variables from KEY=VALUE lines (can be repeated)')
            [CompletionResult]::new('--umask', '--umask', [CompletionResultType]::ParameterName, 'Set the file mode creation mask, in octal')
            [CompletionResult]::new('--nice', '--nice', [CompletionResultType]::ParameterName, 'Run with this niceness, from -20 to 19')
            [CompletionResult]::new('--rlimit', '--rlimit', [CompletionResultType]::ParameterName, 'Set a resource limit: NOFILE=1024 (can be repeated)')
            [CompletionResult]::new('--stdin', '--stdin', [CompletionResultType]::ParameterName, 'Where the input comes from: inherit, null, fifo or a file')
            [CompletionResult]::new('--log-max', '--log-max', [CompletionResultType]::ParameterName, 'Keep each log below this size: its first part and its newest')
            [CompletionResult]::new('--stop-plan', '--stop-plan', [CompletionResultType]::ParameterName, 'How to stop it: SIGNAL:WAIT,…,KILL or a preset')
            [CompletionResult]::new('--stop-signal', '--stop-signal', [CompletionResultType]::ParameterName, 'The first signal of the stop plan')
            [CompletionResult]::new('--grace', '--grace', [CompletionResultType]::ParameterName, 'The longest time between the first signal and KILL')
            [CompletionResult]::new('--signal-scope', '--signal-scope', [CompletionResultType]::ParameterName, 'Whom signals before KILL reach: tree, group or leader')
            [CompletionResult]::new('--leftovers', '--leftovers', [CompletionResultType]::ParameterName, 'What becomes of processes that outlive the command')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Stop it when it takes longer')
            [CompletionResult]::new('--idle-timeout', '--idle-timeout', [CompletionResultType]::ParameterName, 'Stop it when it neither prints nor computes for so long')
            [CompletionResult]::new('--abandon-after', '--abandon-after', [CompletionResultType]::ParameterName, 'Give it up when it still lives so long after KILL')
            [CompletionResult]::new('--early-signal', '--early-signal', [CompletionResultType]::ParameterName, 'Send a signal some time before --timeout: USR1@60s')
            [CompletionResult]::new('--finally', '--finally', [CompletionResultType]::ParameterName, 'Run shell text after every attempt (can be repeated)')
            [CompletionResult]::new('--finally-timeout', '--finally-timeout', [CompletionResultType]::ParameterName, 'The limit for all finally steps together')
            [CompletionResult]::new('--on-exit', '--on-exit', [CompletionResultType]::ParameterName, 'Run shell text once the end is recorded')
            [CompletionResult]::new('--mutex', '--mutex', [CompletionResultType]::ParameterName, 'Hold this mutex while it runs (can be repeated)')
            [CompletionResult]::new('--slots', '--slots', [CompletionResultType]::ParameterName, 'Run at most N jobs of a group at once (can be repeated)')
            [CompletionResult]::new('--after', '--after', [CompletionResultType]::ParameterName, 'Start when this job has ended well (can be repeated)')
            [CompletionResult]::new('--queue-timeout', '--queue-timeout', [CompletionResultType]::ParameterName, 'Give up when it has to wait longer for all this')
            [CompletionResult]::new('--retries', '--retries', [CompletionResultType]::ParameterName, 'Repeat a failed attempt so many times')
            [CompletionResult]::new('--retry-delay', '--retry-delay', [CompletionResultType]::ParameterName, 'Wait so long before the first retry')
            [CompletionResult]::new('--retry-backoff', '--retry-backoff', [CompletionResultType]::ParameterName, 'Multiply the delay by this from one retry to the next')
            [CompletionResult]::new('--resume-with', '--resume-with', [CompletionResultType]::ParameterName, 'What ''resume'' runs: a template with {args} and {meta.KEY}')
            [CompletionResult]::new('--observe', '--observe', [CompletionResultType]::ParameterName, 'Hand back after this time with the job going on')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Use the defaults of this profile')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'Where the jobs are [env: JOBDIR_STATE_DIR]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colour: auto, always or never [env: NO_COLOR]')
            [CompletionResult]::new('--kill-survivors', '--kill-survivors', [CompletionResultType]::ParameterName, 'Stop processes of earlier attempts that still live')
            [CompletionResult]::new('--clear-env', '--clear-env', [CompletionResultType]::ParameterName, 'Start with an empty environment')
            [CompletionResult]::new('--no-save-env', '--no-save-env', [CompletionResultType]::ParameterName, 'Keep only the names of variables on disk, not their values')
            [CompletionResult]::new('--merge-output', '--merge-output', [CompletionResultType]::ParameterName, 'Keep stdout and stderr in one log, in their true order')
            [CompletionResult]::new('--pty', '--pty', [CompletionResultType]::ParameterName, 'Give the job a terminal of its own')
            [CompletionResult]::new('--no-pty', '--no-pty', [CompletionResultType]::ParameterName, 'Give it files instead, in the foreground too')
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'Print the id, and return as soon as it executes')
            [CompletionResult]::new('--detach', '--detach', [CompletionResultType]::ParameterName, 'Print the id, and return as soon as it executes')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON document (with --detach or --observe)')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say what is done: where, asked of whom, waited for; -vv more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say what is done: where, asked of whom, waited for; -vv more')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'jobdir;jobs' {
            [CompletionResult]::new('--state', '--state', [CompletionResultType]::ParameterName, 'Only jobs in this state (can be repeated)')
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'Only jobs with such a name (can be repeated)')
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Only jobs with this label (can be repeated)')
            [CompletionResult]::new('--label', '--label', [CompletionResultType]::ParameterName, 'Only jobs with this label (can be repeated)')
            [CompletionResult]::new('--cwd', '--cwd', [CompletionResultType]::ParameterName, 'Only jobs started in DIR or below it')
            [CompletionResult]::new('--since', '--since', [CompletionResultType]::ParameterName, 'Only jobs started since then')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Only so many: the newest, or the highest of --sort')
            [CompletionResult]::new('--sort', '--sort', [CompletionResultType]::ParameterName, 'Sort by this column instead of the id, lowest first')
            [CompletionResult]::new('--columns', '--columns', [CompletionResultType]::ParameterName, 'The columns of the table, separated by commas')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Print a table, json, ndjson, or a line by a template')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'Where the jobs are [env: JOBDIR_STATE_DIR]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colour: auto, always or never [env: NO_COLOR]')
            [CompletionResult]::new('-a', '-a', [CompletionResultType]::ParameterName, 'Show every job')
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'Show every job')
            [CompletionResult]::new('--active', '--active', [CompletionResultType]::ParameterName, 'Only what is active, orphaned or has survivors')
            [CompletionResult]::new('--failed', '--failed', [CompletionResultType]::ParameterName, 'Only what ended badly')
            [CompletionResult]::new('--here', '--here', [CompletionResultType]::ParameterName, 'Only jobs started in this directory or below it')
            [CompletionResult]::new('-r', '-r', [CompletionResultType]::ParameterName, 'Turn the order round')
            [CompletionResult]::new('--reverse', '--reverse', [CompletionResultType]::ParameterName, 'Turn the order round')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print ids alone, a line each')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print ids alone, a line each')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON document')
            [CompletionResult]::new('-w', '-w', [CompletionResultType]::ParameterName, 'Go on, and show what changes')
            [CompletionResult]::new('--watch', '--watch', [CompletionResultType]::ParameterName, 'Go on, and show what changes')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say what is done: where, asked of whom, waited for; -vv more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say what is done: where, asked of whom, waited for; -vv more')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'jobdir;ps' {
            [CompletionResult]::new('--state', '--state', [CompletionResultType]::ParameterName, 'Only jobs in this state (can be repeated)')
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'Only jobs with such a name (can be repeated)')
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Only jobs with this label (can be repeated)')
            [CompletionResult]::new('--label', '--label', [CompletionResultType]::ParameterName, 'Only jobs with this label (can be repeated)')
            [CompletionResult]::new('--cwd', '--cwd', [CompletionResultType]::ParameterName, 'Only jobs started in DIR or below it')
            [CompletionResult]::new('--since', '--since', [CompletionResultType]::ParameterName, 'Only jobs started since then')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Only so many: the newest, or the highest of --sort')
            [CompletionResult]::new('--sort', '--sort', [CompletionResultType]::ParameterName, 'Sort by this column instead of the id, lowest first')
            [CompletionResult]::new('--columns', '--columns', [CompletionResultType]::ParameterName, 'The columns of the table, separated by commas')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Print a table, json, ndjson, or a line by a template')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'Where the jobs are [env: JOBDIR_STATE_DIR]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colour: auto, always or never [env: NO_COLOR]')
            [CompletionResult]::new('-a', '-a', [CompletionResultType]::ParameterName, 'Show every job')
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'Show every job')
            [CompletionResult]::new('--active', '--active', [CompletionResultType]::ParameterName, 'Only what is active, orphaned or has survivors')
            [CompletionResult]::new('--failed', '--failed', [CompletionResultType]::ParameterName, 'Only what ended badly')
            [CompletionResult]::new('--here', '--here', [CompletionResultType]::ParameterName, 'Only jobs started in this directory or below it')
            [CompletionResult]::new('-r', '-r', [CompletionResultType]::ParameterName, 'Turn the order round')
            [CompletionResult]::new('--reverse', '--reverse', [CompletionResultType]::ParameterName, 'Turn the order round')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print ids alone, a line each')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print ids alone, a line each')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON document')
            [CompletionResult]::new('-w', '-w', [CompletionResultType]::ParameterName, 'Go on, and show what changes')
            [CompletionResult]::new('--watch', '--watch', [CompletionResultType]::ParameterName, 'Go on, and show what changes')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say what is done: where, asked of whom, waited for; -vv more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say what is done: where, asked of whom, waited for; -vv more')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'jobdir;ls' {
            [CompletionResult]::new('--state', '--state', [CompletionResultType]::ParameterName, 'Only jobs in this state (can be repeated)')
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'Only jobs with such a name (can be repeated)')
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Only jobs with this label (can be repeated)')
            [CompletionResult]::new('--label', '--label', [CompletionResultType]::ParameterName, 'Only jobs with this label (can be repeated)')
            [CompletionResult]::new('--cwd', '--cwd', [CompletionResultType]::ParameterName, 'Only jobs started in DIR or below it')
            [CompletionResult]::new('--since', '--since', [CompletionResultType]::ParameterName, 'Only jobs started since then')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Only so many: the newest, or the highest of --sort')
            [CompletionResult]::new('--sort', '--sort', [CompletionResultType]::ParameterName, 'Sort by this column instead of the id, lowest first')
            [CompletionResult]::new('--columns', '--columns', [CompletionResultType]::ParameterName, 'The columns of the table, separated by commas')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'Print a table, json, ndjson, or a line by a template')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'Where the jobs are [env: JOBDIR_STATE_DIR]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colour: auto, always or never [env: NO_COLOR]')
            [CompletionResult]::new('-a', '-a', [CompletionResultType]::ParameterName, 'Show every job')
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'Show every job')
            [CompletionResult]::new('--active', '--active', [CompletionResultType]::ParameterName, 'Only what is active, orphaned or has survivors')
            [CompletionResult]::new('--failed', '--failed', [CompletionResultType]::ParameterName, 'Only what ended badly')
            [CompletionResult]::new('--here', '--here', [CompletionResultType]::ParameterName, 'Only jobs started in this directory or below it')
            [CompletionResult]::new('-r', '-r', [CompletionResultType]::ParameterName, 'Turn the order round')
            [CompletionResult]::new('--reverse', '--reverse', [CompletionResultType]::ParameterName, 'Turn the order round')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Print ids alone, a line each')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Print ids alone, a line each')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON document')
            [CompletionResult]::new('-w', '-w', [CompletionResultType]::ParameterName, 'Go on, and show what changes')
            [CompletionResult]::new('--watch', '--watch', [CompletionResultType]::ParameterName, 'Go on, and show what changes')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say what is done: where, asked of whom, waited for; -vv more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say what is done: where, asked of whom, waited for; -vv more')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'jobdir;status' {
            [CompletionResult]::new('-P', '-P ', [CompletionResultType]::ParameterName, 'Print the value of one field of the JSON document')
            [CompletionResult]::new('--property', '--property', [CompletionResultType]::ParameterName, 'Print the value of one field of the JSON document')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'Where the jobs are [env: JOBDIR_STATE_DIR]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colour: auto, always or never [env: NO_COLOR]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON document')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say what is done: where, asked of whom, waited for; -vv more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say what is done: where, asked of whom, waited for; -vv more')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'jobdir;inspect' {
            [CompletionResult]::new('-P', '-P ', [CompletionResultType]::ParameterName, 'Print the value of one field of the JSON document')
            [CompletionResult]::new('--property', '--property', [CompletionResultType]::ParameterName, 'Print the value of one field of the JSON document')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'Where the jobs are [env: JOBDIR_STATE_DIR]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colour: auto, always or never [env: NO_COLOR]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON document')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say what is done: where, asked of whom, waited for; -vv more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say what is done: where, asked of whom, waited for; -vv more')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'jobdir;logs' {
            [CompletionResult]::new('--since', '--since', [CompletionResultType]::ParameterName, 'Only what is new since a former answer')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Only the last lines')
            [CompletionResult]::new('--tail', '--tail', [CompletionResultType]::ParameterName, 'Only the last lines')
            [CompletionResult]::new('--head', '--head', [CompletionResultType]::ParameterName, 'Only the first lines')
            [CompletionResult]::new('--max-bytes', '--max-bytes', [CompletionResultType]::ParameterName, 'Only so many bytes: the newest with --tail, else the first')
            [CompletionResult]::new('--grep', '--grep', [CompletionResultType]::ParameterName, 'Only lines that match this regular expression')
            [CompletionResult]::new('-C', '-C ', [CompletionResultType]::ParameterName, 'With --grep: also so many lines before and after each')
            [CompletionResult]::new('--context', '--context', [CompletionResultType]::ParameterName, 'With --grep: also so many lines before and after each')
            [CompletionResult]::new('--attempt', '--attempt', [CompletionResultType]::ParameterName, 'The output of this attempt, not of the latest')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'Where the jobs are [env: JOBDIR_STATE_DIR]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colour: auto, always or never [env: NO_COLOR]')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Go on until the job ends')
            [CompletionResult]::new('--follow', '--follow', [CompletionResultType]::ParameterName, 'Go on until the job ends')
            [CompletionResult]::new('--stdout', '--stdout', [CompletionResultType]::ParameterName, 'Only stdout')
            [CompletionResult]::new('--stderr', '--stderr', [CompletionResultType]::ParameterName, 'Only stderr')
            [CompletionResult]::new('--strip-ansi', '--strip-ansi', [CompletionResultType]::ParameterName, 'Without colours and other escape sequences')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON document')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say what is done: where, asked of whom, waited for; -vv more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say what is done: where, asked of whom, waited for; -vv more')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'jobdir;attach' {
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'Where the jobs are [env: JOBDIR_STATE_DIR]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colour: auto, always or never [env: NO_COLOR]')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say what is done: where, asked of whom, waited for; -vv more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say what is done: where, asked of whom, waited for; -vv more')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'jobdir;wait' {
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Stop waiting after this time; the jobs go on')
            [CompletionResult]::new('--for', '--for', [CompletionResultType]::ParameterName, 'Wait for this instead of the end')
            [CompletionResult]::new('--tail', '--tail', [CompletionResultType]::ParameterName, 'Also show the last lines of each job''s output')
            [CompletionResult]::new('--state', '--state', [CompletionResultType]::ParameterName, 'Only jobs in this state (can be repeated)')
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'Only jobs with such a name (can be repeated)')
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Only jobs with this label (can be repeated)')
            [CompletionResult]::new('--label', '--label', [CompletionResultType]::ParameterName, 'Only jobs with this label (can be repeated)')
            [CompletionResult]::new('--cwd', '--cwd', [CompletionResultType]::ParameterName, 'Only jobs started in DIR or below it')
            [CompletionResult]::new('--since', '--since', [CompletionResultType]::ParameterName, 'Only jobs started since then')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'Where the jobs are [env: JOBDIR_STATE_DIR]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colour: auto, always or never [env: NO_COLOR]')
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'Wait for all of them, which is the default')
            [CompletionResult]::new('--any', '--any', [CompletionResultType]::ParameterName, 'Wait for the first of them only')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON document')
            [CompletionResult]::new('--active', '--active', [CompletionResultType]::ParameterName, 'Only what is active, orphaned or has survivors')
            [CompletionResult]::new('--failed', '--failed', [CompletionResultType]::ParameterName, 'Only what ended badly')
            [CompletionResult]::new('--here', '--here', [CompletionResultType]::ParameterName, 'Only jobs started in this directory or below it')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say what is done: where, asked of whom, waited for; -vv more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say what is done: where, asked of whom, waited for; -vv more')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'jobdir;kill' {
            [CompletionResult]::new('--state', '--state', [CompletionResultType]::ParameterName, 'Only jobs in this state (can be repeated)')
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'Only jobs with such a name (can be repeated)')
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Only jobs with this label (can be repeated)')
            [CompletionResult]::new('--label', '--label', [CompletionResultType]::ParameterName, 'Only jobs with this label (can be repeated)')
            [CompletionResult]::new('--cwd', '--cwd', [CompletionResultType]::ParameterName, 'Only jobs started in DIR or below it')
            [CompletionResult]::new('--since', '--since', [CompletionResultType]::ParameterName, 'Only jobs started since then')
            [CompletionResult]::new('-s', '-s', [CompletionResultType]::ParameterName, 'Send this signal first, instead of the plan''s')
            [CompletionResult]::new('--signal', '--signal', [CompletionResultType]::ParameterName, 'Send this signal first, instead of the plan''s')
            [CompletionResult]::new('--grace', '--grace', [CompletionResultType]::ParameterName, 'The longest time between the first signal and KILL')
            [CompletionResult]::new('--reason', '--reason', [CompletionResultType]::ParameterName, 'Record why, for ''jobdir status'' and the events')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Stop waiting after this time; the stop goes on')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'Where the jobs are [env: JOBDIR_STATE_DIR]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colour: auto, always or never [env: NO_COLOR]')
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'All jobs to which the verb applies')
            [CompletionResult]::new('--active', '--active', [CompletionResultType]::ParameterName, 'Only what is active, orphaned or has survivors')
            [CompletionResult]::new('--failed', '--failed', [CompletionResultType]::ParameterName, 'Only what ended badly')
            [CompletionResult]::new('--here', '--here', [CompletionResultType]::ParameterName, 'Only jobs started in this directory or below it')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON document')
            [CompletionResult]::new('--now', '--now', [CompletionResultType]::ParameterName, 'Go on to the next step of a stop under way at once')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'KILL at once')
            [CompletionResult]::new('--abort', '--abort', [CompletionResultType]::ParameterName, 'Skip finally steps')
            [CompletionResult]::new('--no-wait', '--no-wait', [CompletionResultType]::ParameterName, 'Return as soon as the request is delivered')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say what is done: where, asked of whom, waited for; -vv more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say what is done: where, asked of whom, waited for; -vv more')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'jobdir;stop' {
            [CompletionResult]::new('--state', '--state', [CompletionResultType]::ParameterName, 'Only jobs in this state (can be repeated)')
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'Only jobs with such a name (can be repeated)')
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Only jobs with this label (can be repeated)')
            [CompletionResult]::new('--label', '--label', [CompletionResultType]::ParameterName, 'Only jobs with this label (can be repeated)')
            [CompletionResult]::new('--cwd', '--cwd', [CompletionResultType]::ParameterName, 'Only jobs started in DIR or below it')
            [CompletionResult]::new('--since', '--since', [CompletionResultType]::ParameterName, 'Only jobs started since then')
            [CompletionResult]::new('-s', '-s', [CompletionResultType]::ParameterName, 'Send this signal first, instead of the plan''s')
            [CompletionResult]::new('--signal', '--signal', [CompletionResultType]::ParameterName, 'Send this signal first, instead of the plan''s')
            [CompletionResult]::new('--grace', '--grace', [CompletionResultType]::ParameterName, 'The longest time between the first signal and KILL')
            [CompletionResult]::new('--reason', '--reason', [CompletionResultType]::ParameterName, 'Record why, for ''jobdir status'' and the events')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'Stop waiting after this time; the stop goes on')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'Where the jobs are [env: JOBDIR_STATE_DIR]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colour: auto, always or never [env: NO_COLOR]')
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'All jobs to which the verb applies')
            [CompletionResult]::new('--active', '--active', [CompletionResultType]::ParameterName, 'Only what is active, orphaned or has survivors')
            [CompletionResult]::new('--failed', '--failed', [CompletionResultType]::ParameterName, 'Only what ended badly')
            [CompletionResult]::new('--here', '--here', [CompletionResultType]::ParameterName, 'Only jobs started in this directory or below it')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON document')
            [CompletionResult]::new('--now', '--now', [CompletionResultType]::ParameterName, 'Go on to the next step of a stop under way at once')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'KILL at once')
            [CompletionResult]::new('--abort', '--abort', [CompletionResultType]::ParameterName, 'Skip finally steps')
            [CompletionResult]::new('--no-wait', '--no-wait', [CompletionResultType]::ParameterName, 'Return as soon as the request is delivered')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say what is done: where, asked of whom, waited for; -vv more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say what is done: where, asked of whom, waited for; -vv more')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'jobdir;delete' {
            [CompletionResult]::new('--state', '--state', [CompletionResultType]::ParameterName, 'Only jobs in this state (can be repeated)')
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'Only jobs with such a name (can be repeated)')
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Only jobs with this label (can be repeated)')
            [CompletionResult]::new('--label', '--label', [CompletionResultType]::ParameterName, 'Only jobs with this label (can be repeated)')
            [CompletionResult]::new('--cwd', '--cwd', [CompletionResultType]::ParameterName, 'Only jobs started in DIR or below it')
            [CompletionResult]::new('--since', '--since', [CompletionResultType]::ParameterName, 'Only jobs started since then')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'Where the jobs are [env: JOBDIR_STATE_DIR]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colour: auto, always or never [env: NO_COLOR]')
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'All jobs to which the verb applies')
            [CompletionResult]::new('--active', '--active', [CompletionResultType]::ParameterName, 'Only what is active, orphaned or has survivors')
            [CompletionResult]::new('--failed', '--failed', [CompletionResultType]::ParameterName, 'Only what ended badly')
            [CompletionResult]::new('--here', '--here', [CompletionResultType]::ParameterName, 'Only jobs started in this directory or below it')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON document')
            [CompletionResult]::new('--abort', '--abort', [CompletionResultType]::ParameterName, 'Skip finally steps when it has to be stopped')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say what is done: where, asked of whom, waited for; -vv more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say what is done: where, asked of whom, waited for; -vv more')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'jobdir;rm' {
            [CompletionResult]::new('--state', '--state', [CompletionResultType]::ParameterName, 'Only jobs in this state (can be repeated)')
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'Only jobs with such a name (can be repeated)')
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Only jobs with this label (can be repeated)')
            [CompletionResult]::new('--label', '--label', [CompletionResultType]::ParameterName, 'Only jobs with this label (can be repeated)')
            [CompletionResult]::new('--cwd', '--cwd', [CompletionResultType]::ParameterName, 'Only jobs started in DIR or below it')
            [CompletionResult]::new('--since', '--since', [CompletionResultType]::ParameterName, 'Only jobs started since then')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'Where the jobs are [env: JOBDIR_STATE_DIR]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colour: auto, always or never [env: NO_COLOR]')
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'All jobs to which the verb applies')
            [CompletionResult]::new('--active', '--active', [CompletionResultType]::ParameterName, 'Only what is active, orphaned or has survivors')
            [CompletionResult]::new('--failed', '--failed', [CompletionResultType]::ParameterName, 'Only what ended badly')
            [CompletionResult]::new('--here', '--here', [CompletionResultType]::ParameterName, 'Only jobs started in this directory or below it')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON document')
            [CompletionResult]::new('--abort', '--abort', [CompletionResultType]::ParameterName, 'Skip finally steps when it has to be stopped')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say what is done: where, asked of whom, waited for; -vv more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say what is done: where, asked of whom, waited for; -vv more')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'jobdir;abandon' {
            [CompletionResult]::new('--state', '--state', [CompletionResultType]::ParameterName, 'Only jobs in this state (can be repeated)')
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'Only jobs with such a name (can be repeated)')
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Only jobs with this label (can be repeated)')
            [CompletionResult]::new('--label', '--label', [CompletionResultType]::ParameterName, 'Only jobs with this label (can be repeated)')
            [CompletionResult]::new('--cwd', '--cwd', [CompletionResultType]::ParameterName, 'Only jobs started in DIR or below it')
            [CompletionResult]::new('--since', '--since', [CompletionResultType]::ParameterName, 'Only jobs started since then')
            [CompletionResult]::new('--reason', '--reason', [CompletionResultType]::ParameterName, 'Record why')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'Where the jobs are [env: JOBDIR_STATE_DIR]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colour: auto, always or never [env: NO_COLOR]')
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'All jobs to which the verb applies')
            [CompletionResult]::new('--active', '--active', [CompletionResultType]::ParameterName, 'Only what is active, orphaned or has survivors')
            [CompletionResult]::new('--failed', '--failed', [CompletionResultType]::ParameterName, 'Only what ended badly')
            [CompletionResult]::new('--here', '--here', [CompletionResultType]::ParameterName, 'Only jobs started in this directory or below it')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON document')
            [CompletionResult]::new('--kill', '--kill', [CompletionResultType]::ParameterName, 'Make one attempt to kill the processes')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say what is done: where, asked of whom, waited for; -vv more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say what is done: where, asked of whom, waited for; -vv more')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'jobdir;signal' {
            [CompletionResult]::new('--state', '--state', [CompletionResultType]::ParameterName, 'Only jobs in this state (can be repeated)')
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'Only jobs with such a name (can be repeated)')
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Only jobs with this label (can be repeated)')
            [CompletionResult]::new('--label', '--label', [CompletionResultType]::ParameterName, 'Only jobs with this label (can be repeated)')
            [CompletionResult]::new('--cwd', '--cwd', [CompletionResultType]::ParameterName, 'Only jobs started in DIR or below it')
            [CompletionResult]::new('--since', '--since', [CompletionResultType]::ParameterName, 'Only jobs started since then')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'Where the jobs are [env: JOBDIR_STATE_DIR]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colour: auto, always or never [env: NO_COLOR]')
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'All jobs to which the verb applies')
            [CompletionResult]::new('--active', '--active', [CompletionResultType]::ParameterName, 'Only what is active, orphaned or has survivors')
            [CompletionResult]::new('--failed', '--failed', [CompletionResultType]::ParameterName, 'Only what ended badly')
            [CompletionResult]::new('--here', '--here', [CompletionResultType]::ParameterName, 'Only jobs started in this directory or below it')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON document')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say what is done: where, asked of whom, waited for; -vv more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say what is done: where, asked of whom, waited for; -vv more')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'jobdir;pause' {
            [CompletionResult]::new('--state', '--state', [CompletionResultType]::ParameterName, 'Only jobs in this state (can be repeated)')
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'Only jobs with such a name (can be repeated)')
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Only jobs with this label (can be repeated)')
            [CompletionResult]::new('--label', '--label', [CompletionResultType]::ParameterName, 'Only jobs with this label (can be repeated)')
            [CompletionResult]::new('--cwd', '--cwd', [CompletionResultType]::ParameterName, 'Only jobs started in DIR or below it')
            [CompletionResult]::new('--since', '--since', [CompletionResultType]::ParameterName, 'Only jobs started since then')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'Where the jobs are [env: JOBDIR_STATE_DIR]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colour: auto, always or never [env: NO_COLOR]')
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'All jobs to which the verb applies')
            [CompletionResult]::new('--active', '--active', [CompletionResultType]::ParameterName, 'Only what is active, orphaned or has survivors')
            [CompletionResult]::new('--failed', '--failed', [CompletionResultType]::ParameterName, 'Only what ended badly')
            [CompletionResult]::new('--here', '--here', [CompletionResultType]::ParameterName, 'Only jobs started in this directory or below it')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON document')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say what is done: where, asked of whom, waited for; -vv more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say what is done: where, asked of whom, waited for; -vv more')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'jobdir;unpause' {
            [CompletionResult]::new('--state', '--state', [CompletionResultType]::ParameterName, 'Only jobs in this state (can be repeated)')
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'Only jobs with such a name (can be repeated)')
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Only jobs with this label (can be repeated)')
            [CompletionResult]::new('--label', '--label', [CompletionResultType]::ParameterName, 'Only jobs with this label (can be repeated)')
            [CompletionResult]::new('--cwd', '--cwd', [CompletionResultType]::ParameterName, 'Only jobs started in DIR or below it')
            [CompletionResult]::new('--since', '--since', [CompletionResultType]::ParameterName, 'Only jobs started since then')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'Where the jobs are [env: JOBDIR_STATE_DIR]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colour: auto, always or never [env: NO_COLOR]')
            [CompletionResult]::new('--all', '--all', [CompletionResultType]::ParameterName, 'All jobs to which the verb applies')
            [CompletionResult]::new('--active', '--active', [CompletionResultType]::ParameterName, 'Only what is active, orphaned or has survivors')
            [CompletionResult]::new('--failed', '--failed', [CompletionResultType]::ParameterName, 'Only what ended badly')
            [CompletionResult]::new('--here', '--here', [CompletionResultType]::ParameterName, 'Only jobs started in this directory or below it')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON document')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say what is done: where, asked of whom, waited for; -vv more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say what is done: where, asked of whom, waited for; -vv more')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'jobdir;send' {
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'Where the jobs are [env: JOBDIR_STATE_DIR]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colour: auto, always or never [env: NO_COLOR]')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Write no newline after TEXT')
            [CompletionResult]::new('--no-newline', '--no-newline', [CompletionResultType]::ParameterName, 'Write no newline after TEXT')
            [CompletionResult]::new('--eof', '--eof', [CompletionResultType]::ParameterName, 'Let the job see the end of its input afterwards')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON document')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say what is done: where, asked of whom, waited for; -vv more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say what is done: where, asked of whom, waited for; -vv more')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'jobdir;events' {
            [CompletionResult]::new('--since', '--since', [CompletionResultType]::ParameterName, 'Only events of each job after this number')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'Where the jobs are [env: JOBDIR_STATE_DIR]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colour: auto, always or never [env: NO_COLOR]')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Go on until the jobs have ended; without JOB for ever')
            [CompletionResult]::new('--follow', '--follow', [CompletionResultType]::ParameterName, 'Go on until the jobs have ended; without JOB for ever')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say what is done: where, asked of whom, waited for; -vv more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say what is done: where, asked of whom, waited for; -vv more')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'jobdir;prune' {
            [CompletionResult]::new('--older-than', '--older-than', [CompletionResultType]::ParameterName, 'Only what ended so long ago')
            [CompletionResult]::new('--keep', '--keep', [CompletionResultType]::ParameterName, 'Keep so many of the newest')
            [CompletionResult]::new('--state', '--state', [CompletionResultType]::ParameterName, 'Only jobs in this state (can be repeated)')
            [CompletionResult]::new('--name', '--name', [CompletionResultType]::ParameterName, 'Only jobs with such a name (can be repeated)')
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Only jobs with this label (can be repeated)')
            [CompletionResult]::new('--label', '--label', [CompletionResultType]::ParameterName, 'Only jobs with this label (can be repeated)')
            [CompletionResult]::new('--cwd', '--cwd', [CompletionResultType]::ParameterName, 'Only jobs started in DIR or below it')
            [CompletionResult]::new('--since', '--since', [CompletionResultType]::ParameterName, 'Only jobs started since then')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'Where the jobs are [env: JOBDIR_STATE_DIR]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colour: auto, always or never [env: NO_COLOR]')
            [CompletionResult]::new('--active', '--active', [CompletionResultType]::ParameterName, 'Only what is active, orphaned or has survivors')
            [CompletionResult]::new('--failed', '--failed', [CompletionResultType]::ParameterName, 'Only what ended badly')
            [CompletionResult]::new('--here', '--here', [CompletionResultType]::ParameterName, 'Only jobs started in this directory or below it')
            [CompletionResult]::new('--dry-run', '--dry-run', [CompletionResultType]::ParameterName, 'Say what would go, and remove nothing')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON document')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say what is done: where, asked of whom, waited for; -vv more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say what is done: where, asked of whom, waited for; -vv more')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'jobdir;doctor' {
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'Where the jobs are [env: JOBDIR_STATE_DIR]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colour: auto, always or never [env: NO_COLOR]')
            [CompletionResult]::new('--fix', '--fix', [CompletionResultType]::ParameterName, 'Mend what can be mended safely')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON document')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say what is done: where, asked of whom, waited for; -vv more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say what is done: where, asked of whom, waited for; -vv more')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'jobdir;capabilities' {
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'Where the jobs are [env: JOBDIR_STATE_DIR]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colour: auto, always or never [env: NO_COLOR]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON document')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say what is done: where, asked of whom, waited for; -vv more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say what is done: where, asked of whom, waited for; -vv more')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'jobdir;schema' {
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'Where the jobs are [env: JOBDIR_STATE_DIR]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colour: auto, always or never [env: NO_COLOR]')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say what is done: where, asked of whom, waited for; -vv more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say what is done: where, asked of whom, waited for; -vv more')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'jobdir;config' {
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Show what this profile makes of it')
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'Where the jobs are [env: JOBDIR_STATE_DIR]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colour: auto, always or never [env: NO_COLOR]')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON document')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say what is done: where, asked of whom, waited for; -vv more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say what is done: where, asked of whom, waited for; -vv more')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'jobdir;help' {
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'Where the jobs are [env: JOBDIR_STATE_DIR]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colour: auto, always or never [env: NO_COLOR]')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say what is done: where, asked of whom, waited for; -vv more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say what is done: where, asked of whom, waited for; -vv more')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'jobdir;skill' {
            [CompletionResult]::new('--state-dir', '--state-dir', [CompletionResultType]::ParameterName, 'Where the jobs are [env: JOBDIR_STATE_DIR]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'Use colour: auto, always or never [env: NO_COLOR]')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Replace a page that somebody has changed')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Replace a page that somebody has changed')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print one JSON document')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Say what is done: where, asked of whom, waited for; -vv more')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Say what is done: where, asked of whom, waited for; -vv more')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
    })

    # The jobs that a command can be meant for, with state and command; jobdir looks, and writes nothing.
    $valued = @{
        'resume' = @('--cwd', '-C', '--env', '-e', '--env-file', '--umask', '--nice', '--rlimit', '--stdin', '--log-max', '--stop-plan', '--stop-signal', '--grace', '--signal-scope', '--leftovers', '--timeout', '--idle-timeout', '--abandon-after', '--early-signal', '--finally', '--finally-timeout', '--on-exit', '--mutex', '--slots', '--after', '--queue-timeout', '--retries', '--retry-delay', '--retry-backoff', '--resume-with', '--observe', '--profile', '--state-dir', '--color')
        'status' = @('--property', '-P', '--state-dir', '--color')
        'inspect' = @('--property', '-P', '--state-dir', '--color')
        'logs' = @('--since', '--tail', '-n', '--head', '--max-bytes', '--grep', '--context', '-C', '--attempt', '--state-dir', '--color')
        'attach' = @('--state-dir', '--color')
        'wait' = @('--timeout', '--for', '--tail', '--state', '--name', '--label', '-l', '--cwd', '--since', '--state-dir', '--color')
        'kill' = @('--state', '--name', '--label', '-l', '--cwd', '--since', '--signal', '-s', '--grace', '--reason', '--timeout', '--state-dir', '--color')
        'stop' = @('--state', '--name', '--label', '-l', '--cwd', '--since', '--signal', '-s', '--grace', '--reason', '--timeout', '--state-dir', '--color')
        'delete' = @('--state', '--name', '--label', '-l', '--cwd', '--since', '--state-dir', '--color')
        'rm' = @('--state', '--name', '--label', '-l', '--cwd', '--since', '--state-dir', '--color')
        'abandon' = @('--state', '--name', '--label', '-l', '--cwd', '--since', '--reason', '--state-dir', '--color')
        'signal' = @('--state', '--name', '--label', '-l', '--cwd', '--since', '--state-dir', '--color')
        'pause' = @('--state', '--name', '--label', '-l', '--cwd', '--since', '--state-dir', '--color')
        'unpause' = @('--state', '--name', '--label', '-l', '--cwd', '--since', '--state-dir', '--color')
        'send' = @('--state-dir', '--color')
        'events' = @('--since', '--state-dir', '--color')
    }
    $verb = ''
    $before = ''
    $directory = @()
    foreach ($element in $commandElements | Select-Object -Skip 1) {
        # What is being typed is no part of what was said before.
        if ($element.Extent.EndOffset -ge $cursorPosition) {
            break
        }
        $word = if ($element -is [StringConstantExpressionAst]) { $element.Value } else { $element.Extent.Text }
        if ($word -ceq '--') {
            $verb = ''
            break
        } elseif ($before -ceq '--state-dir') {
            $directory = @('--state-dir', $word)
        } elseif ($word.StartsWith('--state-dir=')) {
            $directory = @($word)
        } elseif (-not $verb -and $before -cne '--color' -and -not $word.StartsWith('-')) {
            $verb = $word
        }
        $before = $word
    }
    if ($valued.ContainsKey($verb) -and -not $wordToComplete.StartsWith('-')) {
        # After an option that takes a value comes that value: a file, perhaps.
        if ($valued[$verb] -ccontains $before) {
            return
        }
        $program = $commandAst.GetCommandName()
        $jobs = @(foreach ($line in & $program @directory complete $verb 2>$null) {
            $job, $description = $line -split "`t", 2
            if ($job.StartsWith($wordToComplete, [System.StringComparison]::OrdinalIgnoreCase)) {
                [CompletionResult]::new($job, $job, [CompletionResultType]::ParameterValue, $description)
            }
        })
        # A file is no job: an empty text keeps PowerShell from offering those.
        return $(if ($jobs) { $jobs } else { '' })
    }

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
