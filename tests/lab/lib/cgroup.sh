# shellcheck shell=bash
# Control groups: /LAB/NODE/system holds a node's own processes, /LAB/NODE/docker its containers.
# A quota on /LAB/NODE is the node's, one on /LAB/NODE/docker that of its containers alone.

CG_ROOT=/sys/fs/cgroup

cg_v2() { [ -e "$CG_ROOT/cgroup.controllers" ]; }
cg_cpu_root() { if cg_v2; then echo "$CG_ROOT"; else echo "$CG_ROOT/cpu"; fi; }

# On v2 a controller must be handed down level by level; what the machine does not allow is simply not there.
cg_hand_down() { # FOLDER
    local c
    cg_v2 || return 0
    for c in cpu memory pids; do
        echo "+$c" > "$1/cgroup.subtree_control"
    done 2> /dev/null || :
}

cg_create() { # NODE
    local root
    root=$(cg_cpu_root)
    mkdir -p "$root/$CGROUP/$1/system" "$root/$CGROUP/$1/docker" || return
    cg_hand_down "$root"
    cg_hand_down "$root/$CGROUP"
    cg_hand_down "$root/$CGROUP/$1"
}

cg_join() { # NODE: moves the calling process
    echo "$BASHPID" > "$(cg_cpu_root)/$CGROUP/$1/system/cgroup.procs"
}

cg_limit() { # PATH-BELOW-THE-LAB CORES|max
    local dir period=100000 quota
    dir=$(cg_cpu_root)/$CGROUP/$1
    if [ "$2" = max ]; then
        if cg_v2; then quota=max; else quota=-1; fi
    else
        quota=$(awk -v c="$2" -v p=$period 'BEGIN { q = int(c * p); if (q < 1000) exit 1; print q }') ||
            die "not a number of cores: $2"
    fi
    if cg_v2; then
        echo "$quota $period" > "$dir/cpu.max"
    else
        echo "$period" > "$dir/cpu.cfs_period_us" && echo "$quota" > "$dir/cpu.cfs_quota_us"
    fi
}

# docker makes groups under every v1 hierarchy: all are searched, the deepest removed first. A group stays busy for a
# moment after its last process has died.
cg_folders() { find "$CG_ROOT" -maxdepth 2 -type d -name "$CGROUP"; }
cg_try_remove() {
    local dir
    for dir in $(cg_folders); do
        find "$dir" -depth -type d -exec rmdir {} + 2> /dev/null
    done
    [ -z "$(cg_folders)" ]
}
cg_remove() { until_true 10 cg_try_remove || say "control groups are left: $(cg_folders)"; }
