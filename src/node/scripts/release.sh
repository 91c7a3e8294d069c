# The archive is good: makes that count, and gives the lock back. Set: name force container (its id) identity (of the
# archive, as wait.sh told it).
# With --force the replaced archive's removal is what makes the new one count; a run that died before is undone.
# shellcheck disable=SC2016 # expanded by the shell that as_root starts
commit='
    [ "$(stat -c "%i.%s.%Y" "$1/$3.zip")" = "$5" ] || exit 19
    rm -f "$1/.$3.$4.before-force" "$1/.$3.zip.$4.before-force"'
if [ "$force" = 1 ] || [ "$visible" = 0 ]; then
    as_root "$commit" "$name" "$run" "$identity"
else
    sh -c "$commit" sh "$backup" "$kubernetes" "$name" "$run" "$identity"
fi
status=$?
if [ $status = 19 ]; then
    echo replaced
    exit 0
fi
[ $status = 0 ] || exit $status
echo committed
d rm -f -v "$container" >/dev/null 2>&1 || ! d inspect "$container" >/dev/null 2>&1 || echo "left container etcd-snapshot-once"
