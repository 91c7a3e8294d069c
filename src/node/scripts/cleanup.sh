# Ends and undoes what a run did on the node. Set: worker_a worker_b (the two halves of the run, so that this shell does
# not find itself) name owned (1: the work is known to have started the container) archive identity (of the archive; empty:
# not known) released (1: the archive is good, and release.sh was sent: it may count already) again (1: this was sent before).
# Prints "left WHAT" for each thing that could not be removed.
run=$worker_a$worker_b

# The run's shells end after the command they are in, so no container appears behind our back. The brackets keep
# grep from finding itself.
shells() {
    # shellcheck disable=SC2013 # names of numbers
    for file in $(grep -l "[w]orker=$run" /proc/[0-9]*/cmdline 2>/dev/null); do
        file=${file%/cmdline}
        echo "${file#/proc/}"
    done
}
pids=$(shells)
# shellcheck disable=SC2086 # a list of numbers
[ -z "$pids" ] || kill $pids 2>/dev/null
until=$(($(date +%s) + 6))
while [ -n "$pids" ] && [ "$(date +%s)" -le $until ]; do
    sleep 0.1 2>/dev/null || sleep 1
    pids=$(shells)
done
[ -z "$pids" ] || echo "left a command of Docker's that has not ended yet; when it does, it is undone"

find_containers() {
    d ps -aq --no-trunc --filter "label=io.snapctl.run=$run" --filter "label=io.snapctl.role=$1"
}

if ! files=$(find_containers files) || ! id=$(find_containers snapshot); then
    echo "left container etcd-snapshot-once, as Docker does not answer"
    exit 0
fi
for container in $files; do
    d rm -f "$container" >/dev/null 2>&1
done

# Killed first and removed last: until all is undone it keeps the lock. Its other name tells that all is.
[ "$again" = 0 ] || owned=0
if [ -n "$id" ]; then
    d kill "$id" >/dev/null 2>&1
    case $(d inspect --format '{{.Name}} {{.State.StartedAt}}' "$id") in
    /etcd-snapshot-dead-* | *' 0001-'*) owned=0 ;;
    *) owned=1 ;;
    esac
fi
# What is good is not removed any more: the one that it replaced may be gone.
[ "$released" = 0 ] || owned=0
# Without the lock (RKE removes the container by force, docker prune too) what is ours is still removed, unless whoever
# has the lock now works under the same name.
case $(d inspect --format '{{.Id}} {{json .Config.Cmd}}' etcd-snapshot-once 2>/dev/null) in
"${id:-none} "*) ;;
*"\"$name\""*) exit 0 ;;
esac
if as_root "$undo" "$name" "$run" "$owned" "$archive" "$identity"; then
    [ -z "$id" ] || d rename "$id" "etcd-snapshot-dead-${id%"${id#????????????}"}" 2>/dev/null
else
    echo "left $kubernetes/$name.rkestate, or what could not be looked at"
fi
[ -z "$id" ] || d rm -f -v "$id" >/dev/null 2>&1 || echo "left container etcd-snapshot-once"
