/* `save`: a one-time etcd snapshot on every etcd node, each proven before it is called saved.
 *
 * Called in the main thread, which stays here: node threads report events, and this thread hands them to the
 * caller's struct save_ui, asks it about unknown hosts, and watches its signal descriptor. */
#ifndef SNAPCTL_CORE_SAVE_H
#define SNAPCTL_CORE_SAVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snapctl/base/ctx.h"
#include "snapctl/base/err.h"
#include "snapctl/config/cluster.h"
#include "snapctl/net/ssh.h"
#include "snapctl/snapshot/archive.h"

enum save_require { SAVE_REQUIRE_ALL, SAVE_REQUIRE_QUORUM, SAVE_REQUIRE_ANY };
enum save_verify { SAVE_VERIFY_FULL, SAVE_VERIFY_QUICK };

/* What the command line says; NULL, 0 and false where it says nothing. Strings outlive the run. */
struct save_options {
    const char *name; /* NULL: made up, see save_make_name; ".zip" is dropped */
    const char *image;
    const char *state_file; /* NULL: beside cluster.yml */
    bool require_state;
    int timeout_s; /* 0: the file's, else 300 */
    int parallel;  /* 0: all at once */
    enum save_require require;
    enum save_verify verify;
    bool force;
    bool dry_run;
    bool ignore_docker_version;
    bool ssh_agent_auth;
    const char *agent_socket; /* SSH_AUTH_SOCK */
    enum host_key_mode host_key_mode;
    const char *known_hosts_file; /* NULL: ~/.ssh/known_hosts and the system's */
    const char *home;
    const char *user; /* who runs it, for the lock's label: "alice@ci-7" */
};

/* Phases in the order in which a node goes through them. */
enum save_phase {
    SAVE_CONNECT,
    SAVE_CHECK,
    SAVE_PREPARE,  /* wait for a place, pull the image, remove what a dead run left */
    SAVE_SNAPSHOT, /* until it is flushed to disk */
    SAVE_VERIFY,   /* read back */
    SAVE_CLEANUP,
    SAVE_DONE,
};

/* "connect", "check", … as in JSON. */
const char *save_phase_name(enum save_phase phase);

/* unknown: the reply was lost and the node could not be asked again, which counts as not saved. checked: a
 * dry run found nothing that would stop the snapshot. */
enum save_status { SAVE_FAILED, SAVE_SAVED, SAVE_UNKNOWN, SAVE_CHECKED };

/* "failed", "saved", "unknown", "checked", as in JSON. */
const char *save_status_name(enum save_status status);

struct save_node {
    char *address;
    enum save_status status;
    enum save_phase phase;      /* the one it ended in; SAVE_DONE if saved */
    char *path;                 /* of the archive on the node */
    bool verified;              /* read back whole */
    struct archive_facts facts; /* of a saved one */
    int64_t duration_ms;
    struct sc_err err; /* of one that is not saved */
    char *commands;    /* --dry-run: the exact remote commands, one a line; else NULL */
};

enum save_outcome { SAVE_OK, SAVE_PARTIAL, SAVE_ALL_FAILED, SAVE_REFUSED, SAVE_INTERRUPTED };

struct save_result {
    char *name;
    enum save_outcome outcome;
    int exit_status;
    int64_t started; /* seconds since 1970 */
    int64_t duration_ms;
    struct sc_err err; /* why it was refused or interrupted as a whole; kind ERR_NONE otherwise */
    struct save_node *nodes;
    size_t n_nodes;
    int signo; /* of an interrupted run; 0 otherwise */
    bool dry_run;
};

/* Something happened on a node. */
struct save_event {
    size_t node; /* index into the result's nodes */
    const char *address;
    enum save_phase phase;
    uint64_t bytes; /* read back so far, in SAVE_VERIFY */
    uint64_t total; /* of how many; 0: not known */
    bool ended;     /* the node is through: status and error tell how */
    enum save_status status;
    const struct sc_err *err; /* of an ended one that failed; NULL otherwise */
};

/* How the caller takes part. All are called in the main thread; none may be NULL but confirm and passphrase,
 * which are NULL where nobody can be asked. */
struct save_ui {
    void *arg;
    void (*event)(void *arg, const struct save_event *event);
    /* Called four times a second, for drawing. */
    void (*tick)(void *arg);
    /* All unknown hosts at once: true to trust all of them. */
    bool (*confirm)(void *arg, const struct host_key_question *questions, size_t n);
    /* Asks for the passphrase of a key; NULL if the person gave up. The callee's result is the caller's. */
    struct secret *(*passphrase)(void *arg, const char *key_label);
    /* A signalfd of SIGINT and SIGTERM, or -1. */
    int signal_fd;
    /* A signal was read from signal_fd for the second time: what may be left, one line a node. Must end the
     * process. */
    void (*abandon)(void *arg, int signo, const char *leftovers);
};

/* Takes the snapshots. Returns 0 when there is a result, whatever it says, and -1 when the options or files
 * are wrong and nothing was dialled (ERR_USAGE, ERR_CONFIG; exit status 2). */
int save_run(const struct cluster *cluster, const struct save_options *options, const struct save_ui *ui,
             struct log *log, struct save_result **out, struct sc_err *err) WARN_UNUSED;
void save_result_free(struct save_result *result);

/* The exit status by the number of etcd nodes and of saved ones: 0, 1 (none saved) or 3 (fewer than
 * required). */
int save_exit_status(size_t nodes, size_t saved, enum save_require require);

/* rke_etcd_snapshot_<UTC time without colons>, for a time in seconds since 1970. The caller frees it. */
char *save_make_name(int64_t now) WARN_UNUSED;

/* The name to use for a given one: ".zip" dropped (*dropped tells), then checked:
 * [A-Za-z0-9][A-Za-z0-9._+:-]*, at most 200 characters. NULL with ERR_USAGE otherwise. The caller frees it.
 */
char *save_check_name(const char *name, bool *dropped, struct sc_err *err) WARN_UNUSED;

#endif
