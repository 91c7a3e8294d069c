/* An archive is read back from its node in one pass: through the check, and on to the store if this node has
 * the delivery. */
#ifndef SNAPCTL_SRC_CORE_READBACK_H
#define SNAPCTL_SRC_CORE_READBACK_H

#include "delivery.h"
#include "snapctl/snapshot/archive.h"
#include "snapctl/snapshot/database.h"
#include "work.h"

struct readback {
    struct delivery *delivery; /* NULL: no upload is asked for */
    bool want_state;           /* an archive without the state file is no good */
    struct archive_facts facts;
    struct database_facts *database; /* NULL: it could not be looked into, which was told as a warning */
};

/* Reads the archive of w->total bytes, with upload (NULL: none) as the sink that delivery_claim gave, and
 * ends that. The facts are the caller's, also the database's. ERR_CORRUPT if it is no good, down to its
 * database, or if its size is another one. */
int readback_all(struct readback *r, struct work *w, const struct ctx *ctx, struct sink *upload,
                 struct sc_err *err) WARN_UNUSED;

/* For a node that stands by: the same if the delivery is to be had; *read tells. */
int readback_send(struct readback *r, struct work *w, const struct ctx *ctx, bool *read,
                  struct sc_err *err) WARN_UNUSED;

/* How long that may take. */
int64_t readback_limit_ms(const struct readback *r, const struct work *w);

#endif
