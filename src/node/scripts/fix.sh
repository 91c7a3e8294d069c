# Removes what dead runs left, under the lock, so that nobody can be at work meanwhile. Set: by started visible look, and of
# an ended container that has the lock's name: dead (id, or empty) dead_run dead_name (empty if it was not snapctl's)
# dead_owned. Prints "removed KIND NAME" and "kept KIND NAME".

if is_busy; then
    echo busy
    exit 0
fi
# Only one of several runs that saw the dead container wins: renaming it to what it is called already fails.
if [ -n "$dead" ]; then
    d rename "$dead" "etcd-snapshot-dead-${dead%"${dead#????????????}"}" 2>/dev/null || dead=
fi
lock=$(d create --name etcd-snapshot-once --label "io.snapctl.run=$run" --label io.snapctl.role=snapshot \
    --label "io.snapctl.by=$by" --label "io.snapctl.started=$started" --network none --entrypoint true \
    "$image" </dev/null) || exit 125
trap 'd rm -f -v "$lock" >/dev/null 2>&1' EXIT

if [ -n "$dead" ]; then
    if [ -z "$dead_name" ] || as_root "$undo" "$dead_name" "$dead_run" "$dead_owned" </dev/null; then
        d rm -v "$dead" >/dev/null 2>&1 && echo "removed lock $dead"
        [ -z "$dead_name" ] || echo "removed state $dead_name.rkestate"
        [ -z "$dead_name" ] || echo "removed aside .$dead_name.zip.$dead_run.before-force"
        [ -z "$dead_name" ] || echo "removed bundle .pki.bundle.tar.gz.$dead_run"
    fi
fi

# For as_root. A snapshot that was moved aside goes back, unless another has come under its name.
# shellcheck disable=SC2016 # expanded by the shell that as_root starts
mend='
    case $3 in
    state) rm -f "$2/$4" ;;
    bundle) rm -f "$1/$4" ;;
    aside)
        name=${4#.}
        name=${name%.before-force}
        name=${name%.*}
        [ ! -e "$1/$name" ] && [ ! -e "$1/$name.zip" ] && mv "$1/$4" "$1/$name"
        ;;
    esac'
list_leftovers | while read -r kind what; do
    case $kind in
    state | aside | bundle) as_root "$mend" "$kind" "$what" </dev/null ;;
    folder) rm -rf "$what" ;;
    container) d rm -v "$what" >/dev/null 2>&1 </dev/null ;;
    *) continue ;;
    esac && echo "removed $kind $what" || echo "kept $kind $what"
done
