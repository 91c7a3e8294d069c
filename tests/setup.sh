#!/usr/bin/env bash
# Installs what snapctl needs on Debian 12 or newer.
#   ./tests/setup.sh build   compiler and libraries, and libssh2 from Debian's source
#   ./tests/setup.sh unit    also what the unit tests need
#   ./tests/setup.sh test    also what the lab and the end-to-end tests need
#   ./tests/setup.sh checks  also the static checkers and sanitizer runtimes
# Packages that are there are left alone, so a user without root rights can run it where all is installed.
set -euo pipefail
cd "$(dirname "$0")/.."

BUILD_PACKAGES=(gcc make cmake pkg-config ca-certificates dpkg-dev libssl-dev libyaml-dev zlib1g-dev libdeflate-dev
    libjansson-dev libcurl4-openssl-dev libexpat1-dev)
UNIT_PACKAGES=(libcmocka-dev openssh-server openssh-client python3 python3-cryptography mandoc jq)
TEST_PACKAGES=(bats expect unzip procps time)
CHECK_PACKAGES=(clang clang-format clang-tidy libclang-rt-dev cppcheck valgrind shellcheck)

policy=/usr/sbin/policy-rc.d
policy_saved=

# sshd, dockerd and etcd would start at once: the lab starts its own, in its own namespaces.
keep_services_down() {
    if [ -e "$policy" ]; then
        policy_saved=$(mktemp)
        cp -p "$policy" "$policy_saved"
    fi
    trap restore_policy EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
}

restore_policy() {
    if [ -n "$policy_saved" ]; then
        mv "$policy_saved" "$policy"
    else
        rm -f "$policy"
    fi
}

missing_packages() {
    local package
    for package in "$@"; do
        dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || echo "$package"
    done
}

install_packages() {
    local missing
    mapfile -t missing < <(missing_packages "$@")
    [ ${#missing[@]} -gt 0 ] || return 0
    if [ "$(id -u)" -ne 0 ]; then
        echo "setup: these packages are missing, and installing them needs root: ${missing[*]}" >&2
        exit 1
    fi
    echo "setup: installing ${missing[*]}"
    keep_services_down
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends \
        "${missing[@]}" >/dev/null
    restore_policy
    trap - EXIT
}

# Writes the machine's own Debian mirrors as source entries of the suite $1 into the file $2.
write_source_list() {
    local codename uri suite
    # shellcheck source=/dev/null
    codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
    # shellcheck disable=SC2016 # for apt to expand
    apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' 'Component: main' | sort -u |
        while read -r uri suite; do
            case $suite in
            "$codename") echo "deb-src $uri $1 main" ;;
            "$codename-security") echo "deb-src $uri $1-security main" ;;
            esac
        done >"$2"
}

# RSA user keys need libssh2 1.11; Debian 12 has 1.10, and no Debian one has what libssh2.patch does. Debian 13's source
# package builds on 12.
build_libssh2() {
    local prefix=$PWD/build/deps/libssh2 patch=$PWD/tests/libssh2.patch work
    [ ! "$prefix/lib/libssh2.a" -nt "$patch" ] || return 0
    echo "setup: building libssh2 from Debian's source package"
    work=$(mktemp -d "${TMPDIR:-/tmp}/snapctl-setup.XXXXXX")
    mkdir -p "$work/lists/partial" "$work/src"
    write_source_list trixie "$work/sources.list"
    local apt=(apt-get -qq -o "Dir::Etc::SourceList=$work/sources.list" -o Dir::Etc::SourceParts=/dev/null
        -o "Dir::State::Lists=$work/lists" -o APT::Sandbox::User=root)
    "${apt[@]}" update
    (cd "$work/src" && "${apt[@]}" source libssh2 >/dev/null 2>&1)
    (
        cd "$work"/src/libssh2-*/ &&
            patch -p1 <"$patch" &&
            ./configure --prefix="$prefix" --disable-shared --enable-static --with-pic --with-crypto=openssl \
                --without-libz --disable-examples-build --disable-tests --disable-dependency-tracking \
                CFLAGS="-O2 -g -fstack-protector-strong -D_FORTIFY_SOURCE=2" &&
            make -j"$(nproc)" &&
            make install
    ) >"$work/log" 2>&1 || {
        tail -n 20 "$work/log" >&2
        exit 1
    }
    rm -rf "$work"
}

levels=(build unit test checks)
wanted=()
for level in "${levels[@]}"; do
    case $level in
    build) wanted+=("${BUILD_PACKAGES[@]}") ;;
    unit) wanted+=("${UNIT_PACKAGES[@]}") ;;
    test)
        mapfile -t lab_packages < <(grep -v '^#' tests/lab/packages)
        wanted+=("${TEST_PACKAGES[@]}" "${lab_packages[@]}")
        ;;
    checks) wanted+=("${CHECK_PACKAGES[@]}") ;;
    esac
    [ "$level" != "${1:-}" ] || break
done
if [ "$level" != "${1:-}" ]; then
    sed -n '2,7s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
install_packages "${wanted[@]}"
build_libssh2
