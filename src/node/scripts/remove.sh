# Removes files from the snapshots' folder. Set: files, for each the words "FILE BYTES SECONDS" that list.sh told of it: what
# is another file by now stays, and so does what the lock's container works on. Prints for each "removed FILE", or in the
# place of "removed": gone changed busy kept.
lock=$(d ps -a --no-trunc --filter 'name=^/?etcd-snapshot-once$' --format '{{.Command}}') || exit 125

# shellcheck disable=SC2016 # expanded by the shell that as_root starts
remove='
    cd "$1" || exit 1
    lock=$3
    shift 3
    while [ $# -ge 3 ]; do
        case $lock in
        *" --name ${1%.zip} "*) how=busy ;;
        *)
            if [ ! -e "$1" ] && [ ! -L "$1" ]; then
                how=gone
            elif [ -L "$1" ] || [ ! -f "$1" ] || [ "$(stat -c "%s %Y" "$1")" != "$2 $3" ]; then
                how=changed
            elif rm -f "$1"; then
                how=removed
            else
                how=kept
            fi
            ;;
        esac
        echo "$how $1"
        shift 3
    done'
# shellcheck disable=SC2086 # names and numbers
as_root "$remove" "$lock" $files
