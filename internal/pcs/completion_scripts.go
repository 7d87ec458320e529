package pcs

// What shells need. Each asks the program itself for the words, so that they are those of the tree and of the cluster.
const (
	bashCompletion = `# completion of cerco and pcs for bash
_cerco() {
    local line=${COMP_LINE:0:COMP_POINT} words cur head
    read -r -a words <<< "$line"
    [[ $line == *[[:space:]] ]] && words+=('')
    cur=${words[${#words[@]}-1]}
    head=${cur%"${cur##*[=:]}"}
    COMPREPLY=()
    while IFS=$'\t' read -r line _; do
        if [[ $line == :files ]]; then
            compopt -o filenames 2>/dev/null
            while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "${cur#"$head"}")
        else
            [[ $line == *= ]] && compopt -o nospace 2>/dev/null
            COMPREPLY+=("${line#"$head"}")
        fi
    done < <("${words[0]}" completion words -- "${words[@]:1}" 2>/dev/null)
}
complete -F _cerco cerco pcs
`
	zshCompletion = `#compdef cerco pcs
_cerco() {
    local -a plain open
    local line word
    for line in "${(@f)$("${words[1]}" completion words -- "${(@Q)words[2,CURRENT]}" 2>/dev/null)}"; do
        word=${line%%$'\t'*}
        if [[ -z $word ]]; then
            continue
        elif [[ $word == :files ]]; then
            _files
        elif [[ $word == *= ]]; then
            open+=("$word")
        elif [[ $line == *$'\t'* ]]; then
            plain+=("${word//:/\\:}:${line#*$'\t'}")
        else
            plain+=("${word//:/\\:}")
        fi
    done
    (( ${#open} )) && compadd -S '' -a open
    (( ${#plain} )) && _describe 'command' plain
    return 0
}
if [[ $funcstack[1] == _cerco ]]; then
    _cerco "$@"
elif (( $+functions[compdef] )); then
    compdef _cerco cerco pcs
fi
`
	fishCompletion = `# completion of cerco and pcs for fish
function __cerco_words
    set -l before (commandline -opc)
    set -l last (commandline -ct)
    for line in ($before[1] completion words -- $before[2..-1] "$last" 2>/dev/null)
        if test "$line" = ':files'
            __fish_complete_path "$last"
        else
            echo $line
        end
    end
end
complete -c cerco -f -a '(__cerco_words)'
complete -c pcs -f -a '(__cerco_words)'
`
)
