/* What the threads of one `save` share. */
#ifndef SNAPCTL_SRC_CORE_SAVE_RUN_H
#define SNAPCTL_SRC_CORE_SAVE_RUN_H

#include "delivery.h"
#include "snapctl/core/save.h"
#include "work.h"

struct save {
    const struct save_options *options;
    struct plan *plan;
    struct save_result *result;
    struct delivery *delivery; /* NULL: none was asked for */
    bool *begun;               /* by node, shared: something of ours may be on it */
    bool
        *lost; /* by node, its thread's: what became of it is not known, as the connection broke after that */
};

/* The life of a node, for struct run_job. */
int save_live(struct work *w, struct sc_err *err);
const char *save_outcome(struct work *w, bool failed);

#endif
