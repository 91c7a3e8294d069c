# The part of the probe that needs root's eyes, where the snapshots' folder is hidden from the user.
# shellcheck disable=SC2016 # expanded by the shell that as_root starts
as_root '
    for file in "$1/$3" "$1/$3.zip"; do
        [ ! -e "$file" ] || stat -c "taken %s %Y %n" "$file"
    done' "$name"
