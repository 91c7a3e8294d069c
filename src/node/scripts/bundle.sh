# The bundle of certificates, as RKE before v0.2.0 makes it: by a container, of all that it put into .tmp. It gets its
# right name from release.sh. Prints "bundle MODE BYTES IDENTITY", or "certificates NUMBER" where there is nothing in .tmp:
# how many are in ssl, those of this node alone.
# shellcheck disable=SC2016 # expanded by the shell in the container
pack='
    umask 077
    cd / || exit 1
    if [ -z "$(ls -A etc/kubernetes/.tmp 2>/dev/null)" ]; then
        echo "certificates $(ls etc/kubernetes/ssl/*.pem 2>/dev/null | wc -l)"
        exit 20
    fi
    rm -f "$1" && tar czf "$1" etc/kubernetes/.tmp/ || exit 1
    dd if=/dev/null of="$1" conv=notrunc,fsync 2>/dev/null || exit 1
    stat -c "bundle %a %s %i.%s.%Y" "$1"'

make_bundle() {
    in_container rw sh -c "$pack" sh "/backup/.pki.bundle.tar.gz.$run" </dev/null
}
