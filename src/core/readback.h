/* An archive is read back from its node in one pass: through the check, and on to the store if this node has
 * the delivery. */
#ifndef SNAPCTL_SRC_CORE_READBACK_H
#define SNAPCTL_SRC_CORE_READBACK_H

#include "delivery.h"
#include "snapctl/snapshot/archive.h"
#include "snapctl/snapshot/database.h"
#include "work.h"

struct readback {
    struct save_node *node;    /* filled when its archive was read whole and is good */
    struct delivery *delivery; /* NULL: no upload is asked for */
    bool want_state;           /* an archive without the state file is no good */
    struct archive_facts facts;
    struct database_facts *database; /* NULL: it could not be looked into, which was told as a warning */
};

/* Reads w's archive, of w->total bytes, as w->readback says, with upload (NULL: none) as the sink that
 * delivery_claim gave, and ends that. The facts are the caller's, also the database's. ERR_CORRUPT if it is
 * no good, down to its database, or if its size is another one. */
int readback_all(struct work *w, const struct ctx *ctx, struct sink *upload, struct sc_err *err) WARN_UNUSED;

/* How long that may take; without w->readback, for reading alone. */
int64_t readback_limit_ms(const struct work *w);

/* Stays until the delivery is through, and does the same whenever it is to be had. -1: this node's archive
 * was of no use, or could not be read; it is not to be had for this node again. */
int readback_stand_by(struct work *w, struct sc_err *err) WARN_UNUSED;

#endif
