# After a lost connection: what became of the work, and if it goes on, its end. Set: worker name archive legacy bundle.
trap 'exit 143' TERM
if ! id=$(d ps -aq --no-trunc --filter "label=io.snapctl.run=$run" --filter label=io.snapctl.role=snapshot); then
    echo unanswered
    exit 0
fi
if [ -z "$id" ]; then
    echo gone
    exit 0
fi
case $(d inspect --format '{{.State.StartedAt}}' "$id") in
0001-*)
    echo unstarted
    exit 0
    ;;
esac
echo "created $id"
echo started
# shellcheck disable=SC2016 # expanded by the shell that as_root starts
[ "$bundle" = 0 ] || as_root 'stat -c "bundle %a %s %i.%s.%Y" "$1/.pki.bundle.tar.gz.$3"' "$run" </dev/null
wait_and_report
