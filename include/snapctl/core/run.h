/* What all commands that go to the etcd nodes share: how the nodes are reached, what they report on the way,
 * and how the caller takes part.
 *
 * A run is called in the main thread, which stays in it: node threads post events, and this thread hands them
 * to the caller's struct run_ui, asks it about unknown hosts, and watches its signal descriptor. */
#ifndef SNAPCTL_CORE_RUN_H
#define SNAPCTL_CORE_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "snapctl/base/err.h"
#include "snapctl/net/ssh.h"

/* How the nodes are reached; NULL, 0 and false where the command line says nothing. Strings outlive the run.
 */
struct run_options {
    const char *image; /* of the tools; NULL: the file's, else what the node has */
    int parallel;      /* nodes that are worked on at the same time; 0: all */
    bool ignore_docker_version;
    bool controlplane; /* nodes of the control plane are part of the run, too */
    bool no_sha256;    /* of archives that save and upload read: "" in their facts, as nobody looks at them */
    bool ssh_agent_auth;
    const char *agent_socket; /* SSH_AUTH_SOCK */
    enum host_key_mode host_key_mode;
    const char *known_hosts_file; /* NULL: ~/.ssh/known_hosts and the system's */
    const char *home;
    const char *user; /* who runs it, for the lock's label: "alice@ci-7" */
};

/* What happens on a node at the moment. */
enum run_phase {
    RUN_CONNECT,
    RUN_CHECK,
    RUN_PREPARE,  /* wait for a place, pull the image, remove what a dead run left */
    RUN_SNAPSHOT, /* until it is flushed to disk */
    RUN_VERIFY,   /* read back; with an upload, sent on */
    RUN_UPLOAD,   /* made visible in the bucket */
    RUN_READ,     /* of the store alone: an object is read */
    RUN_CLEANUP,
    RUN_DONE,
};

/* "connect", "check", … as in JSON. */
const char *run_phase_name(enum run_phase phase);

/* Of all commands' exit statuses, the ones that tell something (README.md); 0 is success. */
enum {
    RUN_STATUS_NOTHING = 1,
    RUN_STATUS_REFUSED = 2,
    RUN_STATUS_PARTIAL = 3,
    RUN_STATUS_SIGNAL = 128, /* and the signal's number */
};

/* What became of one node; part of each command's own result of a node. */
struct run_node {
    char *address;
    enum run_phase phase; /* the one it ended in; RUN_DONE if all went well */
    int64_t duration_ms;
    struct sc_err err; /* kind ERR_NONE if all went well */
};
void run_node_clear(struct run_node *node);

/* Something happened. */
struct run_event {
    size_t node; /* index of the node; their number stands for the store */
    enum run_phase phase;
    uint64_t bytes;           /* moved so far */
    uint64_t total;           /* of how many; 0: not known */
    bool ended;               /* it is through, and outcome tells how */
    const char *outcome;      /* "saved", "failed", …; a literal */
    const struct sc_err *err; /* of an ended one that failed; NULL otherwise */
};

/* How the caller takes part. All are called in the main thread; none may be NULL but confirm and passphrase,
 * which are NULL where nobody can be asked. */
struct run_ui {
    void *arg;
    void (*event)(void *arg, const struct run_event *event);
    /* Called four times a second, for drawing. */
    void (*tick)(void *arg);
    /* All unknown hosts at once: true to trust all of them. */
    bool (*confirm)(void *arg, const struct host_key_question *questions, size_t n);
    /* Asks for the passphrase of a key; NULL if the person gave up. The callee's result is the caller's. */
    struct secret *(*passphrase)(void *arg, const char *key_label);
    /* A signalfd of SIGINT, SIGTERM and SIGHUP, or -1. */
    int signal_fd;
    /* A signal was read from signal_fd for the second time: what may be left, one line a node. Must end the
     * process. */
    void (*abandon)(void *arg, int signo, const char *leftovers);
};

#endif
