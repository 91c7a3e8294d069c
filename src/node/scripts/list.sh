# Tells of every file in the snapshots' folder: a line "BYTES SECONDS NAME" each, an empty line, the first bytes of all of
# them, the last bytes of all of them. Only names that a snapshot may have, which no command takes for an option. Set:
# head_bytes end_bytes.
# shellcheck disable=SC2016 # expanded by the shell that as_root starts
as_root '
    LC_ALL=C
    export LC_ALL
    cd "$1" 2>/dev/null || exit 0
    files=
    for file in *; do
        case $file in
        *[!A-Za-z0-9._+:-]* | [!A-Za-z0-9]*) continue ;;
        esac
        [ ! -f "$file" ] || [ -L "$file" ] || files="$files $file"
    done
    [ -n "$files" ] || exit 0
    stat -c "%s %Y %n" $files
    echo
    head -q -c "$3" $files
    tail -q -c "$4" $files' "$head_bytes" "$end_bytes"
