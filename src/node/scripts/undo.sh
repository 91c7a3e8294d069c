# Takes back what the run $4 left under the name $3: always its state file and its bundle, and the archive that it moved
# aside goes back; what stands under the name itself only if it is the run's own and not good ($5 = 1). For as_root.
# shellcheck disable=SC2016 # expanded by the shell that as_root starts
undo='
    rm -f "$2/$3.rkestate" "$1/.pki.bundle.tar.gz.$4"
    [ "$5" = 0 ] || rm -f "$1/$3" "$1/$3.part" "$1/$3.zip"
    for file in "$3" "$3.zip"; do
        [ ! -e "$1/.$file.$4.before-force" ] || mv -f "$1/.$file.$4.before-force" "$1/$file"
    done
    [ ! -e "$2/$3.rkestate" ] && [ ! -e "$1/.pki.bundle.tar.gz.$4" ]'
