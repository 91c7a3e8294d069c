/* An archive is read back from its node in one pass: through the check, and on to the store if this node has
 * the delivery. */
#ifndef SNAPCTL_SRC_CORE_READBACK_H
#define SNAPCTL_SRC_CORE_READBACK_H

#include "delivery.h"
#include "snapctl/snapshot/archive.h"
#include "work.h"

struct readback {
    struct delivery *delivery; /* NULL: no upload is asked for */
    bool want_state;           /* an archive without the state file is no good */
    struct archive_facts facts;
};

/* Reads the archive of w->total bytes, with upload (NULL: none) as the sink that delivery_claim gave, and
 * ends that. ERR_CORRUPT if it is no good, or if its size is another one. */
int readback_all(struct readback *r, struct work *w, const struct ctx *ctx, struct sink *upload,
                 struct sc_err *err) WARN_UNUSED;

/* For a node that stands by: the same if the delivery is to be had; *read tells. */
int readback_send(struct readback *r, struct work *w, const struct ctx *ctx, bool *read,
                  struct sc_err *err) WARN_UNUSED;

/* How long that may take. */
int64_t readback_limit_ms(const struct readback *r, const struct work *w);

#endif
