# After a lost connection: what became of the work, and if it goes on, its end. Set: worker name.
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
wait_and_report
