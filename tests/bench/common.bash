# shellcheck shell=bash
# What the benchmarks share; sourced from the project's folder. seconds needs $work, a folder.

seconds() { # of a command, whose peak memory in KiB is left in $work/peak, and what it printed in $work/out
    local start=$EPOCHREALTIME
    # shellcheck disable=SC2154 # the benchmark's
    /usr/bin/time -f %M -o "$work/peak" "$@" >"$work/out" 2>&1 || { cat "$work/out" >&2 && return 1; }
    awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN {printf "%.3f\n", b - a}'
}

median() { sort -n | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }

ratio() { awk -v a="$1" -v b="$2" 'BEGIN {printf "%.2f", a / b}'; }
