    # The jobs that a command can be meant for, with state and command; jobdir looks, and writes nothing.
    $valued = @{
@CASES@
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

