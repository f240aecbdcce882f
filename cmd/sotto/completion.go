package main

import (
	"fmt"

	"sotto/internal/command"
)

// completion prints a shell's script. The scripts only pass on what is typed: what fits is
// told by the hidden command complete, from the same table that reads the commands, so
// that they never grow old.
type completion struct {
	Shell string `arg:"" enum:"bash,zsh,fish,powershell" help:"Which shell: bash, zsh, fish or powershell."`
}

func (o completion) run(x *command.IO) error {
	_, err := fmt.Fprint(x.Out, scripts[o.Shell])
	return err
}

var scripts = map[string]string{
	"bash": `# sotto in bash: put this into ~/.local/share/bash-completion/completions/sotto, or
#   source <(sotto completion bash)
_sotto() {
    local IFS=$'\n' cur="${COMP_WORDS[COMP_CWORD]}" out word
    out=$("${COMP_WORDS[0]}" complete bash --line="${COMP_LINE:0:COMP_POINT}" 2>/dev/null </dev/null)
    COMPREPLY=()
    case "$out" in
    :file)
        compopt -o filenames 2>/dev/null
        COMPREPLY=($(compgen -f -- "$cur"))
        ;;
    :dir)
        compopt -o filenames 2>/dev/null
        COMPREPLY=($(compgen -d -- "$cur"))
        ;;
    ?*)
        while read -r word; do
            COMPREPLY+=("$(printf %q "$word")")
        done <<< "$out"
        ;;
    esac
}
complete -F _sotto sotto
`,
	"zsh": `#compdef sotto
# sotto in zsh: put this as _sotto into a directory of $fpath, or
#   source <(sotto completion zsh)
_sotto() {
    local out
    local -a list
    out="$("${(Q)words[1]}" complete zsh --current="${(Q)words[CURRENT]}" -- "${(@Q)words[2,CURRENT-1]}" 2>/dev/null </dev/null)"
    case "$out" in
    :file) _files ;;
    :dir) _files -/ ;;
    ?*)
        list=("${(@f)out}")
        _describe sotto list
        ;;
    esac
}
if [ "$funcstack[1]" = "_sotto" ]; then
    _sotto "$@"
else
    compdef _sotto sotto
fi
`,
	"fish": `# sotto in fish: put this into ~/.config/fish/completions/sotto.fish
function __sotto_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l out ($words[1] complete fish --current="$current" -- $words[2..-1] 2>/dev/null </dev/null)
    switch "$out[1]"
        case ':file'
            __fish_complete_path "$current"
        case ':dir'
            __fish_complete_directories "$current"
        case '*'
            printf '%s\n' $out
    end
end
complete -c sotto -f -a '(__sotto_complete)'
`,
	"powershell": `# sotto in PowerShell: put this into your $PROFILE, or
#   sotto completion powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName sotto -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @($commandAst.CommandElements | Where-Object { $_.Extent.EndOffset -lt $cursorPosition } | ForEach-Object {
        if ($_ -is [System.Management.Automation.Language.StringConstantExpressionAst]) { $_.Value } else { $_.Extent.Text }
    })
    $program = $words[0]
    $before = @($words | Select-Object -Skip 1)
    & $program complete powershell "--current=$wordToComplete" -- @before 2>$null | ForEach-Object {
        $value, $help = $_ -split "` + "`t" + `", 2
        if ($value -eq ':file' -or $value -eq ':dir') {
            [System.Management.Automation.CompletionCompleters]::CompleteFilename($wordToComplete)
        } else {
            if (-not $help) { $help = $value }
            $text = if ($value -match '[\s''"@$;,()&|]') { "'" + $value.Replace("'", "''") + "'" } else { $value }
            [System.Management.Automation.CompletionResult]::new($text, $value, 'ParameterValue', $help)
        }
    }
}
`,
}
