/* The engine of all commands that go to the etcd nodes: a thread per node, perhaps one beside them for the
 * store, and the main thread that coordinates. A command is a struct run_job over it. */
#ifndef SNAPCTL_SRC_CORE_WORK_H
#define SNAPCTL_SRC_CORE_WORK_H

#include "hosts.h"
#include "snapctl/core/plan.h"
#include "snapctl/core/run.h"
#include "snapctl/core/runner.h"
#include "snapctl/node/files.h"

/* After a signal: how long nodes may clean up; without one, how long they may in any case. */
enum { CANCEL_MS = 9000, CLEANUP_MS = 60000 };

struct run;
struct readback;
struct copy;

/* One node's thread. The fields are its own, but for what the comment says. */
struct work {
    struct run *run;
    size_t index;
    struct ctx ctx; /* of the run: log, cancel, the node's address */
    struct node node;
    struct ssh *ssh; /* NULL: not connected */
    struct run_node *result;
    bool checked; /* shared: it was reached and can do what the run needs */
    int64_t start_ms;
    int64_t done_ms;           /* 0: it is not through yet; see work_done */
    int64_t shown_ms;          /* when progress was last told */
    uint64_t total;            /* bytes of what is read */
    struct readback *readback; /* of a command that reads archives back; NULL */
    struct copy *copy;         /* that is being read; NULL */
    struct node_files *files;  /* of work_list; NULL */
};

struct run_job {
    /* The life of a node, in its thread. -1: it failed, and result->err tells why. */
    int (*live)(struct work *w, struct sc_err *err);
    /* The word for how it ended, after live: "saved", "failed". */
    const char *(*outcome)(struct work *w, bool failed);
    /* In the main thread, with the runner's lock held, once all nodes are at the meeting or through; sets
     * run->go. NULL: nobody meets. */
    void (*decide)(struct run *run);
    /* The same without the lock, as a person may be asked for hours, and only if decide has set run->go:
     * false takes that back. What belongs to those at the meeting does not change meanwhile; threads that
     * were excused go on. NULL: nobody is asked. */
    bool (*agree)(struct run *run);
    /* What nodes may keep if the process ends at this moment, one line a node, with the runner's lock held.
     * The caller frees it. NULL: nothing can be left. */
    char *(*leftovers)(struct run *run);
    /* A thread beside the nodes'. NULL: none. */
    void (*beside)(struct run *run);
};

struct run {
    /* Set by the command. */
    const struct run_job *job;
    void *arg; /* the command's own */
    const struct run_ui *ui;
    const struct plan *plan;
    struct log *log;
    struct sc_err *err; /* of the run as a whole: refused, interrupted */

    struct ctx ctx;
    struct runner *runner;
    struct hosts *hosts; /* questions about unknown hosts */
    struct work *works;
    struct ssh_policy policy;
    int64_t cancelled_ms;     /* the main thread's: when the run was cancelled; 0: it was not */
    struct cancel *late;      /* fired CANCEL_MS after that, to end what still cleans up */
    bool go;                  /* shared: the meeting's decision */
    bool enough;              /* shared: what the run is for is done; who is still at work is cancelled */
    bool session_wanted;      /* shared: somebody waits, or has waited, in run_session */
    struct run_event *events; /* shared: not yet told to the ui */
    size_t n_events;
    int signo; /* of an interrupted run; 0 otherwise */
    int64_t duration_ms;
};

/* Runs the job on all nodes of the plan, to the end. first: the part of the first node's result that is the
 * engine's, zeroed; those of the others come `stride` bytes apart. The addresses are set here, for
 * run_node_clear. -1 with ERR_SYSTEM if threads could not be started. */
int run_all(struct run *run, struct run_node *first, size_t stride, int parallel,
            struct sc_err *err) WARN_UNUSED;

/* --- From the threads of nodes and the store. */

void run_post(struct run *run, struct run_event event);

/* The same for the store: what it does, and how it ended (err NULL: well, or told by other means). */
void run_tell_store(struct run *run, enum run_phase phase, uint64_t bytes, uint64_t total);
void run_end_store(struct run *run, enum run_phase phase, const char *outcome, const struct sc_err *err);

/* Tells the ui that a phase began; w->total is told with it. */
void work_tell(struct work *w, enum run_phase phase, uint64_t bytes);

/* The same, at most five times a second, for stream_copy. */
stream_progress work_progress;

/* All is well with the node, and the outcome is told, though its thread stays to do something for others. */
void work_done(struct work *w, const char *outcome);

/* Connects; if the connection died while a person was asked about the host, once more. */
int work_enter(struct work *w, struct sc_err *err) WARN_UNUSED;

void work_disconnect(struct work *w);

/* After these the session can no longer be used, and the command may have had an effect or not. */
bool work_breaks_session(enum err_kind kind);

/* One thing that is done on a node; again: a try before this one lost the connection. */
typedef int work_step(struct work *w, const struct ctx *ctx, bool again, struct sc_err *err);

/* Does a step within ms; a connection that breaks is made again until then. */
int work_persist(struct work *w, const struct ctx *outer, int64_t ms, work_step *step,
                 struct sc_err *err) WARN_UNUSED;

/* The same as long as that is wanted, which is asked before each try: no longer is no failure. */
typedef bool work_wanted(struct work *w);
int work_persist_while(struct work *w, const struct ctx *outer, int64_t ms, work_wanted *wanted,
                       work_step *step, struct sc_err *err) WARN_UNUSED;

/* For a node that is there for run_session alone: waits until the thread beside wants one, or has ended.
 * False: it is not needed, or the run ends, as err tells then. */
bool work_wait_until_wanted(struct work *w, struct sc_err *err);

/* Asks for the node's facts and judges them; sets w->checked. */
typedef int work_judge(const struct node *node, const struct ctx *ctx, struct sc_err *err);
int work_check(struct work *w, work_judge *judge, struct sc_err *err) WARN_UNUSED;

/* What is in the node's snapshots' folder, after work_check, for node_files_free, also after -1: ERR_DOCKER,
 * and as work_persist within two minutes. */
int work_list(struct work *w, struct node_files *files, struct sc_err *err) WARN_UNUSED;

/* The same, one file after the other. */
typedef void work_file(struct work *w, const struct node_file *file);
int work_each_file(struct work *w, work_file *take, struct sc_err *err) WARN_UNUSED;

/* Cleaning up is not cancelled by a signal, but after one it has to be done within CANCEL_MS. */
struct ctx work_cleaning(const struct work *w);

/* A session of the caller's own to an etcd node that was reached and checked: waits for one, and tries the
 * next where it cannot be reached again. *index is that node. ERR_NETWORK if there is none. */
int run_session(struct run *run, const struct ctx *ctx, struct ssh **out, size_t *index,
                struct sc_err *err) WARN_UNUSED;

#endif
