# Archive and bundle are good: makes that count, and gives the lock back. Set: name archive force container (its id), and as
# work.sh and wait.sh told them: identity (of the archive; empty: there is none) bundle_identity (the same).
# Done again after a lost connection, the bundle is found in its place. With --force the replaced archive's removal is what
# makes the new one count; a run that died before is undone. A file that is made and synced brings that to the disk, too.
# shellcheck disable=SC2016 # expanded by the shell that as_root starts
commit='
    same() { [ "$(stat -c "%i.%s.%Y" "$1" 2>/dev/null)" = "$2" ]; }
    [ -z "$6" ] || same "$1/$5" "$6" || exit 19
    if [ -n "$7" ]; then
        new=$1/.pki.bundle.tar.gz.$4 bundle=$1/pki.bundle.tar.gz
        [ ! -d "$bundle" ] || exit 20
        ! same "$new" "$7" || mv -f "$new" "$bundle" || exit 20
        same "$bundle" "$7" && dd if=/dev/null of="$bundle" conv=notrunc,fsync 2>/dev/null || exit 20
    fi
    for file in "$1/.$3.$4.before-force" "$1/.$3.zip.$4.before-force"; do
        [ ! -e "$file" ] || { rm -f "$file" && dd if=/dev/null of="$1/.$3.$4.sync" conv=fsync 2>/dev/null; } || exit 21
    done
    rm -f "$1/.$3.$4.sync"'
if [ "$force" = 1 ] || [ "$visible" = 0 ] || [ -n "$bundle_identity" ]; then
    as_root "$commit" "$name" "$run" "$archive" "$identity" "$bundle_identity"
else
    sh -c "$commit" sh "$backup" "$kubernetes" "$name" "$run" "$archive" "$identity" ""
fi
status=$?
case $status in
0) ;;
19)
    echo replaced
    exit 0
    ;;
20)
    echo unbundled
    exit 0
    ;;
*) exit $status ;;
esac
echo committed
d rm -f -v "$container" >/dev/null 2>&1 || ! d inspect "$container" >/dev/null 2>&1 || echo "left container etcd-snapshot-once"
