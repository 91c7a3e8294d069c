/* An etcd node of the cluster: what is asked of it and done on it, with Docker's CLI and a POSIX shell over
 * SSH.
 *
 * The container name etcd-snapshot-once is the lock: whoever has created it works on the node, and its labels
 * tell who that is. Scripts: src/node/scripts. Layout of the node: rancher/rke, cluster/etcd.go and
 * services/etcd.go. No secret is on a command line or in an environment: they travel by standard input. */
#ifndef SNAPCTL_NODE_NODE_H
#define SNAPCTL_NODE_NODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snapctl/base/ctx.h"
#include "snapctl/base/err.h"
#include "snapctl/base/secret.h"
#include "snapctl/net/ssh.h"

#define NODE_SNAPSHOT_FOLDER "/opt/rke/etcd-snapshots"

/* The certificates of the cluster, beside the snapshots: see snapshot/bundle.h. */
#define NODE_BUNDLE_FILE "pki.bundle.tar.gz"

/* A registry that may want a password; url as in cluster.yml. */
struct node_registry {
    const char *url;
    const char *user;              /* NULL: none */
    const struct secret *password; /* NULL: none */
};

/* What is the same on all nodes of a run. All outlives the nodes. */
struct node_job {
    const char *run;         /* a random word, unique to the run */
    const char *name;        /* of the snapshot, checked; NULL: of none */
    const char *by;          /* who runs it */
    const char *started;     /* RFC 3339 */
    const char *image;       /* of the tools; NULL: what the node has */
    const char *prefix_path; /* NULL: by the node's operating system */
    const char *kubernetes_version;
    bool ignore_docker_version;
    bool force;
    bool identify; /* ask for the cluster's id */
    bool reads;    /* snapshots are only read: root needs no Docker, which is not asked for then */
    bool legacy;   /* the snapshot is a plain file, as RKE before v0.2.0 made it */
    bool bundle;   /* NODE_BUNDLE_FILE is made, too */
    const struct secret *input; /* env_bytes of environment lines, then state_bytes of node_state_archive */
    size_t env_bytes, state_bytes;
    const struct node_registry *registries;
    size_t n_registries;
};

/* Someone's snapshot container. */
struct node_lock {
    char *id; /* NULL: there is none */
    bool running;
    bool started;        /* at some time */
    bool fresh;          /* created, not started, less than 10 minutes old */
    bool failed;         /* ended with a status other than 0, or never started */
    bool alive;          /* a shell of its run is at work on the node */
    char *run;           /* from the labels; NULL if it is not a snapctl's */
    char *since;         /* RFC 3339 */
    char *by, *snapshot; /* from the labels; NULL if it is not a snapctl's */
};

/* Someone is at work, or may be. */
bool node_lock_held(const struct node_lock *lock);

struct node_taken { /* a file that stands under the snapshot's name */
    char *path;
    uint64_t bytes;
    int64_t modified; /* seconds since 1970 */
};

/* What the probe found. */
struct node_facts {
    char *docker; /* the words that run the CLI; NULL: not asked for */
    char *uid;
    char *engine; /* "20.10.24" */
    int64_t now;  /* the node's clock, seconds since 1970; 0: not told */
    bool selinux;
    char *system; /* "Debian GNU/Linux 12" */
    char *image;  /* to be used; NULL: none is known */
    bool pull;    /* the image must be pulled first */
    bool etcd_running;
    char *etcd_problem;      /* why etcd did not answer; NULL if it did */
    uint64_t database_bytes; /* 0: not known */
    uint64_t cluster_id;     /* 0: not known, or not asked for */
    uint64_t free_bytes;     /* of the snapshots' disk; UINT64_MAX: not known */
    bool visible;            /* the snapshots' folder can be read without a container */
    struct node_lock lock;
    struct node_taken *taken;
    size_t n_taken;
};

struct node {
    const struct node_job *job;
    const char *address;       /* for messages */
    const char *etcd_address;  /* internal address, where etcd serves its clients */
    const char *docker_socket; /* NULL: Docker's default */
    bool bundle_only;          /* it has no etcd: of what a job does there is only the bundle */
    struct node_facts facts;
    const struct node_copy *copy; /* that a command reads; NULL: none */
    /* Known once the snapshot has been taken, for node_release and node_cleanup. */
    bool started;
    bool released; /* node_release was begun and its outcome is not known: the archive may count already */
    bool cleaned;  /* node_cleanup was begun since, and perhaps all is undone */
    char *container, *identity, *bundle_identity;
    const char *removal; /* what node_remove gives its script */
};

void node_free(struct node *node);

/* Asks for all facts, in one command (two where the snapshots' folder is hidden from the user). Changes
 * nothing. ERR_DOCKER if no way to run the CLI works: every way that was tried is in the text. Where root
 * only reads, what Docker would tell is left empty. */
int node_probe(struct node *node, struct ssh *ssh, const struct ctx *ctx, struct sc_err *err) WARN_UNUSED;

/* False where root only reads: then Docker was not to be asked, whatever a node tells of it. After the probe.
 */
bool node_uses_docker(const struct node *node);

/* Reads what probe.sh printed into node->facts: hostile input, for node_probe, tests and fuzzers. */
int node_parse_probe(struct node *node, const char *text, struct sc_err *err) WARN_UNUSED;

/* Judges the facts: ERR_DOCKER, ERR_ETCD, ERR_BUSY, ERR_SPACE, ERR_IMAGE, each with a hint. What is only
 * worth a warning goes to the log. A taken name is not judged here: it concerns the whole run. */
int node_judge(const struct node *node, const struct ctx *ctx, struct sc_err *err) WARN_UNUSED;

/* More than any database or archive has: a node that tells more is not believed. */
#define NODE_BYTES_MAX (UINT64_C(64) << 30)

/* One of the things that node_judge looks at, in its order. */
enum node_aspect { NODE_ENGINE, NODE_ETCD, NODE_LOCK, NODE_SPACE, NODE_IMAGE, NODE_ASPECTS };
int node_judge_aspect(const struct node *node, enum node_aspect aspect, const struct ctx *ctx,
                      struct sc_err *err) WARN_UNUSED;

/* The same where archives are only read: ERR_IMAGE if that takes a container, and the image for it is not on
 * the node. */
int node_judge_reader(const struct node *node, const struct ctx *ctx, struct sc_err *err) WARN_UNUSED;

/* Pulls facts.image, logging in where a registry of the job has a password. */
int node_pull(struct node *node, struct ssh *ssh, const struct ctx *ctx, struct sc_err *err) WARN_UNUSED;

struct node_archive {
    uint64_t bytes;
};

/* Takes the snapshot: the lock (after a dead run's, whose remains are removed), the name once more, the
 * bundle (under a name of the run's own, until node_release), the state file, the container, its end, the
 * flush to disk. resume: the connection was lost meanwhile; what still runs is waited for, and what was not
 * begun is begun anew. ERR_BUSY, ERR_REFUSED (the name was taken meanwhile), ERR_SNAPSHOT (with the reason
 * from the tool's log), ERR_IMAGE (the tool has no such sub-command), ERR_CONFIG (there is nothing to be
 * bundled), ERR_DOCKER, ERR_CORRUPT (no archive, or a file not of mode 0600); ERR_NETWORK: resume is worth a
 * try.
 */
int node_snapshot(struct node *node, struct ssh *ssh, const struct ctx *ctx, bool resume,
                  struct node_archive *archive, struct sc_err *err) WARN_UNUSED;

/* new: as node_snapshot made it, before node_release. */
enum node_read { NODE_READ_ALL, NODE_READ_TAIL, NODE_READ_NEW_BUNDLE, NODE_READ_BUNDLE };
enum { NODE_TAIL_BYTES = 65536 };

/* Opens the archive, or its last NODE_TAIL_BYTES, or the bundle, for reading. Close with ssh_stream_close. */
int node_open_archive(struct node *node, struct ssh *ssh, const struct ctx *ctx, enum node_read what,
                      struct ssh_stream **out, struct sc_err *err) WARN_UNUSED;

/* A snapshot on a node, to be read from a byte on; plain: the file without ".zip". */
struct node_copy {
    const char *name;
    bool plain;
    uint64_t from;
};

/* The same of any snapshot on the node. What node_read_identity takes comes first. */
int node_open_copy(const struct node *node, struct ssh *ssh, const struct ctx *ctx,
                   const struct node_copy *copy, struct ssh_stream **out, struct sc_err *err) WARN_UNUSED;

/* What tells the file that was opened from any other that may come into its place: its size, time and inode.
 * The caller frees it. As reading the stream. */
int node_read_identity(struct ssh_stream *stream, const struct ctx *ctx, char **identity,
                       struct sc_err *err) WARN_UNUSED;

/* Archive and bundle have been read back and are good: makes them count (with --force that removes the
 * replaced archive; a bundle is replaced in any case) and gives the lock back. ERR_CORRUPT if another file
 * has come into the place of one meanwhile. *left: what could not be removed, in words, or NULL; the caller
 * frees it. */
int node_release(struct node *node, struct ssh *ssh, const struct ctx *ctx, char **left,
                 struct sc_err *err) WARN_UNUSED;

/* Ends what the run does on the node and undoes it: container, state file, archive; a replaced archive is put
 * back. Does nothing where nothing was begun. *left as for node_release. */
int node_cleanup(struct node *node, struct ssh *ssh, const struct ctx *ctx, char **left,
                 struct sc_err *err) WARN_UNUSED;

/* What may be on the node if nobody cleans up, in words. The caller frees it. */
char *node_leftovers(const struct node *node) WARN_UNUSED;

/* A name that is safe as a file name on the nodes, in RKE and in stores: [A-Za-z0-9][A-Za-z0-9._+:-]*, at
 * most NODE_NAME_MAX characters. */
enum { NODE_NAME_MAX = 200 };
bool node_name_valid(const char *name);

/* The name of the snapshot whose archive (NAME.zip) or plain database (NAME) a file of that name may be; *zip
 * tells which (NULL: not asked). NULL: of none. The caller frees it. */
char *node_snapshot_of(const char *file, bool *zip) WARN_UNUSED;

/* There is one. */
bool node_file_name_valid(const char *file);

/* A name of an image that no command line takes for an option: [A-Za-z0-9][A-Za-z0-9._/:@-]*. */
bool node_image_valid(const char *image);

/* The archive's, or plain snapshot's, path on the node. The caller frees it. */
char *node_archive_path(const struct node_job *job) WARN_UNUSED;

/* All remote commands that a run would use on this node, in order, for --dry-run. The caller frees it. */
char *node_commands(const struct node *node, bool verify_all) WARN_UNUSED;

/* The tar archive (POSIX.1-2001 pax) that places the state file as NAME.rkestate, mode 0400, owner root. */
struct secret *node_state_archive(const char *name, const struct secret *content) WARN_UNUSED;

#endif
