# Takes back what the run $4 left under the name $3: always its state file and its bundle, and the archive that it moved
# aside goes back; what stands under the name itself only if it is the run's own and not good ($5 = 1). Where another file
# has come into the place of the archive $6, which is known by its identity $7 (empty: it is not), that one is left alone,
# and so is what was moved aside: "left WHAT" tells. To be done once: of what was put back it knows nothing. For as_root.
# shellcheck disable=SC2016 # expanded by the shell that as_root starts
undo='
    rm -f "$2/$3.rkestate" "$1/.pki.bundle.tar.gz.$4"
    if [ -z "$7" ] || [ ! -e "$1/$6" ] || [ "$(stat -c "%i.%s.%Y" "$1/$6")" = "$7" ]; then
        [ "$5" = 0 ] || rm -f "$1/$3" "$1/$3.part" "$1/$3.zip"
        for file in "$3" "$3.zip"; do
            [ ! -e "$1/.$file.$4.before-force" ] || mv -f "$1/.$file.$4.before-force" "$1/$file"
        done
    else
        echo "left $6, as it is not the file any more that was made"
        for file in ".$3.$4.before-force" ".$3.zip.$4.before-force"; do
            [ ! -e "$1/$file" ] || echo "left $file, as another file is in its place"
        done
    fi
    [ ! -e "$2/$3.rkestate" ] && [ ! -e "$1/.pki.bundle.tar.gz.$4" ]'
