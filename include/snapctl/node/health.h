/* What `check` asks of a node beside the probe: how etcd is, and what dead runs left. */
#ifndef SNAPCTL_NODE_HEALTH_H
#define SNAPCTL_NODE_HEALTH_H

#include "snapctl/node/node.h"

enum node_leftover_kind {
    NODE_LEFT_LOCK,      /* a dead run's container etcd-snapshot-once; what: its id */
    NODE_LEFT_STATE,     /* a state file; what: its name */
    NODE_LEFT_ASIDE,     /* a snapshot that --force moved aside; what: its name */
    NODE_LEFT_BUNDLE,    /* one of certificates that does not count; what: its name */
    NODE_LEFT_FOLDER,    /* of `docker login`, with a password in it; what: its path */
    NODE_LEFT_CONTAINER, /* of another role; what: its id */
};

struct node_leftover {
    enum node_leftover_kind kind;
    char *what;
    bool removed; /* by node_fix */
};

enum { NODE_LEFTOVERS_MAX = 256, NODE_ALARMS_MAX = 16 };

struct node_health {
    char *problem;                        /* what etcd said instead of an answer; NULL: it answered all */
    size_t members, unstarted;            /* of the cluster; those that have not joined yet */
    bool leader;                          /* there is one */
    char *version;                        /* NULL: not told */
    uint64_t database_bytes, quota_bytes; /* 0: not told */
    char *alarms[NODE_ALARMS_MAX];        /* "NOSPACE", "CORRUPT" */
    size_t n_alarms;
    char *tool;      /* what the tools image printed as help for the sub-command that a save needs; NULL: it
                        was not asked */
    int tool_status; /* that it ended with */
    bool counted;    /* what there is for the bundle, by the files' names: */
    int64_t bundle_files, certificates, keys;
    int64_t certificates_elsewhere; /* this node's alone */
    bool busy;                      /* a run is at work, so leftovers were not looked for */
    bool hidden;                    /* the folders could not be looked into */
    struct node_leftover leftovers[NODE_LEFTOVERS_MAX];
    size_t n_leftovers;
};
void node_health_free(struct node_health *health);

/* Asks for all of it in one command, after node_probe. Changes nothing. */
int node_ask_health(struct node *node, struct ssh *ssh, const struct ctx *ctx, struct node_health *health,
                    struct sc_err *err) WARN_UNUSED;

/* What the tool said, which must have been asked: ERR_IMAGE if it is another era's of RKE, ERR_DOCKER if that
 * is not known. */
int node_judge_tool(const struct node *node, const struct node_health *health,
                    struct sc_err *err) WARN_UNUSED;

/* What was counted for the bundle: ERR_CONFIG if that is not a certificate and a key at least. */
int node_judge_certificates(const struct node *node, const struct node_health *health,
                            struct sc_err *err) WARN_UNUSED;

/* Where the certificates for the bundle are; the caller frees it. */
char *node_certificates_folder(const struct node *node) WARN_UNUSED;

/* Removes what was found, under the lock of the node, which must not be held by a run that is alive (see
 * struct node_lock): marks as removed what is gone. ERR_BUSY if someone was faster; ERR_DOCKER. */
int node_fix(struct node *node, struct ssh *ssh, const struct ctx *ctx, struct node_health *health,
             struct sc_err *err) WARN_UNUSED;

/* Reads what health.sh and fix.sh printed: hostile input, for the above, tests and fuzzers. */
void node_parse_health(struct node_health *health, const char *text);

#endif
