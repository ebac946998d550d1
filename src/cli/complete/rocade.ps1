# Completion of rocade in PowerShell: the program itself says what may stand next.
Register-ArgumentCompleter -Native -CommandName rocade -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @($commandAst.CommandElements |
        Where-Object { $_.Extent.StartOffset -lt $cursorPosition } |
        ForEach-Object { $_.ToString() })
    $program = $words[0]
    $given = @('complete')
    # Some versions drop an empty word.
    if ("$wordToComplete" -eq '') { $given += '--after' }
    $given += '--'
    $given += @($words | Select-Object -Skip 1)
    & $program @given 2>$null | ForEach-Object {
        $text, $about = $_ -split "`t", 2
        if (-not $about) { $about = $text }
        [System.Management.Automation.CompletionResult]::new($text, $text, 'ParameterValue', $about)
    }
}
