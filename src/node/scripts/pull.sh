# Pulls the image. Set: worker (the run, by which cleanup.sh finds this shell) registry login. Standard input: the
# password of login at registry, if login is set.
config=
child=
trap 'kill $child 2>/dev/null; exit 143' TERM
trap '[ -z "$config" ] || rm -rf "$config"' EXIT

if [ -n "$login" ]; then
    # In memory where the node has such a folder: the CLI writes the password into it.
    config=$(mktemp -d "${XDG_RUNTIME_DIR:-/dev/shm}/snapctl.XXXXXX" 2>/dev/null) || config=$(mktemp -d) || exit 1
    # With an entry in it, the CLI keeps to the file, and does not hand the password to a credential store of the user's.
    printf '{"auths":{"localhost":{}}}\n' >"$config/config.json"
    d --config "$config" login -u "$login" --password-stdin "$registry" >/dev/null || exit 1
fi
d ${config:+--config "$config"} pull -q "$image" >/dev/null </dev/null &
child=$!
wait $child
