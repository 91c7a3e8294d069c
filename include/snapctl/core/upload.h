/* `upload`: a snapshot that the nodes have goes to the store, the way that `save` sends one: read from the
 * first node that is ready, verified while it flows, and made visible only if it is good. */
#ifndef SNAPCTL_CORE_UPLOAD_H
#define SNAPCTL_CORE_UPLOAD_H

#include "snapctl/core/save.h"

struct upload_options {
    struct run_options run;
    const char *name; /* ".zip" is dropped */
    bool force;       /* replace an object of that name */
    bool legacy;      /* the nodes have it as a plain file; with the bundle */
    bool pki_bundle;  /* the nodes' bundle goes beside it */
    const struct store_options *store;
};

/* Uploads it. The result is one of save's: nodes that have the archive are SAVE_FOUND, with verified for the
 * one that it was read from. The exit status: 0 uploaded, 1 no node could be asked, 3 it failed though a node
 * has it. Refused (2) if no node has it. Returns -1 as save_run. */
int upload_run(const struct cluster *cluster, const struct upload_options *options, const struct run_ui *ui,
               struct log *log, struct save_result **out, struct sc_err *err) WARN_UNUSED;

#endif
