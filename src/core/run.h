/* What the main thread and the node threads of one `save` share. */
#ifndef SNAPCTL_CORE_RUN_PRIVATE_H
#define SNAPCTL_CORE_RUN_PRIVATE_H

#include "hosts.h"
#include "snapctl/core/plan.h"
#include "snapctl/core/runner.h"
#include "snapctl/core/save.h"

enum { CLEANUP_MS = 60000, CANCEL_MS = 9000 };

/* One node's thread. The fields are its own, but for what the comment says. */
struct work {
    struct run *run;
    size_t index;
    struct ctx ctx; /* of the run: log, cancel, the node's address */
    struct node node;
    struct ssh *ssh; /* NULL: not connected */
    bool begun;      /* shared: something of ours may be on the node */
    bool lost;       /* the connection broke after begun, and the node could not be asked again */
    int64_t start_ms;
    int64_t shown_ms; /* when progress was last told */
    uint64_t total;   /* bytes of the archive */
};

struct run {
    const struct save_options *options;
    const struct save_ui *ui;
    const struct plan *plan;
    struct save_result *result;
    struct ctx ctx;
    struct runner *runner;
    struct hosts *hosts; /* questions about unknown hosts */
    struct work *works;
    struct ssh_policy policy;
    int64_t cancelled_ms;      /* the main thread's: when the run was cancelled; 0: it was not */
    struct cancel *late;       /* fired CANCEL_MS after that, to end what still cleans up */
    bool go;                   /* shared: the meeting's decision */
    struct save_event *events; /* shared: not yet told to the ui */
    size_t n_events;
};

/* The life of one node's thread. */
runner_work run_node;

/* From a node's thread: tells the ui that a phase began, or how far it is; and that the node is through,
 * after which its result is not touched any more. */
void run_tell(struct work *work, enum save_phase phase, uint64_t bytes);
void run_end(struct work *work);

#endif
