#!/usr/bin/env bash
# clang-tidy and cppcheck over all sources, shellcheck over all scripts. check.sh [BUILD]: its compile commands.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=${1:-build}
[ -e "$build/compile_commands.json" ] || cmake -S . -B "$build" >/dev/null

find src -name '*.c' -print0 | xargs -0 -n 4 -P "$(nproc)" clang-tidy --quiet -p "$build" 2>/dev/null
cppcheck --quiet --error-exitcode=1 --inline-suppr --std=c11 --enable=warning,portability,performance \
    --suppress=missingIncludeSystem -j "$(nproc)" -I include -I "$build/generated" -D_GNU_SOURCE src
# The scripts for the nodes get their variables from C, so it sees them unset and unused.
shellcheck -s sh -e SC2154,SC2034 src/node/scripts/*.sh
shellcheck tests/*.sh tests/{static,e2e,bench}/*.sh tests/{e2e,bench}/*.bash tests/lab/image/rke-etcd-backup examples/*.sh .ci/run
# The parts of the lab are sourced by one script, so that each has the variables of the others.
shellcheck -e SC1091,SC2034,SC2153,SC2154 tests/lab/lab tests/lab/*.sh tests/lab/lib/*.sh
