# The part of the probe that needs root's eyes, where the snapshots' folder is hidden from the user. A file is named as the
# node has it, not as the container sees it.
# shellcheck disable=SC2016 # expanded by the shell that as_root starts
as_root '
    for file in "$3" "$3.zip"; do
        [ ! -e "$1/$file" ] || echo "taken $(stat -c "%s %Y" "$1/$file") $4/$file"
    done' "$name" "$backup"
